// <trade-blotter>: what one holds, what waits, and what was done: positions, orders, deals, trades.

import { api } from "../core/api.js";
import { h, icon, text } from "../core/dom.js";
import { DASH, count, lots, money, showSigned } from "../core/format.js";
import { fill, gettext } from "../core/i18n.js";
import { openProfitCents } from "../core/market.js";
import { bindTabs, fillPanel } from "../core/tabs.js";
import { timeNode } from "../core/times.js";
import { cancelOrder, changeOrder, closePosition, protectPosition, reversePosition } from "./actions.js";
import { choosePair } from "./choice.js";
import { reasonText } from "./reasons.js";
import { room } from "./room.js";

const cell = (...content) => h("td", {}, ...content);
const num = (...content) => h("td", { class: "num" }, ...content);
const act = (name, label, run) => h("button", { class: "button button-small button-quiet", type: "button", "aria-label": label, title: label, onclick: run }, icon(name));
const sideCell = (side) => h("td", { class: side === "buy" || side === "long" ? "up" : "down" }, { buy: gettext("buy"), sell: gettext("sell"), long: gettext("long"), short: gettext("short") }[side] ?? side);

class TradeBlotter extends HTMLElement {
  connectedCallback() {
    this.room = room();
    this.tabs = bindTabs(this, (name) => this.show(name));
    this.room.watch(["account", "quotes"], () => this.drawPositions());
    this.room.watch("orders", () => this.drawOrders());
    document.addEventListener("room:order", ({ detail }) => detail.order.status === "filled" && this.loadHistory());
    this.tabs.choose("positions");
  }

  show(name) {
    this.shown = name;
    this.loadHistory();
  }

  fill(name, rows, key, make, update) {
    fillPanel(this.tabs.panel(name), rows, key, make, update);
  }

  tally(name, n) {
    text(this.querySelector(`[data-count=${name}]`), n ? String(n) : "");
  }

  drawPositions() {
    const open = (this.room.get("account")?.positions ?? []).filter((position) => position.side !== "flat");
    this.tally("positions", open.length);
    const current = (position) => (this.room.get("account")?.positions ?? []).find((held) => held.position_id === position.position_id) ?? position;
    const make = (position) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, h("button", { class: "link", type: "button", onclick: () => choosePair(position.pair) }, position.pair)),
        cell(),
        num(),
        num(),
        num(),
        num(),
        num(),
        num(),
        h(
          "td",
          { class: "actions" },
          act("edit", fill(gettext("Stop-loss and take-profit of {pair}"), position), () => protectPosition(current(position))),
          h("button", { class: "button button-small button-quiet", type: "button", onclick: () => closePosition(current(position), { part: true }) }, gettext("Part")),
          h("button", { class: "button button-small button-quiet", type: "button", onclick: () => reversePosition(current(position)) }, gettext("Reverse")),
          h("button", { class: "button button-small", type: "button", onclick: () => closePosition(current(position)) }, gettext("Close")),
        ),
      );
    this.fill("positions", open, (position) => position.position_id, make, (row, position) => this.updatePosition(row, position));
  }

  updatePosition(row, position) {
    const [, side, size, average, mark, stop, profit, gain] = row.children;
    const quote = this.room.get("quotes").get(position.pair);
    const long = position.side === "long";
    text(side, long ? gettext("long") : gettext("short"));
    side.className = long ? "up" : "down";
    text(size, lots(position.units));
    text(average, position.average_price);
    text(mark, quote ? (long ? quote.bid : quote.ask) : (position.mark_price ?? DASH));
    text(stop, position.stop_loss ?? DASH);
    text(profit, position.take_profit ?? DASH);
    const cents = openProfitCents(position, this.room.get("quotes"));
    showSigned(gain, cents ?? 0, money(cents, { plus: true }));
    gain.classList.add("num");
  }

  drawOrders() {
    const orders = [...this.room.get("orders").values()].sort((a, b) => b.seq - a.seq);
    this.tally("orders", orders.length);
    const current = (order) => this.room.get("orders").get(order.id) ?? order;
    const make = (order) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, h("button", { class: "link", type: "button", onclick: () => choosePair(order.pair) }, order.pair)),
        sideCell(order.side),
        cell(order.type),
        num(),
        num(),
        num(),
        num(),
        cell(),
        h(
          "td",
          { class: "actions" },
          order.type === "market" ? null : act("edit", fill(gettext("Change the order on {pair}"), order), () => changeOrder(current(order))),
          h("button", { class: "button button-small", type: "button", onclick: () => cancelOrder(current(order)) }, gettext("Cancel")),
        ),
      );
    this.fill("orders", orders, (order) => order.id, make, (row, order) => {
      const [, , , size, price, stop, profit, status] = row.children;
      text(size, lots(order.units));
      text(price, order.price ?? gettext("market"));
      text(stop, order.stop_loss ?? DASH);
      text(profit, order.take_profit ?? DASH);
      text(status, order.status === "accepted" ? gettext("being decided") : gettext("working"));
    });
  }

  async loadHistory() {
    if (this.shown === "journal") return void this.querySelector("trade-journal").load();
    if (!["deals", "trades"].includes(this.shown)) return;
    const name = this.shown;
    const path = `/api/competitions/${this.room.id}/${name}?limit=100`;
    let rows = [];
    try {
      rows = (await api("GET", path)).results;
    } catch {
      return; // the rows shown stay; the next fill or visit asks again
    }
    if (name === "deals") this.fill("deals", rows, (deal) => deal.id, (deal) => this.dealRow(deal));
    else this.fill("trades", rows, (trade) => `${trade.id}:${trade.closed_units}:${trade.opened_units}`, (trade) => this.tradeRow(trade));
  }

  dealRow(deal) {
    const gain = num();
    showSigned(gain, deal.pnl_cents, deal.direction === "in" ? DASH : money(deal.pnl_cents, { plus: true }));
    const receipt = deal.fill_id ? h("a", { href: `${this.dataset.fills}${deal.fill_id}` }, gettext("receipt")) : reasonText(deal.direction);
    return h("tr", {}, cell(timeNode(deal.at)), h("th", { scope: "row" }, deal.pair || DASH), sideCell(deal.side), cell(deal.direction), num(lots(deal.units)), num(deal.price ?? DASH), gain, num(money(deal.fee_cents)), num(money(deal.cash_after_cents)), cell(receipt));
  }

  tradeRow(trade) {
    const gain = num();
    showSigned(gain, trade.pnl_cents, money(trade.pnl_cents, { plus: true }));
    const closed = trade.closed_at ? timeNode(trade.closed_at) : gettext("open");
    return h("tr", {}, cell(timeNode(trade.opened_at)), cell(closed), h("th", { scope: "row" }, trade.pair), sideCell(trade.side), num(count(trade.opened_units)), num(trade.average_open_price ?? DASH), num(trade.average_close_price ?? DASH), gain, cell(trade.closed_at ? h("a", { href: `${this.dataset.trades}${trade.id}` }, reasonText(trade.close_reason) || gettext("details")) : ""));
  }
}

customElements.define("trade-blotter", TradeBlotter);
