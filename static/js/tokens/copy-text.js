// A text with a button that copies it; without scripts the field is there to be selected.

import { toast } from "../core/toast.js";
import { gettext } from "../core/i18n.js";

class CopyText extends HTMLElement {
  connectedCallback() {
    const field = this.querySelector("[data-part=text]");
    const button = this.querySelector("[data-part=copy]");
    if (!field || !button || this.ready) return;
    this.ready = true;
    field.addEventListener("focus", () => field.select());
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(field.value);
        toast(gettext("Copied."), "good");
      } catch {
        field.focus();
        toast(gettext("Copying is not allowed here. The text is selected."));
      }
    });
  }
}

customElements.define("copy-text", CopyText);
