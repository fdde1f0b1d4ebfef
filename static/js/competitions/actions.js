// What a trader can do to what is already there: close, reverse or protect a position, cancel, change or move an order. Each asks once,
// unless one-click trading is on, and tells how it went.

import { api, Problem, sendOnce } from "../core/api.js";
import { ask, facts, field } from "../core/dialog.js";
import { h } from "../core/dom.js";
import { count, lots, money } from "../core/format.js";
import { fill, gettext } from "../core/i18n.js";
import { newId } from "../core/ids.js";
import { digitsOf, openProfitCents, toPoints, toPrice } from "../core/market.js";
import { toast } from "../core/toast.js";
import { consent } from "./consent.js";
import { room } from "./room.js";
import { readUnits, sizeProblem } from "./ticket-math.js";

const base = () => `/api/competitions/${room().id}`;

async function tell(run) {
  try {
    return await run();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    toast(problem.message, "bad");
    return null;
  }
}

const sideText = (position) => (position.side === "long" ? gettext("long") : gettext("short"));

export async function closePosition(position, { part = false } = {}) {
  const rules = room().get("competition");
  const size = field(gettext("Units to close"), { value: String(position.units), inputmode: "numeric", autofocus: part });
  if (part || !consent.given()) {
    const content = h(
      "div",
      { class: "stack" },
      facts([
        [gettext("Position"), `${sideText(position)} ${lots(position.units)} ${position.pair}`],
        [gettext("Average price"), position.average_price],
        [gettext("Open profit"), money(openProfitCents(position, room().get("quotes")), { plus: true })],
      ]),
      part ? size.node : null,
    );
    const check = () => {
      if (!part) return "";
      const units = readUnits(size.input.value, "units");
      if (units !== null && units > position.units) return fill(gettext("The position has {units} units."), { units: count(position.units) });
      return units === position.units ? "" : sizeProblem(units, rules);
    };
    if (!(await ask({ title: fill(gettext("Close {pair}"), position), content, confirm: gettext("Close at market"), check }))) return;
  }
  const units = part ? readUnits(size.input.value, "units") : null;
  const body = { id: newId(), ...(units === null || units === position.units ? {} : { units }) };
  await tell(async () => {
    const path = `${base()}/positions/${position.position_id}/close`;
    const answer = await sendOnce("POST", path, { body, headers: { Prefer: "wait=3", "Idempotency-Key": body.id } });
    room().takeOrder(answer.order ?? answer, answer.fill ?? null);
  });
}

function priceFields(pair, stopLoss, takeProfit) {
  const digits = digitsOf(pair);
  const stop = field(gettext("Stop-loss"), { value: stopLoss ?? "", inputmode: "decimal", autofocus: true }, gettext("Empty removes it."));
  const profit = field(gettext("Take-profit"), { value: takeProfit ?? "", inputmode: "decimal" }, gettext("Empty removes it."));
  const read = (input) => {
    const typed = input.value.trim().replace(",", ".");
    if (!typed) return null;
    const points = toPoints(typed, digits);
    return points === null ? undefined : toPrice(points, digits);
  };
  const check = () => ([stop, profit].some(({ input }) => read(input) === undefined) ? fill(gettext("Enter prices with at most {digits} decimals."), { digits }) : "");
  return { stop, profit, read, check };
}

export async function protectPosition(position) {
  const fields = priceFields(position.pair, position.stop_loss, position.take_profit);
  const now = room().get("quotes").get(position.pair);
  const content = h(
    "div",
    { class: "stack" },
    facts([
      [gettext("Position"), `${sideText(position)} ${lots(position.units)} ${position.pair} @ ${position.average_price}`],
      now ? [gettext("Bid, ask now"), `${now.bid} / ${now.ask}`] : null,
    ]),
    fields.stop.node,
    fields.profit.node,
  );
  if (!(await ask({ title: gettext("Stop-loss and take-profit"), content, confirm: gettext("Set"), check: fields.check }))) return;
  await sendExits(position, { stop_loss: fields.read(fields.stop.input), take_profit: fields.read(fields.profit.input) });
}

const sendExits = (position, body) =>
  tell(async () => {
    await api("PATCH", `${base()}/positions/${position.position_id}`, { body, headers: { Prefer: "wait=3" } });
    toast(fill(gettext("{pair}: stop-loss and take-profit sent."), position), "good");
  });

const EXIT_NAMES = () => ({ stop_loss: gettext("Stop-loss"), take_profit: gettext("Take-profit") });

