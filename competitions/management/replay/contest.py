"""Plays a contest on recorded quotes as fast as they can be read: the real replay, judge, bus, engine and standings.

The engine is held at gates in the stream's time, at which the scripted entrants act; so nothing depends on who is faster.
"""

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db import connection

from accounts.models import User
from competitions.engine.instruments import INSTRUMENTS, needed_pairs, usd_pair
from competitions.engine.quotes import Quote
from competitions.management.replay.recount import Recount, recount
from competitions.management.replay.script import BALANCE_CENTS, COMMISSION_CENTS_PER_LOT, Crowd, starting_values
from competitions.marketdata.bus import Batch, QuoteBus
from competitions.marketdata.feed import Feed
from competitions.marketdata.providers.recording import Recording
from competitions.marketdata.providers.replay import ReplayProvider
from competitions.marketdata.room import ReadersRoom
from competitions.models import Competition, Entry, Fill, Order
from competitions.services.execution import Engine
from tradingarena.core.clock import from_ms

GATE_MS = 300_000  # of the recording's time
OPEN_END_MS = 1 << 62
HOUR_MS = 3_600_000
LEFT_OVER_MS = 5_000  # the contest ends this long before the recording, so that a quote comes after its end
SAY_EVERY_S = 2.0

Say = Callable[[str], None]


class NothingToTrade(Exception):
    """Raised when a recording has no pair that could be traded and valued with it alone."""


