// One contest's room: the snapshot of the server, kept current by the room's messages. Everything on a page reads this store.
// Topics: quotes, quote:<PAIR>, board, deals, positions (of others), viewers, competition, account, orders, link.

import { api, Problem } from "../core/api.js";
import { pageData } from "../core/dom.js";
import { connection } from "../core/socket.js";
import { Store } from "../core/store.js";
import { digitsOf, learnInstruments, toPoints, usdPair } from "../core/market.js";

const STALE_MS = 3_000;
const DEALS_KEPT = 60;
const OPEN_ORDERS = new Set(["accepted", "working"]);

export class Room extends Store {
  constructor(snapshot, { quotesOnly = false } = {}) {
    super({ quotes: new Map(), board: { as_of: null, rankings: [] }, deals: [], positions: new Map(), viewers: 0, competition: snapshot.competition, account: null, orders: new Map(), link: "connecting" });
    this.id = snapshot.competition.id;
    this.heads = new Map(); // room → {epoch, seq}
    this.decided = new Set(); // ids of orders that can change no more
    this.held = null; // messages that arrive while a snapshot is on its way
    this.link = connection();
    this.heard = (frame) => this.hear(frame);
    this.take(snapshot);
    for (const pair of snapshot.competition.pairs) this.link.listen(`quotes.${pair}`, this.heard);
    this.link.addEventListener("status", () => this.set("link", this.link.status));
    this.set("link", this.link.status);
    this.link.join(`arena.${this.id}`, {
      frame: () => ({ type: "join_room", competition_id: this.id, ...this.positions() }),
      joined: (ack) => this.joined(ack.rooms ?? ack.data?.rooms ?? []),
      refused: (error) => this.set("link", error.code),
    });
    if (!quotesOnly) this.feedConversions();
    setInterval(() => this.agePrices(), 1_000);
  }

  /** Where this page stands in each room, so that a join replays what was missed. */
  positions() {
    const { [`arena.${this.id}`]: arena, ...seen } = Object.fromEntries(this.heads);
    return { ...(arena && { since: arena.seq, epoch: arena.epoch }), ...(Object.keys(seen).length && { seen }) };
  }

  /** The rooms that a join gave: one may have become an entrant since the page was made. */
  joined(rooms) {
    for (const { room, epoch, seq } of rooms) {
      this.link.listen(room, this.heard);
      if (!this.heads.has(room) && !room.startsWith("quotes.")) this.heads.set(room, { epoch, seq });
    }
  }

  /** The line of the board that an entry has, if it is among those shown. */
  boardRow(entryId) {
    return this.values.board.rankings.find((row) => row.entry_id === entryId);
  }

  take(snapshot) {
    this.heads = new Map(Object.entries(snapshot.rooms ?? {}));
    for (const room of this.heads.keys()) this.link.listen(room, this.heard);
    for (const [pair, quote] of Object.entries(snapshot.quotes ?? {})) this.quote({ pair, ...quote });
    this.set("competition", snapshot.competition);
    this.set("board", { as_of: snapshot.as_of, rankings: snapshot.rankings ?? [] });
    this.set("deals", snapshot.deals ?? []);
    this.set("positions", new Map((snapshot.positions ?? []).map((held) => [held.entry_id, held.positions])));
    this.set("viewers", snapshot.viewers ?? 0);
    this.set("account", snapshot.own ? { entry_id: snapshot.own.entry_id, positions: [], ...snapshot.own.account } : null);
    this.set("orders", new Map((snapshot.own?.orders ?? []).map((order) => [order.id, order])));
  }

  /** Take one message in its turn: repeated ones are dropped, a gap fetches the snapshot again. */
  hear(frame) {
    if (frame.type === "resync") return void this.resync();
    if (frame.seq === undefined || frame.seq === null) return void this.apply(frame);
    if (this.held) return void this.held.push(frame);
    const head = this.heads.get(frame.room);
    if (head && frame.epoch !== undefined && head.epoch && frame.epoch !== head.epoch) return void this.resync(frame);
    if (head && frame.seq <= head.seq) return;
    if (head && frame.seq > head.seq + 1) return void this.resync(frame);
    this.heads.set(frame.room, { epoch: frame.epoch ?? head?.epoch ?? "", seq: frame.seq });
    this.apply(frame);
  }

