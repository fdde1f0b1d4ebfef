// <crowd-blotter>: what everybody on the board holds, valued at the newest quotes, and the tape of deals.

import { h, text } from "../core/dom.js";
import { lots, money, showSigned } from "../core/format.js";
import { gettext } from "../core/i18n.js";
import { profitCents } from "../core/market.js";
import { bindTabs, fillPanel } from "../core/tabs.js";
import { timeNode } from "../core/times.js";
import { choosePair, chooseTrader } from "./choice.js";
import { room } from "./room.js";

const num = (...content) => h("td", { class: "num" }, ...content);

class CrowdBlotter extends HTMLElement {
  connectedCallback() {
    this.room = room();
    this.tabs = bindTabs(this, () => {});
    this.panel = this.tabs.panel("held");
    this.tally = this.querySelector("[data-count=held]");
    this.room.watch(["positions", "board", "quotes"], () => this.draw());
    this.tabs.choose(this.dataset.first || "held");
  }

  draw() {
    const held = this.room.get("positions");
    const rows = this.room.get("board").rankings.flatMap((row) => (held.get(row.entry_id) ?? []).map((position) => ({ ...position, row })));
    text(this.tally, rows.length ? String(rows.length) : "");
    fillPanel(this.panel, rows, (one) => one.position_id, (one) => this.make(one), (node, one) => this.update(node, one));
  }

  make({ row, pair, opened_at: opened }) {
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, h("button", { class: "link", type: "button", onclick: () => chooseTrader(row.entry_id) }, row.username)),
      h("td", {}, h("button", { class: "link", type: "button", onclick: () => choosePair(pair) }, pair)),
      h("td"),
      num(),
      num(),
      num(),
      num(),
      h("td", { class: "muted" }, opened ? timeNode(opened, "clock") : "–"),
    );
  }

  update(node, position) {
    const [, , side, size, average, now, gain] = node.children;
    const quotes = this.room.get("quotes");
    const quote = quotes.get(position.pair);
    const long = position.side === "long";
    text(side, long ? gettext("long") : gettext("short"));
    side.className = long ? "up" : "down";
    text(size, lots(position.units));
    text(average, position.average_price);
    text(now, quote ? (long ? quote.bid : quote.ask) : "–");
    const cents = profitCents(position, quotes);
    showSigned(gain, cents ?? 0, money(cents, { plus: true }));
  }
}

customElements.define("crowd-blotter", CrowdBlotter);
