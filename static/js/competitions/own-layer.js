// One's own trading on the chart: orders, the position with its exits, fills; and handles by which prices are dragged.

import { LineStyle } from "../../vendor/lightweight-charts.standalone.production.mjs";
import { api } from "../core/api.js";
import { lots } from "../core/format.js";
import { gettext } from "../core/i18n.js";
import { ChartHandles } from "./chart-handles.js";
import { room } from "./room.js";

class OwnLayer {
  constructor(chart) {
    this.chart = chart;
    this.room = room();
    this.fills = [];
    this.handles = new ChartHandles(chart);
    this.room.watch(["account", "orders"], () => this.draw(chart), { now: false });
    document.addEventListener("room:order", ({ detail }) => detail.fill && this.addFill(detail.fill));
    this.load();
  }

  async load() {
    if (!this.room.get("account")) return;
    try {
      this.fills = (await api("GET", `/api/competitions/${this.room.id}/fills?limit=200`)).results;
      this.draw(this.chart);
    } catch {
      // the fills of this visit are drawn as they come
    }
  }

  addFill(fill) {
    this.fills.push(fill);
    this.draw(this.chart);
  }

  draw(chart) {
    const { up, down, info, accent } = chart.colours;
    const orders = [...this.room.get("orders").values()].filter((order) => order.pair === chart.pair && order.price);
    const held = (this.room.get("account")?.positions ?? []).find((position) => position.pair === chart.pair && position.side !== "flat");
    const lines = orders.map((order) => ({ price: order.price, color: info, style: LineStyle.Dashed, title: `${order.side === "buy" ? gettext("buy") : gettext("sell")} ${order.type} ${lots(order.units)}` }));
    if (held) {
      lines.push({ price: held.average_price, color: accent, style: LineStyle.Solid, title: `${held.side === "long" ? gettext("long") : gettext("short")} ${lots(held.units)}` });
      if (held.stop_loss) lines.push({ price: held.stop_loss, color: down, style: LineStyle.Dotted, title: gettext("stop-loss") });
      if (held.take_profit) lines.push({ price: held.take_profit, color: up, style: LineStyle.Dotted, title: gettext("take-profit") });
    }
    chart.showLines(lines);
    chart.showMarkers(this.fills.filter((fill) => fill.pair === chart.pair).map((fill) => ({ at: fill.filled_at, side: fill.side, units: fill.units })));
    this.handles.show(held, orders);
  }
}

const chart = document.querySelector("trade-chart");
if (chart) chart.add(new OwnLayer(chart));
