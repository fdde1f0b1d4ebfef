// One channel's lines: complete from the first one held to the newest, in the order of their numbers. REST for history and for what one
// says, the page's socket for what comes. What is drawn is <chat-panel>'s business.

import { api, sendOnce } from "../core/api.js";
import { newId } from "../core/ids.js";
import { connection } from "../core/socket.js";

/** Events: "lines" {added, changed, older, reset}, "typing", "sanction" {detail}, "closed" {detail: refusal}. */
export class ChatChannel extends EventTarget {
  constructor(panel) {
    super();
    Object.assign(this, { id: panel.channel_id, userId: panel.user_id, head: panel.head, older: panel.older });
    this.path = `/api/chat/${this.id}`;
    this.lines = new Map(panel.lines.map((line) => [line.message_id, line])); // in order
    this.writers = new Map(); // name → until when
    this.typedAt = 0;
    const socket = connection();
    socket.listen(`chat.${this.id}`, (frame) => this.hear(frame));
    if (this.userId) socket.listen(`user.${this.userId}`, (frame) => frame.type === "sanction" && this.judge(frame.data));
    socket.join(`chat:${this.id}`, {
      frame: () => ({ type: "join_channel", channel_id: this.id, since: this.head }),
      refused: (error) => this.emit("closed", error),
    });
  }

  emit(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  hear(frame) {
    if (frame.type === "resync") this.refetch();
    else if (frame.type === "room_closed") this.emit("closed", frame.data);
    else if (frame.type === "user_typing") this.typing(frame.data);
    else if (!frame.seq || frame.seq <= this.head) return;
    else if (frame.seq > this.head + 1) this.refetch();
    else {
      this.head = frame.seq;
      if (frame.type === "message") this.add(frame.data);
      else if (frame.type === "message_deleted") this.bury(frame.data.message_id);
    }
  }

  add(line) {
    this.writers.delete(line.username);
    this.lines.set(line.message_id, { ...line, reply_to: this.preview(line.reply_to_id) });
    this.emit("lines", { added: [this.lines.get(line.message_id)] });
    if (line.reply_to_id && !this.lines.get(line.message_id).reply_to) this.fetchPreview(line.message_id, line.reply_to_id);
  }

  preview(id) {
    const line = id && this.lines.get(id);
    return line ? { message_id: id, username: line.username, text: line.text, deleted: line.deleted } : null;
  }

  async fetchPreview(id, answered) {
    try {
      const found = await api("GET", `${this.path}/messages/${answered}`);
      const line = this.lines.get(id);
      if (!line) return;
      line.reply_to = { message_id: answered, username: found.username, text: found.text, deleted: found.deleted };
      this.emit("lines", { changed: [line] });
    } catch {
      // the line stands without what it answers
    }
  }

  /** Nothing of a deleted line stays: neither its text nor what others quote of it. */
  bury(id) {
    const changed = [];
    for (const line of this.lines.values()) {
      if (line.message_id === id) Object.assign(line, { text: "", deleted: true, data: {}, mentions: [], masked: false });
      else if (line.reply_to?.message_id === id) line.reply_to = { ...line.reply_to, text: "", deleted: true };
      else continue;
      changed.push(line);
    }
    if (changed.length) this.emit("lines", { changed });
  }

  typing({ user_id: id, username }) {
    if (id === this.userId) return;
    this.writers.set(username, Date.now() + 4_000);
    this.emit("typing");
  }

  judge(sanction) {
    if (!sanction.channel_id || sanction.channel_id === this.id) this.emit("sanction", sanction);
  }

  /** Something was missed: read the newest page again; what is older than it is fetched when somebody scrolls there. */
  async refetch() {
    if (this.fetching) return;
    this.fetching = true;
    try {
      const page = await api("GET", `${this.path}/messages?limit=50`);
      const rows = page.results.reverse();
      const known = new Map(this.lines);
      const newest = Math.max(0, ...[...known.values()].map((line) => line.number));
      const joined = !rows.length || rows[0].number <= newest + 1;
      if (!joined) this.lines.clear();
      for (const row of rows) this.lines.set(row.message_id, row);
      this.lines = new Map([...this.lines].sort((a, b) => a[1].number - b[1].number));
      this.older = joined ? this.older : Boolean(page.next);
      this.head = Math.max(this.head, ...rows.map((row) => row.number));
      this.emit("lines", { reset: true });
    } catch {
      // the next frame or reconnect tries again
    } finally {
      this.fetching = false;
    }
  }

  /** Read one page upwards. */
  async fetchOlder() {
    if (!this.older || this.fetching) return;
    this.fetching = true;
    try {
      const first = this.lines.values().next().value;
      const cursor = first ? `&cursor=${cursorBefore(first.number)}` : "";
      const page = await api("GET", `${this.path}/messages?limit=50${cursor}`);
      this.older = Boolean(page.next);
      const rows = page.results.reverse();
      this.lines = new Map([...rows.map((row) => [row.message_id, row]), ...this.lines]);
      this.emit("lines", { older: rows });
    } finally {
      this.fetching = false;
    }
  }

  /** Say something; the same clientId again is the same message. */
  say(text, { clientId = newId(), replyTo = null } = {}) {
    return sendOnce("POST", `${this.path}/messages`, { body: { text, client_id: clientId, reply_to_id: replyTo } });
  }

  /** Let the others see that one writes, at most once in three seconds. */
  write() {
    if (Date.now() - this.typedAt < 3_100) return;
    this.typedAt = Date.now();
    connection().say({ type: "user_typing", channel_id: this.id });
  }

  remove(id) {
    return api("DELETE", `${this.path}/messages/${id}`);
  }

  report(id, reason, note) {
    return api("POST", `${this.path}/messages/${id}/report`, { body: { reason, note } });
  }

  tip(userId, tokens, clientId) {
    return sendOnce("POST", `${this.path}/tips`, { body: { to_user_id: userId, amount_tokens: tokens, client_id: clientId } });
  }

  moderate(body) {
    return api("POST", `${this.path}/moderate`, { body });
  }

  read(number) {
    return api("PUT", `${this.path}/read`, { body: { number } });
  }
}

/** A cursor of the API's lists, for what comes before a number: ["n", "123"] in base64url. */
function cursorBefore(number) {
  return btoa(JSON.stringify(["n", String(number)])).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
