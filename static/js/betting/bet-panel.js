// <bet-panel>: whom to back, at what price, with which stake; one's own bets; and why one cannot bet, if so.
// The bet's id is made here and kept until it is answered, so that a double click is one bet.

import { sendOnce, Problem } from "../core/api.js";
import { ask, facts } from "../core/dialog.js";
import { h, keyed, text } from "../core/dom.js";
import { DASH, count, percent, showSigned } from "../core/format.js";
import { fill, gettext, ngettext } from "../core/i18n.js";
import { newId } from "../core/ids.js";
import { connection } from "../core/socket.js";
import { spanText } from "../core/times.js";
import { toast } from "../core/toast.js";
import { chooseTrader, chosen } from "../competitions/choice.js";
import { room } from "../competitions/room.js";
import { MarketStore } from "./market-store.js";
import { payIfRight, payOfOwn, weightBps } from "./math.js";
import { FORMATS, chooseFormat, oddsFormat, oddsText } from "./odds.js";
import { claimText, lineText, reasonText, statusText } from "./words.js";

const PICKS = [10, 50, 100];
const SLACK = 0.97; // of the gain that was shown: less than that asks again
const SIGN_IN = "not_signed_in";

class BetPanel extends HTMLElement {
  connectedCallback() {
    this.store = new MarketStore(this.dataset.competition);
    this.picked = null; // {market, outcome}
    this.clock = this.querySelector("[data-part=clock]");
    this.body = this.querySelector("[data-part=body]");
    this.build();
    this.store.watch(["markets", "balance"], () => this.draw(), { now: false });
    room().watch(["board", "competition"], () => this.draw(), { now: false });
    chosen.watch("trader", () => this.follow(), { now: false });
    this.timer = setInterval(() => this.tick(), 1_000);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  build() {
    const options = Object.entries(FORMATS).map(([name, label]) => h("option", { value: name, selected: name === oddsFormat() }, label));
    const format = h("select", { "aria-label": gettext("How odds are written"), onchange: (event) => (chooseFormat(event.target.value), this.draw()) }, options);
    this.reasons = h("div", { class: "stack stack-tight" });
    this.traders = h("ul", { class: "bet-traders", "aria-label": gettext("Traders to back") });
    this.lines = h("div", { class: "stack stack-tight" });
    this.form = h("div");
    this.ownTitle = h("h3", { class: "tiny muted" }, gettext("Your bets on this trader"));
    this.own = h("ul", { class: "bet-own" });
    this.note = h("p", { class: "tiny muted" });
    this.body.append(
      h("div", { class: "bet-tools" }, h("span", { class: "tiny muted" }, gettext("Estimated odds")), format),
      this.reasons, this.traders, this.lines, this.form, this.ownTitle, this.own, this.note,
    );
  }

  get market() {
    return this.store.get("markets").get(this.marketId);
  }

  returnOf(market) {
    return room().boardRow(market.entry_id)?.return_bps ?? null;
  }

  /** The trader whom one looks at on the page is the one whose odds are shown. */
  follow() {
    for (const market of this.store.get("markets").values()) if (market.entry_id === chosen.get("trader")) this.choose(market.market_id);
  }

  choose(marketId) {
    if (marketId === this.marketId) return;
    this.marketId = marketId;
    this.picked = null;
    this.draw();
  }

  draw() {
    const { loaded, failed } = this.store.values;
    const loading = this.querySelector("[data-part=loading]");
    if (loading) text(loading, failed || (loaded && !this.store.get("markets").size ? gettext("Nobody has joined yet: there is nobody to back.") : gettext("Loading odds…")));
    const there = loaded && this.store.get("markets").size > 0;
    if (loading) loading.hidden = there;
    this.body.hidden = !there;
    if (!there) return;
    if (!this.market) {
      const markets = [...this.store.get("markets").values()];
      this.marketId = (markets.find((one) => one.entry_id === chosen.get("trader")) ?? markets[0]).market_id;
    }
    this.drawReasons();
    this.drawTraders();
    this.drawLines();
    this.drawForm();
    this.drawOwn();
    this.tick();
  }

  drawReasons() {
    const reasons = this.store.get("reasons");
    const key = JSON.stringify(reasons);
    if (key === this.reasonsKey) return;
    this.reasonsKey = key;
    const stranger = reasons.some((one) => one.code === SIGN_IN);
    const shown = stranger ? reasons.filter((one) => one.code === SIGN_IN) : reasons;
    this.reasons.replaceChildren(
      ...shown.map((one) => h("p", { class: "bet-reason" }, one.detail, stranger ? [" ", h("a", { href: `${this.dataset.login}?next=${encodeURIComponent(this.dataset.next)}` }, gettext("Sign in"))] : null)),
    );
    this.reasons.hidden = !shown.length;
  }

  drawTraders() {
    keyed(this.traders, [...this.store.get("markets").values()], (one) => one.market_id, (one) => this.makeTrader(one), (node, one) => this.updateTrader(node, one));
  }

  makeTrader(market) {
    const pick = () => {
      chooseTrader(market.entry_id);
      this.choose(market.market_id);
    };
    return h("li", {}, h("button", { type: "button", onclick: pick }, h("span", { class: "truncate" }, market.trader.username), h("span", { class: "num" }), h("span", { class: "num muted" })));
  }

  updateTrader(node, market) {
    const [button] = node.children;
    const [, gain, price] = button.children;
    const bps = this.returnOf(market);
    showSigned(gain, bps ?? 0, percent(bps));
    const [sign] = market.lines;
    text(price, market.status === "void" ? gettext("void") : sign.total_tokens ? oddsText(sign.outcomes[0].price_milli) : DASH);
    button.setAttribute("aria-pressed", String(market.market_id === this.marketId));
    button.title = fill(gettext("{name}: return {bps}, price of a return above zero"), { name: market.trader.username, bps: percent(bps) });
  }

  isOpen(market) {
    return market.status === "open" && connection().now() < new Date(market.locks_at).getTime();
  }

  drawLines() {
    const market = this.market;
    keyed(this.lines, market.lines, (line) => line.line_id, (line) => this.makeLine(line), (node, line) => this.updateLine(node, line, market));
  }

  makeLine(line) {
    const side = (outcome) => h("button", { class: "bet-side", type: "button", "data-outcome": outcome.outcome, onclick: () => this.pick(outcome.outcome) }, h("span", {}), h("b", {}), h("small", {}));
    return h("div", { class: "bet-line" }, h("p", {}, h("span", {}, lineText(line.threshold_bps)), h("span", {})), h("div", { class: "bet-sides" }, line.outcomes.map(side)), shareBar());
  }

  updateLine(node, line, market) {
    const [head, sides, bar] = node.children;
    text(head.lastElementChild, fill(ngettext("{n} token", "{n} tokens", line.total_tokens), { n: count(line.total_tokens) }));
    const able = this.isOpen(market) && !this.store.get("reasons").length;
    line.outcomes.forEach((outcome, place) => {
      const button = sides.children[place];
      const [name, price, pool] = button.children;
      text(name, claimText(outcome.side, line.threshold_bps));
      text(price, !line.total_tokens ? DASH : outcome.price_milli === null ? gettext("all") : oddsText(outcome.price_milli));
      text(pool, line.total_tokens ? fill(gettext("{n} · {share}%"), { n: count(outcome.stakes_tokens), share: Math.round(outcome.share_bps / 100) }) : gettext("no bet yet"));
      button.disabled = !able;
      button.setAttribute("aria-pressed", String(this.picked === outcome.outcome));
    });
    bar.classList.toggle("bet-share-empty", !line.total_tokens);
    bar.firstElementChild.setAttribute("width", line.total_tokens ? line.outcomes[0].share_bps / 100 : 0);
  }

  pick(outcome) {
    this.picked = this.picked === outcome ? null : outcome;
    this.bet = newId();
    this.draw();
    if (this.picked) this.form.querySelector("input")?.focus();
  }

  /** The line and its two sides of the claim that is picked. */
  sides(outcome = this.picked) {
    for (const line of this.market.lines) {
      const own = line.outcomes.find((one) => one.outcome === outcome);
      if (own) return { line, own, against: line.outcomes.find((one) => one !== own) };
    }
    return null;
  }

  left() {
    const staked = this.market.own.reduce((sum, bet) => sum + bet.stake_tokens, 0);
    return Math.max(0, Math.min(this.store.get("max") - staked, this.store.get("balance") ?? 0));
  }

  drawForm() {
    const shown = this.picked && this.isOpen(this.market) && !this.store.get("reasons").length;
    if (!shown) return void this.form.replaceChildren();
    if (this.formKey !== this.picked + this.marketId || !this.form.childElementCount) {
      this.formKey = this.picked + this.marketId;
      this.form.replaceChildren(this.makeForm());
    }
    this.estimate();
  }

  makeForm() {
    const { own, line } = this.sides();
    this.stake = h("input", { class: "input", type: "number", inputmode: "numeric", min: this.store.get("min"), step: 1, value: this.store.get("min"), id: "bet-stake", oninput: () => this.estimate() });
    const pickStake = (amount) => {
      this.stake.value = amount;
      this.estimate();
    };
    const picks = [...PICKS.map((amount) => h("button", { class: "button button-small", type: "button", onclick: () => pickStake(amount) }, count(amount))), h("button", { class: "button button-small", type: "button", onclick: () => pickStake(this.left()) }, gettext("max"))];
    this.range = h("p", { class: "bet-range small", "aria-live": "polite" });
    this.problem = h("p", { class: "form-error", role: "alert", hidden: true });
    this.submit = h("button", { class: "button button-primary button-wide", type: "submit" }, gettext("Place bet"));
    const send = (event) => {
      event.preventDefault();
      this.confirm();
    };
    return h(
      "form", { class: "bet-form", novalidate: true, onsubmit: send },
      h("p", { class: "strong" }, `${this.market.trader.username} ${claimText(own.side, line.threshold_bps)}`),
      h("div", { class: "form-field" }, h("label", { for: "bet-stake" }, gettext("Stake in tokens")), this.stake),
      h("div", { class: "bet-picks" }, picks), this.range, this.problem, this.submit,
    );
  }

  get weight() {
    return weightBps(connection().now(), new Date(this.market.starts_at).getTime(), new Date(this.market.locks_at).getTime());
  }

  /** What the bet would receive now: at the worst its stake, and what the pools as they are would give. */
  expected(stake) {
    const { own, against } = this.sides();
    return payIfRight(own, against, stake, this.weight, this.market.rake_bps);
  }

  wrong(stake) {
    const { min, max } = this.store.values;
    if (!Number.isSafeInteger(stake) || stake < min) return fill(gettext("The least stake is {n} tokens."), { n: count(min) });
    if (stake > (this.store.get("balance") ?? 0)) return gettext("You do not have so many tokens.");
    if (stake > this.left()) return fill(gettext("At most {n} tokens of one person are taken on a trader; {left} are left to you."), { n: count(max), left: count(this.left()) });
    return "";
  }

  estimate() {
    if (!this.picked || !this.range?.isConnected) return;
    const stake = Number(this.stake.value);
    const wrong = this.wrong(stake);
    text(this.problem, wrong);
    this.problem.hidden = !wrong;
    this.submit.disabled = Boolean(wrong) || this.sending;
    if (!Number.isSafeInteger(stake) || stake < 1) return void text(this.range, "");
    text(this.range, fill(gettext("If right you receive between {low} and {high}; more if others bet against you. Weight {weight}%."), { low: count(stake), high: count(this.expected(stake)), weight: this.weight / 100 }));
  }

  async confirm() {
    const stake = Number(this.stake.value);
    if (this.sending || this.wrong(stake)) return void this.estimate();
    this.sending = true;
    this.submit.disabled = true;
    const { own, line } = this.sides();
    const high = this.expected(stake);
    const bet = { id: this.bet, market_id: this.marketId, outcome: own.outcome, stake_tokens: stake, least_pay_tokens: stake + Math.floor((high - stake) * SLACK) };
    try {
      if (await ask({ title: gettext("Place this bet?"), confirm: gettext("Place bet"), content: this.terms(stake, high, own, line) })) await this.send(bet);
    } finally {
      this.sending = false;
      this.draw();
    }
  }

  terms(stake, high, own, line) {
    return h(
      "div", { class: "stack stack-tight" },
      facts([
        [gettext("Trader"), this.market.trader.username],
        [gettext("Claim"), claimText(own.side, line.threshold_bps)],
        [gettext("Stake"), count(stake)],
        [gettext("Weight"), `${this.weight / 100}%`],
        [gettext("If right you receive"), fill(gettext("between {low} and {high}"), { low: count(stake), high: count(high) })],
        [gettext("Balance after"), count((this.store.get("balance") ?? 0) - stake)],
      ]),
      h("p", { class: "tiny muted" }, gettext("An estimate from the pools as they are; the pools at the lock decide. A bet cannot be taken back. Tokens have no cash value.")),
    );
  }

  async send(bet) {
    try {
      await sendOnce("POST", "/api/betting/bets", { body: bet });
      toast(gettext("Your bet is placed."), "good", fill(gettext("{n} tokens wait for the result."), { n: count(bet.stake_tokens) }));
      this.picked = null;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (problem.answered) this.bet = newId(); // refused: the next try is another bet
      toast(problem.code === "odds_changed" ? gettext("The odds have changed.") : gettext("The bet was not placed."), "bad", problem.message);
    }
    this.store.fetchSoon(0);
  }

  drawOwn() {
    const market = this.market;
    this.ownTitle.hidden = !market.own.length;
    keyed(this.own, market.own, (bet) => bet.id, () => h("li", {}, h("span", {}), h("span", { class: "num" }), h("small", { class: "muted" }), h("small", { class: "num muted" })), (node, bet) => this.updateOwn(node, bet, market));
    const closed = market.status === "settled" || market.status === "void";
    const said = market.status === "void" ? `${reasonText(market.void_reason)} ${market.note}`.trim() : "";
    this.note.replaceChildren(
      ...[said, said ? " " : "", h("a", { href: closed ? `/settlements/${market.market_id}` : `/bets/markets/${market.market_id}` }, closed ? gettext("Receipt") : gettext("History of these odds")), ...(document.documentElement.dataset.user ? [" · ", h("a", { href: "/bets" }, gettext("All your bets"))] : [])].filter(Boolean),
    );
  }

  updateOwn(node, bet, market) {
    const { own, against, line } = this.sides(bet.outcome);
    const [claim, stake, possible, net] = node.children;
    const pay = bet.pay_tokens ?? payOfOwn(own, against, bet.stake_tokens, bet.weight_bps, market.rake_bps);
    text(claim, claimText(own.side, line.threshold_bps));
    text(stake, count(bet.stake_tokens));
    text(possible, bet.pay_tokens === null ? fill(gettext("if right about {n}"), { n: count(pay) }) : fill(gettext("received {n}"), { n: count(pay) }));
    const gain = pay - bet.stake_tokens;
    showSigned(net, gain, fill(gettext("net {n}"), { n: `${gain > 0 ? "+" : gain < 0 ? "−" : ""}${count(Math.abs(gain))}` }));
  }

  tick() {
    const market = this.market;
    if (!market) return;
    const left = (new Date(market.locks_at).getTime() - connection().now()) / 1_000;
    const open = market.status === "open" && left > 0;
    text(this.clock, open ? fill(gettext("locks in {time}"), { time: spanText(left) }) : statusText(market.status === "open" ? "locked" : market.status));
    if (open !== this.wasOpen) {
      this.wasOpen = open;
      this.draw();
    } else if (this.picked) this.estimate();
  }
}

/** A bar that shows how the stakes of a line are divided; what it says is written in the buttons above it. */
function shareBar() {
  const bar = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, value] of Object.entries({ class: "bet-share", viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" })) bar.setAttribute(name, value);
  const part = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  part.setAttribute("height", "4");
  bar.append(part);
  return bar;
}

customElements.define("bet-panel", BetPanel);