class GatedBus(QuoteBus):
    """A bus that gives its reader nothing beyond the gate, and keeps the mids of some pairs for the recount.

    `closed` says that the next quote lies beyond the gate: everything before it has been given.
    """

    def __init__(self, keep: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.gate_ms = 0
        self.closed = False
        self.mids: dict[int, tuple[str, Decimal]] = {}
        self._keep = keep
        self._ahead: list[Quote] = []

    def read(self, after_id: int, block_ms: int = 0, count: int = 1000) -> Batch:
        """Read as `QuoteBus.read` does, up to the gate."""
        woken = False
        if not self._ahead:
            self._ahead, woken = super().read(after_id, block_ms, count)
            for quote in self._ahead if self._keep else ():
                if quote.pair in self._keep:
                    self.mids[quote.id] = (
                        quote.pair,
                        Decimal(quote.bid + quote.ask) / (2 * INSTRUMENTS[quote.pair].scale),
                    )
        quotes = self._ahead
        if quotes and quotes[-1].received_ms > self.gate_ms:
            inside = sum(1 for quote in quotes if quote.received_ms <= self.gate_ms)  # times never fall
            quotes = quotes[:inside]
        self._ahead = self._ahead[len(quotes) :]
        self.closed = bool(self._ahead)
        return Batch(quotes, woken)


@dataclass
class Played:
    """How a replay went."""

    competition: Competition
    ticks: int
    quotes: int
    dropped: dict[str, int]
    seconds: float
    recount: Recount
    digest: str
    mids: dict[int, tuple[str, Decimal]] = field(repr=False, default_factory=dict)

    @property
    def quotes_per_s(self) -> float:
        """How many good quotes a second went all the way."""
        return self.quotes / self.seconds


def tradable(recording: Recording) -> list[str]:
    """Name the pairs of a recording that can be traded with it alone: what values them in dollars is in it too.

    Raises: NothingToTrade.
    """
    there = {pair for extent in recording.extents for pair in extent.pairs}
    found = sorted(pair for pair in there & INSTRUMENTS.keys() if needed_pairs([pair]) <= there)
    if not found:
        raise NothingToTrade("none of the pairs in these files can be valued in dollars with these files alone")
    return found


def play(
    recording: Recording, *, entrants: int = 50, seed: int = 1, hours: int | None = None, say: Say = lambda _: None
) -> Played:
    """Play a contest over a recording, or over its first hours, from the first quote to the recount.

    Raises: NothingToTrade.
    """
    pairs = tradable(recording)
    last_ms = recording.last_ms - LEFT_OVER_MS
    ends_ms = min(last_ms, recording.first_ms + hours * HOUR_MS) if hours else last_ms
    competition = _contest(recording, pairs, ends_ms, entrants, seed)
    conversions = {usd_pair(INSTRUMENTS[pair].quote) for pair in pairs} - {None}
    bus = GatedBus(frozenset(name for name in conversions if name))
    bus.clear()
    performance = _Performance(recording, bus, competition, seed, say)
    seconds = performance.run(ends_ms)
    competition.refresh_from_db()
    feed = performance.feed
    return Played(
        competition, feed.counts["ticks"], performance.engine.quotes_read, dict(feed.quality.dropped), seconds,
        recount(competition, bus.mids), digest(competition), bus.mids,
    )  # fmt: skip


class _Performance:
    """Feed in one thread, engine and entrants in this one."""

    def __init__(self, recording: Recording, bus: GatedBus, competition: Competition, seed: int, say: Say) -> None:
        self.recording, self.bus, self.competition, self.say = recording, bus, competition, say
        self.engine = Engine(bus, clock=None)
        self.engine.cursor = 0
        self.crowd = Crowd(competition, seed)
        feed_bus = QuoteBus()
        provider = ReplayProvider(recording, speed=None, anew=True)
        self.feed = Feed(provider, bus=feed_bus, room=ReadersRoom(feed_bus), with_candles=False, patience_s=10.0)
        self.failures: list[BaseException] = []
        self._stop = threading.Event()
        self._said_s = self._began_s = time.monotonic()

    def run(self, ends_ms: int) -> float:
        """Play to the end and give the seconds it took."""
        thread = threading.Thread(target=self._feed, name="replayed feed")
        self._began_s = time.monotonic()
        self.bus.report("replay", 0, time.time_ns() // 1_000_000)
        thread.start()
        try:
            for gate_ms in range(self.recording.first_ms + GATE_MS, ends_ms, GATE_MS):
                self._until(gate_ms, thread)
                self._entrants_act(gate_ms)
            self._until(OPEN_END_MS, thread)
        finally:
            self._stop.set()
            thread.join()
            self.engine.stop()
        if self.failures:
            raise self.failures[0]
        return time.monotonic() - self._began_s

    def _feed(self) -> None:
        try:
            self.feed.run(self._stop)
        except BaseException as error:  # shown by whoever waits for this thread
            self.failures.append(error)
        finally:
            connection.close()

    def _until(self, gate_ms: int, thread: threading.Thread) -> None:
        """Let the engine decide everything up to a moment, or to the contest's or the recording's end."""
        self.bus.gate_ms, self.bus.closed = gate_ms, False
        while not self.bus.closed and not self.failures:
            ended = not thread.is_alive()
            read = self.engine.step(block_ms=20)
            self.bus.report("replay", self.engine.cursor or 0, time.time_ns() // 1_000_000)
            self._say_progress()
            over = self.engine.quotes_read > 0 and self.competition.pk not in self.engine.desks
            if (ended and not read and not self.bus.closed) or (over and gate_ms == OPEN_END_MS):
                return

    def _entrants_act(self, at_ms: int) -> None:
        desk = self.engine.desks.get(self.competition.pk)
        if desk is not None:
            self.crowd.act(at_ms, desk.book.quotes)

    def _say_progress(self) -> None:
        now_s = time.monotonic()
        if now_s - self._said_s >= SAY_EVERY_S:
            self._said_s = now_s
            read = self.engine.quotes_read
            self.say(
                f"{from_ms(self.engine.stream_ms):%Y-%m-%d %H:%M}  {read:,} quotes, {read / (now_s - self._began_s):,.0f} a second, "
                f"{self.engine.fills_made:,} fills"
            )


def _contest(recording: Recording, pairs: list[str], ends_ms: int, entrants: int, seed: int) -> Competition:
    """Make a running contest and its entrants; the same recording and seed give the same ids."""
    cause = uuid5(NAMESPACE_URL, f"replay:{recording.name}:{seed}:{entrants}")
    start, end = from_ms(recording.first_ms), from_ms(ends_ms)
    competition = Competition.objects.create(
        id=cause, slug=f"replay-{cause.hex[:12]}", title="Replay", pairs=pairs, status=Competition.Status.RUNNING,
        starts_at=start, ends_at=end, planned_ends_at=end, starting_balance_cents=BALANCE_CENTS,
        commission_cents_per_lot=COMMISSION_CENTS_PER_LOT, drawdown_rule="peak", drawdown_limit_bps=2_500,
    )  # fmt: skip
    for number in range(1, entrants + 1):
        user = User.objects.create_user(
            f"replay{number}@example.com", f"replay{number}", id=_derived(cause, f"user:{number}")
        )
        Entry.objects.create(
            id=_derived(cause, f"entry:{number}"), competition=competition, user=user, number=number,
            **starting_values(BALANCE_CENTS),
        )  # fmt: skip
    return competition


def _derived(cause: UUID, purpose: str) -> UUID:
    return uuid5(cause, purpose)


def digest(competition: Competition) -> str:
    """Give a digest over every column of every fill but the engine's epoch: equal for equal plays."""
    names = sorted(field.attname for field in Fill._meta.concrete_fields if field.attname != "engine_epoch")
    total = hashlib.sha256()
    for row in Fill.objects.filter(competition=competition).order_by("entry__number", "number").values_list(*names):
        total.update("|".join(map(str, row)).encode())
    return total.hexdigest()


def report(played: Played) -> dict[str, object]:
    """Put a replay into plain values, as the command writes them."""
    competition = played.competition
    entries = competition.entries.order_by("rank", "number").select_related("user")
    statuses = Order.objects.filter(competition=competition)
    return {
        "contest": {
            "status": competition.status, "pairs": competition.pairs, "starts_at": competition.starts_at.isoformat(),
            "ends_at": competition.ends_at.isoformat(), "entrants": len(entries),
        },
        "ticks": played.ticks,
        "quotes": played.quotes,
        "dropped": played.dropped,
        "seconds": round(played.seconds, 3),
        "quotes_per_second": round(played.quotes_per_s),
        "orders": {status: statuses.filter(status=status).count() for status in Order.Status.values},
        "fills": played.recount.fills,
        "fills_sha256": played.digest,
        "recounted_entries": played.recount.entries,
        "checked_rates": played.recount.rates_checked,
        "disagreements": played.recount.disagreements,
        "standings": [
            {
                "rank": entry.rank, "username": entry.user.username, "final_equity_cents": entry.final_equity_cents,
                "max_drawdown_bps": entry.max_drawdown_bps, "fills": entry.fills_count, "status": entry.status,
            }
            for entry in entries
        ],
    }  # fmt: skip
