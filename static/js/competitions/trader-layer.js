// The chosen trader on the chart: entries and exits on the candles, and what they hold, as late as the contest shows it.

import { LineStyle } from "../../vendor/lightweight-charts.standalone.production.mjs";
import { api } from "../core/api.js";
import { lots } from "../core/format.js";
import { gettext } from "../core/i18n.js";
import { choosePair, chosen } from "./choice.js";
import { room } from "./room.js";

class TraderLayer {
  constructor(chart) {
    this.chart = chart;
    this.room = room();
    this.deals = [];
    chosen.watch("trader", () => this.load());
    this.room.watch("positions", () => this.draw(chart), { now: false });
    document.addEventListener("room:deal", ({ detail }) => this.hear(detail));
  }

  async load() {
    const entry = chosen.get("trader");
    this.deals = [];
    this.draw(this.chart);
    if (!entry) return;
    try {
      const { results } = await api("GET", `/api/competitions/${this.room.id}/deals?entry_id=${entry}&limit=200`);
      if (entry !== chosen.get("trader")) return;
      this.deals = results;
      // who has not traded the pair on the chart is looked at where they last traded
      if (results.length && !results.some((deal) => deal.pair === chosen.get("pair"))) choosePair(results[0].pair);
      this.draw(this.chart);
    } catch {
      // what is dealt from now on is drawn all the same
    }
  }

  hear(deal) {
    if (this.room.boardRow(chosen.get("trader"))?.user_id !== deal.user_id || this.deals.some(({ id }) => id === deal.deal_id)) return;
    this.deals.push({ ...deal, id: deal.deal_id });
    this.draw(this.chart);
  }

  draw(chart) {
    if (!chart.pair) return;
    const held = (this.room.get("positions").get(chosen.get("trader")) ?? []).filter((position) => position.pair === chart.pair);
    chart.showLines(held.map((one) => ({ price: one.average_price, color: chart.colours.accent, style: LineStyle.Solid, title: `${one.side === "long" ? gettext("long") : gettext("short")} ${lots(one.units)}` })));
    chart.showMarkers(this.deals.filter((deal) => deal.pair === chart.pair));
  }
}

const chart = document.querySelector("trade-chart");
if (chart) chart.add(new TraderLayer(chart));
