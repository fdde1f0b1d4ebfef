// <bet-receipt>: computes every payout of a receipt again, from its stakes and weights, and says what it found.

import { api, Problem } from "../core/api.js";
import { text } from "../core/dom.js";
import { count } from "../core/format.js";
import { fill, gettext, ngettext } from "../core/i18n.js";
import { verifyReceipt } from "./math.js";

class BetReceipt extends HTMLElement {
  connectedCallback() {
    this.button = this.querySelector("[data-action=verify]");
    this.verdict = this.querySelector("[data-part=verdict]");
    this.button.addEventListener("click", () => this.verify());
  }

  async verify() {
    this.button.disabled = true;
    try {
      this.show(verifyReceipt(await api("GET", `/api/betting/settlements/${this.dataset.market}`, { timeoutMs: 60_000 })));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this.say(false, problem.message);
    } finally {
      this.button.disabled = false;
    }
  }

  show({ lines, whole }) {
    for (const { line, faults } of lines) {
      const mark = this.querySelector(`[data-line="${line.line_id}"] [data-part=mark]`);
      mark.hidden = false;
      mark.className = `badge ${faults.length ? "badge-down" : "badge-live"}`;
      text(mark, faults.length ? fill(ngettext("{n} fault", "{n} faults", faults.length), { n: faults.length }) : gettext("verified"));
    }
    const faults = [...whole, ...lines.flatMap((one) => one.faults)];
    const bets = lines.reduce((sum, { line }) => sum + line.bets.length, 0);
    if (faults.length) this.say(false, faults.slice(0, 20).join("; "));
    else this.say(true, fill(ngettext("Verified: {n} bet computed again, and everything is as it was paid.", "Verified: {n} bets computed again, and everything is as it was paid.", bets), { n: count(bets) }));
  }

  say(good, words) {
    this.verdict.hidden = false;
    this.verdict.className = `notice ${good ? "notice-success" : "notice-error"}`;
    text(this.verdict, words);
  }
}

customElements.define("bet-receipt", BetReceipt);
