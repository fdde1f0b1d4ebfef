// <account-bar>: what one's account is worth in this contest, and one's rank. Between the server's words it follows the quotes.

import { set, text } from "../core/dom.js";
import { DASH, money, percent, showSigned } from "../core/format.js";
import { gettext } from "../core/i18n.js";
import { openProfitCents } from "../core/market.js";
import { room } from "./room.js";

class AccountBar extends HTMLElement {
  connectedCallback() {
    this.room = room();
    this.parts = Object.fromEntries([...this.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
    this.room.watch(["account", "quotes", "board"], () => this.draw());
  }

  draw() {
    const account = this.room.get("account");
    if (!account) return;
    const { quotes } = this.room.values;
    const open = (account.positions ?? []).filter((position) => position.side !== "flat");
    const unrealized = open.reduce((sum, position) => sum + (openProfitCents(position, quotes) ?? 0), 0);
    const equity = account.cash_cents + unrealized;
    const start = this.room.get("competition").starting_balance_cents;
    const level = account.used_margin_cents ? Math.floor((equity * 10_000) / account.used_margin_cents) : null;
    text(this.parts.equity, money(equity));
    showSigned(this.parts.return, equity - start, percent(Math.floor(((equity - start) * 10_000) / start)));
    showSigned(this.parts.open, unrealized, money(unrealized, { plus: true }));
    text(this.parts.cash, money(account.cash_cents));
    text(this.parts.used, money(account.used_margin_cents));
    text(this.parts.free, money(equity - account.used_margin_cents));
    text(this.parts.level, level === null ? DASH : percent(level, { plus: false }));
    text(this.parts.rank, account.rank ? `#${account.rank}` : DASH);
    this.warn(level, account.status);
  }

  warn(level, status) {
    const { margin_call_level_bps: call = 10_000, stop_out_level_bps: stop = 5_000 } = this.room.get("competition");
    const near = level !== null && level <= call;
    this.parts.level.classList.toggle("down", near);
    const words =
      status === "disqualified"
        ? gettext("Disqualified: this account may no longer trade in this contest.")
        : near
          ? `${gettext("Margin call: positions are closed, largest loss first, at a margin level of")} ${percent(stop, { plus: false })}`
          : "";
    text(this.parts.warning, words);
    set(this.parts.warning, { hidden: !words });
  }
}

customElements.define("account-bar", AccountBar);
