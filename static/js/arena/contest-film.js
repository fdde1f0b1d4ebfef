// <contest-film>: a finished contest on one slider: board, equity and deals at a moment, at 1 to 60 times its own pace.
// Panels of other parts hear "film:moment" on the document, with the moment in Unix milliseconds.

import { calm, h, keyed, pageData, svg, text } from "../core/dom.js";
import { count, direction, money, percent, showSigned } from "../core/format.js";
import { fill, gettext } from "../core/i18n.js";
import { spanText, timeNode, timeText, utc } from "../core/times.js";

const WIDTH = 800;
const HEIGHT = 350;
const DRAWN = 5;
const DEALS_SHOWN = 12;

/** The last place in a sorted list whose value is not above a limit; -1 when all are. */
function lastUpTo(list, limit, of = (value) => value) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (of(list[middle]) <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

class ContestFilm extends HTMLElement {
  connectedCallback() {
    this.film = pageData("film");
    this.parts = Object.fromEntries([...this.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
    this.speed = 10;
    this.at = this.film.starts_ms;
    this.firstFill = this.film.entries.map((_, place) => this.film.deals.find((deal) => deal.entry === place)?.at_ms ?? Infinity);
    this.drawCurves();
    this.parts.slider.addEventListener("input", () => this.seek(Number(this.parts.slider.value)));
    this.parts.play.addEventListener("click", () => this.play(!this.playing));
    for (const button of this.querySelectorAll("[data-speed]")) button.addEventListener("click", () => this.choose(Number(button.dataset.speed)));
    this.seek(this.at);
  }

  choose(speed) {
    this.speed = speed;
    for (const button of this.querySelectorAll("[data-speed]")) button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === speed));
  }

  play(on) {
    if (on && this.at >= this.film.ends_ms) this.at = this.film.starts_ms;
    this.playing = on;
    this.parts.play.setAttribute("aria-label", on ? gettext("Pause") : gettext("Play"));
    this.parts.play.querySelector("use").setAttribute("href", `${document.documentElement.dataset.icons}#${on ? "pause" : "play"}`);
    this.stepped = performance.now();
    if (on) this.run();
  }

  run() {
    if (!this.playing || !this.isConnected) return;
    const now = performance.now();
    const pause = calm.matches ? 1_000 : 100; // who asked for calm sees it in steps
    if (now - this.stepped >= pause) {
      this.seek(Math.min(this.film.ends_ms, this.at + (now - this.stepped) * this.speed));
      this.stepped = now;
    }
    if (this.at >= this.film.ends_ms) return this.play(false);
    requestAnimationFrame(() => this.run());
  }

  seek(ms) {
    this.at = ms;
    const { slider, clock, left } = this.parts;
    slider.value = String(ms);
    const iso = new Date(ms).toISOString();
    slider.setAttribute("aria-valuetext", timeText(iso, "full"));
    text(clock, timeText(iso, "clock"));
    clock.title = utc(new Date(ms));
    text(left, fill(gettext("{time} before the end"), { time: spanText((this.film.ends_ms - ms) / 1000) }));
    this.drawBoard();
    this.drawDeals();
    this.markCurves();
    document.dispatchEvent(new CustomEvent("film:moment", { detail: ms }));
  }

  drawBoard() {
    const { moments_ms: moments, entries, starting_balance_cents: start } = this.film;
    const place = Math.max(0, lastUpTo(moments, this.at));
    const over = this.at >= this.film.ends_ms;
    const rows = entries.map((entry, index) => ({ ...entry, cents: entry.equity_cents[place] ?? start, traded: this.firstFill[index] <= this.at }));
    rows.sort((a, b) => (over ? (a.final_rank ?? Infinity) - (b.final_rank ?? Infinity) : 0) || b.traded - a.traded || b.cents - a.cents);
    let rank = 0;
    rows.forEach((row, index) => {
      if (index === 0 || row.cents !== rows[index - 1].cents) rank = index + 1;
      row.rank = over ? row.final_rank : row.traded ? rank : null;
    });
    keyed(this.parts.board, rows, (row) => row.entry_id, (row) => this.boardRow(row), (node, row) => this.updateRow(node, row));
    text(this.parts["as-of"], `${over ? gettext("final") : gettext("as of")} ${timeText(new Date(moments[place]).toISOString(), "clock")}`);
  }

  boardRow({ username }) {
    return h("tr", {}, h("td", {}, h("span", { class: "place" })), h("th", { scope: "row" }, username), h("td", { class: "num" }));
  }

  updateRow(node, { rank, cents }) {
    const place = node.firstElementChild.firstElementChild;
    const start = this.film.starting_balance_cents;
    text(place, rank ?? "–");
    place.className = `place${rank && rank <= 3 ? ` place-${rank}` : ""}`;
    const bps = Math.floor(((cents - start) * 10_000) / start);
    showSigned(node.lastElementChild, bps, percent(bps));
    node.title = money(cents);
  }

  drawDeals() {
    const { deals, entries, deals_left_out: leftOut } = this.film;
    const last = lastUpTo(deals, this.at, (deal) => deal.at_ms);
    const shown = deals.slice(Math.max(0, last + 1 - DEALS_SHOWN), last + 1).map((deal, index) => ({ ...deal, key: Math.max(0, last + 1 - DEALS_SHOWN) + index })).reverse();
    keyed(this.parts.deals, shown, (deal) => deal.key, (deal) => this.dealRow(deal, entries[deal.entry].username), () => {});
    this.parts["no-deals"].hidden = last >= 0;
    text(this.parts.tally, fill(gettext("{n} of {all}"), { n: count(last + 1), all: count(deals.length) }) + (leftOut ? ` · ${fill(gettext("{n} older left out"), { n: count(leftOut) })}` : ""));
  }

  dealRow(deal, name) {
    const gain = h("span", { class: `num ${direction(deal.pnl_cents)}` }, deal.direction === "out" ? money(deal.pnl_cents, { plus: true }) : "");
    const word = h("span", { class: deal.side === "buy" ? "up" : "down" }, deal.side === "buy" ? gettext("bought") : gettext("sold"));
    return h("li", { class: "deal" }, timeNode(new Date(deal.at_ms).toISOString(), "clock"), h("span", { class: "deal-text" }, h("b", {}, name), " ", word, ` ${deal.lots} ${deal.pair} `, h("span", { class: "muted" }, `@ ${deal.price}`)), gain);
  }

  /** The curves of the best, faint where the slider has not come yet. */
  drawCurves() {
    const { entries, moments_ms: moments, starting_balance_cents: start, starts_ms: from, ends_ms: to } = this.film;
    const best = entries.slice(0, DRAWN);
    const values = [start, ...best.flatMap((entry) => entry.equity_cents.filter((cents) => cents !== null))];
    const low = Math.min(...values);
    const span = Math.max(1, Math.max(...values) - low);
    this.x = (ms) => ((ms - from) / Math.max(1, to - from)) * WIDTH;
    const y = (cents) => (6 + (HEIGHT - 12) * (1 - (cents - low) / span)).toFixed(1);
    const clip = svg("clipPath", { id: "film-seen" }, (this.seen = svg("rect", { x: "0", y: "0", width: "0", height: String(HEIGHT) })));
    const paths = (seen) =>
      best.map((entry, index) => {
        const points = moments.flatMap((ms, place) => (entry.equity_cents[place] === null ? [] : [`${this.x(ms).toFixed(1)} ${y(entry.equity_cents[place])}`]));
        return svg("path", { class: `curve-${index}${seen ? "" : " ahead"}`, d: points.length > 1 ? `M${points.join("L")}` : "", ...(seen && { "clip-path": "url(#film-seen)" }) });
      });
    this.now = svg("path", { class: "now" });
    const label = gettext("Equity of the best traders over the contest");
    this.parts.curves.replaceChildren(
      svg("svg", { class: "film-picture", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label }, clip, svg("path", { class: "start", d: `M0 ${y(start)}H${WIDTH}` }), ...paths(false), ...paths(true), this.now),
    );
    this.parts.legend.replaceChildren(...best.map((entry, index) => h("li", {}, svg("svg", { viewBox: "0 0 28 8", "aria-hidden": "true" }, svg("path", { class: `curve-${index}`, d: "M0 4H28" })), entry.username)));
  }

  markCurves() {
    const x = this.x(this.at).toFixed(1);
    this.seen.setAttribute("width", x);
    this.now.setAttribute("d", `M${x} 0V${HEIGHT}`);
  }
}

customElements.define("contest-film", ContestFilm);
