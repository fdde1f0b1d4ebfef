// What an order would mean before it is sent: its price reference, stop-loss and take-profit as prices, margin, pip value.

import { gettext, fill } from "../core/i18n.js";
import { centsOf, digitsOf, marginCents, notionalCents, pipValueCents, toPoints, toPrice } from "../core/market.js";
import { count } from "../core/format.js";

/** Read a number that a person typed: "0.1", "0,1" and "10 000" are clear; "1,234" is not, and gives null. */
export function readNumber(typed) {
  const bare = typed.trim().replace(/[\s']/g, "");
  if (/^\d+([.,]\d{1,2})?$/.test(bare) || /^\d+\.\d+$/.test(bare) || /^0,\d+$/.test(bare)) return Number(bare.replace(",", "."));
  return null;
}

/** Units from what was typed as lots or units; null when it is not a whole number of units. */
export function readUnits(typed, measure) {
  const number = readNumber(typed);
  if (number === null || number <= 0) return null;
  const units = measure === "lots" ? Math.round(number * 100_000 * 1e6) / 1e6 : number;
  return Number.isInteger(units) ? units : null;
}

/** Say what is wrong with a size under the contest's rules; "" when nothing is. */
export function sizeProblem(units, { min_units: least = 1_000, unit_step: step = 1_000, max_units: most = 50_000_000 }) {
  if (units === null) return gettext("Enter a size, such as 0.10 lots or 10000 units.");
  if (units < least) return fill(gettext("The smallest order is {units} units."), { units: count(least) });
  if (units > most) return fill(gettext("The largest order is {units} units."), { units: count(most) });
  if (units % step) return fill(gettext("Sizes go in steps of {units} units."), { units: count(step) });
  return "";
}

/** The points an order is measured from: its own price, or the side of the quote that a market order would get. */
export function referencePoints({ pair, side, type, price }, quotes) {
  if (type !== "market") return toPoints(price ?? "", digitsOf(pair));
  const quote = quotes.get(pair);
  return quote ? (side === "buy" ? quote.askPoints : quote.bidPoints) : null;
}

/** A stop-loss or take-profit as points, from a price, pips or dollars; null when nothing was typed, NaN when it is not readable. */
export function exitPoints(typed, measure, kind, { pair, side, units, reference }, quotes) {
  if (!typed.trim()) return null;
  const digits = digitsOf(pair);
  if (measure === "price") return toPoints(typed.trim().replace(",", "."), digits) ?? Number.NaN;
  const number = readNumber(typed);
  if (number === null || number <= 0 || reference === null) return Number.NaN;
  let distance = Math.round(number * 10);
  if (measure === "money") {
    const pointCents = (pipValueCents(pair, units, quotes) ?? 0) / 10;
    if (!pointCents) return Number.NaN;
    distance = Math.round((number * 100) / pointCents);
  }
  const away = (side === "buy") === (kind === "take_profit") ? distance : -distance;
  return reference + away > 0 ? reference + away : Number.NaN;
}

/** Margin, pip value and free margin after the order, in cents; a value that cannot be priced yet is null. */
export function preview(order, { quotes, account, competition }) {
  const { pair, side, units } = order;
  const notional = notionalCents(pair, units, quotes);
  const pip = pipValueCents(pair, units, quotes);
  const fee = Math.round((units * (competition.commission_cents_per_lot ?? 0)) / 100_000);
  const position = (account?.positions ?? []).find((held) => held.pair === pair && held.side !== "flat");
  const held = position ? (position.side === "long" ? position.units : -position.units) : 0;
  const after = Math.abs(held + (side === "buy" ? units : -units));
  const newNotional = notionalCents(pair, after, quotes);
  const margin = notional === null ? null : marginCents(notional, competition.leverage);
  let free = null;
  if (account && newNotional !== null) {
    const used = account.used_margin_cents - (position?.margin_cents ?? 0) + marginCents(newNotional, competition.leverage);
    free = account.equity_cents - used - fee;
  }
  return { notional, margin, pip, fee, free, held, after, reverses: held !== 0 && held > 0 !== (held + (side === "buy" ? units : -units)) > 0 && after !== 0 };
}

/** What would be lost or won, in cents, when an exit at these points is reached. */
export function exitCents(points, { pair, side, units, reference }, quotes) {
  if (points === null || Number.isNaN(points) || reference === null) return null;
  return centsOf(pair, side === "buy" ? points - reference : reference - points, units, quotes);
}

/** Say what is wrong with an exit; "" when nothing is. */
export function exitProblem(points, kind, { pair, side, reference }) {
  if (points === null) return "";
  const name = kind === "stop_loss" ? gettext("stop-loss") : gettext("take-profit");
  if (Number.isNaN(points)) return fill(gettext("The {name} cannot be read."), { name });
  if (reference === null) return "";
  const below = (side === "buy") === (kind === "stop_loss");
  if (below ? points < reference : points > reference) return "";
  const price = toPrice(reference, digitsOf(pair));
  return fill(below ? gettext("The {name} must be below {price}.") : gettext("The {name} must be above {price}."), { name, price });
}

