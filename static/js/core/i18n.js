// Texts in the visitor's language. Django's JavaScript catalogue, when a page loads one, sets the global functions.

export const gettext = (text) => (globalThis.gettext ? globalThis.gettext(text) : text);
export const ngettext = (one, many, n) => (globalThis.ngettext ? globalThis.ngettext(one, many, n) : n === 1 ? one : many);

/** Put named values into a text: fill(gettext("Filled at {price}"), {price}). */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
