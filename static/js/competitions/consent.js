// One-click trading: off until a person has read what it means and agreed. Kept on this device.

import { ask } from "../core/dialog.js";
import { h } from "../core/dom.js";
import { gettext } from "../core/i18n.js";

const KEY = "one-click";

export const consent = {
  given: () => localStorage.getItem(KEY) === "yes",
};

/** Bind a checkbox to the consent: ticking asks, unticking takes it back at once. */
export function bindConsent(box) {
  box.checked = consent.given();
  box.addEventListener("change", async () => {
    if (!box.checked) return localStorage.removeItem(KEY);
    box.checked = false;
    const content = h("p", {}, gettext("Orders, closes and cancellations are then sent at the first press or key, without a question in between. You can switch it off at any time."));
    if (!(await ask({ title: gettext("One-click trading"), content, confirm: gettext("Switch on") }))) return;
    localStorage.setItem(KEY, "yes");
    box.checked = true;
  });
}
