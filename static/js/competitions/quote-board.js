// <quote-board>: every pair's bid, ask and spread in pips. Choosing a pair tells the rest of the page.

import { flash, h } from "../core/dom.js";
import { priceNode, showPrice } from "../core/format.js";
import { fill, gettext } from "../core/i18n.js";
import { pipsText } from "../core/market.js";
import { choosePair, chosen } from "./choice.js";
import { room } from "./room.js";

class QuoteBoard extends HTMLElement {
  connectedCallback() {
    this.room = room();
    this.rows = new Map();
    const body = this.querySelector("tbody");
    body.replaceChildren();
    for (const pair of this.room.get("competition").pairs) {
      const row = this.make(pair);
      this.rows.set(pair, row);
      body.append(row.node);
      this.room.watch(`quote:${pair}`, () => this.draw(pair));
    }
    chosen.watch("pair", () => this.mark());
  }

  make(pair) {
    const bid = priceNode();
    const ask = priceNode();
    const spread = h("td", { class: "num muted quote-spread" });
    const button = h("button", { type: "button", class: "quote-pair", "aria-pressed": "false", onclick: () => choosePair(pair) }, h("span", { class: "quote-move", "aria-hidden": "true" }), pair);
    const bidCell = h("td", { class: "num" }, bid);
    const askCell = h("td", { class: "num" }, ask);
    const node = h("tr", { onclick: () => choosePair(pair) }, h("th", { scope: "row" }, button), bidCell, spread, askCell);
    return { node, button, bid, ask, spread, bidCell, askCell };
  }

  draw(pair) {
    const quote = this.room.get("quotes").get(pair);
    const row = this.rows.get(pair);
    const stale = this.room.isStale(quote);
    row.node.classList.toggle("stale", stale);
    row.node.title = stale ? fill(gettext("{pair}: no fresh quote. Nothing can be filled on it until the next one."), { pair }) : "";
    if (!quote) return;
    const changed = row.bid.dataset.price && (row.bid.dataset.price !== quote.bid || row.ask.dataset.price !== quote.ask);
    showPrice(row.bid, quote.bid);
    showPrice(row.ask, quote.ask);
    const spread = pipsText(quote.askPoints - quote.bidPoints);
    if (row.spread.textContent !== spread) row.spread.textContent = spread;
    const move = row.button.firstElementChild;
    move.textContent = quote.moved > 0 ? "▲" : quote.moved < 0 ? "▼" : "";
    move.className = `quote-move ${quote.moved > 0 ? "up" : "down"}`;
    if (changed && !stale) {
      flash(row.bidCell, quote.moved);
      flash(row.askCell, quote.moved);
    }
  }

  mark() {
    for (const [pair, row] of this.rows) {
      const on = pair === chosen.get("pair");
      row.button.setAttribute("aria-pressed", String(on));
      row.node.classList.toggle("chosen", on);
    }
  }
}

customElements.define("quote-board", QuoteBoard);
