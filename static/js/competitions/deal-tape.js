// <deal-tape>: the newest deals of everybody, as far as they may be seen. Newest on top.

import { h, keyed, text } from "../core/dom.js";
import { direction, lots, money } from "../core/format.js";
import { gettext } from "../core/i18n.js";
import { timeNode } from "../core/times.js";
import { room } from "./room.js";

class DealTape extends HTMLElement {
  connectedCallback() {
    this.room = room();
    this.list = this.querySelector("[data-part=deals]");
    this.empty = this.querySelector("[data-part=empty]");
    this.limit = Number(this.dataset.limit) || 40;
    this.room.watch("deals", () => this.draw());
  }

  draw() {
    const deals = this.room.get("deals").slice(0, this.limit);
    keyed(this.list, deals, (deal) => deal.deal_id, (deal) => this.make(deal), () => {});
    this.empty.hidden = deals.length > 0;
  }

  make(deal) {
    const words = { in: deal.side === "buy" ? gettext("bought") : gettext("sold"), out: deal.side === "buy" ? gettext("bought back") : gettext("sold out") };
    const gain = h("span", { class: `num ${direction(deal.pnl_cents)}` });
    if (deal.direction === "out") text(gain, money(deal.pnl_cents, { plus: true }));
    return h(
      "li",
      { class: "deal" },
      timeNode(deal.at, "clock"),
      h("span", { class: "deal-text" }, h("b", {}, deal.username), " ", h("span", { class: deal.side === "buy" ? "up" : "down" }, words[deal.direction] ?? deal.direction), " ", lots(deal.units), " ", deal.pair, " ", h("span", { class: "muted" }, `@ ${deal.price ?? "–"}`)),
      gain,
    );
  }
}

customElements.define("deal-tape", DealTape);
