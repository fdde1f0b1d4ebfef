// Prices in the reader's own way of writing odds. A price comes in thousandths of what one token receives: 2,375 is 2.37.

import { DASH, MINUS } from "../core/format.js";
import { gettext } from "../core/i18n.js";

export const FORMATS = { decimal: gettext("Decimal"), fractional: gettext("Fractional"), american: gettext("American"), implied: gettext("Implied %") };
const KEY = "odds-format";

export const oddsFormat = () => (localStorage.getItem(KEY) in FORMATS ? localStorage.getItem(KEY) : "decimal");
export const chooseFormat = (name) => localStorage.setItem(KEY, name);

/** Write a price; null is a side that nobody is on, where the first takes all. */
export function oddsText(milli, format = oddsFormat()) {
  if (milli === null || milli === undefined) return DASH;
  const gain = milli - 1_000;
  if (format === "fractional") return fraction(gain);
  if (format === "american") return gain <= 0 ? DASH : gain >= 1_000 ? `+${Math.floor(gain / 10)}` : `${MINUS}${Math.ceil(100_000 / gain)}`;
  if (format === "implied") return `${(100_000 / milli).toFixed(1)}%`;
  return `${Math.floor(milli / 1_000)}.${String(Math.floor((milli % 1_000) / 10)).padStart(2, "0")}`;
}

/** The simplest fraction within a hundredth: 1,375 is 11/8. */
function fraction(gain) {
  for (let bottom = 1; bottom <= 20; bottom += 1) {
    const top = Math.round((gain * bottom) / 1_000);
    if (Math.abs(top / bottom - gain / 1_000) <= 0.01) return `${top}/${bottom}`;
  }
  return `${Math.round(gain / 10)}/100`;
}
