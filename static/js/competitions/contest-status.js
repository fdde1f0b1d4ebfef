// <contest-status>: the contest's state beside its title, and, once it is over, the way to its results.

import { h, text } from "../core/dom.js";
import { gettext } from "../core/i18n.js";
import { toast } from "../core/toast.js";
import { room } from "./room.js";

const KINDS = { running: "badge-live", open: "badge-accent", settling: "badge-warn", cancelled: "badge-down" };

class ContestStatus extends HTMLElement {
  connectedCallback() {
    this.badge = this.querySelector(".badge");
    this.status = room().get("competition").status;
    room().watch("competition", () => this.draw());
  }

  draw() {
    const { status, reason } = room().get("competition");
    if (status === this.status) return;
    this.status = status;
    const words = { draft: gettext("draft"), open: gettext("open"), running: gettext("live"), settling: gettext("settling"), completed: gettext("finished"), cancelled: gettext("cancelled") };
    text(this.badge, words[status] ?? status);
    this.badge.className = `badge ${KINDS[status] ?? ""}`;
    if (status === "running") toast(gettext("The contest has started."), "good");
    if (status === "cancelled") toast(gettext("The contest was cancelled."), "bad", reason ?? "");
    if (status === "settling" || status === "completed") this.lead();
  }

  lead() {
    if (this.querySelector("a")) return;
    toast(gettext("The contest has ended."), "plain", gettext("Positions were closed. The results are ready."));
    this.append(" ", h("a", { class: "button button-primary button-small", href: this.dataset.results }, gettext("See the results")));
  }
}

customElements.define("contest-status", ContestStatus);
