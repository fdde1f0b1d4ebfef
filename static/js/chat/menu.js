// What can be done with a message or its author: answer, tip, report, delete, moderate. Each asks once and says how it went.

import { Problem } from "../core/api.js";
import { ask, field } from "../core/dialog.js";
import { h } from "../core/dom.js";
import { fill, gettext } from "../core/i18n.js";
import { newId } from "../core/ids.js";
import { toast } from "../core/toast.js";

const REASONS = [["abuse", gettext("Insult or hate")], ["spam", gettext("Spam or advertising")], ["scam", gettext("Fraud")], ["private", gettext("Private data")], ["other", gettext("Something else")]];
const PRESETS = [["10m", gettext("10 minutes")], ["1h", gettext("1 hour")], ["24h", gettext("24 hours")], ["7d", gettext("7 days")], ["permanent", gettext("Until lifted")]];
const ACTIONS = [["warn", gettext("Warn")], ["mute", gettext("Mute")], ["ban", gettext("Ban")], ["unmute", gettext("Lift a mute")], ["unban", gettext("Lift a ban")]];

/** Open the choices for a line. panel: what the server said of the asker; channel: the ChatChannel; reply(line): begins an answer. */
export function openMenu(line, button, { panel, channel, reply }) {
  const own = line.user_id === panel.user_id;
  const person = Boolean(panel.user_id);
  const choices = [
    person && !panel.archived && line.kind === "text" && [gettext("Answer"), () => reply(line)],
    person && !own && !panel.archived && line.user_id && [gettext("Tip"), () => tip(line, channel)],
    person && !own && [gettext("Report"), () => report(line, channel)],
    person && (own || panel.moderates) && [gettext("Delete"), () => remove(line, channel, own)],
    panel.moderates && !own && [gettext("Moderate"), () => moderate(line, panel, channel)],
  ].filter(Boolean);
  const dialog = h("dialog", { class: "dialog chat-choices", "aria-label": fill(gettext("Message of {name}"), { name: line.username }) });
  const act = (work) => () => {
    dialog.close();
    work();
  };
  dialog.append(
    h("p", { class: "chat-choices-text" }, h("b", {}, line.username), " ", line.text),
    ...choices.map(([label, work]) => h("button", { class: "button button-wide", type: "button", onclick: act(work) }, label)),
    h("a", { class: "button button-wide", href: `/traders/${encodeURIComponent(line.username)}` }, gettext("Profile")),
    h("button", { class: "button button-quiet button-wide", type: "button", onclick: () => dialog.close() }, gettext("Back")),
  );
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (!document.querySelector("dialog[open]")) button.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
}

async function attempt(work, done) {
  try {
    await work();
    if (done) toast(done, "good");
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    toast(problem.message, "bad");
  }
}

async function tip(line, channel) {
  const clientId = newId();
  const amount = field(gettext("Tokens"), { type: "number", inputmode: "numeric", min: "1", max: "1000000", step: "1", value: "10", required: true, autofocus: true }, gettext("Everybody here sees the tip. Tokens have no cash value."));
  const whole = () => /^[1-9]\d{0,6}$/.test(amount.input.value);
  const yes = await ask({ title: fill(gettext("Tip {name}"), { name: line.username }), content: amount.node, confirm: gettext("Give"), check: () => (whole() ? "" : gettext("Give a whole number of tokens.")) });
  if (yes) await attempt(() => channel.tip(line.user_id, Number(amount.input.value), clientId));
}

async function report(line, channel) {
  const reason = choice(gettext("What is wrong with it?"), REASONS);
  const note = field(gettext("Anything to add"), { maxlength: "300" });
  const yes = await ask({ title: gettext("Report this message"), content: h("div", { class: "stack" }, h("blockquote", { class: "chat-quote" }, line.text), reason.node, note.node), confirm: gettext("Report") });
  if (yes) await attempt(() => channel.report(line.message_id, reason.input.value, note.input.value), gettext("The moderators will look at it."));
}

async function remove(line, channel, own) {
  const words = own ? gettext("It disappears for everybody; that it was there stays visible.") : gettext("It disappears for everybody, and is kept for moderators.");
  const yes = await ask({ title: gettext("Delete this message?"), content: h("p", {}, words), confirm: gettext("Delete"), danger: true });
  if (yes) await attempt(() => channel.remove(line.message_id));
}

async function moderate(line, panel, channel) {
  const action = choice(gettext("Action"), ACTIONS, "mute");
  const preset = choice(gettext("For"), PRESETS, "1h");
  const scope = choice(gettext("Where"), panel.everywhere ? [["channel", gettext("In this chat")], ["everywhere", gettext("Everywhere")]] : [["channel", gettext("In this chat")]]);
  const reason = field(gettext("Reason, shown to the person"), { maxlength: "200", required: true, autofocus: true });
  const record = panel.everywhere ? h("p", { class: "tiny" }, h("a", { href: `/moderation/people/${encodeURIComponent(line.username)}` }, gettext("What holds already, and the record"))) : null;
  const yes = await ask({
    title: fill(gettext("Moderate {name}"), { name: line.username }),
    content: h("div", { class: "stack" }, action.node, preset.node, scope.node, reason.node, record),
    confirm: gettext("Do it"),
    danger: true,
    check: () => (reason.input.value.trim() ? "" : gettext("Say why: the person reads it.")),
  });
  if (!yes) return;
  const body = { user_id: line.user_id, action: action.input.value, reason: reason.input.value.trim(), scope: scope.input.value, message_id: line.message_id };
  if (["mute", "ban"].includes(body.action)) body.preset = preset.input.value;
  await attempt(() => channel.moderate(body), gettext("Done. The person has been told."));
}

let lastNumber = 0;
function choice(label, options, chosen) {
  lastNumber += 1;
  const id = `chat-choice-${lastNumber}`;
  const input = h("select", { id, class: "input" }, options.map(([value, words]) => h("option", { value, selected: value === chosen }, words)));
  return { input, node: h("div", { class: "form-field" }, h("label", { for: id }, label), input) };
}
