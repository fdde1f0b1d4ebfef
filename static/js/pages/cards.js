// Pages of cards: countdowns run, and the cards are asked for again now and then, so that leaders and numbers stay true.

import "../competitions/countdown-clock.js";
import { localTimes } from "../core/times.js";

const EVERY_MS = 15_000;

async function refresh() {
  if (document.hidden || document.activeElement?.closest("[data-refresh]")) return;
  let fresh;
  try {
    const response = await fetch(location.href, { credentials: "same-origin", signal: AbortSignal.timeout(8_000) });
    if (!response.ok) return;
    fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return; // the next round asks again
  }
  for (const shown of document.querySelectorAll("[data-refresh]")) {
    const wanted = fresh.getElementById(shown.id);
    if (!wanted) continue;
    shown.replaceChildren(...document.importNode(wanted, true).childNodes);
    localTimes(shown);
  }
}

setInterval(refresh, EVERY_MS);
