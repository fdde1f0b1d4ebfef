// Questions that need an answer before going on. Native <dialog>: focus is kept inside and returns to where it was.

import { h } from "./dom.js";
import { gettext } from "./i18n.js";

let lastNumber = 0;

/** Ask with a dialog. content is a node; check() may give a sentence that forbids the answer. Resolves to true or false. */
export function ask({ title, content, confirm, danger = false, check = () => "", onopen = () => {} }) {
  lastNumber += 1;
  const titleId = `dialog-${lastNumber}`;
  const problem = h("p", { class: "form-error", role: "alert", hidden: true });
  const yes = h("button", { class: `button ${danger ? "button-danger" : "button-primary"}`, type: "submit" }, confirm);
  const no = h("button", { class: "button", type: "button", onclick: () => dialog.close("") }, gettext("Back"));
  const form = h("form", { method: "dialog", class: "stack" }, h("h2", { id: titleId }, title), content, problem, h("div", { class: "form-actions row-end" }, no, yes));
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": titleId }, form);
  return new Promise((resolve) => {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const sentence = check();
      problem.textContent = sentence;
      problem.hidden = !sentence;
      if (!sentence) dialog.close("yes");
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
    (dialog.querySelector("[autofocus]") ?? yes).focus();
    onopen(dialog);
  });
}

/** A definition list of label and value pairs. */
export function facts(rows) {
  return h("dl", { class: "pairs-list" }, rows.filter(Boolean).map(([label, value]) => [h("dt", {}, label), h("dd", {}, value)]));
}

/** A labelled input for a dialog. */
export function field(label, attributes, hint = "") {
  lastNumber += 1;
  const id = `field-${lastNumber}`;
  const input = h("input", { id, class: "input", autocomplete: "off", ...attributes });
  return { input, node: h("div", { class: "form-field" }, h("label", { for: id }, label), input, hint ? h("p", { class: "form-hint" }, hint) : null) };
}
