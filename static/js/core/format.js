// How amounts, prices, returns and sizes are written. Amounts come as integers, prices as strings; nothing here is used to decide.

import { h } from "./dom.js";

export const MINUS = "−";
export const DASH = "–";

const dollars = new Intl.NumberFormat(undefined, { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol" });
const wholeDollars = new Intl.NumberFormat(undefined, { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol", maximumFractionDigits: 0 });
const whole = new Intl.NumberFormat();
const twoPlaces = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

const signed = (value, written, plus) => (value < 0 ? MINUS : value > 0 && plus ? "+" : "") + written;

/** Cents as dollars: $100,012.34, −$5.00; with plus also +$5.00. */
export function money(cents, { plus = false } = {}) {
  if (cents === null || cents === undefined) return DASH;
  return signed(cents, dollars.format(Math.abs(cents) / 100), plus);
}

export function moneyWhole(cents) {
  return cents === null || cents === undefined ? DASH : signed(cents, wholeDollars.format(Math.abs(cents) / 100), false);
}

/** Basis points as a signed percentage: +1.23%. */
export function percent(bps, { plus = true } = {}) {
  if (bps === null || bps === undefined) return DASH;
  return `${signed(bps, twoPlaces.format(Math.abs(bps) / 100), plus)}%`;
}

export const count = (n) => (n === null || n === undefined ? DASH : whole.format(n));

/** Units as lots: 100,000 units are 1.00 lot. */
export function lots(units) {
  const places = units % 1_000 === 0 ? 2 : 5;
  return new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: places }).format(units / 100_000);
}

export const direction = (n) => (n > 0 ? "up" : n < 0 ? "down" : "flat");
export const arrow = (n) => (n > 0 ? "▲" : n < 0 ? "▼" : "");

/** A number with sign and colour, for a cell that already exists. */
export function showSigned(node, value, written) {
  if (node.textContent !== written) node.textContent = written;
  const wanted = direction(value);
  if (node.dataset.direction !== wanted) {
    node.dataset.direction = wanted;
    node.classList.remove("up", "down", "flat");
    node.classList.add(wanted);
  }
}

/** A price in big-figure form as three texts: "1.08", "50", "3". The last digit is a tenth of a pip. */
export function priceParts(price) {
  return [price.slice(0, -3), price.slice(-3, -1), price.slice(-1)];
}

/** An element for a price in big-figure form; showPrice changes it in place. */
export function priceNode(price = "") {
  const node = h("span", { class: "price" }, h("span", {}), h("b", {}), h("sup", {}));
  if (price) showPrice(node, price);
  return node;
}

export function showPrice(node, price) {
  if (node.dataset.price === price) return;
  node.dataset.price = price;
  const [lead, big, small] = price ? priceParts(price) : [DASH, "", ""];
  node.children[0].textContent = lead;
  node.children[1].textContent = big;
  node.children[2].textContent = small;
}
