// The public live page: watching, without a ticket.

import "../core/page-slot.js";
import "../competitions/connection-status.js";
import "../competitions/contest-status.js";
import "../competitions/countdown-clock.js";
import "../competitions/viewer-count.js";
import "../competitions/quote-board.js";
import "../competitions/live-board.js";
import "../competitions/trader-panel.js";
import "../competitions/crowd-blotter.js";
import "../competitions/deal-tape.js";
import "../competitions/trade-chart.js";
import "../competitions/trader-layer.js";
import { chooseTrader, chosen } from "../competitions/choice.js";
import { startTabs } from "../competitions/phone-tabs.js";
import { startChat } from "../competitions/chat-side.js";
import { room } from "../competitions/room.js";

const terminal = document.querySelector(".terminal");
startTabs(terminal);

// whoever leads first is looked at until somebody chooses
room().watch("board", () => {
  const first = room().get("board").rankings[0];
  if (first && !chosen.get("trader")) chooseTrader(first.entry_id);
});

startChat(terminal, document.getElementById("watch-chat"), { open: true });
