// <countdown-clock>: time left to the start or the end of a contest, by the server's clock.

import { text } from "../core/dom.js";
import { gettext } from "../core/i18n.js";
import { spanText, utc } from "../core/times.js";
import { connection } from "../core/socket.js";
import { room } from "./room.js";

class CountdownClock extends HTMLElement {
  connectedCallback() {
    this.label = this.querySelector("[data-part=label]");
    this.value = this.querySelector("[data-part=value]");
    if (this.dataset.live !== undefined) {
      room().watch("competition", () => {
        const { status, starts_at, ends_at } = room().get("competition");
        Object.assign(this.dataset, { status, starts: starts_at, ends: ends_at });
        this.draw();
      });
    }
    this.draw();
    this.timer = setInterval(() => this.draw(), 1_000);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  draw() {
    const { status, starts, ends } = this.dataset;
    const target = status === "running" ? ends : starts;
    const now = this.dataset.live === undefined ? Date.now() : connection().now();
    const words = { draft: gettext("Starts in"), open: gettext("Starts in"), running: gettext("Ends in"), settling: gettext("Settling"), completed: gettext("Finished"), cancelled: gettext("Cancelled") };
    if (this.label) text(this.label, words[status] ?? "");
    const counting = ["draft", "open", "running"].includes(status);
    const left = (new Date(target) - now) / 1000;
    text(this.value, counting ? spanText(left) : "");
    this.toggleAttribute("data-soon", status === "running" && left < 60);
    this.title = utc(new Date(counting ? target : ends));
  }
}

customElements.define("countdown-clock", CountdownClock);
