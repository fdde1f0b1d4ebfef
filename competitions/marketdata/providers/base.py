"""What the feed asks of a source of quotes, and what a source tells the feed. No source and no transport lives here.

Rules: docs/rules/quotes.md; how to add a source: docs/market-data.md#providers.
"""

import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from competitions.engine.quotes import Quote
from competitions.marketdata.quality import Price

POLL_S = 0.05  # a source says something, if only Idle, at least so often: the feed does its chores then


class Tick(NamedTuple):
    """One quote as the source wrote it, not yet judged.

    Units: prices as text or Decimal, never float; time_ms Unix milliseconds on the source's clock.
    """

    pair: str
    bid: Price
    ask: Price
    time_ms: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """Ticks that came together.

    Units: `arrived_s` is time.monotonic() when they came; None says that the tick's own time is the contest's clock.
    `position` is what the source needs to go on behind these ticks after a kill; it is stored in the same step as they are.
    """

    ticks: Sequence[Tick]
    arrived_s: float | None
    position: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Connected:
    """The source is there (again). `resumed` says that nothing was missed, so that there is nothing to warm up for."""

    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The source is gone. `status` is a word for operators; `fatal` ones stay until somebody changes the configuration."""

    status: str
    detail: str = ""
    fatal: bool = False
    retry_in_s: float | None = None


class Idle:
    """Nothing came within POLL_S."""


IDLE = Idle()
Event = Arrived | Connected | Disconnected | Idle


@dataclass(frozen=True, slots=True)
class Start:
    """What a source may go on from: the newest quotes on the bus, and the position that its last batch was stored with."""

    newest: Mapping[str, Quote] = field(default_factory=dict)
    position: Mapping[str, Any] | None = None


class Bar(NamedTuple):
    """One minute of one side from a source's own history. Units: points; opens_ms Unix milliseconds."""

    pair: str
    side: str
    opens_ms: int
    open: int
    high: int
    low: int
    close: int
    ticks: int


class Provider(Protocol):
    """A source of quotes."""

    name: str
    keeps_market_hours: bool  # silence outside the FX week is no fault
    at_once: bool  # as fast as it can be taken: ticks carry the contest's clock, none may be lost

    def stream(self, stop: threading.Event, start: Start) -> Generator[Event, None, None]:
        """Give events until `stop` is set or the source has ended; something at least every POLL_S, except at once."""
        ...

    def goes_on(self, start: Start) -> bool:
        """Tell whether the next stream goes on from where this start stopped, so that it is judged as one with it."""
        ...

    def reconnect(self, reason: str) -> None:
        """Ask for a fresh connection; the feed has seen nothing for too long."""
        ...

    def history(self, since_ms: Mapping[str, int], until_ms: int, stop: threading.Event) -> Iterator[list[Bar]]:
        """Give the minutes of each pair in [since, until) that the source can tell of, in portions; maybe none."""
        ...

    def counters(self) -> Mapping[str, int]:
        """Give what the source has counted for operators: frames it could not read, attempts, refusals."""
        ...
