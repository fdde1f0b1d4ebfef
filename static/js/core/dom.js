// Small tools for building and updating elements. Text only ever enters as text, never as markup.

/** Make an element: h("td", {class: "num"}, "1.08500"). Attributes that are null or false are left out; on* are listeners. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  set(element, attributes);
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** Change a node's text only when it differs, so that an unchanged cell costs nothing. Says whether it changed. */
export function text(node, value) {
  const wanted = String(value);
  if (node.textContent === wanted) return false;
  node.textContent = wanted;
  return true;
}

export function icon(name) {
  return svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `${document.documentElement.dataset.icons}#${name}` }));
}

/** Keep a container's children in step with a list: one node per key, in order, made once, updated in place. */
export function keyed(container, items, keyOf, make, update) {
  const known = (container._keyed ??= new Map());
  const wanted = new Set();
  let cursor = container.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    wanted.add(key);
    let node = known.get(key);
    if (!node) {
      node = make(item);
      known.set(key, node);
    }
    update(node, item);
    if (node === cursor) cursor = cursor.nextElementSibling;
    else container.insertBefore(node, cursor);
  }
  for (const [key, node] of known) {
    if (wanted.has(key)) continue;
    known.delete(key);
    node.remove();
  }
  // what the server rendered before the first update gives way to what is live
  const ours = new Set(known.values());
  for (const child of [...container.children]) if (!ours.has(child)) child.remove();
}

export const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** Let a changed cell light up for a moment in the direction of the change; not at all for those who asked for calm. */
export function flash(element, direction) {
  if (calm.matches || document.hidden) return;
  const wash = getComputedStyle(element).getPropertyValue(direction < 0 ? "--down-wash" : "--up-wash");
  element.animate([{ backgroundColor: wash }, { backgroundColor: "transparent" }], { duration: 280, easing: "ease-out" });
}

/** Read JSON that the server put into the page with json_script. */
export function pageData(id) {
  const element = document.getElementById(id);
  return element ? JSON.parse(element.textContent) : null;
}

/** Run at most once per frame, with the latest arguments; in a hidden tab at most once a second. */
export function perFrame(run) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    const go = () => {
      waiting = false;
      run();
    };
    if (document.hidden) setTimeout(go, 1000);
    else requestAnimationFrame(go);
  };
}
