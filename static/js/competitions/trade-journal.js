// <trade-journal>: what one's closed trades amount to, and the curve of one's equity. Asked for when it is looked at.

import { api } from "../core/api.js";
import { text } from "../core/dom.js";
import { DASH, MINUS, count, money, percent, showSigned } from "../core/format.js";
import { gettext } from "../core/i18n.js";
import { spanText } from "../core/times.js";
import "./equity-line.js";
import { room } from "./room.js";

const WRITTEN = {
  trades: count,
  win_rate_bps: (bps) => percent(bps, { plus: false }),
  profit_factor: (ratio) => ratio ?? DASH,
  average_hold_s: (seconds) => (seconds === null ? DASH : spanText(seconds)),
  max_drawdown_bps: (bps) => percent(-bps),
  sharpe: (ratio) => ratio?.replace("-", MINUS) ?? DASH,
};

class TradeJournal extends HTMLElement {
  async load() {
    const base = `/api/competitions/${room().id}`;
    let figures;
    let curve;
    try {
      [figures, curve] = await Promise.all([api("GET", `${base}/statistics`), api("GET", `${base}/equity?points=400`)]);
    } catch {
      return; // what is shown stays; the next look asks again
    }
    for (const node of this.querySelectorAll("[data-figure]")) {
      const name = node.dataset.figure;
      if (name === "net_cents") showSigned(node, figures.net_cents, money(figures.net_cents, { plus: true }));
      else text(node, WRITTEN[name](figures[name]));
    }
    this.querySelector("equity-line").show(curve.points.map((point) => [Date.parse(point.at), point.equity_cents]), gettext("Your equity"));
  }
}

customElements.define("trade-journal", TradeJournal);
