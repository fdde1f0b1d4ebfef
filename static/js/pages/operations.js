// The operations page keeps itself current: its figures are fetched again every few seconds while somebody looks at them.

import { localTimes } from "../core/times.js";

const EVERY_MS = 5_000;

async function look() {
  if (document.hidden) return;
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok || answer.redirected) return; // what is shown says how old it is
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-current]")) {
    const now = fresh.getElementById(part.id);
    if (!now || part.contains(document.activeElement)) continue;
    part.replaceWith(document.adoptNode(now));
    localTimes(document.getElementById(part.id));
  }
}

setInterval(look, EVERY_MS);
document.addEventListener("visibilitychange", look);
