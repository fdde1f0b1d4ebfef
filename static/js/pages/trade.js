// The trade terminal: its elements, its keys, its tabs on a phone.

import "../core/page-slot.js";
import "../competitions/connection-status.js";
import "../competitions/contest-status.js";
import "../competitions/countdown-clock.js";
import "../competitions/viewer-count.js";
import "../competitions/quote-board.js";
import "../competitions/account-bar.js";
import "../competitions/order-ticket.js";
import "../competitions/trade-blotter.js";
import "../competitions/trade-journal.js";
import "../competitions/live-board.js";
import "../competitions/rule-meter.js";
import "../competitions/trade-chart.js";
import "../competitions/own-layer.js";
import { startChat } from "../competitions/chat-side.js";
import { bindConsent } from "../competitions/consent.js";
import { startHotkeys } from "../competitions/hotkeys.js";
import { startTabs } from "../competitions/phone-tabs.js";

const terminal = document.querySelector(".terminal");
startTabs(terminal);
startChat(terminal, document.getElementById("trade-chat"), { open: false });
const box = document.querySelector("[data-part=one-click]");
if (box) bindConsent(box);
startHotkeys();
