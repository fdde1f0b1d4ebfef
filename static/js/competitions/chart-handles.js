// Handles at the chart's edge by which a stop-loss, a take-profit or an order's price is dragged, with a finger, a mouse or the arrow
// keys. Letting go asks; until then nothing has changed. A position without exits has one handle, which makes the exit it is pulled to.

import { h, text } from "../core/dom.js";
import { MINUS, money } from "../core/format.js";
import { fill, gettext } from "../core/i18n.js";
import { centsOf, digitsOf, pipsText, toPoints, toPrice } from "../core/market.js";
import { setExits, setOrderPrice } from "./actions.js";
import { room } from "./room.js";

const PLACE_EVERY_MS = 250;
const EDGE = 40; // keeps clear of the time scale

export class ChartHandles {
  constructor(chart) {
    this.chart = chart;
    this.box = h("div", { class: "chart-handles" });
    chart.querySelector(".chart-area").append(this.box);
    this.handles = new Map();
    this.dragged = null;
    setInterval(() => this.place(), PLACE_EVERY_MS);
    chart.chart.timeScale().subscribeVisibleLogicalRangeChange(() => this.place());
  }

  /** Show handles for a position and pending orders of the chart's pair. */
  show(held, orders) {
    if (this.dragged) return;
    const wanted = orders.map((order) => ({ key: order.id, kind: "order", label: fill(gettext("{type} order"), order), price: order.price, order }));
    if (held) {
      if (held.stop_loss) wanted.push({ key: "stop_loss", kind: "stop_loss", label: gettext("stop-loss"), price: held.stop_loss, held });
      if (held.take_profit) wanted.push({ key: "take_profit", kind: "take_profit", label: gettext("take-profit"), price: held.take_profit, held });
      if (!held.stop_loss || !held.take_profit) wanted.push({ key: "exit", kind: "exit", label: gettext("new stop-loss or take-profit"), price: held.average_price, held });
    }
    const keys = new Set(wanted.map(({ key }) => key));
    for (const [key, handle] of this.handles) if (!keys.has(key)) (handle.node.remove(), this.handles.delete(key));
    for (const one of wanted) {
      const handle = this.handles.get(one.key) ?? this.make(one.key);
      Object.assign(handle, one, { points: this.points(one.price) });
      this.describe(handle);
    }
    this.place();
  }

  /** Whole points of a price; an average has one digit more. */
  points(price) {
    const digits = digitsOf(this.chart.pair);
    return toPoints(price, digits) ?? Math.round(Number(price) * 10 ** digits);
  }

  make(key) {
    const node = h("button", { class: "chart-handle", type: "button", role: "slider", "aria-orientation": "vertical" });
    const handle = { node, key };
    node.addEventListener("pointerdown", (event) => this.take(handle, event));
    node.addEventListener("keydown", (event) => this.press(handle, event));
    node.addEventListener("blur", () => this.dragged === handle && !this.pointer && this.drop(handle, false));
    this.handles.set(key, handle);
    this.box.append(node);
    return handle;
  }

  take(handle, event) {
    event.preventDefault();
    this.pointer = true;
    this.dragged = handle;
    handle.node.setPointerCapture(event.pointerId);
    handle.node.focus();
    const move = ({ clientY }) => {
      const price = this.chart.series.coordinateToPrice(clientY - this.box.getBoundingClientRect().top);
      if (price > 0) this.move(handle, Math.round(price * 10 ** digitsOf(this.chart.pair)));
    };
    const end = ({ type }) => {
      this.pointer = false;
      handle.node.removeEventListener("pointermove", move);
      this.drop(handle, type === "pointerup");
    };
    handle.node.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) handle.node.addEventListener(name, end, { once: true });
  }

  press(handle, event) {
    const by = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (by) {
      this.dragged = handle;
      this.move(handle, (handle.moved ?? handle.points) + by * (event.shiftKey ? 100 : 10));
    } else if (event.key === "Enter" && this.dragged === handle) this.drop(handle, true);
    else if (event.key === "Escape" && this.dragged === handle) this.drop(handle, false);
    else return;
    event.preventDefault();
  }

  move(handle, points) {
    if (points <= 0) return;
    handle.moved = points;
    this.describe(handle);
    this.place();
  }

  /** Let go. The handle goes back to where the server has it; where it was pulled is asked for. */
  drop(handle, wanted) {
    const { moved, points } = handle;
    if (wanted && moved !== undefined && moved !== points) this.send(handle, toPrice(moved, digitsOf(this.chart.pair)));
    handle.moved = undefined;
    this.dragged = null;
    this.chart.redraw();
  }

  send(handle, price) {
    if (handle.kind === "order") return setOrderPrice(handle.order, price);
    return setExits(handle.held, { [this.exitOf(handle)]: price });
  }

  /** Which exit a handle sets: its own, or the one on whose side of the entry it was pulled. */
  exitOf({ kind, held, moved, points }) {
    if (kind !== "exit") return kind;
    return moved > points === (held.side === "long") ? "take_profit" : "stop_loss";
  }

  describe(handle) {
    const digits = digitsOf(this.chart.pair);
    const at = handle.moved ?? handle.points;
    const names = { stop_loss: gettext("SL"), take_profit: gettext("TP"), order: handle.order?.type, exit: gettext("SL/TP") };
    const kind = handle.kind === "exit" && handle.moved !== undefined ? this.exitOf(handle) : handle.kind;
    let words = names[kind];
    if (handle.moved !== undefined) {
      words += ` ${toPrice(at, digits)} · ${fill(gettext("{n} pips"), { n: pipsText(at - this.points(handle.held?.average_price ?? handle.price)).replace("-", MINUS) })}`;
      if (handle.held) {
        const sign = handle.held.side === "long" ? 1 : -1;
        words += ` · ${money(centsOf(this.chart.pair, sign * (at - this.points(handle.held.average_price)), handle.held.units, room().get("quotes")), { plus: true })}`;
      }
    }
    text(handle.node, words);
    handle.node.dataset.kind = kind;
    const attributes = { "aria-label": handle.label, "aria-valuenow": at, "aria-valuetext": toPrice(at, digits) };
    for (const [name, value] of Object.entries(attributes)) handle.node.setAttribute(name, value);
  }

  place() {
    const scale = 10 ** digitsOf(this.chart.pair ?? "EUR/USD");
    for (const { node, moved, points } of this.handles.values()) {
      const y = this.chart.series.priceToCoordinate((moved ?? points) / scale);
      node.hidden = y === null; // without a candle there is no scale
      if (y !== null) node.style.top = `${Math.round(Math.max(EDGE, Math.min(this.box.clientHeight - EDGE, y)))}px`; // what is outside waits at the edge
    }
  }
}
