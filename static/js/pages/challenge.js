// The page of a challenge: it follows what the other side does, and the chat fills its place.

import "../core/page-slot.js";
import "../pvp/challenge-page.js";
