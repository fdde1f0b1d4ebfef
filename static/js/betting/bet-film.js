// <bet-film>: how bets stood at the moment that a replay shows.

import { api, Problem } from "../core/api.js";
import { text } from "../core/dom.js";
import { DASH, count } from "../core/format.js";
import { fill, gettext } from "../core/i18n.js";

class BetFilm extends HTMLElement {
  async connectedCallback() {
    this.moment = null;
    this.listen = (event) => this.show(event.detail);
    document.addEventListener("film:moment", this.listen);
    try {
      this.lines = (await api("GET", `/api/betting/history/${this.dataset.competition}`)).lines;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      return;
    }
    this.show(this.moment ?? Number(document.querySelector("contest-film [data-part=slider]")?.value ?? 0));
  }

  disconnectedCallback() {
    document.removeEventListener("film:moment", this.listen);
  }

  show(moment) {
    this.moment = moment;
    if (!this.lines) return;
    let total = 0;
    const rows = new Map();
    for (const line of this.lines) {
      const at = line.points.filter(([ms]) => ms <= moment).at(-1);
      const staked = at ? at[1] + at[2] : 0;
      total += staked;
      const row = rows.get(line.market_id) ?? { staked: 0, share: null };
      row.staked += staked;
      if (!line.threshold_bps && staked) row.share = Math.round((at[1] * 100) / staked);
      rows.set(line.market_id, row);
    }
    for (const node of this.querySelectorAll("[data-market]")) {
      const row = rows.get(node.dataset.market);
      text(node.querySelector("[data-part=staked]"), count(row?.staked ?? 0));
      text(node.querySelector("[data-part=share]"), row?.share == null ? DASH : `${row.share}%`);
    }
    text(this.querySelector("[data-part=total]"), fill(gettext("{n} tokens staked"), { n: count(total) }));
  }
}

customElements.define("bet-film", BetFilm);
