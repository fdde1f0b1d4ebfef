// <order-ticket>: one order, with what it means before it is sent, and what became of it after. One press is one order:
// the browser makes the id, keeps it until it is answered, and sends the same id again when the network failed.

import { Problem, sendOnce } from "../core/api.js";
import { ask, facts } from "../core/dialog.js";
import { h, text } from "../core/dom.js";
import { DASH, count, lots, money, priceNode, showPrice } from "../core/format.js";
import { fill, gettext } from "../core/i18n.js";
import { newId } from "../core/ids.js";
import { digitsOf, pipsText, toPoints, toPrice } from "../core/market.js";
import { toast } from "../core/toast.js";
import { choosePair, chosen } from "./choice.js";
import { consent } from "./consent.js";
import { reasonText } from "./reasons.js";
import { room } from "./room.js";
import { exitCents, exitPoints, exitProblem, preview, readUnits, referencePoints, sizeProblem } from "./ticket-math.js";

class OrderTicket extends HTMLElement {
  connectedCallback() {
    this.room = room();
    this.form = this.querySelector("form");
    this.parts = Object.fromEntries([...this.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
    this.prices = { sell: priceNode(), buy: priceNode() };
    this.parts["price-sell"].replaceChildren(this.prices.sell);
    this.parts["price-buy"].replaceChildren(this.prices.buy);
    this.key = null;
    this.sending = false;
    this.form.addEventListener("input", () => this.changed());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.form.elements.pair.addEventListener("change", (event) => choosePair(event.target.value));
    for (const step of this.querySelectorAll("button[data-step]")) step.addEventListener("click", () => this.step(Number(step.dataset.step)));
    chosen.watch("pair", () => this.takePair());
    this.room.watch(["quotes", "account", "competition"], () => this.draw());
    document.addEventListener("room:order", ({ detail }) => this.decided(detail.order, detail.fill));
    document.addEventListener("ticket:side", ({ detail }) => this.chooseSide(detail));
    document.addEventListener("ticket:step", ({ detail }) => this.step(detail));
  }

  value(name) {
    return this.form.elements[name].value;
  }

  changed() {
    this.key = null; // another order than the one that may be under way
    this.parts.problem.hidden = true;
    this.draw();
  }

  takePair() {
    this.form.elements.pair.value = chosen.get("pair");
    for (const name of ["price", "stop_loss", "take_profit"]) this.form.elements[name].value = "";
    this.changed();
  }

  chooseSide(side) {
    this.form.elements.side.value = side;
    this.changed();
    this.parts.submit.focus();
    if (consent.given()) this.submit();
  }

  step(by) {
    const measure = this.value("measure");
    const { unit_step: step = 1_000, min_units: least = 1_000 } = this.room.get("competition");
    const units = Math.max(least, (readUnits(this.value("size"), measure) ?? 0) + by * step * 10);
    this.form.elements.size.value = measure === "lots" ? String(units / 100_000) : String(units);
    this.changed();
  }

  /** The order as typed, with everything worked out. */
  read() {
    const { quotes } = this.room.values;
    const pair = this.value("pair");
    const order = { pair, side: this.value("side"), type: this.value("type"), units: readUnits(this.value("size"), this.value("measure")), price: null };
    if (order.type !== "market") order.price = this.value("price").trim().replace(",", ".");
    order.reference = referencePoints(order, quotes);
    order.stopPoints = exitPoints(this.value("stop_loss"), this.value("exit_measure"), "stop_loss", order, quotes);
    order.profitPoints = exitPoints(this.value("take_profit"), this.value("exit_measure"), "take_profit", order, quotes);
    return order;
  }

  problemOf(order) {
    const wrongSize = sizeProblem(order.units, this.room.get("competition"));
    if (wrongSize) return wrongSize;
    if (order.type !== "market" && order.reference === null) return fill(gettext("Enter a price with at most {digits} decimals."), { digits: digitsOf(order.pair) });
    return exitProblem(order.stopPoints, "stop_loss", order) || exitProblem(order.profitPoints, "take_profit", order);
  }

  draw() {
    const { quotes, account, competition } = this.room.values;
    const order = this.read();
    const quote = quotes.get(order.pair);
    this.dataset.side = order.side;
    this.dataset.type = order.type;
    if (quote) {
      showPrice(this.prices.sell, quote.bid);
      showPrice(this.prices.buy, quote.ask);
    }
    const stale = this.room.isStale(quote);
    this.classList.toggle("stale", stale);
    text(this.parts.spread, quote ? fill(gettext("{n} pips"), { n: pipsText(quote.askPoints - quote.bidPoints) }) : DASH);
    const sized = order.units !== null && order.units > 0;
    const seen = sized ? preview(order, { quotes, account, competition }) : {};
    text(this.parts.size, sized ? this.value("measure") === "lots" ? `${count(order.units)} ${order.pair.slice(0, 3)}` : fill(gettext("{n} lots"), { n: lots(order.units) }) : DASH);
    text(this.parts.margin, sized ? money(seen.margin) : DASH);
    text(this.parts.pip, sized ? money(seen.pip) : DASH);
    text(this.parts.fee, sized ? money(seen.fee) : DASH);
    text(this.parts.free, sized ? money(seen.free) : DASH);
    this.parts.free.classList.toggle("down", seen.free < 0);
    text(this.parts.exits, this.exitsText(order, quotes));
    this.drawSubmit(order, stale, account, competition);
  }

  exitsText(order, quotes) {
    const digits = digitsOf(order.pair);
    const one = (points, name) => {
      if (points === null) return "";
      if (Number.isNaN(points)) return `${name}: ?`;
      const cents = exitCents(points, order, quotes);
      return `${name} ${toPrice(points, digits)}${cents === null ? "" : ` (${money(cents, { plus: true })})`}`;
    };
    return [one(order.stopPoints, gettext("SL")), one(order.profitPoints, gettext("TP"))].filter(Boolean).join(" · ") || gettext("no stop-loss, no take-profit");
  }

  drawSubmit(order, stale, account, competition) {
    const word = order.side === "buy" ? gettext("Buy") : gettext("Sell");
    const button = this.parts.submit;
    button.classList.toggle("button-buy", order.side === "buy");
    button.classList.toggle("button-sell", order.side === "sell");
    if (!this.sending) text(button, `${word} ${order.units ? lots(order.units) : ""} ${order.pair}`.replace("  ", " "));
    const closed =
      this.dataset.off ? this.dataset.off
      : competition.status !== "running"
        ? competition.status === "open" || competition.status === "draft"
          ? gettext("Orders are taken when the contest starts.")
          : gettext("The contest has ended.")
        : account?.status === "disqualified"
          ? gettext("Your account is disqualified in this contest.")
          : "";
    button.disabled = Boolean(closed);
    button.setAttribute("aria-disabled", String(this.sending)); // not disabled: the keyboard's place would be lost
    const note = closed || (stale && order.type === "market" ? gettext("No fresh quote: a market order fills at the next one, or is rejected after 3 seconds.") : "");
    text(this.parts.note, note);
    this.parts.note.hidden = !note;
  }

  async submit() {
    if (this.sending || this.parts.submit.disabled) return;
    const order = this.read();
    const problem = this.problemOf(order);
    if (problem) return this.refuse(problem);
    const seen = preview(order, this.room.values);
    if (seen.free !== null && seen.free < 0 && order.type === "market" && Math.abs(seen.after) > Math.abs(seen.held)) return this.refuse(reasonText("insufficient_margin"));
    if (!consent.given() && !(await this.confirm(order, seen))) return;
    this.key ??= newId();
    await this.send(this.key, order);
  }

  confirm(order, seen) {
    const word = order.side === "buy" ? gettext("Buy") : gettext("Sell");
    const digits = digitsOf(order.pair);
    const { quotes } = this.room.values;
    const quote = quotes.get(order.pair);
    const content = h(
      "div",
      { class: "stack" },
      facts([
        [gettext("Order"), { market: gettext("market: fills at the next quote"), limit: fill(gettext("limit at {price}"), order), stop: fill(gettext("stop at {price}"), order) }[order.type]],
        order.type === "market" && quote ? [gettext("Price now"), order.side === "buy" ? quote.ask : quote.bid] : null,
        [gettext("Size"), `${count(order.units)} ${order.pair.slice(0, 3)}`],
        order.stopPoints ? [gettext("Stop-loss"), toPrice(order.stopPoints, digits)] : null,
        order.profitPoints ? [gettext("Take-profit"), toPrice(order.profitPoints, digits)] : null,
        [gettext("Margin"), money(seen.margin)],
        [gettext("Free margin after"), money(seen.free)],
      ]),
      seen.reverses ? h("p", { class: "notice notice-warning" }, gettext("This closes your position and opens one in the other direction.")) : null,
    );
    return ask({ title: `${word} ${lots(order.units)} ${order.pair}`, content, confirm: word });
  }

  async send(id, order) {
    this.busy(true);
    const digits = digitsOf(order.pair);
    const price = (points) => (points === null ? null : toPrice(points, digits));
    const body = {
      id,
      pair: order.pair,
      side: order.side,
      type: order.type,
      units: order.units,
      price: order.type === "market" ? null : price(toPoints(order.price, digits)),
      stop_loss: price(order.stopPoints),
      take_profit: price(order.profitPoints),
    };
    this.asked = { id, order, price: order.reference };
    try {
      const answer = await sendOnce("POST", `/api/competitions/${this.room.id}/orders`, { body, headers: { Prefer: "wait=3", "Idempotency-Key": id } });
      this.key = null;
      this.room.takeOrder(answer.order ?? answer, answer.fill ?? null);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (problem.answered) this.key = null;
      this.refuse(problem.answered ? problem.message : `${problem.message} ${gettext("Nobody knows whether the order arrived. Press again: it is sent under the same id and can only count once.")}`);
    } finally {
      this.busy(false);
    }
  }

  busy(sending) {
    this.sending = sending;
    this.parts.submit.setAttribute("aria-busy", String(sending));
    if (sending) text(this.parts.submit, gettext("Sending…"));
    this.draw();
  }

  refuse(sentence) {
    this.parts.problem.hidden = false;
    text(this.parts.problem, sentence);
  }

  /** What became of an order: in the ticket for the one just sent, as a toast for every other. */
  decided(order, filled) {
    const mine = this.asked?.id === order.id;
    const name = `${order.side === "buy" ? gettext("Buy") : gettext("Sell")} ${lots(order.units)} ${order.pair}`;
    if (mine) this.showDecision(order, filled, name);
    else if (order.status === "filled" && filled) toast(fill(gettext("Filled: {name} at {price}"), { name, price: filled.price }), "good");
    else if (order.status === "rejected") toast(fill(gettext("Rejected: {name}"), { name }), "bad", reasonText(order.reason));
    else if (order.status === "cancelled" && order.reason) toast(fill(gettext("Cancelled: {name}"), { name }), "plain", reasonText(order.reason));
  }

  showDecision(order, filled, name) {
    if (order.status === "filled" && !filled && this.shownFill === order.id) return;
    if (filled) this.shownFill = order.id;
    const box = this.parts.decision;
    const words = {
      accepted: gettext("Accepted. The engine decides at the next quote."),
      working: gettext("Working: it waits for its price."),
      filled: filled ? fill(gettext("Filled at {price}."), filled) : gettext("Filled."),
      cancelled: `${gettext("Cancelled.")} ${reasonText(order.reason)}`,
      rejected: `${gettext("Rejected.")} ${reasonText(order.reason)}`,
    };
    const kind = { filled: "success", rejected: "error", cancelled: "warning" }[order.status] ?? "info";
    const lines = [h("p", {}, h("b", {}, name), " ", words[order.status])];
    if (filled) {
      const slip = this.slippage(order, filled);
      lines.push(h("p", { class: "small muted" }, slip, " ", h("a", { href: `${this.dataset.fills}${filled.id}` }, gettext("Receipt"))));
    }
    box.className = `notice notice-${kind} ticket-decision`;
    box.replaceChildren(h("div", {}, lines));
    box.hidden = false;
  }

  slippage(order, filled) {
    const digits = digitsOf(order.pair);
    const got = toPoints(filled.price, digits);
    if (order.type !== "market" || this.asked.price === null || got === null) return fill(gettext("Quote was {age} ms old."), { age: filled.quote_age_ms });
    const worse = order.side === "buy" ? got - this.asked.price : this.asked.price - got;
    const words = worse === 0 ? gettext("Exactly the price you saw.") : worse > 0 ? fill(gettext("{n} pips worse than you saw."), { n: pipsText(worse) }) : fill(gettext("{n} pips better than you saw."), { n: pipsText(-worse) });
    return `${words} ${fill(gettext("Fee {fee}."), { fee: money(filled.fee_cents) })}`;
  }
}

customElements.define("order-ticket", OrderTicket);
