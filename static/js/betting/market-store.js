// One contest's markets: the snapshot of the API, kept current by the room's messages; own bets and balance after each change of them.
// Topics: markets, balance.

import { api, Problem } from "../core/api.js";
import { connection } from "../core/socket.js";
import { Store } from "../core/store.js";

const SOON_MS = 250;

export class MarketStore extends Store {
  constructor(competitionId) {
    super({ markets: new Map(), reasons: [], balance: null, min: 0, max: 0, loaded: false, failed: "" });
    this.id = competitionId;
    this.room = `betting.${competitionId}`;
    this.head = null;
    this.fetching = false;
    this.link = connection();
    const hear = (frame) => this.hear(frame);
    this.link.listen(this.room, hear);
    const user = document.documentElement.dataset.user;
    if (user) this.link.listen(`user.${user}`, (frame) => this.hearOwn(frame));
    this.link.join(this.room, {
      frame: () => ({ type: "join_market", competition_id: this.id, ...(this.head && { since: this.head.seq, epoch: this.head.epoch }) }),
      refused: () => this.fetchSoon(),
    });
    this.fetchSoon(0);
  }

  /** Take a message in its turn; a gap, another epoch or a resync fetches the snapshot again. */
  hear(frame) {
    if (frame.type === "resync" || !this.head || frame.seq > this.head.seq + 1 || (frame.epoch && frame.epoch !== this.head.epoch)) return void this.fetchSoon();
    if (frame.seq <= this.head.seq) return;
    this.head.seq = frame.seq;
    const market = this.get("markets").get(frame.data.market_id);
    if (!market || frame.type === "market_settled") return void this.fetchSoon();
    if (frame.data.status) market.status = frame.data.status;
    if (frame.data.lines) Object.assign(market, { lines: frame.data.lines, locks_at: frame.data.locks_at });
    this.touch("markets");
  }

  hearOwn(frame) {
    if (frame.type === "wallet_update") this.set("balance", frame.data.balance_tokens);
    if (frame.type === "bet_placed" && !this.knows(frame.data.bet_id)) this.fetchSoon();
  }

  knows(betId) {
    return [...this.get("markets").values()].some((market) => market.own.some((bet) => bet.id === betId));
  }

  fetchSoon(waitMs = SOON_MS) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fetch(), waitMs);
  }

  async fetch() {
    if (this.fetching) return void this.fetchSoon();
    this.fetching = true;
    try {
      const seen = await api("GET", `/api/betting/markets/${this.id}`);
      this.head = seen.room;
      Object.assign(this.values, { reasons: seen.reasons, min: seen.min_stake_tokens, max: seen.max_stake_tokens, loaded: true, failed: "" });
      this.set("balance", seen.balance_tokens);
      this.set("markets", new Map(seen.markets.map((market) => [market.market_id, market])));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this.values.failed = problem.message;
      this.touch("markets");
      if (!problem.answered || problem.status >= 500 || problem.status === 429) this.fetchSoon(1_000 * (problem.retryAfterS ?? 3));
    } finally {
      this.fetching = false;
    }
  }
}
