"""What the crowd hears of one contest, held back for as long as the contest's delay says. What it says is `telling.py`'s.

The rows are the truth: an engine that comes after a crash asks them for what was still held. Rules: docs/rules/arena.md.
"""

import time
from collections import deque
from collections.abc import Sequence

from competitions.models import Competition
from competitions.selectors import watching
from tradingarena.core import realtime
from tradingarena.core.realtime import Fact

ASK_EVERY_S = 1.0
MOST_AT_ONCE = 500
# A snapshot shows a deal this long before its room hears it: a reader may see it twice, and never misses it.
BEHIND_SNAPSHOT_MS = 250


class Tape:
    """Facts for the rooms `tape` and `closed`, in order, each until its time has come."""

    def __init__(self, competition: Competition) -> None:
        self._competition = competition
        self._held: deque[tuple[int, Sequence[Fact]]] = deque()
        self._delay_ms = watching.delay_s(competition) * 1000
        self._next_ask = time.monotonic() + ASK_EVERY_S

    @property
    def delay_ms(self) -> int:
        """How long after it happened the crowd hears of a deal, as last asked. Units: ms."""
        return self._delay_ms

    def take(self, facts: Sequence[Fact], at_ms: int) -> None:
        """Publish facts about a moment on the contest's clock, or hold them until they are old enough."""
        self._held.append((at_ms, facts))
        if not self._wait_ms():
            self.release_all()

    def release(self, now_ms: int) -> None:
        """Publish what is old enough. Units: Unix milliseconds on the contest's clock."""
        if time.monotonic() >= self._next_ask:
            self._next_ask = time.monotonic() + ASK_EVERY_S
            self._delay_ms = watching.delay_s(self._competition) * 1000
        until = now_ms - self._wait_ms()
        out: list[Fact] = []
        while self._held and self._held[0][0] <= until:
            out += self._held.popleft()[1]
        _publish(out)

    def release_all(self) -> None:
        """Publish everything: there is no delay, or the contest is over."""
        out = [fact for _, facts in self._held for fact in facts]
        self._held.clear()
        _publish(out)

    def _wait_ms(self) -> int:
        return self._delay_ms + BEHIND_SNAPSHOT_MS if self._delay_ms else 0


def _publish(facts: Sequence[Fact]) -> None:
    for start in range(0, len(facts), MOST_AT_ONCE):
        realtime.publish_many(facts[start : start + MOST_AT_ONCE])
