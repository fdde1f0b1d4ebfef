// The terminal's keys, listed behind "?". They never act inside a field or a dialog, and can be switched off.

import { h } from "../core/dom.js";
import { gettext } from "../core/i18n.js";
import { closePosition, protectPosition, reversePosition } from "./actions.js";
import { choosePair, chosen } from "./choice.js";
import { room } from "./room.js";

const OFF = "hotkeys-off";
const say = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

/** Do something with the position of the chosen pair, if there is one. */
function withHeld(act) {
  const position = room().get("account")?.positions?.find((held) => held.pair === chosen.get("pair") && held.side !== "flat");
  if (position) act(position);
}

const KEYS = {
  b: [gettext("buy: fill the ticket in"), () => say("ticket:side", "buy")],
  s: [gettext("sell: fill the ticket in"), () => say("ticket:side", "sell")],
  x: [gettext("close the position of the chosen pair"), () => withHeld(closePosition)],
  p: [gettext("close a part of it"), () => withHeld((held) => closePosition(held, { part: true }))],
  r: [gettext("reverse it"), () => withHeld(reversePosition)],
  e: [gettext("its stop-loss and take-profit"), () => withHeld(protectPosition)],
  "+": [gettext("larger size"), () => say("ticket:step", 1)],
  "-": [gettext("smaller size"), () => say("ticket:step", -1)],
  "?": [gettext("these keys"), () => showKeys()],
};

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest("input, select, textarea, dialog, [contenteditable]")) return;
  if (event.key !== "?" && localStorage.getItem(OFF)) return;
  const key = event.key === "=" ? "+" : event.key.toLowerCase();
  const pair = /^[1-9]$/.test(key) ? room().get("competition").pairs[Number(key) - 1] : null;
  if (pair) choosePair(pair);
  else if (KEYS[key]) KEYS[key][1]();
  else return;
  event.preventDefault();
}

function showKeys() {
  if (document.querySelector("dialog[open]")) return;
  const rows = [...Object.entries(KEYS).map(([key, [words]]) => [key.toUpperCase(), words]), ["1–9", gettext("choose a pair")], ["Esc", gettext("close a dialog")]];
  const box = h("input", { type: "checkbox", checked: !localStorage.getItem(OFF), onchange: () => (box.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "yes")) });
  const dialog = h(
    "dialog",
    { class: "dialog", "aria-labelledby": "keys-title" },
    h(
      "form",
      { method: "dialog", class: "stack" },
      h("h2", { id: "keys-title" }, gettext("Keys")),
      h("dl", { class: "pairs-list keys" }, rows.map(([key, words]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, words)])),
      h("label", { class: "form-check" }, box, h("span", {}, gettext("Keys are on"))),
      h("div", { class: "form-actions row-end" }, h("button", { class: "button button-primary", type: "submit" }, gettext("Close"))),
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

export function startHotkeys() {
  document.addEventListener("keydown", press);
  document.querySelector("[data-action=keys]")?.addEventListener("click", showKeys);
}
