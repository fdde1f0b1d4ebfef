"""What the market data tests share: a feed in a thread, a scripted source, waiting for something to become true."""

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection

from competitions.engine.quotes import Quote
from competitions.marketdata.bus import QuoteBus
from competitions.marketdata.feed import Feed
from competitions.marketdata.providers.base import IDLE, Arrived, Bar, Connected, Event, Start, Tick

PATIENCE_S = 60.0


def until(condition: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """Wait for a condition and give its value; fail when it does not come true."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.005)
    raise AssertionError(f"not true within {patience_s:g} s: {condition}")


def fresh_bus(**options: Any) -> QuoteBus:
    """Give an empty bus."""
    bus = QuoteBus(**options)
    bus.clear()
    return bus


def everything(bus: QuoteBus) -> list[Quote]:
    """Read the bus from its beginning to its end."""
    found: list[Quote] = []
    while quotes := bus.read(found[-1].id if found else 0, 0, 10_000).quotes:
        found += quotes
    return found


class Scripted:
    """A source that gives the events of a list, then idles until it is told to stop, or ends."""

    name = "scripted"
    keeps_market_hours = False

    def __init__(self, events: Iterable[Event] = (), *, ends: bool = False, at_once: bool = False) -> None:
        self.events, self.ends, self.at_once = list(events), ends, at_once
        self.bars: list[Bar] = []
        self.reconnects: list[str] = []
        self.starts: list[Start] = []

    def stream(self, stop: threading.Event, start: Start) -> Generator[Event, None, None]:
        self.starts.append(start)
        yield Connected()
        while not stop.is_set():
            if self.events:
                yield self.events.pop(0)
            elif self.ends:
                return
            else:
                yield IDLE
                stop.wait(0.01)

    def goes_on(self, start: Start) -> bool:
        return True

    def reconnect(self, reason: str) -> None:
        self.reconnects.append(reason)

    def history(self, since_ms: Mapping[str, int], until_ms: int, stop: threading.Event) -> Iterator[list[Bar]]:
        bars, self.bars = self.bars, []
        if bars:
            yield bars

    def counters(self) -> Mapping[str, int]:
        return {}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def arrived(*ticks: tuple[str, str, str] | tuple[str, str, str, int]) -> Arrived:
    """Make ticks that come now, with now as their time unless they have one."""
    made = [Tick(tick[0], tick[1], tick[2], tick[3] if len(tick) == 4 else now_ms()) for tick in ticks]
    return Arrived(made, time.monotonic())


@contextmanager
def running(feed: Feed) -> Iterator[Feed]:
    """Run a feed in a thread for the length of a block."""
    stop = threading.Event()
    failed: list[BaseException] = []

    def live() -> None:
        try:
            feed.run(stop)
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            connection.close()

    thread = threading.Thread(target=live, daemon=True)
    thread.start()
    try:
        yield feed
    finally:
        stop.set()
        thread.join(timeout=PATIENCE_S)
        assert not thread.is_alive()
        assert not failed
