// <connection-status>: a dot and a word for how current the page is. Told to screen readers only when it changes.

import { h, text } from "../core/dom.js";
import { fill, gettext } from "../core/i18n.js";
import { connection } from "../core/socket.js";

class ConnectionStatus extends HTMLElement {
  connectedCallback() {
    this.link = connection();
    this.word = h("span", { role: "status" });
    this.latency = h("span", { class: "faint tabular", "aria-hidden": "true" });
    this.replaceChildren(h("span", { class: "dot", "aria-hidden": "true" }), this.word, this.latency);
    this.link.addEventListener("status", () => this.draw());
    this.link.addEventListener("latency", () => this.draw());
    this.draw();
  }

  draw() {
    const { status, latencyMs, closedCode } = this.link;
    const words = {
      connecting: gettext("Connecting"),
      live: gettext("Live"),
      reconnecting: gettext("Reconnecting"),
      closed: closedCode === 4401 ? gettext("Signed out") : closedCode === 4451 ? gettext("Not offered here") : gettext("Disconnected"),
    };
    this.dataset.status = status;
    text(this.word, words[status]);
    text(this.latency, status === "live" && latencyMs !== null ? fill(gettext("{ms} ms"), { ms: latencyMs }) : "");
    document.documentElement.toggleAttribute("data-offline", status !== "live" && status !== "connecting");
  }
}

customElements.define("connection-status", ConnectionStatus);
