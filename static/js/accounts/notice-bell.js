// <notice-bell>: the unread count follows what is told, without a reload; what is told while a page is open is said once in a toast.

import { text } from "../core/dom.js";
import { connection } from "../core/socket.js";
import { toast } from "../core/toast.js";

const user = document.documentElement.dataset.user;

class NoticeBell extends HTMLElement {
  connectedCallback() {
    if (!user || this.heard) return;
    this.heard = new Set();
    this.count = this.querySelector("[data-part=count]");
    const line = connection();
    line.listen(`user.${user}`, (frame) => {
      if (frame.type === "notification") this.told(frame.data);
    });
    let lost = false;
    line.addEventListener("status", () => {
      if (line.status !== "live") lost = true;
      else if (lost) this.ask(); // what was missed is counted anew
    });
  }

  told({ notification_id, text: words, url }) {
    if (this.heard.has(notification_id)) return;
    this.heard.add(notification_id);
    this.show(Number(this.count.textContent) + 1);
    if (url !== location.pathname) toast(words);
  }

  async ask() {
    try {
      const response = await fetch("/api/me/notifications?limit=1", { credentials: "same-origin", signal: AbortSignal.timeout(8_000) });
      if (response.ok) this.show((await response.json()).unread);
    } catch {
      // the next page knows
    }
  }

  show(unread) {
    text(this.count, String(unread));
    this.count.hidden = unread === 0;
  }
}

customElements.define("notice-bell", NoticeBell);
