// What claims, states and reasons of bets are called.

import { fill, gettext } from "../core/i18n.js";

const pct = (bps) => String(bps / 100);

/** A line's question. */
export const lineText = (thresholdBps) => (thresholdBps ? fill(gettext("Return of +{pct}%"), { pct: pct(thresholdBps) }) : gettext("Return"));

/** A side's answer. */
export function claimText(side, thresholdBps) {
  if (!thresholdBps) return side === "above" ? gettext("above zero") : gettext("below zero");
  return fill(side === "above" ? gettext("above +{pct}%") : gettext("below +{pct}%"), { pct: pct(thresholdBps) });
}

export const statusText = (status) =>
  ({ open: gettext("open"), locked: gettext("locked"), settling: gettext("waits for final standings"), settled: gettext("settled"), void: gettext("void") })[status] ?? status;

export const reasonText = (reason) =>
  ({
    cancelled: gettext("The contest was cancelled: every bet was given back."),
    withdrawn: gettext("The trader withdrew: every bet was given back."),
    disqualified: gettext("The trader was disqualified: every bet was given back."),
    no_fills: gettext("The trader made no trade: every bet was given back."),
    overdue: gettext("It was not settled in time: every bet was given back."),
    operator: gettext("An operator voided this market: every bet was given back."),
  })[reason] ?? "";
