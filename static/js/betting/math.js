// What lines pay, in whole tokens with BigInt: the formulas of docs/rules/bet-behind.md, to show estimates and to verify receipts.

const BPS = 10_000n;
const big = (value) => BigInt(value);
const least = (a, b) => (a < b ? a : b);

/** The house's share: of the total, and never more than what was lost. */
export const rakeOf = (total, losing, rakeBps) => least((total * big(rakeBps)) / BPS, losing);

/** Which side of a line came true: "above", "below", or null when the result is exactly on it. */
export function rightSide(finalCents, startCents, thresholdBps) {
  const reached = big(finalCents) * BPS;
  const line = big(startCents) * (BPS + big(thresholdBps));
  if (reached === line) return null;
  return reached > line ? "above" : "below";
}

/** What a bet weighs when it is placed now. Times in milliseconds. */
export function weightBps(now, startsAt, locksAt) {
  const elapsed = Math.max(0, now - startsAt);
  const span = locksAt - startsAt;
  if (elapsed <= 0 || span <= 0) return 10_000;
  return 10_000 - Math.floor((5_000 * Math.min(elapsed, span)) / span);
}

/** What a new bet receives if it is right and nobody bets after it. own and against are outcomes as the API shows them. */
export function payIfRight(own, against, stake, weight, rakeBps) {
  const mine = big(stake) * big(weight);
  const losing = big(against.stakes_tokens);
  const total = big(own.stakes_tokens) + losing + big(stake);
  const shared = losing - rakeOf(total, losing, rakeBps);
  return Number(big(stake) + (shared * mine) / (big(own.weighted) + mine));
}

/** What a bet that is in the pools already receives if it is right and nobody bets any more. */
export function payOfOwn(own, against, stake, weight, rakeBps) {
  const mine = big(stake) * big(weight);
  const losing = big(against.stakes_tokens);
  const shared = losing - rakeOf(big(own.stakes_tokens) + losing, losing, rakeBps);
  return Number(big(stake) + (shared * mine) / big(own.weighted));
}

/** Settle a line: its bets in the order of placing, the side that was right or null. Gives BigInts. */
export function settleLine(bets, right, rakeBps) {
  const stakes = bets.map((bet) => big(bet.stake_tokens));
  const total = stakes.reduce((sum, one) => sum + one, 0n);
  const winning = stakes.reduce((sum, one, place) => (bets[place].side === right ? sum + one : sum), 0n);
  const losing = total - winning;
  if (right === null || winning === 0n || losing === 0n) return { right: null, total, winning: 0n, losing: 0n, refunded: total, rake: 0n, pays: stakes };
  const rake = rakeOf(total, losing, rakeBps);
  const weights = bets.map((bet, place) => (bet.side === right ? stakes[place] * big(bet.weight_bps) : 0n));
  const shares = split(losing - rake, weights);
  const pays = bets.map((bet, place) => (bet.side === right ? stakes[place] + shares[place] : 0n));
  return { right, total, winning, losing, refunded: 0n, rake, pays };
}

/** Split an amount by largest remainder, ties to the earlier. */
function split(amount, weights) {
  const whole = weights.reduce((sum, one) => sum + one, 0n);
  const parts = weights.map((weight) => (amount * weight) / whole);
  const rests = weights.map((weight) => (amount * weight) % whole);
  let odd = amount - parts.reduce((sum, one) => sum + one, 0n);
  const order = rests.map((_, place) => place).sort((a, b) => (rests[a] === rests[b] ? a - b : rests[a] > rests[b] ? -1 : 1));
  for (const place of order) {
    if (odd === 0n) break;
    parts[place] += 1n;
    odd -= 1n;
  }
  return parts;
}

/** Everything about a receipt that does not follow from its stakes: a list of sentences for each line, and for the whole. */
export function verifyReceipt(receipt) {
  const lines = receipt.lines.map((line) => ({ line, faults: faultsOf(line, receipt) }));
  const sum = (name) => receipt.lines.reduce((all, line) => all + big(line[name]), 0n);
  const whole = [];
  if (sum("total_tokens") !== big(receipt.staked_tokens)) whole.push(`stakes: ${sum("total_tokens")} in the lines, ${receipt.staked_tokens} in the ledger`);
  if (sum("rake_tokens") !== big(receipt.rake_tokens)) whole.push(`rake: ${sum("rake_tokens")} in the lines, ${receipt.rake_tokens} in the ledger`);
  if (sum("total_tokens") - sum("rake_tokens") !== big(receipt.paid_tokens)) whole.push(`paid: ${sum("total_tokens") - sum("rake_tokens")} in the lines, ${receipt.paid_tokens} in the ledger`);
  return { lines, whole };
}

function faultsOf(line, receipt) {
  const faults = [];
  const counts = receipt.void_reason === null;
  const right = counts ? rightSide(line.final_equity_cents, line.starting_balance_cents, line.threshold_bps) : null;
  const plan = settleLine(line.bets, right, line.rake_bps);
  const claim = line.right === null ? null : line.right === line.outcomes[0] ? "above" : "below";
  if (claim !== (line.bets.length ? plan.right : right)) faults.push(`right: computed ${plan.right}, written ${claim}`);
  for (const [name, value] of [["total", plan.total], ["winning", plan.winning], ["losing", plan.losing], ["refunded", plan.refunded], ["rake", plan.rake]])
    if (value !== big(line[`${name}_tokens`])) faults.push(`${name}: computed ${value}, written ${line[`${name}_tokens`]}`);
  line.bets.forEach((bet, place) => {
    if (plan.pays[place] !== big(bet.pay_tokens)) faults.push(`${bet.bettor}: computed ${plan.pays[place]}, paid ${bet.pay_tokens}`);
  });
  return faults;
}
