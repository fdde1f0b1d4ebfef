"""Candles: built from quotes in memory, stored in bulk, read newest first. The SQL is in candle_store.py.

Rules: docs/rules/quotes.md#candles. The feed's loop owns the builder; nothing here is shared between threads.
"""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from django.db import DatabaseError

from competitions.engine.market_hours import day_open_ms, four_hours_open_ms
from competitions.engine.quotes import Quote
from competitions.marketdata import candle_store
from competitions.marketdata.bus import QuoteBus
from competitions.marketdata.candle_store import SIDES, Built, Key
from tradingarena.core.errors import Unavailable
from tradingarena.core.leases import Held

log = logging.getLogger(__name__)

MINUTE_MS = 60_000
FLUSH_EVERY_S = 1.0
HIGHER_EVERY_S = 10.0  # timeframes above the minute, while their span is still running
LAG_MS = 10_000  # how far pairs may be apart in time on the bus


def spans_of(minute_ms: int) -> tuple[int, ...]:
    """Give the opening time of the span of each timeframe, 1m to 1d, that holds a minute."""
    return (
        minute_ms,
        minute_ms - minute_ms % (5 * MINUTE_MS),
        minute_ms - minute_ms % (15 * MINUTE_MS),
        minute_ms - minute_ms % (60 * MINUTE_MS),
        four_hours_open_ms(minute_ms),
        day_open_ms(minute_ms),
    )


# What the first minute after a stop does to the one that is stored: the bus told that it is new, the whole of it, or
# everything that there is on the bus, part of which may be stored.
Begins = Literal["adds", "replaces", "overlaps"]


@dataclass(slots=True)
class Minute:
    """What came of one pair in one minute since the last flush. Units: points."""

    pair: str
    opens_ms: int
    bid: list[int]  # open, high, low, close
    ask: list[int]
    ticks: int = 1


