// How one line of a channel looks. Text enters as text only; links lead out without an opener.

import { h, icon } from "../core/dom.js";
import { count } from "../core/format.js";
import { fill, gettext, ngettext } from "../core/i18n.js";
import { showTime, timeNode } from "../core/times.js";

const PIECES = /(https?:\/\/[^\s<>"']{3,200}|(?<![\w@])@[A-Za-z0-9_-]{3,20})/g;
const BADGES = { host: gettext("host"), moderator: gettext("mod"), admin: gettext("admin"), bot: gettext("bot") };
const GROUPED_MS = 120_000;

/** Make a line's element. context: {userId, username, before (the line above), menu(line, button)}. */
export function lineNode(line, context) {
  const item = h("li", { class: "chat-line", "data-id": line.message_id, "data-number": line.number });
  drawLine(item, line, context);
  return item;
}

/** Draw a line into its element, again after it has changed. */
export function drawLine(item, line, context) {
  const toMe = context.userId && line.mentions.includes(context.userId);
  item.className = ["chat-line", `chat-${line.kind}`, line.deleted && "chat-gone", toMe && "chat-to-me", line.pending && "chat-pending"].filter(Boolean).join(" ");
  if (line.kind === "system") item.replaceChildren(h("p", { class: "chat-text" }, icon("info"), line.text, " ", time(line)));
  else {
    const grouped = isGrouped(line, context.before);
    item.classList.toggle("chat-grouped", grouped);
    item.replaceChildren(
      h("div", { class: grouped ? "chat-head visually-hidden" : "chat-head" }, author(line), badge(line), time(line)),
      ...[quote(line), body(line, context), context.menu && !line.deleted && !line.pending ? menuButton(line, context) : null].filter(Boolean),
    );
  }
}

function author(line) {
  return h("a", { class: "chat-name", href: `/traders/${encodeURIComponent(line.username)}` }, line.username);
}

function badge(line) {
  return line.badge ? h("span", { class: `badge chat-badge chat-badge-${line.badge}` }, BADGES[line.badge]) : null;
}

function time(line) {
  return line.timestamp ? timeNode(line.timestamp, "minute") : h("span", { class: "tiny muted" }, gettext("sending…"));
}

function quote(line) {
  if (!line.reply_to_id) return null;
  const told = line.reply_to;
  const words = !told ? "…" : told.deleted ? gettext("a deleted message") : told.text;
  return h("p", { class: "chat-quote" }, h("b", {}, told?.username ?? ""), " ", words);
}

function body(line, context) {
  if (line.deleted) return h("p", { class: "chat-text muted" }, gettext("This message was deleted."));
  if (context.blocked?.has(line.user_id)) return h("p", { class: "chat-text muted" }, gettext("From somebody you have blocked."));
  if (line.kind === "tip") {
    const words = fill(ngettext("{n} token for {name}", "{n} tokens for {name}", line.data.amount_tokens), { n: count(line.data.amount_tokens), name: line.data.to_username });
    return h("p", { class: "chat-text" }, icon("token"), words);
  }
  return h("p", { class: "chat-text", title: line.masked ? gettext("Some words were starred out.") : null }, pieces(line.text));
}

/** Links and mentions of a text as elements, the rest as it is. */
export function pieces(text) {
  return text.split(PIECES).map((piece, place) => {
    if (place % 2 === 0) return piece;
    if (piece.startsWith("@")) return h("span", { class: "chat-mention" }, piece);
    return h("a", { href: piece, rel: "noopener nofollow ugc", target: "_blank" }, piece);
  });
}

function menuButton(line, context) {
  const label = fill(gettext("What to do with {name}'s message"), { name: line.username });
  const button = h("button", { class: "chat-menu", type: "button", "aria-label": label, "aria-haspopup": "dialog" }, "⋯");
  button.addEventListener("click", () => context.menu(line, button));
  return button;
}

function isGrouped(line, before) {
  if (!before || before.kind !== "text" || line.kind !== "text" || before.user_id !== line.user_id || line.reply_to_id) return false;
  return new Date(line.timestamp ?? Date.now()) - new Date(before.timestamp ?? Date.now()) < GROUPED_MS && sameDay(line, before);
}

export function sameDay(line, before) {
  const day = (one) => new Date(one.timestamp ?? Date.now()).toDateString();
  return Boolean(before) && day(line) === day(before);
}

/** A line between two days. */
export function dayNode(line) {
  return h("li", { class: "chat-day", "data-day": "" }, showTime(document.createElement("time"), line.timestamp ?? new Date().toISOString(), "day"));
}
