// Times: shown in the visitor's zone, UTC on hover. The server writes <time datetime="…" data-form="…">UTC text</time>.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const minute = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const full = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const zoned = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const forms = { clock, minute, full, zoned, day };

export const utc = (date) => `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** Write a moment in one of the forms clock, minute, full, zoned, day. */
export function timeText(iso, form = "full") {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "–";
  return (forms[form] ?? full).format(date);
}

/** Make or update a <time> element. */
export function showTime(element, iso, form = "full") {
  element.dateTime = iso;
  element.title = utc(new Date(iso));
  const shown = timeText(iso, form);
  if (element.textContent !== shown) element.textContent = shown;
  return element;
}

export function timeNode(iso, form = "full") {
  return showTime(document.createElement("time"), iso, form);
}

export function localTimes(root) {
  for (const element of root.querySelectorAll("time[datetime]")) showTime(element, element.dateTime, element.dataset.form);
}

/** A span of seconds as "2 d 03:04:05" or "04:05". */
export function spanText(seconds) {
  const left = Math.max(0, Math.floor(seconds));
  const days = Math.floor(left / 86_400);
  const hours = Math.floor((left % 86_400) / 3_600);
  const pad = (n) => String(n).padStart(2, "0");
  const rest = `${pad(Math.floor((left % 3_600) / 60))}:${pad(left % 60)}`;
  if (days) return `${days} d ${pad(hours)}:${rest}`;
  return hours ? `${pad(hours)}:${rest}` : rest;
}