/** Set one exit of a position to a price it was dragged to. */
export async function setExits(position, body) {
  const rows = Object.entries(body).map(([name, price]) => [EXIT_NAMES()[name], price]);
  const content = facts([[gettext("Position"), `${sideText(position)} ${lots(position.units)} ${position.pair} @ ${position.average_price}`], ...rows]);
  if (!consent.given() && !(await ask({ title: fill(gettext("Exit of {pair}"), position), content, confirm: gettext("Set") }))) return;
  await sendExits(position, body);
}

/** Move a pending order to a price it was dragged to. */
export async function setOrderPrice(order, price) {
  const content = facts([[gettext("Size"), `${lots(order.units)} ${order.pair}`], [gettext("Price now"), order.price], [gettext("New price"), price]]);
  if (!consent.given() && !(await ask({ title: fill(gettext("Move the {type} order on {pair}"), order), content, confirm: gettext("Move") }))) return;
  await tell(async () => {
    const answer = await api("PATCH", `${base()}/orders/${order.id}`, { body: { price }, headers: { Prefer: "wait=3" } });
    if (answer?.id) room().takeOrder(answer);
  });
}

/** Turn a position around: one market order that closes it and opens as much in the other direction. */
export async function reversePosition(position) {
  const side = position.side === "long" ? "sell" : "buy";
  const content = h(
    "div",
    { class: "stack" },
    facts([
      [gettext("Position"), `${sideText(position)} ${lots(position.units)} ${position.pair} @ ${position.average_price}`],
      [gettext("Open profit"), money(openProfitCents(position, room().get("quotes")), { plus: true })],
      [gettext("Becomes"), `${position.side === "long" ? gettext("short") : gettext("long")} ${lots(position.units)}`],
    ]),
    h("p", { class: "small muted" }, gettext("Its profit is realized; stop-loss and take-profit end with it.")),
  );
  if (!consent.given() && !(await ask({ title: fill(gettext("Reverse {pair}"), position), content, confirm: gettext("Reverse at market") }))) return;
  const body = { id: newId(), pair: position.pair, side, type: "market", units: 2 * position.units };
  await tell(async () => {
    const answer = await sendOnce("POST", `${base()}/orders`, { body, headers: { Prefer: "wait=3", "Idempotency-Key": body.id } });
    room().takeOrder(answer.order ?? answer, answer.fill ?? null);
  });
}

export async function cancelOrder(order) {
  const name = `${order.side === "buy" ? gettext("Buy") : gettext("Sell")} ${lots(order.units)} ${order.pair} @ ${order.price ?? gettext("market")}`;
  if (!consent.given() && !(await ask({ title: gettext("Cancel this order?"), content: h("p", {}, name), confirm: gettext("Cancel order"), danger: true }))) return;
  await tell(async () => {
    const answer = await api("DELETE", `${base()}/orders/${order.id}`, { headers: { Prefer: "wait=3" } });
    if (answer?.id) room().takeOrder(answer);
  });
}

export async function changeOrder(order) {
  const digits = digitsOf(order.pair);
  const size = field(gettext("Units"), { value: String(order.units), inputmode: "numeric" });
  const price = field(gettext("Price"), { value: order.price, inputmode: "decimal", autofocus: true });
  const exits = priceFields(order.pair, order.stop_loss, order.take_profit);
  exits.stop.input.removeAttribute("autofocus");
  const readPrice = () => toPoints(price.input.value.trim().replace(",", "."), digits);
  const check = () => {
    if (readPrice() === null) return fill(gettext("Enter a price with at most {digits} decimals."), { digits });
    return sizeProblem(readUnits(size.input.value, "units"), room().get("competition")) || exits.check();
  };
  const content = h("div", { class: "stack" }, price.node, size.node, exits.stop.node, exits.profit.node);
  if (!(await ask({ title: fill(gettext("Change the {type} order on {pair}"), order), content, confirm: gettext("Change order"), check }))) return;
  const body = { units: readUnits(size.input.value, "units"), price: toPrice(readPrice(), digits), stop_loss: exits.read(exits.stop.input), take_profit: exits.read(exits.profit.input) };
  await tell(async () => {
    const answer = await api("PATCH", `${base()}/orders/${order.id}`, { body, headers: { Prefer: "wait=3" } });
    if (answer?.id) room().takeOrder(answer);
    toast(gettext("Change sent."), "good");
  });
}
