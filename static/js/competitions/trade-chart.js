// <trade-chart>: candles of the chosen pair, kept current by its quotes. What else is drawn on them is a layer's: one's own trading
// (own-layer.js) or that of the trader one looks at (trader-layer.js).

import { createChart, createSeriesMarkers, CandlestickSeries } from "../../vendor/lightweight-charts.standalone.production.mjs";
import { api } from "../core/api.js";
import { text } from "../core/dom.js";
import { lots } from "../core/format.js";
import { digitsOf } from "../core/market.js";
import { choosePair, chosen } from "./choice.js";
import { room } from "./room.js";

const SECONDS = { "1m": 60, "5m": 300, "15m": 900, "1h": 3_600, "4h": 14_400, "1d": 86_400 };
const SHOWN = 400;
const NEAR = 0.005; // of the price

class TradeChart extends HTMLElement {
  connectedCallback() {
    this.room = room();
    this.canvas = this.querySelector("[data-part=canvas]");
    this.legend = this.querySelector("[data-part=legend]");
    this.empty = this.querySelector("[data-part=empty]");
    this.timeframe = localStorage.getItem("timeframe") in SECONDS ? localStorage.getItem("timeframe") : "1m";
    this.lines = [];
    this.layers = [];
    this.loading = 0;
    this.build();
    this.controls();
    chosen.watch("pair", () => this.load());
    this.room.watch("quotes", () => this.tick());
    this.room.watch("link", () => this.room.get("link") === "live" && this.wasAway && this.load());
    document.addEventListener("appearance", () => this.paint());
  }

  build() {
    this.chart = createChart(this.canvas, {
      autoSize: true,
      layout: { attributionLogo: false, fontFamily: getComputedStyle(this).fontFamily, fontSize: 11 },
      timeScale: { timeVisible: true, secondsVisible: false, rightOffset: 6, shiftVisibleRangeOnNewBar: true },
      rightPriceScale: { scaleMargins: { top: 0.12, bottom: 0.1 } },
      localization: { timeFormatter: (seconds) => this.clock(seconds) },
      crosshair: { mode: 0 },
    });
    this.chart.timeScale().applyOptions({ tickMarkFormatter: (seconds, kind) => this.tickMark(seconds, kind) });
    const fitting = (original) => this.fit(original());
    this.series = this.chart.addSeries(CandlestickSeries, { priceLineVisible: true, lastValueVisible: true, autoscaleInfoProvider: fitting });
    this.markers = createSeriesMarkers(this.series, []);
    this.chart.subscribeCrosshairMove((move) => this.describe(move.seriesData.get(this.series)));
    this.paint();
  }

  /** Draw a layer with every change of pair, timeframe and colours: draw(chart) is called then, and whenever the layer asks. */
  add(layer) {
    this.layers.push(layer);
    layer.draw(this);
  }

  redraw() {
    for (const layer of this.layers) layer.draw(this);
  }

  paint() {
    const style = getComputedStyle(this);
    // a canvas needs colours that are resolved: light-dark() is not
    const probe = document.createElement("i");
    this.append(probe);
    const colour = (name) => {
      probe.style.color = `var(${name})`;
      return getComputedStyle(probe).color;
    };
    this.colours = Object.fromEntries(["up", "down", "ink", "ink-2", "line", "line-strong", "surface", "accent", "info"].map((name) => [name, colour(`--${name}`)]));
    probe.remove();
    const { up, down, ink, line, surface } = this.colours;
    this.chart.applyOptions({
      layout: { background: { color: surface }, textColor: this.colours["ink-2"], fontFamily: style.fontFamily },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
      rightPriceScale: { borderColor: line },
      timeScale: { borderColor: line },
      crosshair: { vertLine: { color: ink, labelBackgroundColor: this.colours["line-strong"] }, horzLine: { color: ink, labelBackgroundColor: this.colours["line-strong"] } },
    });
    this.series.applyOptions({ upColor: up, borderUpColor: up, wickUpColor: up, downColor: down, borderDownColor: down, wickDownColor: down });
    this.redraw();
  }

