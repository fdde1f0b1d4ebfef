// The page's one WebSocket. Joins, sequence numbers, reconnecting with jitter, the server's clock, and how well it all goes.
// What the messages mean is not known here: see competitions/room.js.

const FATAL = new Set([4400, 4401, 4403, 4451]);
const PING_MS = 10_000;
const SILENCE_MS = 30_000;
const HEALTHY_MS = 10_000;

/** Events: "status" when connected, lost or closed for good; "latency" after each pong. */
export class Connection extends EventTarget {
  constructor(path = "/ws") {
    super();
    this.path = path;
    this.status = "connecting";
    this.closedCode = null;
    this.lostAt = null;
    this.latencyMs = null;
    this.skewMs = 0;
    this.retryAt = null;
    this.attempts = 0;
    this.lastId = 0;
    this.joins = new Map(); // key → {frame(), joined(ack), refused(error)}
    this.waiting = new Map(); // id → what an answer is for
    this.listeners = new Map(); // room → Set of functions
    this.open();
    addEventListener("online", () => this.retryNow());
    addEventListener("pageshow", (event) => event.persisted && this.retryNow());
    document.addEventListener("visibilitychange", () => !document.hidden && this.retryNow());
    setInterval(() => this.tick(), 1_000);
  }

  /** The server's clock in Unix milliseconds, as well as it is known. */
  now() {
    return Date.now() + this.skewMs;
  }

  /** Say what to send on every connect. frame() builds the join, with where it left off. */
  join(key, { frame, joined = () => {}, refused = () => {} }) {
    this.joins.set(key, { frame, joined, refused });
    if (this.status === "live") this.sendJoin(key);
  }

  /** Send a frame that needs no answer, if there is anybody to hear it. */
  say(frame) {
    if (this.status === "live") this.send(frame);
  }

  listen(room, hear) {
    if (!this.listeners.has(room)) this.listeners.set(room, new Set());
    this.listeners.get(room).add(hear);
  }

  open() {
    this.retryAt = null;
    const url = new URL(this.path, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.socket = socket;
    this.openedAt = Date.now();
    this.heardAt = Date.now();
    socket.onopen = () => {
      this.set("live");
      for (const key of this.joins.keys()) this.sendJoin(key);
      this.ping();
    };
    socket.onmessage = (event) => this.hear(event.data);
    socket.onclose = (event) => socket === this.socket && this.lost(event.code);
  }

  sendJoin(key) {
    const join = this.joins.get(key);
    const id = this.send(join.frame());
    this.waiting.set(id, { key, answered: join.joined, refused: join.refused });
  }

  send(frame) {
    this.lastId += 1;
    const id = String(this.lastId);
    this.socket.send(JSON.stringify({ ...frame, id }));
    return id;
  }

  hear(data) {
    this.heardAt = Date.now();
    const frame = JSON.parse(data);
    if (frame.type === "pong") this.pong(frame);
    else if (frame.type === "ack" || frame.type === "error") this.answer(frame);
    else if (frame.room) for (const hear of this.listeners.get(frame.room) ?? []) hear(frame);
    else this.dispatchEvent(new CustomEvent("message", { detail: frame }));
  }

  answer(frame) {
    const waiting = this.waiting.get(frame.id);
    this.waiting.delete(frame.id);
    if (frame.type === "error") this.refused(frame, waiting);
    else waiting?.answered(frame);
  }

  /** A join that was refused for now is tried again when the server says so; others are told to whoever asked. */
  refused(error, waiting) {
    if (waiting?.key && error.retry_after) setTimeout(() => this.status === "live" && this.sendJoin(waiting.key), error.retry_after * 1000);
    else waiting?.refused(error);
  }

  ping() {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.pingAt = performance.now();
    this.pingWall = Date.now();
    this.send({ type: "ping" });
  }

  pong(frame) {
    const rtt = performance.now() - this.pingAt;
    this.latencyMs = Math.round(rtt);
    if (frame.ts) this.skewMs = frame.ts - (this.pingWall + rtt / 2);
    this.dispatchEvent(new Event("latency"));
  }

  tick() {
    if (this.status !== "live") return;
    const now = Date.now();
    if (now - this.heardAt > SILENCE_MS) {
      // half-open: nothing arrives and nobody said goodbye
      const dead = this.socket;
      this.lost(1006);
      dead.close();
    } else if (now - (this.pingWall ?? 0) > PING_MS) this.ping();
    if (this.attempts && now - this.openedAt > HEALTHY_MS) this.attempts = 0;
  }

  lost(code) {
    this.waiting.clear();
    this.lostAt ??= Date.now();
    if (FATAL.has(code)) {
      this.closedCode = code;
      this.set("closed");
      return;
    }
    this.attempts += 1;
    // 1012 is a planned restart: everybody comes back, so spread out. Else full jitter, the first try almost at once.
    const ceiling = code === 1012 && this.attempts === 1 ? 2_500 : Math.min(15_000, 400 * 2 ** (this.attempts - 1));
    const wait = 100 + Math.random() * ceiling;
    this.retryAt = Date.now() + wait;
    this.set("reconnecting");
    this.timer = setTimeout(() => this.open(), wait);
  }

  retryNow() {
    if (this.status !== "reconnecting" || this.retryAt === null) return;
    clearTimeout(this.timer);
    this.open();
  }

  set(status) {
    if (status === "live") this.lostAt = null;
    this.status = status;
    this.dispatchEvent(new Event("status"));
  }
}

let shared = null;
/** The page's connection, opened when first asked for. */
export function connection() {
  if (!shared) {
    shared = new Connection();
    shared.listen("site.switches", (frame) => document.dispatchEvent(new CustomEvent(frame.type, { detail: frame.data })));
  }
  return shared;
}
