// <equity-line data-start="cents">: an equity curve over its starting balance, as an inline SVG that grows.

import { svg } from "../core/dom.js";
import { direction } from "../core/format.js";

const WIDTH = 320;
const HEIGHT = 96;
const MOST = 600;

export class EquityLine extends HTMLElement {
  connectedCallback() {
    if (this.line) return;
    this.points = [];
    this.base = svg("path", { class: "base" });
    this.line = svg("path", {});
    this.picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": "Equity curve", class: "equity-picture" }, this.base, this.line);
    this.replaceChildren(this.picture);
  }

  /** Show a curve: [[ms, cents], …], oldest first. */
  show(points, label) {
    this.points = points.slice(-MOST);
    this.picture.setAttribute("aria-label", label);
    this.draw();
  }

  add(ms, cents) {
    const last = this.points.at(-1);
    if (last && ms <= last[0]) return;
    this.points.push([ms, cents]);
    if (this.points.length > MOST) this.points.shift();
    this.draw();
  }

  draw() {
    const start = Number(this.dataset.start);
    const values = [start, ...this.points.map(([, cents]) => cents)];
    const low = Math.min(...values);
    const span = Math.max(1, Math.max(...values) - low);
    const y = (cents) => (4 + (HEIGHT - 8) * (1 - (cents - low) / span)).toFixed(1);
    this.base.setAttribute("d", `M0 ${y(start)}H${WIDTH}`);
    const [first, last] = [this.points[0]?.[0], this.points.at(-1)?.[0]];
    const x = (ms) => (last > first ? ((ms - first) / (last - first)) * WIDTH : WIDTH).toFixed(1);
    this.line.setAttribute("d", this.points.length > 1 ? `M${this.points.map(([ms, cents]) => `${x(ms)} ${y(cents)}`).join("L")}` : "");
    this.dataset.direction = direction((this.points.at(-1)?.[1] ?? start) - start);
  }
}

customElements.define("equity-line", EquityLine);
