// What the engine's and the rules' codes mean, in sentences with the way on.

import { gettext } from "../core/i18n.js";

const REASONS = () => ({
  insufficient_margin: gettext("Not enough free margin. Use a smaller size, or close something first."),
  no_quote: gettext("No quote arrived in time, so nothing was filled. Try again."),
  quote_stale: gettext("The pair has no fresh quote. Wait for the next one."),
  market_closed: gettext("The market is closed. Resting orders wait for it to open."),
  close_only: gettext("The contest is in its last minutes: positions may only get smaller."),
  competition_over: gettext("The contest has ended."),
  competition_not_running: gettext("The contest is not running."),
  end: gettext("the contest's end"),
  market: gettext("you"),
  position_closed: gettext("The position was already closed."),
  position_too_large: gettext("The position would be larger than the contest allows."),
  disqualified: gettext("Your account is disqualified in this contest."),
  too_many_orders: gettext("Too many open positions and pending orders. Cancel or close some."),
  stop_out: gettext("stop-out: the margin level was too low"),
  stop_loss: gettext("stop-loss"),
  take_profit: gettext("take-profit"),
  drawdown: gettext("the drawdown limit"),
  by_trader: "",
});

/** Explain an order's reason code; an unknown one is shown in plain letters. */
export function reasonText(code) {
  if (!code) return "";
  return REASONS()[code] ?? code.replaceAll("_", " ");
}
