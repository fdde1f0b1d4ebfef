"""Polygon.io, now Massive: forex quotes over its WebSocket, missed minutes over its REST.

The connection and its rules of reconnecting are in polygon_socket.py, REST in polygon_rest.py; here frames become ticks.
Protocol facts and the fourteen faults it must survive: docs/market-data.md#polygon.
"""

import json
import logging
import threading
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

from competitions.engine.instruments import INSTRUMENTS
from competitions.marketdata.providers.base import (
    IDLE,
    POLL_S,
    Arrived,
    Bar,
    Connected,
    Event,
    Start,
    Tick,
)
from competitions.marketdata.providers.polygon_rest import PolygonRest, RestRefused
from competitions.marketdata.providers.polygon_socket import Frame, PolygonSocket, Timing, Up
from competitions.marketdata.quality import BadPrice, points

log = logging.getLogger(__name__)

LARGEST_FRAME = 1_000_000
FORMS = ("EUR/USD", "EUR-USD", "EURUSD")
_SPELLINGS = {spelt: pair for pair in INSTRUMENTS for spelt in (pair, pair.replace("/", "-"), pair.replace("/", ""))}


class PolygonProvider:
    """The live market. Its history becomes candles on both sides: a bar of the vendor has no sides."""

    name = "polygon"
    keeps_market_hours = True
    at_once = False

    def __init__(
        self,
        api_key: str,
        *,
        ws_url: str,
        rest_url: str,
        pairs: Sequence[str] = tuple(INSTRUMENTS),
        pair_form: str = "EUR/USD",
        timing: Timing | None = None,
    ) -> None:
        self.pairs = tuple(pairs)
        self.counts: Counter[str] = Counter()
        topics = [f"C.{spell(pair, pair_form)}" for pair in self.pairs]
        self.socket = PolygonSocket(ws_url, api_key, topics, timing or Timing(), self.counts)
        self.rest = PolygonRest(rest_url, api_key)

    def stream(self, stop: threading.Event, start: Start) -> Generator[Event, None, None]:
        """Give the live market until `stop` is set; connection troubles are events, never exceptions."""
        self.socket.begin(stop)
        try:
            while not stop.is_set():
                yield from self._next()
        finally:
            self.socket.end()

    def _next(self) -> Iterator[Event]:
        """Give what has come: frames that came together make one Arrived."""
        ticks: list[Tick] = []
        arrived_s = 0.0
        for item in self.socket.take(POLL_S):
            if isinstance(item, Frame):
                ticks += self.parse(item.data)
                arrived_s = item.arrived_s
                continue
            if ticks:
                yield Arrived(ticks, arrived_s)
                ticks = []
            yield Connected() if isinstance(item, Up) else item
        yield Arrived(ticks, arrived_s) if ticks else IDLE

    def parse(self, data: str | bytes) -> list[Tick]:
        """Read the quotes of one frame.

        Shapes: everything that is understood, in order; what is not is counted: not_json, binary, oversized, malformed, unknown_event.
        """
        if isinstance(data, bytes):
            return self._unread("binary")
        if len(data) > LARGEST_FRAME:
            return self._unread("oversized")
        try:
            # parse_float=str keeps a price exactly as it was written; NaN and Infinity stay words and are dropped by quality
            events = json.loads(data, parse_float=str, parse_constant=str)
        except (ValueError, RecursionError):
            return self._unread("not_json")
        ticks: list[Tick] = []
        for event in events if isinstance(events, list) else [events]:
            tick = self._tick(event)
            if tick is not None:
                ticks.append(tick)
        return ticks

    def _tick(self, event: Any) -> Tick | None:
        if not isinstance(event, dict):
            self.counts["malformed"] += 1
            return None
        kind = event.get("ev")
        if kind == "status":
            self._status(str(event.get("status")), str(event.get("message", ""))[:200])
            return None
        if kind != "C":
            self.counts["unknown_event"] += 1
            return None
        pair, bid, ask, time_ms = (event.get("p"), event.get("b"), event.get("a"), event.get("t"))
        if (
            type(pair) is not str
            or type(time_ms) is not int
            or type(bid) not in (str, int)
            or type(ask) not in (str, int)
        ):
            self.counts["malformed"] += 1
            return None
        return Tick(_SPELLINGS.get(pair, pair), str(bid), str(ask), time_ms)

    def _status(self, status: str, message: str) -> None:
        if status == "success":
            self.counts["subscribed" if message.startswith("subscribed") else "statuses"] += 1
            return
        self.counts["statuses"] += 1
        log.warning("the source says %s: %s", status, message)
        self.socket.told(status, message)

    def _unread(self, why: str) -> list[Tick]:
        self.counts[why] += 1
        log.warning("a frame could not be read: %s", why)
        return []

    def goes_on(self, start: Start) -> bool:
        """A live market always goes on."""
        return True

    def reconnect(self, reason: str) -> None:
        """Close the connection; the socket's own rules open the next one."""
        self.socket.drop(reason)

    def history(self, since_ms: Mapping[str, int], until_ms: int, stop: threading.Event) -> Iterator[list[Bar]]:
        """Give missed minutes from the vendor's aggregates, pair by pair; a refusal ends it, with a warning."""
        for pair in self.pairs:
            if stop.is_set() or since_ms.get(pair, until_ms) >= until_ms:
                continue
            try:
                for rows in self.rest.minutes(pair, since_ms[pair], until_ms - 1, stop):
                    yield [bar for row in rows for bar in self._bars(pair, row)]
            except RestRefused as refused:
                self.counts["rest_refused"] += 1
                log.warning("no history of %s: %s", pair, refused)
                if refused.for_all:
                    return

    def _bars(self, pair: str, row: Mapping[str, Any]) -> list[Bar]:
        digits = INSTRUMENTS[pair].digits
        try:
            open_, high, low, close = (points(_rounded(str(row[key]), digits), digits) for key in "ohlc")
            opens_ms, ticks = int(row["t"]), int(row.get("n", row.get("v", 0)) or 0)
        except (KeyError, BadPrice, ValueError):
            self.counts["bad_bars"] += 1
            return []
        if opens_ms % 60_000 or not 0 < low <= min(open_, close) <= max(open_, close) <= high:
            self.counts["bad_bars"] += 1
            return []
        return [Bar(pair, side, opens_ms, open_, high, low, close, max(0, ticks)) for side in ("bid", "ask")]

    def counters(self) -> Mapping[str, int]:
        """Give what could not be read, and how often it connected."""
        return dict(self.counts)


def spell(pair: str, form: str) -> str:
    """Write a pair as the vendor is to be asked for it.

    Raises: ValueError: not one of the three forms.
    """
    if form not in FORMS:
        raise ValueError(f"{form!r} is no form of a pair: {', '.join(FORMS)}")
    return pair.replace("/", form[3:-3])


def _rounded(price: str, digits: int) -> str:
    """Cut an aggregate's finer decimals: bars are for drawing, nothing is ever filled at them."""
    whole, _, part = price.partition(".")
    return f"{whole}.{part[:digits]}"
