"""The feed: one leader takes ticks from a source, judges, stamps and numbers them, and puts them on the bus.

Sources are in providers/, the rules of a good quote in quality.py. How it leads, dies and goes on: docs/market-data.md#feed.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from competitions.engine.market_hours import is_open
from competitions.engine.quotes import Quote
from competitions.marketdata import leader
from competitions.marketdata.backfill import HistoryLoader
from competitions.marketdata.bus import LIFE, Fenced, QuoteBus
from competitions.marketdata.candles import CandleBuilder
from competitions.marketdata.intake import Intake
from competitions.marketdata.pace import Shown
from competitions.marketdata.providers.base import Arrived, Connected, Disconnected, Event, Provider, Start, Tick
from competitions.marketdata.quality import Quality
from tradingarena.core import leases
from tradingarena.core.errors import Unavailable

log = logging.getLogger(__name__)

LEASE = "feed"
FOLLOW_EVERY_S = 1.0
MOST_IN_AN_ENTRY = 500
RETRY_S = 0.25

Show = Callable[[list[Quote]], None]
Room = Callable[[int], bool]


class AnotherLeads(Exception):
    """Raised when somebody else leads the feed for longer than we have patience."""


class Feed:
    """One candidate for the feed's leadership. `run` is its whole life."""

    def __init__(
        self,
        provider: Provider,
        *,
        bus: QuoteBus | None = None,
        on_show: Show | None = None,
        room: Room | None = None,
        warm_up_s: float | None = None,
        silence_s: float | None = None,
        lease_ms: int = leader.LEASE_MS,
        lease_name: str = LEASE,
        with_candles: bool = True,
        patience_s: float | None = None,
    ) -> None:
        self.provider, self.bus = provider, bus or QuoteBus()
        self.on_show, self.room = on_show, room
        self.warm_up_ms = int((settings.FEED_WARM_UP_S if warm_up_s is None else warm_up_s) * 1000)
        self.silence_s = settings.FEED_SILENCE_S if silence_s is None else silence_s
        self.lease_ms, self.lease_name, self.with_candles = lease_ms, lease_name, with_candles
        self.patience_s = patience_s
        self.holder = leases.new_holder()
        self.counts: Counter[str] = Counter()
        self.status, self.detail = "starting", ""
        self.intake, self.shown = Intake(provider, 0, self.warm_up_ms), Shown()
        self.candles, self.history = CandleBuilder(), HistoryLoader(provider)
        self.last_quote: Quote | None = None
        self.heard_s = self.good_s = time.monotonic()

    @property
    def quality(self) -> Quality:
        """The judge of this life."""
        return self.intake.quality

    # -- leading ------------------------------------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> bool:
        """Lead whenever nobody else does, until `stop` is set or the source has ended.

        Shapes: True when the source has ended by itself, as a recording does.
        Locks / Effects: the lease `feed`; quotes on the bus; candles; the lease's note tells operators how it goes.
        Raises: AnotherLeads: for longer than patience_s, when that is given.
        """
        following_since_s = time.monotonic()
        try:
            while not stop.is_set():
                held = leader.claim(self.lease_name, self.holder, self.note(), lease_ms=self.lease_ms)
                if held is None:
                    self.status = "following"
                    if self.patience_s is not None and time.monotonic() - following_since_s > self.patience_s:
                        raise AnotherLeads(leader.who_leads(self.lease_name))
                elif self._lead(held, stop):
                    return not stop.is_set()
                else:
                    following_since_s = time.monotonic()
                stop.wait(FOLLOW_EVERY_S)
        finally:
            connection.close()
        return False

    def _lead(self, held: leases.Held, stop: threading.Event) -> bool:
        """Lead until the stream ends (True) or leadership is lost (False)."""
        log.info("leading the feed", extra={"provider": self.provider.name, "epoch": held.epoch})
        self._begin_life(held)
        with leader.LeaseKeeper(held, self.note, lease_ms=self.lease_ms) as keeper:
            try:
                start = self._take_over(held)
                with closing(self.provider.stream(stop, start)) as events:
                    for event in events:
                        keeper.alive()
                        if keeper.lost.is_set():
                            raise leases.LeaseLost(held.name)
                        self._handle(event, keeper, stop)
                        self._chores()
                if not stop.is_set():
                    self.bus.forget_state()
                return True
            except (leases.LeaseLost, Fenced) as lost:
                log.warning("another feed leads now: %s", lost)
                self.holder = leases.new_holder()
                return False
            except Unavailable as error:
                log.warning("%s", error.message)
                return False
            finally:
                self._leave(held, keeper)

    def _begin_life(self, held: leases.Held) -> None:
        """Begin the ids and everything that is remembered of quotes anew for this epoch."""
        self.intake, self.shown = Intake(self.provider, held.epoch * LIFE, self.warm_up_ms), Shown()
        self.candles = CandleBuilder(held=held)
        self.status, self.detail = "connecting", ""
        self.heard_s = self.good_s = time.monotonic()

    def _take_over(self, held: leases.Held) -> Start:
        """Find where the last feed stopped.

        Raises: LeaseLost, Unavailable.
        """
        if self.bus.last_id() >= self.intake.next_id:
            with transaction.atomic():
                leases.prove(held)
            log.warning("the bus holds quotes of another database's life: it is emptied")
            self.bus.clear()
        start = self.intake.go_on(self.bus.newest(), self.bus.state())
        if self.with_candles:
            self.candles.take_over(self.bus, anew=self.provider.at_once and not start.newest)
        return start

    def _leave(self, held: leases.Held, keeper: leader.LeaseKeeper) -> None:
        """Store what can be stored and give the lease back."""
        self.history.stop()
        if keeper.lost.is_set():
            return
        try:
            if self.with_candles:
                self.candles.flush(self.bus, everything=True)
            keeper.end()
            leases.release(held)
        except leases.LeaseLost:
            log.warning("another feed leads now; what it did not store is on the bus")
        except DatabaseError as error:  # the lease runs out by itself
            log.warning("the feed's lease could not be given back: %s", str(error).strip())
            connection.close()

    # -- events -------------------------------------------------------------------------------------------------------

    def _handle(self, event: Event, keeper: leader.LeaseKeeper, stop: threading.Event) -> None:
        if type(event) is Arrived:
            self.heard_s = time.monotonic()
            ticks, size = event.ticks, len(event.ticks)
            if event.position is not None or size <= MOST_IN_AN_ENTRY:
                self._take(event, ticks, keeper, stop)
            else:
                for begin in range(0, size, MOST_IN_AN_ENTRY):
                    self._take(event, ticks[begin : begin + MOST_IN_AN_ENTRY], keeper, stop)
        elif type(event) is Connected:
            self.status, self.detail = "connected", ""
            self.heard_s = time.monotonic()
            self.counts["connects"] += 1
            self.intake.connected(resumed=event.resumed)
            if self.with_candles and not self.provider.at_once:
                self.history.begin(self.candles.held)
        elif type(event) is Disconnected:
            self.status, self.detail = event.status, event.detail
            self.counts[event.status] += 1
            level = logging.ERROR if event.fatal else logging.WARNING
            log.log(
                level, "the source is gone: %s %s", event.status, event.detail, extra={"retry_in_s": event.retry_in_s}
            )

    def _take(self, event: Arrived, ticks: Sequence[Tick], keeper: leader.LeaseKeeper, stop: threading.Event) -> None:
        """Judge, stamp and number ticks, and publish the good ones."""
        quotes = self.intake.judged(ticks, event.arrived_s)
        self.counts["ticks"] += len(ticks)
        if not quotes:
            return
        state = self.intake.state(event.position)
        if not self._append(quotes, state, keeper, stop):
            return
        self.good_s, self.last_quote = time.monotonic(), quotes[-1]
        self.counts["quotes"] += len(quotes)
        if self.with_candles:
            self.candles.add(quotes)
        if self.on_show is not None:
            self.shown.add(quotes)

    def _append(
        self, quotes: list[Quote], state: dict[str, Any] | None, keeper: leader.LeaseKeeper, stop: threading.Event
    ) -> bool:
        """Publish a batch. A recording loses nothing: it waits for room and for Redis; a live market goes on without us.

        Raises: Fenced; LeaseLost.
        """
        lasting = state is not None and "position" in state
        unsure = False
        while not stop.is_set() or not lasting:
            if keeper.lost.is_set():
                raise leases.LeaseLost(keeper.held.name)
            try:
                if unsure and self.bus.last_id() == quotes[-1].id:
                    return True  # the answer was lost, not the batch
                if not lasting or self.room is None or self.room(quotes[0].id):
                    self.bus.append(quotes, state=state)
                    return True
            except Unavailable:
                unsure = True
                self.counts["bus_down"] += 1
                if not lasting:
                    return False
            keeper.alive()
            self._chores()
            stop.wait(RETRY_S if unsure else 0.01)
        return False

    # -- chores -------------------------------------------------------------------------------------------------------

    def _chores(self) -> None:
        """Show, store, and notice silence; cheap when nothing is due."""
        now_s = time.monotonic()
        if self.on_show is not None and (due := self.shown.due(now_s)):
            self.on_show(due)
        if self.with_candles:
            if self.history.is_done():
                self.candles.flush(self.bus, everything=True)
                self.candles.reload()
            if self.candles.is_due(now_s):
                self.candles.flush(self.bus)
        if self.provider.keeps_market_hours and self.status == "connected":
            if not is_open(datetime.now(UTC)):
                self.heard_s = now_s  # silence counts from the opening
            elif now_s - self.heard_s > self.silence_s:
                self.counts["silences"] += 1
                self.heard_s = now_s
                self.provider.reconnect(f"nothing came for {self.silence_s:g} s")

    def state_word(self) -> str:
        """Give the status in one word: connected, market_closed, silent, or what the source said."""
        if self.status != "connected":
            return self.status
        if self.provider.keeps_market_hours and not is_open(datetime.now(UTC)):
            return "market_closed"
        return "silent" if time.monotonic() - self.good_s > self.silence_s else "connected"

    def note(self) -> dict[str, Any]:
        """Say how it goes: this is the lease's note, read by /readyz and by operators."""
        last = self.last_quote
        return {
            "provider": self.provider.name,
            "status": self.state_word(),
            "detail": self.detail,
            "last_quote_id": last.id if last else None,
            "last_quote_ms": last.received_ms if last else None,
            "last_quote_time_ms": last.time_ms if last else None,
            "lag_ms": last.received_ms - last.time_ms if last else None,
            "clock_skew_ms": self.quality.skew_ms,
            "counts": dict(self.counts),
            "dropped": dict(self.quality.dropped),
            "source": dict(self.provider.counters()),
        }