  controls() {
    this.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-timeframe]");
      if (!button) return;
      this.timeframe = button.dataset.timeframe;
      localStorage.setItem("timeframe", this.timeframe);
      this.load();
    });
    const select = this.querySelector("select[data-part=pair]");
    if (!select) return;
    select.addEventListener("change", () => choosePair(select.value));
    chosen.watch("pair", () => (select.value = chosen.get("pair")));
  }

  async load() {
    const pair = chosen.get("pair");
    const turn = (this.loading += 1);
    for (const button of this.querySelectorAll("button[data-timeframe]")) button.setAttribute("aria-pressed", String(button.dataset.timeframe === this.timeframe));
    const digits = digitsOf(pair);
    this.series.applyOptions({ priceFormat: { type: "price", precision: digits, minMove: 10 ** -digits } });
    if (this.pair !== pair) this.series.setData([]);
    this.pair = pair;
    this.bars = [];
    let candles = [];
    try {
      const from = new Date(this.room.link.now() - SECONDS[this.timeframe] * SHOWN * 2 * 1000).toISOString();
      const query = new URLSearchParams({ pair, timeframe: this.timeframe, side: "bid", from });
      candles = (await api("GET", `/api/candles?${query}`)).candles;
    } catch {
      // the chart then grows from live quotes alone, which the empty note says
    }
    if (turn !== this.loading) return;
    this.bars = candles.map(([time, open, high, low, close]) => ({ time, open: Number(open), high: Number(high), low: Number(low), close: Number(close) }));
    this.series.setData(this.bars);
    this.wasAway = false;
    this.empty.hidden = this.bars.length > 0;
    this.chart.timeScale().setVisibleLogicalRange({ from: Math.max(0, this.bars.length - 120), to: this.bars.length + 6 });
    this.tick();
    this.describe();
    this.redraw();
  }

  /** Let the newest quote grow the last candle or open the next one. */
  tick() {
    const quote = this.room.get("quotes").get(this.pair);
    if (this.room.get("link") !== "live") this.wasAway = true;
    if (!quote || !this.bars || (quote.grey && this.bars.length)) return; // an old quote is better than no price at all
    const price = quote.bidPoints / 10 ** digitsOf(this.pair);
    const span = SECONDS[this.timeframe];
    const seconds = Math.floor(new Date(quote.timestamp).getTime() / 1000);
    if (!Number.isFinite(seconds)) return;
    const time = seconds - (seconds % span);
    const last = this.bars.at(-1);
    if (last && time < last.time) return;
    if (!last || time > last.time) this.bars.push({ time, open: price, high: price, low: price, close: price });
    else Object.assign(last, { high: Math.max(last.high, price), low: Math.min(last.low, price), close: price });
    this.series.update({ ...this.bars.at(-1) });
    this.empty.hidden = true;
    if (!this.hovering) this.describe();
  }

  describe(bar) {
    this.hovering = Boolean(bar);
    const shown = bar ?? this.bars?.at(-1);
    const digits = digitsOf(this.pair ?? "EUR/USD");
    const written = shown ? ["open", "high", "low", "close"].map((name) => `${name[0].toUpperCase()} ${shown[name].toFixed(digits)}`).join("  ") : "";
    text(this.legend, written);
  }

  /** Keep lines that are not far from the candles within the picture. */
  fit(info) {
    if (!info?.priceRange) return info;
    const { minValue: low, maxValue: high } = info.priceRange;
    const near = this.lines.map((line) => line.options().price).filter((price) => Math.abs(price / high - 1) < NEAR);
    return { ...info, priceRange: { minValue: Math.min(low, ...near), maxValue: Math.max(high, ...near) } };
  }

  /** Draw horizontal lines in place of those there were: {price, color, title, style}. */
  showLines(lines) {
    for (const line of this.lines) this.series.removePriceLine(line);
    this.lines = lines.map(({ price, color, title, style }) => this.series.createPriceLine({ price: Number(price), color, title, lineWidth: 1, lineStyle: style, axisLabelVisible: true }));
    if (this.bars?.length) this.series.update({ ...this.bars.at(-1) }); // the picture is fitted anew
  }

  /** Mark trades of the chosen pair on their candles: {at, side, units}. */
  showMarkers(trades) {
    const span = SECONDS[this.timeframe];
    const { up, down } = this.colours;
    const shown = trades.map(({ at, side, units }) => {
      const seconds = Math.floor(new Date(at).getTime() / 1000);
      const buy = side === "buy";
      return { time: seconds - (seconds % span), position: buy ? "belowBar" : "aboveBar", shape: buy ? "arrowUp" : "arrowDown", color: buy ? up : down, text: lots(units) };
    });
    this.markers.setMarkers(shown.sort((a, b) => a.time - b.time));
  }

  clock(seconds) {
    return new Date(seconds * 1000).toLocaleString(undefined, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  }

  tickMark(seconds, kind) {
    const date = new Date(seconds * 1000);
    if (kind === 0) return String(date.getFullYear());
    if (kind === 1) return date.toLocaleString(undefined, { month: "short" });
    if (kind === 2) return date.toLocaleString(undefined, { day: "numeric", month: "short" });
    return date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  }
}

customElements.define("trade-chart", TradeChart);
