// <live-board>: the standings, in place. Rows move to their new rank; one's own row stays in sight; the board says as of when.

import { calm, h, keyed, text } from "../core/dom.js";
import { count, direction, money, percent, showSigned } from "../core/format.js";
import { fill, gettext, ngettext } from "../core/i18n.js";
import { showTime } from "../core/times.js";
import { chooseTrader, chosen } from "./choice.js";
import { room } from "./room.js";

class LiveBoard extends HTMLElement {
  connectedCallback() {
    this.room = room();
    this.rows = this.querySelector("tbody");
    this.asOf = this.querySelector("[data-part=as-of]");
    this.ownRow = this.querySelector("[data-part=own]");
    this.limit = Number(this.dataset.limit) || 100;
    this.room.watch(["board", "account"], () => this.draw());
    if (this.dataset.pick !== undefined) chosen.watch("trader", () => this.mark());
  }

  draw() {
    const { rankings, as_of } = this.room.get("board");
    const own = this.room.get("account")?.entry_id;
    if (as_of) showTime(this.asOf, as_of, "clock");
    const before = this.places();
    const shown = rankings.slice(0, this.limit);
    keyed(this.rows, shown, (row) => row.entry_id, (row) => this.make(row), (node, row) => this.update(node, row, own));
    if (!rankings.length) this.rows.replaceChildren(h("tr", {}, h("td", { colspan: 5 }, h("p", { class: "empty-small muted center" }, gettext("No trader has joined yet.")))));
    this.glide(before);
    this.pin(this.room.boardRow(own));
    if (this.dataset.pick !== undefined) this.mark();
  }

  make(row) {
    return h(
      "tr",
      { "data-entry": row.entry_id },
      h("td", { class: "board-rank" }, h("span", { class: "place" }), h("span", { class: "board-move" })),
      h("th", { scope: "row", class: "board-name" }, this.nameNode(row), h("span", { class: "badge board-badge" })),
      h("td", { class: "num board-return" }),
      h("td", { class: "num wide-cell" }),
      h("td", { class: "num wide-cell muted" }),
    );
  }

  /** A name leads to the trader; where one watches, it chooses whom one looks at; on an overlay it is a name. */
  nameNode({ username: name, entry_id: entry }) {
    if (this.dataset.plain !== undefined) return h("span", {}, name);
    if (this.dataset.pick === undefined) return h("a", { href: `/traders/${encodeURIComponent(name)}` }, name);
    return h("button", { class: "link", type: "button", "aria-pressed": "false", onclick: () => chooseTrader(entry) }, name);
  }

  mark() {
    for (const row of this.rows.children) {
      const on = row.dataset.entry === chosen.get("trader");
      row.classList.toggle("chosen", on);
      row.querySelector("[aria-pressed]")?.setAttribute("aria-pressed", String(on));
    }
  }

  update(node, row, own) {
    const [rank, name, gain, equity, drawdown] = node.children;
    const place = rank.firstElementChild;
    text(place, row.rank ?? "–");
    place.className = `place${row.rank && row.rank <= 3 ? ` place-${row.rank}` : ""}`;
    this.move(rank.lastElementChild, row);
    node.classList.toggle("own", row.entry_id === own);
    const badge = name.querySelector(".board-badge");
    const state = row.status === "disqualified" ? gettext("disqualified") : row.fills === 0 ? gettext("no trade yet") : "";
    badge.hidden = !state;
    badge.classList.toggle("visually-hidden", row.status !== "disqualified"); // the dash in place of a rank says it to the eye
    text(badge, state);
    showSigned(gain, row.return_bps, percent(row.return_bps));
    text(equity, money(row.equity_cents));
    text(drawdown, percent(-row.max_drawdown_bps, { plus: false }));
    node.title = fill(ngettext("{fills} fill", "{fills} fills", row.fills), { fills: count(row.fills) });
  }

  move(node, { rank, previous_rank: previous }) {
    const climbed = rank && previous ? previous - rank : 0;
    const written = climbed ? `${climbed > 0 ? "▲" : "▼"}${Math.abs(climbed)}` : "";
    node.dataset.move = written;
    node.className = `board-move ${direction(climbed)}`;
    if (written) node.setAttribute("aria-label", climbed > 0 ? fill(gettext("up {n}"), { n: climbed }) : fill(gettext("down {n}"), { n: -climbed }));
    else node.removeAttribute("aria-label");
  }

  places() {
    if (calm.matches || document.hidden) return null;
    return new Map([...this.rows.children].map((row) => [row, row.offsetTop]));
  }

  glide(before) {
    if (!before) return;
    for (const [row, top] of before) {
      const moved = row.isConnected ? top - row.offsetTop : 0;
      if (moved) row.animate([{ transform: `translateY(${moved}px)` }, { transform: "none" }], { duration: 260, easing: "cubic-bezier(0.2, 0, 0, 1)" });
    }
  }

  pin(row) {
    if (!this.ownRow) return;
    this.ownRow.hidden = !row;
    if (!row) return;
    text(this.ownRow.querySelector("[data-part=own-rank]"), row.rank ? `#${row.rank}` : gettext("unranked"));
    showSigned(this.ownRow.querySelector("[data-part=own-return]"), row.return_bps, percent(row.return_bps));
    text(this.ownRow.querySelector("[data-part=own-equity]"), money(row.equity_cents));
  }
}

customElements.define("live-board", LiveBoard);
