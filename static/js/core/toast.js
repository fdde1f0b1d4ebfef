// Short messages in the corner. They say what happened and, for a refusal, the way on. Polite to screen readers.

import { gettext } from "./i18n.js";
import { h } from "./dom.js";

/** Show a message. kind is good, bad or plain; bad ones stay until they are closed or 12 s have passed. */
export function toast(message, kind = "plain", detail = "") {
  const shelf = document.getElementById("toasts");
  const note = h(
    "div",
    { class: `toast toast-${kind}` },
    h("div", {}, h("p", { class: "strong" }, message), detail ? h("p", { class: "muted" }, detail) : null),
    h("button", { class: "toast-close", type: "button", "aria-label": gettext("Close"), onclick: () => note.remove() }, "×"),
  );
  const most = matchMedia("(max-width: 48rem)").matches ? 1 : 3; // on a phone they would cover what one watches
  while (shelf.children.length >= most) (shelf.querySelector(".toast-plain") ?? shelf.firstElementChild).remove();
  shelf.append(note);
  setTimeout(() => note.remove(), kind === "bad" ? 12_000 : 6_000);
}
