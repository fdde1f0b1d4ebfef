// What the page is looking at: the chosen pair, kept per contest, so that coming back shows the same; and, when watching, a trader.

import { pageData } from "../core/dom.js";
import { Store } from "../core/store.js";
import { room } from "./room.js";

const key = () => `pair:${room().id}`;

function remembered() {
  const pairs = room().get("competition").pairs;
  const last = sessionStorage.getItem(key());
  return pairs.includes(last) ? last : pairs[0];
}

/** The trader that the address names, else whoever leads. */
function named() {
  const wanted = new URLSearchParams(location.search).get("trader")?.toLowerCase();
  const rankings = room().get("board").rankings;
  return (rankings.find((row) => row.username.toLowerCase() === wanted) ?? rankings[0])?.entry_id ?? null;
}

// a contest's own page loads the board's code and is given no room
export const chosen = new Store(pageData("room") ? { pair: remembered(), trader: named() } : { pair: null, trader: null });

export function choosePair(pair) {
  if (pair === chosen.get("pair")) return;
  sessionStorage.setItem(key(), pair);
  chosen.set("pair", pair);
}

export function chooseTrader(entryId) {
  if (entryId === chosen.get("trader")) return;
  chosen.set("trader", entryId);
  const name = room().boardRow(entryId)?.username;
  if (name) history.replaceState(null, "", `?trader=${encodeURIComponent(name)}`);
}
