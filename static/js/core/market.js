// Exact arithmetic on prices for previews: integer points and BigInt, the same formulas as the engine's margin rules.
// What is computed here is shown before sending; the engine decides with its own numbers.

const byPair = new Map();

/** Make the instruments known, as GET /api/instruments gives them. */
export function learnInstruments(list) {
  for (const instrument of list) byPair.set(instrument.pair, instrument);
}

export const instrument = (pair) => byPair.get(pair);
export const digitsOf = (pair) => byPair.get(pair)?.digits ?? (pair.endsWith("JPY") ? 3 : 5);

/** "1.08503" with 5 digits → 108503. Null when the text is not a price of that many digits. */
export function toPoints(price, digits) {
  const match = /^(\d{1,7})(?:\.(\d+))?$/.exec(String(price).trim());
  if (!match) return null;
  const decimals = match[2] ?? "";
  if (decimals.length > digits && /[1-9]/.test(decimals.slice(digits))) return null;
  return Number(match[1] + decimals.slice(0, digits).padEnd(digits, "0"));
}

/** 108503 with 5 digits → "1.08503". */
export function toPrice(points, digits) {
  const padded = String(Math.abs(points)).padStart(digits + 1, "0");
  return `${points < 0 ? "-" : ""}${padded.slice(0, -digits)}.${padded.slice(-digits)}`;
}

/** Spread or distance in pips with one decimal: points are tenths of a pip. */
export const pipsText = (points) => (points / 10).toFixed(1);

const floorDiv = (a, b) => (a >= 0n || a % b === 0n ? a / b : a / b - 1n);

function halfEven(numerator, denominator) {
  const quotient = floorDiv(numerator, denominator);
  const doubled = 2n * (numerator - quotient * denominator);
  return doubled > denominator || (doubled === denominator && quotient % 2n !== 0n) ? quotient + 1n : quotient;
}

/** The pair that prices a currency in dollars, or null for the dollar itself. */
export function usdPair(currency) {
  if (currency === "USD") return null;
  return byPair.has(`${currency}/USD`) ? `${currency}/USD` : `USD/${currency}`;
}

/** One unit of a currency in dollars as [numerator, denominator], at the mid; null while its pair has no quote. */
export function rateOf(currency, quotes) {
  const pair = usdPair(currency);
  if (pair === null) return [1n, 1n];
  const quote = quotes.get(pair);
  if (!quote) return null;
  const scale = 10n ** BigInt(digitsOf(pair));
  const both = BigInt(quote.bidPoints + quote.askPoints);
  return pair.endsWith("/USD") ? [both, 2n * scale] : [2n * scale, both];
}

/** Size of so many units in US cents at the base currency's mid; null when it cannot be priced. */
export function notionalCents(pair, units, quotes) {
  const rate = rateOf(pair.slice(0, 3), quotes);
  return rate && Number(halfEven(BigInt(Math.abs(units)) * 100n * rate[0], rate[1]));
}

/** Points (or such parts of a point) times units of a pair in US cents, signed, half-even; null when it cannot be priced. */
export function centsOf(pair, points, units, quotes, parts = 1n) {
  const rate = rateOf(pair.slice(4), quotes);
  if (!rate) return null;
  const scale = parts * 10n ** BigInt(digitsOf(pair));
  return Number(halfEven(BigInt(points) * BigInt(units) * 100n * rate[0], scale * rate[1]));
}

/** What one pip is worth for so many units, in US cents. */
export const pipValueCents = (pair, units, quotes) => centsOf(pair, 10, units, quotes);

/** Margin for a sum of notionals, rounded up to the cent. */
export const marginCents = (notionals, leverage) => Math.ceil(notionals / leverage);

/** Open profit of a position on the newest quote: what the engine last said, moved on by what the price has done since. */
export function openProfitCents(position, quotes) {
  const quote = quotes.get(position.pair);
  const mark = toPoints(position.mark_price ?? "", digitsOf(position.pair));
  if (!quote || mark === null) return position.unrealized_cents;
  const moved = position.side === "long" ? quote.bidPoints - mark : mark - quote.askPoints;
  const cents = centsOf(position.pair, moved, position.units, quotes);
  return cents === null ? position.unrealized_cents : position.unrealized_cents + cents;
}

/** Open profit of somebody's position at the newest quote, from its average price; null while that cannot be told. */
export function profitCents(position, quotes) {
  const quote = quotes.get(position.pair);
  const average = toPoints(position.average_price ?? "", digitsOf(position.pair) + 1); // one digit more than a price has
  if (!quote || average === null) return null;
  const moved = position.side === "long" ? 10 * quote.bidPoints - average : average - 10 * quote.askPoints;
  return centsOf(position.pair, moved, position.units, quotes, 10n);
}