  async resync(frame) {
    if (this.held) return;
    this.held = frame ? [frame] : [];
    for (let attempt = 0; ; attempt += 1) {
      try {
        this.take(await api("GET", `/api/competitions/${this.id}/room`));
        break;
      } catch (problem) {
        if (!(problem instanceof Problem) || (problem.answered && problem.status < 500 && problem.status !== 429)) break;
        await new Promise((resume) => setTimeout(resume, Math.min(10_000, 500 * 2 ** attempt) * (0.5 + Math.random() / 2)));
      }
    }
    const held = this.held;
    this.held = null;
    for (const late of held) {
      const head = this.heads.get(late.room);
      if (head && late.seq <= head.seq && (late.epoch ?? head.epoch) === head.epoch) continue;
      this.heads.set(late.room, { epoch: late.epoch ?? head?.epoch ?? "", seq: late.seq });
      this.apply(late);
    }
  }

  apply({ type, data }) {
    const handler = HANDLERS[type];
    if (handler) handler(this, data);
  }

  quote({ pair, bid, ask, timestamp, stale }) {
    const digits = digitsOf(pair);
    const quotes = this.values.quotes;
    const before = quotes.get(pair);
    const quote = { pair, bid, ask, bidPoints: toPoints(bid, digits), askPoints: toPoints(ask, digits), timestamp, stale: Boolean(stale), at: Date.now(), moved: 0 };
    if (quote.bidPoints === null || quote.askPoints === null) return;
    quote.moved = before ? Math.sign(quote.bidPoints + quote.askPoints - before.bidPoints - before.askPoints) || before.moved : 0;
    quotes.set(pair, quote);
    this.touch(`quote:${pair}`);
    this.touch("quotes");
  }

  /** A price is grey when the server says so, or when nothing has come for three seconds. */
  isStale(quote) {
    return !quote || quote.stale || Date.now() - quote.at > STALE_MS;
  }

  agePrices() {
    for (const [pair, quote] of this.values.quotes) {
      const grey = this.isStale(quote);
      if (grey === quote.grey) continue;
      quote.grey = grey;
      this.touch(`quote:${pair}`);
      this.touch("quotes");
    }
  }

  /** Pairs that only value others are not sent to this room; their mids are asked for now and then. */
  feedConversions() {
    const pairs = this.values.competition.pairs;
    const needed = new Set(pairs.flatMap((pair) => [usdPair(pair.slice(0, 3)), usdPair(pair.slice(4))]).filter(Boolean));
    for (const pair of pairs) needed.delete(pair);
    if (!needed.size) return;
    const ask = async () => {
      if (document.hidden && this.values.quotes.has([...needed][0])) return;
      try {
        const answer = await api("GET", "/api/quotes");
        for (const pair of needed) if (answer.quotes[pair]) this.quote({ pair, ...answer.quotes[pair] });
      } catch {
        // the next round asks again; the ticket says meanwhile that a value is unknown
      }
    };
    ask();
    setInterval(ask, 5_000);
  }

  takeOrder(order, fill = null) {
    const orders = this.values.orders;
    if (OPEN_ORDERS.has(order.status)) {
      // the answer to a request may be slower than the room's word on the same order
      if (this.decided.has(order.id) || (order.status === "accepted" && orders.get(order.id)?.status === "working")) return;
      orders.set(order.id, order);
    } else {
      this.decided.add(order.id);
      orders.delete(order.id);
    }
    this.touch("orders");
    this.dispatch("order", { order, fill });
  }

  /** Tell listeners of one event: order decisions and new deals, which are moments and not values. */
  dispatch(name, detail) {
    document.dispatchEvent(new CustomEvent(`room:${name}`, { detail }));
  }
}

const HANDLERS = {
  quote_update: (room, data) => room.quote(data),
  leaderboard_update: (room, data) => room.set("board", data),
  viewers_update: (room, data) => room.set("viewers", data.count),
  competition_update: (room, data) => room.set("competition", { ...room.get("competition"), ...data, id: room.id }),
  account_update: (room, data) => room.set("account", data),
  order_update: (room, data) => room.takeOrder(data.order, data.fill),
  position_update: (room, { entry_id: entry, positions }) => {
    if (positions.length) room.get("positions").set(entry, positions);
    else room.get("positions").delete(entry);
    room.touch("positions");
  },
  deal_executed: (room, data) => {
    room.set("deals", [data, ...room.get("deals").filter((deal) => deal.deal_id !== data.deal_id)].slice(0, DEALS_KEPT));
    room.dispatch("deal", data);
  },
};

let page = null;
/** The room of this page, from the snapshot that came with it. */
export function room() {
  if (!page) {
    learnInstruments(pageData("instruments") ?? []);
    page = new Room(pageData("room"));
  }
  return page;
}

