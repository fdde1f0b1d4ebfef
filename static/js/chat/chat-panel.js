// <chat-panel>: a channel as one reads and writes it. The server has rendered its frame and put its first lines beside it as JSON.
// Newest at the bottom; who reads back is not torn away; what is sent shows at once and says when it has failed.

import { Problem } from "../core/api.js";
import { calm, h } from "../core/dom.js";
import { fill, gettext, ngettext } from "../core/i18n.js";
import { newId } from "../core/ids.js";
import { connection } from "../core/socket.js";
import { timeText } from "../core/times.js";
import { ChatChannel } from "./channel.js";
import { dayNode, drawLine, lineNode, sameDay } from "./line.js";
import { openMenu } from "./menu.js";

const NEAR_PX = 48;
const MOST_DRAWN = 600;
const READ_EVERY_MS = 1_500;

class ChatPanel extends HTMLElement {
  connectedCallback() {
    if (this.channel) return;
    this.panel = JSON.parse(this.querySelector("script[type='application/json']").textContent);
    this.parts = Object.fromEntries([...this.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
    this.unseen = 0;
    this.pending = new Map(); // client id → {line, node}
    this.channel = new ChatChannel(this.panel);
    this.channel.addEventListener("lines", ({ detail }) => this.draw(detail));
    this.channel.addEventListener("typing", () => this.showTyping());
    this.channel.addEventListener("sanction", ({ detail }) => this.sanctioned(detail));
    this.channel.addEventListener("closed", ({ detail }) => this.shut(detail.detail ?? gettext("This chat is not open to you any more.")));
    connection().addEventListener("status", () => this.showLink());
    this.parts.scroll.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.parts.new.addEventListener("click", () => this.toBottom(true));
    this.parts.form?.addEventListener("submit", (event) => this.submit(event));
    this.parts.text?.addEventListener("keydown", (event) => this.key(event));
    this.parts.text?.addEventListener("input", () => this.typed());
    this.parts["no-reply"]?.addEventListener("click", () => this.reply(null));
    document.addEventListener("visibilitychange", () => this.markRead());
    this.restoreDraft();
    this.redraw();
    this.toBottom();
    new ResizeObserver(() => this.stick && this.toBottom()).observe(this.parts.scroll);
    this.showSanction(this.panel.sanction);
    this.showLink();
  }

  // -- drawing -----------------------------------------------------------------------------------------------------------

  context(before) {
    const menu = (line, button) => openMenu(line, button, { panel: this.panel, channel: this.channel, reply: (one) => this.reply(one) });
    this.blocked ??= new Set(this.panel.blocked);
    return { userId: this.panel.user_id, blocked: this.blocked, before, menu };
  }

  /** Make the elements of some lines that follow `before`: days between them, and where one had read up to. */
  nodes(lines, before) {
    const made = [];
    for (const line of lines) {
      if (!sameDay(line, before)) made.push(dayNode(line));
      if (this.isFirstUnread(line, before)) made.push(h("li", { class: "chat-unread" }, gettext("New")));
      made.push(lineNode(line, this.context(before)));
      before = line;
    }
    return made;
  }

  isFirstUnread(line, before) {
    const read = this.panel.read_number;
    return read !== null && line.number > read && before && before.number <= read && line.user_id !== this.panel.user_id;
  }

  redraw() {
    this.quietly(() => this.parts.list.replaceChildren(...this.nodes([...this.channel.lines.values()])));
    this.parts.empty.hidden = this.channel.lines.size > 0;
    for (const { node } of this.pending.values()) this.parts.list.append(node);
  }

  draw({ added, changed, older, reset }) {
    if (reset) {
      this.redraw();
      if (this.stick) this.toBottom();
    }
    if (changed) for (const line of changed) this.change(line);
    if (older) this.prepend(older);
    if (added) for (const line of added) this.append(line);
    if (added || reset) this.showTyping();
  }

  append(line) {
    this.parts.empty.hidden = true;
    if (line.user_id === this.panel.user_id) this.settle(line.client_id);
    const all = [...this.channel.lines.values()];
    const fresh = this.nodes([line], all.at(-2));
    const firstPending = this.pending.values().next().value?.node;
    if (firstPending) firstPending.before(...fresh);
    else this.parts.list.append(...fresh);
    if (this.stick) {
      this.trim();
      this.toBottom();
      this.markRead();
    } else {
      this.unseen += 1;
      this.showUnseen();
    }
  }

  change(line) {
    const node = this.parts.list.querySelector(`[data-id="${line.message_id}"]`);
    if (!node) return;
    const all = [...this.channel.lines.values()];
    drawLine(node, line, this.context(all[all.findIndex((one) => one.message_id === line.message_id) - 1]));
  }

  /** Put older lines above without moving what is being read. */
  prepend(lines) {
    const { scroll, list } = this.parts;
    const below = scroll.scrollHeight - scroll.scrollTop;
    const fresh = this.nodes(lines);
    this.quietly(() => {
      const first = list.firstElementChild;
      const below = this.channel.lines.get([...list.children].find((node) => node.dataset.id)?.dataset.id);
      if (first?.matches("[data-day]") && below && sameDay(below, lines.at(-1))) first.remove();
      list.prepend(...fresh);
    });
    scroll.scrollTop = scroll.scrollHeight - below;
  }

  /** Keep a long evening from filling the page: what is far above is fetched again when somebody scrolls there. */
  trim() {
    const { list } = this.parts;
    if (list.childElementCount <= MOST_DRAWN) return;
    while (list.childElementCount > MOST_DRAWN / 2) {
      const first = list.firstElementChild;
      if (first.dataset.id) this.channel.lines.delete(first.dataset.id);
      first.remove();
    }
    this.channel.older = true;
  }

  /** A screen reader is told what is said now, not what is fetched. */
  quietly(work) {
    this.parts.scroll.setAttribute("aria-live", "off");
    work();
    requestAnimationFrame(() => this.parts.scroll.setAttribute("aria-live", "polite"));
  }

  // -- reading -----------------------------------------------------------------------------------------------------------

  get stick() {
    return this.atBottom ?? true;
  }

  scrolled() {
    const { scroll } = this.parts;
    this.atBottom = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_PX;
    if (this.atBottom && this.unseen) {
      this.unseen = 0;
      this.showUnseen();
    }
    if (this.atBottom) this.markRead();
    if (scroll.scrollTop < 2 * NEAR_PX) this.channel.fetchOlder().catch(() => {});
  }

  toBottom(smoothly = false) {
    const { scroll } = this.parts;
    this.atBottom = true;
    this.unseen = 0;
    this.showUnseen();
    scroll.scrollTo({ top: scroll.scrollHeight, behavior: smoothly && !calm.matches ? "smooth" : "instant" });
    if (smoothly) this.parts.text?.focus({ preventScroll: true });
  }

  showUnseen() {
    this.parts.new.hidden = !this.unseen;
    this.parts.new.textContent = fill(ngettext("{n} new", "{n} new", this.unseen), { n: this.unseen });
  }

  markRead() {
    if (!this.panel.user_id || !this.stick || document.hidden || this.reading || this.channel.head === this.lastRead) return;
    this.reading = setTimeout(() => {
      this.reading = null;
      this.lastRead = this.channel.head;
      this.channel.read(this.lastRead).catch(() => {});
      this.dispatchEvent(new CustomEvent("chat:read", { bubbles: true, detail: this.panel.channel_id }));
    }, READ_EVERY_MS);
  }

  showTyping() {
    const now = Date.now();
    for (const [name, until] of this.channel.writers) if (until < now) this.channel.writers.delete(name);
    const names = [...this.channel.writers.keys()];
    const words = names.length > 2 ? gettext("Several people are writing…") : names.length ? fill(ngettext("{names} is writing…", "{names} are writing…", names.length), { names: names.join(", ") }) : "";
    this.parts.typing.textContent = words;
    clearTimeout(this.typingTimer);
    if (names.length) this.typingTimer = setTimeout(() => this.showTyping(), 1_000);
  }

  showLink() {
    const { status } = connection();
    this.parts.link.textContent = status === "live" ? "" : status === "closed" ? gettext("not connected") : gettext("reconnecting…");
  }

  // -- writing -----------------------------------------------------------------------------------------------------------

  key(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.submit(event);
    else if (event.key === "Escape" && this.answering) this.reply(null);
  }

  typed() {
    const { text, left } = this.parts;
    const over = [...text.value.trim()].length - this.panel.longest;
    left.textContent = over > -50 ? String(-over) : "";
    left.classList.toggle("down", over > 0);
    this.keepDraft();
    if (text.value.trim()) this.channel.write();
  }

  submit(event) {
    event.preventDefault();
    const text = this.parts.text.value.trim();
    if (!text || this.parts.send.disabled) return;
    this.refuse("");
    const answering = this.answering;
    this.parts.text.value = "";
    this.reply(null);
    this.typed();
    this.send({ text, clientId: newId(), answering });
  }

  async send(draft) {
    const { clientId, text, answering } = draft;
    this.showPending(draft);
    try {
      const said = await this.channel.say(text, { clientId, replyTo: answering?.message_id ?? null });
      if (said.state === "held") {
        this.settle(clientId);
        this.note(gettext("Your message waits for a moderator, because you are new here. It is shown as soon as somebody has looked at it."));
      } else if (this.channel.lines.has(said.message_id)) this.settle(clientId);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (problem.answered && problem.status !== 503) this.takeBack(draft, problem);
      else this.failed(draft, problem);
    }
  }

  showPending({ clientId, text, answering }) {
    const quoted = answering ? { username: answering.username, text: answering.text, deleted: false } : null;
    const line = { message_id: clientId, client_id: clientId, number: Infinity, kind: "text", user_id: this.panel.user_id, username: this.panel.username,
      badge: "", text, masked: false, reply_to_id: answering?.message_id ?? null, reply_to: quoted, mentions: [], data: {}, timestamp: null, deleted: false, pending: true };
    this.settle(clientId);
    const node = lineNode(line, { userId: null, before: [...this.channel.lines.values()].at(-1) });
    this.pending.set(clientId, { line, node });
    this.parts.empty.hidden = true;
    this.parts.list.append(node);
    this.toBottom();
  }

  settle(clientId) {
    this.pending.get(clientId)?.node.remove();
    this.pending.delete(clientId);
  }

  /** A rule has refused it: it goes back into the field, with the rule and the wait. */
  takeBack(draft, problem) {
    this.settle(draft.clientId);
    if (!this.parts.text.value) {
      this.parts.text.value = draft.text;
      this.reply(draft.answering);
      this.typed();
    }
    this.refuse(problem.message, problem.retryAfterS);
    if (problem.code === "chat_muted" || problem.code === "chat_banned") this.showSanction({ told: problem.message });
  }

  /** Nobody knows whether it arrived: it stays, marked, and can be sent again as the same message. */
  failed(draft, problem) {
    const kept = this.pending.get(draft.clientId);
    if (!kept) return;
    kept.node.classList.add("chat-failed");
    kept.node.append(
      h("p", { class: "chat-problem", role: "alert" }, problem.message, " ",
        h("button", { class: "button button-small", type: "button", onclick: () => this.send(draft) }, gettext("Send again")),
        h("button", { class: "button button-quiet button-small", type: "button", onclick: () => this.settle(draft.clientId) }, gettext("Discard"))),
    );
  }

  refuse(words, waitS = null) {
    const { refusal, send } = this.parts;
    if (!refusal) return;
    clearInterval(this.waiting);
    refusal.hidden = !words;
    refusal.textContent = words;
    send.disabled = Boolean(waitS);
    send.textContent = gettext("Send");
    if (!waitS) return;
    const until = Date.now() + waitS * 1_000;
    const tick = () => {
      const left = Math.ceil((until - Date.now()) / 1_000);
      send.textContent = left > 0 ? fill(gettext("{n} s"), { n: left }) : gettext("Send");
      if (left > 0) return;
      this.refuse("");
    };
    this.waiting = setInterval(tick, 500);
    tick();
  }

  note(words) {
    this.parts.note.textContent = words;
    this.parts.note.hidden = !words;
  }

  reply(line) {
    this.answering = line;
    const { replying, text } = this.parts;
    if (!replying) return;
    replying.hidden = !line;
    replying.firstElementChild.textContent = line ? fill(gettext("Answering {name}: {text}"), { name: line.username, text: line.text }) : "";
    if (line) text.focus();
  }

  get draftKey() {
    return `chat-draft:${this.panel.channel_id}`;
  }

  keepDraft() {
    const text = this.parts.text.value;
    if (text) localStorage.setItem(this.draftKey, text);
    else localStorage.removeItem(this.draftKey);
  }

  restoreDraft() {
    const kept = localStorage.getItem(this.draftKey);
    if (kept && this.parts.text) this.parts.text.value = kept;
  }

  // -- what was decided about oneself ------------------------------------------------------------------------------------

  sanctioned(sanction) {
    if (sanction.action === "warn") this.note(fill(gettext("{by} warns you: {reason}"), sanction));
    else if (["unmute", "unban"].includes(sanction.action)) this.showSanction(null);
    else this.showSanction(sanction);
  }

  /** Say who, why, until when, and where to appeal; it goes by itself when the time is over. */
  showSanction(sanction) {
    const { muted, form } = this.parts;
    if (!muted) return;
    clearTimeout(this.mutedTimer);
    muted.hidden = !sanction;
    form.hidden = Boolean(sanction);
    if (!sanction) return;
    this.refuse("");
    const words = sanction.told ?? this.sentence(sanction);
    muted.firstElementChild.textContent = words;
    const leftMs = sanction.until ? new Date(sanction.until) - connection().now() : Infinity;
    if (leftMs < 2 ** 31) this.mutedTimer = setTimeout(() => this.showSanction(null), Math.max(0, leftMs) + 500);
  }

  sentence({ action, by, reason, until, channel_id: here }) {
    const what = action === "ban" ? gettext("You are banned") : gettext("You are muted");
    const where = here ? gettext("in this chat") : gettext("in every chat");
    const ends = until ? fill(gettext("until {time}"), { time: timeText(until, "zoned") }) : gettext("until it is lifted");
    return `${what} ${where} ${ends}. ${fill(gettext("Decided by {by}: {reason}"), { by, reason })}`;
  }

  shut(words) {
    this.note(words);
    if (this.parts.form) this.parts.form.hidden = true;
  }
}

customElements.define("chat-panel", ChatPanel);
