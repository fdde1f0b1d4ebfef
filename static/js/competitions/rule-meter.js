// <rule-meter>: how far one is from what ends or limits the trading: drawdown, stop-out, close-only, the first trade.

import { h, text } from "../core/dom.js";
import { percent } from "../core/format.js";
import { fill, gettext } from "../core/i18n.js";
import { spanText } from "../core/times.js";
import { room } from "./room.js";

class RuleMeter extends HTMLElement {
  connectedCallback() {
    this.room = room();
    this.rows = {};
    const list = h("dl", { class: "meter-list" });
    for (const [name, label] of [
      ["drawdown", gettext("Drawdown limit")],
      ["level", gettext("Stop-out")],
      ["trade", gettext("Ranked")],
      ["closeOnly", gettext("Close-only")],
    ]) {
      const bar = h("meter", { min: "0", max: "100", "aria-label": label });
      const words = h("span", { class: "tabular" });
      this.rows[name] = { bar, words, node: h("div", { class: "meter-row" }, h("dt", {}, label), h("dd", {}, bar, words)) };
      list.append(this.rows[name].node);
    }
    this.replaceChildren(list);
    this.room.watch(["account", "board", "competition"], () => this.draw());
    setInterval(() => this.draw(), 1_000);
  }

  put(name, share, words) {
    const { bar, words: node, node: row } = this.rows[name];
    row.hidden = share === null;
    if (share === null) return;
    const left = Math.max(0, Math.min(100, Math.round(share * 100)));
    Object.assign(bar, { value: left, low: 25, high: 50, optimum: 100 });
    bar.title = words;
    text(node, words);
  }

  draw() {
    const account = this.room.get("account");
    const rules = this.room.get("competition");
    if (!account) return;
    const own = this.room.get("board").rankings.find((row) => row.entry_id === account.entry_id);
    this.drawdown(rules, account);
    const stop = rules.stop_out_level_bps ?? 5_000;
    const level = account.margin_level_bps;
    this.put("level", level === null || level === undefined ? 1 : (level - stop) / Math.max(1, level), level ? fill(gettext("at {stop}, now {now}"), { stop: percent(stop, { plus: false }), now: percent(level, { plus: false }) }) : gettext("nothing at risk"));
    const fills = own?.fills ?? 0;
    this.put("trade", fills ? 1 : 0, fills ? gettext("yes: at least one fill") : gettext("after your first fill"));
    const left = (new Date(rules.ends_at) - this.room.link.now()) / 1000 - (rules.close_only_s ?? 0);
    this.put("closeOnly", rules.close_only_s ? Math.min(1, left / 600) : null, left > 0 ? fill(gettext("in {time}"), { time: spanText(left) }) : gettext("now: positions may only get smaller"));
  }

  /** How much of the limit is used, measured from where the contest's rule measures. */
  drawdown(rules, account) {
    const limit = rules.drawdown_limit_bps ?? 0;
    const from = { start: rules.starting_balance_cents, peak: account.max_equity_cents, daily: account.day_start_equity_cents }[rules.drawdown_rule];
    if (!limit || !from) return this.put("drawdown", null, "");
    const used = Math.max(0, Math.floor(((from - account.equity_cents) * 10_000) / from));
    this.put("drawdown", (limit - used) / limit, fill(gettext("{used} of {limit}"), { used: percent(used, { plus: false }), limit: percent(limit, { plus: false }) }));
  }
}

customElements.define("rule-meter", RuleMeter);
