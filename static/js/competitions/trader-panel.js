// <trader-panel>: the trader one looks at: rank, return, what they hold, and the curve of their equity.

import { api } from "../core/api.js";
import { h, keyed, text } from "../core/dom.js";
import { count, lots, money, percent, showSigned } from "../core/format.js";
import { fill, gettext } from "../core/i18n.js";
import { profitCents } from "../core/market.js";
import { choosePair, chosen } from "./choice.js";
import "./equity-line.js";
import { room } from "./room.js";

class TraderPanel extends HTMLElement {
  connectedCallback() {
    this.room = room();
    this.parts = Object.fromEntries([...this.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
    chosen.watch("trader", () => this.load());
    this.room.watch(["board", "positions", "quotes"], () => this.draw());
  }

  async load() {
    const entry = chosen.get("trader");
    this.draw();
    if (!entry) return;
    let points = [];
    try {
      points = (await api("GET", `/api/competitions/${this.room.id}/equity?entry_id=${entry}&points=300`)).points;
    } catch {
      // the curve then grows from the board alone
    }
    if (entry !== chosen.get("trader")) return;
    const name = this.room.boardRow(entry)?.username ?? "";
    this.parts.curve.show(points.map((point) => [Date.parse(point.at), point.equity_cents]), fill(gettext("Equity of {name}"), { name }));
    this.draw();
  }

  draw() {
    const entry = chosen.get("trader");
    const row = this.room.boardRow(entry);
    this.parts.body.hidden = !row;
    this.parts.none.hidden = Boolean(row);
    if (!row) return;
    const { name, rank, gain, equity, drawdown, fills } = this.parts;
    if (text(name, row.username)) name.href = `/traders/${encodeURIComponent(row.username)}`;
    fills.href = `${this.dataset.fills}${encodeURIComponent(row.username)}`;
    text(rank, row.rank ? `#${row.rank}` : gettext("unranked"));
    showSigned(gain, row.return_bps, percent(row.return_bps));
    text(equity, money(row.equity_cents));
    text(drawdown, percent(-row.max_drawdown_bps, { plus: false }));
    this.parts.curve.add(Date.parse(this.room.get("board").as_of), row.equity_cents);
    this.drawHeld(this.room.get("positions").get(entry) ?? []);
  }

  drawHeld(positions) {
    keyed(this.parts.held, positions, (held) => held.position_id, (held) => this.make(held), (node, held) => this.update(node, held));
    this.parts.flat.hidden = positions.length > 0;
  }

  make(held) {
    return h("li", { class: "held" }, h("button", { class: "link", type: "button", onclick: () => choosePair(held.pair) }, held.pair), h("span"), h("span", { class: "num" }));
  }

  update(node, held) {
    const [, size, gain] = node.children;
    text(size, `${held.side === "long" ? gettext("long") : gettext("short")} ${lots(held.units)} @ ${held.average_price}`);
    const cents = profitCents(held, this.room.get("quotes"));
    showSigned(gain, cents ?? 0, money(cents, { plus: true }));
    node.title = fill(gettext("{units} units"), { units: count(held.units) });
  }
}

customElements.define("trader-panel", TraderPanel);
