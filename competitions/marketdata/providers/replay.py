"""Recorded quotes as a source: shifted to now at any speed, or at once with their own times as the contest's clock.

A kill loses no quote and doubles none: the position is stored in the same step as the quotes before it.
How: docs/market-data.md#replay.
"""

import itertools
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from decimal import Decimal
from typing import Any

from competitions.marketdata.providers.base import IDLE, POLL_S, Arrived, Bar, Connected, Event, Start, Tick
from competitions.marketdata.providers.recording import Recording, RecordingError

AT_ONCE_BATCH = 1_000
BATCH = 500
LONGEST_GAP_MS = 60_000  # after a longer stop the rest is moved to now instead of being caught up
BETWEEN_ROUNDS_MS = 1_000


class ReplayProvider:
    """Plays a recording.

    Shapes: speed > 0, or None for as fast as it is taken; `again` starts over at the end, shifted behind itself.
    """

    name = "replay"
    keeps_market_hours = False

    def __init__(
        self, recording: Recording, *, speed: Decimal | None = Decimal(1), again: bool = False, anew: bool = False
    ) -> None:
        if speed is not None and not Decimal("0.001") <= speed <= 100_000:
            raise RecordingError("the speed must lie between 0.001 and 100000")
        if speed is None and again:
            raise RecordingError("a recording that is played at once with its own times cannot start over")
        self.recording, self.again, self.anew = recording, again, anew
        self.at_once = speed is None
        self.speed_milli = 1000 if speed is None else int(speed * 1000)
        self.key = f"{recording.name}:{'at-once' if speed is None else self.speed_milli}"
        self.played = 0
        self.resumed_at = 0

    def goes_on(self, start: Start) -> bool:
        """Tell whether a position of this very recording, played this way, was stored. `anew` ignores it, once."""
        return not self.anew and start.position is not None and start.position.get("key") == self.key

    def stream(self, stop: threading.Event, start: Start) -> Generator[Event, None, None]:
        """Play from the beginning, or from behind the last quote that was published."""
        resumed = self.goes_on(start)
        self.anew = False  # only the first time this process leads
        position: Mapping[str, Any] = start.position or {} if resumed else {}
        self.resumed_at = self.played = int(position.get("index", 0))
        yield Connected(resumed=resumed)
        if self.at_once:
            yield from self._at_once(stop)
        else:
            yield from self._paced(stop, int(position.get("anchor_ms", 0)))

    def _at_once(self, stop: threading.Event) -> Iterator[Event]:
        rows = itertools.islice(self.recording, self.played, None)
        while not stop.is_set():
            ticks = [
                Tick(pair, bid, ask, time_ms) for time_ms, _, pair, bid, ask in itertools.islice(rows, AT_ONCE_BATCH)
            ]
            if not ticks:
                return
            self.played += len(ticks)
            yield Arrived(ticks, None, {"key": self.key, "index": self.played})

    def _paced(self, stop: threading.Event, anchor_ms: int) -> Iterator[Event]:
        """Play against the wall clock. `anchor_ms` is when the recording's first moment was, or is, due."""
        while not stop.is_set():
            rows = itertools.islice(self.recording, self.played, None)
            following = next(rows, None)
            now_ms = _now_ms()
            if following is not None and (
                not anchor_ms or now_ms - self._due_ms(following[0], anchor_ms) > LONGEST_GAP_MS
            ):
                anchor_ms = now_ms - self._due_ms(following[0], 0)
            while following is not None and not stop.is_set():
                now_ms = _now_ms()
                ticks: list[Tick] = []
                while following is not None and len(ticks) < BATCH:
                    due_ms = self._due_ms(following[0], anchor_ms)
                    if due_ms > now_ms:
                        break
                    ticks.append(Tick(following[2], following[3], following[4], due_ms))
                    following = next(rows, None)
                if ticks:
                    self.played += len(ticks)
                    yield Arrived(
                        ticks, time.monotonic(), {"key": self.key, "index": self.played, "anchor_ms": anchor_ms}
                    )
                else:
                    yield IDLE
                if following is not None and len(ticks) < BATCH:
                    stop.wait(max(0.0, min(POLL_S, (self._due_ms(following[0], anchor_ms) - _now_ms()) / 1000)))
            if not self.again or following is not None:
                return
            anchor_ms = max(_now_ms(), self._due_ms(self.recording.last_ms, anchor_ms)) + BETWEEN_ROUNDS_MS
            self.played = 0

    def _due_ms(self, time_ms: int, anchor_ms: int) -> int:
        return anchor_ms + (time_ms - self.recording.first_ms) * 1000 // self.speed_milli

    def reconnect(self, reason: str) -> None:
        """Do nothing: there is no connection."""

    def history(self, since_ms: Mapping[str, int], until_ms: int, stop: threading.Event) -> Iterator[list[Bar]]:
        """Give nothing: a recording has no time before it."""
        return iter(())

    def counters(self) -> Mapping[str, int]:
        """Give how far it is."""
        return {"rows": self.recording.rows, "played": self.played, "resumed_at": self.resumed_at}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