@dataclass
class CandleBuilder:
    """Builds every timeframe of both sides. `held` is proved in each transaction, so that a fenced feed stores nothing."""

    held: Held | None = None
    flush_every_s: float = FLUSH_EVERY_S
    last_id: int = 0
    _minutes: dict[str, Minute] = field(default_factory=dict)
    _closed: list[Minute] = field(default_factory=list)
    _running: dict[tuple[str, str], list[Built | None]] = field(default_factory=dict)
    _dirty: dict[Key, Built] = field(default_factory=dict)
    _restored: set[str] = field(default_factory=set)
    _begins: Begins = "adds"
    _flushed_s: float = 0.0
    _higher_s: float = 0.0

    def add(self, quotes: Iterable[Quote]) -> None:
        """Take in quotes that are on the bus. A price that waits for its confirmation draws no candle."""
        minutes = self._minutes
        for id_, pair, bid, ask, time_ms, _, confirmed, _, _ in quotes:
            self.last_id = id_
            if not confirmed:
                continue
            minute = minutes.get(pair)
            if minute is None or not 0 <= time_ms - minute.opens_ms < MINUTE_MS:
                if minute is not None:
                    self._closed.append(minute)
                minutes[pair] = Minute(pair, time_ms - time_ms % MINUTE_MS, [bid] * 4, [ask] * 4)
                continue
            minute.ticks += 1
            side = minute.bid
            side[3] = bid
            if bid > side[1]:
                side[1] = bid
            elif bid < side[2]:
                side[2] = bid
            side = minute.ask
            side[3] = ask
            if ask > side[1]:
                side[1] = ask
            elif ask < side[2]:
                side[2] = ask

    def is_due(self, now_s: float) -> bool:
        """Tell whether it is time to store."""
        return now_s - self._flushed_s >= self.flush_every_s

    def flush(self, bus: QuoteBus | None = None, *, everything: bool = False) -> bool:
        """Store what has changed; once a second, and with `everything` also the running higher spans.

        Locks / Effects: one transaction that proves the lease and upserts; then the bus remembers how far the candles are.
        Guarantees: after a failure nothing is lost here; the next flush stores it.
        Raises: LeaseLost.
        """
        now_s = time.monotonic()
        self._flushed_s = now_s
        with_higher = everything or now_s - self._higher_s >= HIGHER_EVERY_S
        try:
            self._restore()
            self._merge()
            rows = {key: built for key, built in self._dirty.items() if with_higher or self._is_wanted_now(key)}
            if rows:
                candle_store.upsert(rows, self.held)
        except DatabaseError as error:
            log.warning("candles could not be stored: %s", str(error).strip())
            return False
        for key in rows:
            del self._dirty[key]
        if with_higher:
            self._higher_s = now_s
        if bus is not None and rows:
            try:
                bus.set_candles_flushed(self.last_id)
            except Unavailable:
                log.warning("the bus does not remember how far the candles are")
        return True

    def take_over(self, bus: QuoteBus, *, anew: bool = False) -> None:
        """Go on where another feed stopped, maybe in the middle of a minute or of a flush.

        Shapes: `anew` says that a recording begins, whose minutes replace those of an earlier run.

        Guarantees: with the bus intact, the candles become what they would have been without the stop.
        """
        self._begins = "replaces" if anew else "adds"
        flushed, last = bus.candles_flushed(), bus.last_id()
        if flushed is None or flushed >= last:
            bus.set_candles_flushed(last)
            return
        entries: list[list[Quote]] = []
        floor_ms: int | None = None
        self._begins = "overlaps"
        for quotes in bus.tail(bus.oldest_id()):
            entries.append(quotes)
            late = [quote.time_ms for quote in quotes if quote.id > flushed]
            if late:
                first_ms = min(late) // MINUTE_MS * MINUTE_MS
                floor_ms = first_ms if floor_ms is None else min(floor_ms, first_ms)
            elif floor_ms is None or max(quote.time_ms for quote in quotes) < floor_ms - LAG_MS:
                self._begins = "replaces"  # whole minutes are here
                break
        for quotes in reversed(entries):
            self.add(quote for quote in quotes if quote.time_ms >= (floor_ms or 0))
        self.last_id = last

    def reload(self) -> None:
        """Read the running spans anew before the next flush: history has been stored beneath them. Call after a full flush."""
        self._running.clear()
        self._restored.clear()
        self._begins = "adds"

    def _is_wanted_now(self, key: Key) -> bool:
        """Minutes are stored at once, longer spans when they are over."""
        pair, side, number, opens_ms = key
        if number == 0:
            return True
        running = self._running[pair, side][number]
        return running is None or running[0] != opens_ms

    def _restore(self) -> None:
        """Load what is stored of the spans that the first new minutes of a pair fall into."""
        first: dict[int, dict[str, Minute]] = {}
        seen = set(self._restored)
        for minute in (*self._closed, *self._minutes.values()):
            if minute.pair not in seen:
                seen.add(minute.pair)
                first.setdefault(minute.opens_ms, {})[minute.pair] = minute
        for opens_ms, minutes in first.items():
            end_ms = opens_ms + (0 if self._begins == "replaces" else MINUTE_MS)
            for number, span_ms in enumerate(spans_of(opens_ms)):
                if span_ms < end_ms:
                    for (pair, side), built in candle_store.minutes_between(list(minutes), span_ms, end_ms).items():
                        self._running.setdefault((pair, side), [None] * 6)[number] = built
            if self._begins == "overlaps":
                for pair, minute in minutes.items():
                    stored = self._running.get((pair, "bid"), [None])[0]
                    minute.ticks = max(0, minute.ticks - (stored[5] if stored else 0))
            self._restored |= minutes.keys()

    def _merge(self) -> None:
        minutes = [*self._closed, *self._minutes.values()]
        self._closed, self._minutes = [], {}
        for minute in minutes:
            spans = spans_of(minute.opens_ms)
            for side, (open_, high, low, close) in zip(SIDES, (minute.bid, minute.ask), strict=True):
                running = self._running.setdefault((minute.pair, side), [None] * 6)
                for number, span_ms in enumerate(spans):
                    built = running[number]
                    if built is None or built[0] != span_ms:
                        built = running[number] = [span_ms, open_, high, low, close, minute.ticks]
                    else:
                        built[2] = max(built[2], high)
                        built[3] = min(built[3], low)
                        built[4] = close
                        built[5] += minute.ticks
                    self._dirty[minute.pair, side, number, span_ms] = built
