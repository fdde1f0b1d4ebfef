// A contest's own page: its countdown, and, while it runs, its standings.

import "../competitions/connection-status.js";
import "../competitions/countdown-clock.js";
import "../competitions/viewer-count.js";
import "../competitions/live-board.js";
