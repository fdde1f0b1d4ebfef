"""Time in the feed: stamps that never go back, and the four quotes a second that a browser gets of a pair."""

import time
from collections.abc import Iterable

from competitions.engine.quotes import Quote

SHOWN_EVERY_S = 0.25
DRIFT_NS = 100_000_000  # a wall clock further away than this from ours has been set; forward we follow it


class Stamps:
    """Wall-clock stamps from the monotonic clock.

    Guarantees: never smaller than one given before, whatever happens to the wall clock.
    """

    def __init__(self, not_before_ms: int = 0) -> None:
        self.last_ms = not_before_ms
        self._anchor()

    def at(self, monotonic_s: float) -> int:
        """Give the Unix milliseconds of a moment of time.monotonic()."""
        if monotonic_s - self._anchored_s > 1.0:
            self._follow()
        stamp_ns = self._wall_ns + int((monotonic_s - self._anchored_s) * 1e9)
        self.last_ms = max(self.last_ms, stamp_ns // 1_000_000)
        return self.last_ms

    def now(self) -> int:
        """Give the Unix milliseconds of this moment."""
        return self.at(time.monotonic())

    def _anchor(self) -> None:
        self._anchored_s, self._wall_ns = time.monotonic(), time.time_ns()

    def _follow(self) -> None:
        now_s = time.monotonic()
        ours_ns = self._wall_ns + int((now_s - self._anchored_s) * 1e9)
        if abs(time.time_ns() - ours_ns) > DRIFT_NS:
            self._anchor()
        else:
            self._anchored_s, self._wall_ns = now_s, ours_ns


class Shown:
    """Coalesces quotes for browsers: the newest of a pair, at most one every 250 ms, and never without the last one."""

    def __init__(self, every_s: float = SHOWN_EVERY_S) -> None:
        self.every_s = every_s
        self._shown_s: dict[str, float] = {}
        self._waiting: dict[str, Quote] = {}

    def add(self, quotes: Iterable[Quote]) -> None:
        """Take quotes in; a newer one replaces an older one of its pair."""
        for quote in quotes:
            self._waiting[quote.pair] = quote

    def due(self, now_s: float) -> list[Quote]:
        """Take out what may be shown now."""
        if not self._waiting:
            return []
        due = [quote for pair, quote in self._waiting.items() if now_s - self._shown_s.get(pair, -1e9) >= self.every_s]
        for quote in due:
            del self._waiting[quote.pair]
            self._shown_s[quote.pair] = now_s
        return due
