// The replay of a finished contest.

import "../core/page-slot.js";
import "../arena/contest-film.js";
