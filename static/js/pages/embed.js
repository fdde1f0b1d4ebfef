// The overlay for streams: the board, alive, and nothing to press.

import "../core/page-slot.js";
import "../competitions/countdown-clock.js";
import "../competitions/live-board.js";
