"""The engine: the one writer of every running contest. It reads quotes from the bus, orders from the database, and decides.

Contests are shared among engines by lease; each is a desk. What a desk decides in a group of quotes is committed together, then
told. Killed at any point, the next engine goes on from what was committed. Rules: docs/engine.md.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Q

from competitions.engine import market_hours
from competitions.engine.quotes import Quote
from competitions.marketdata.bus import QuoteBus
from competitions.models import Amendment, Competition, Order
from competitions.selectors.newest import keeps_the_fx_week
from competitions.services import lifecycle, steps, telling
from competitions.services.desk import Desk
from competitions.services.standings import Standings
from competitions.services.tape import BEHIND_SNAPSHOT_MS, Tape
from tradingarena.core import leases
from tradingarena.core.clock import from_ms, to_ms
from tradingarena.core.errors import Unavailable
from tradingarena.core.leases import LeaseLost

log = logging.getLogger(__name__)

LEASE_MS = 6_000
CLAIM_EVERY_S = 1.0
LOOK_EVERY_S = 0.25
CHECKPOINT_EVERY_S = 15.0
LATE_ORDERS = 10_000  # an order's number may be taken this long before its commit is seen
IN_FLIGHT_MS = 500  # how long after its receipt a quote may still be on its way to us
LAST_QUOTE_MS = 60_000  # a position is closed at the end only at a quote this fresh
READ_AT_ONCE = 2_000


def wall_ms() -> int:
    """Read this machine's clock in Unix milliseconds."""
    return time.time_ns() // 1_000_000


class Engine:
    """Runs contests until it is told to stop.

    Shapes: `clock` gives the contest's time in Unix milliseconds; None is the stream's own time, for recorded quotes played
        as fast as they can be read.
    """

    def __init__(self, bus: QuoteBus, *, clock: Callable[[], int] | None = wall_ms, holder: str | None = None) -> None:
        self.bus = bus
        self.clock = clock
        self.holder = holder or leases.new_holder()
        self.desks: dict[UUID, Desk] = {}
        self.standings: dict[UUID, Standings] = {}
        self.tapes: dict[UUID, Tape] = {}
        self.cursor: int | None = None  # id of the last quote read
        self.stream_ms = 0
        self.quotes_read = 0
        self.fills_made = 0
        self._seen_seq = 0
        self._next_claim = self._next_look = self._next_board = 0.0
        self._checkpoints: dict[UUID, float] = {}

    # -- the loop -------------------------------------------------------------------------------------------------------
    def run(self, should_stop: Callable[[], bool]) -> None:
        """Work until `should_stop`, then give the leases back."""
        try:
            while not should_stop():
                try:
                    self.step(block_ms=20)
                except Unavailable:
                    time.sleep(0.2)
                except (DatabaseError, InterfaceError):
                    log.exception("engine_database_lost")
                    self._clear()
                    connection.close()  # a dead one would be used for ever
                    time.sleep(0.5)
        finally:
            self.stop()

    def step(self, *, block_ms: int = 0) -> int:
        """Read what there is, decide it, commit it, tell it. Give the number of quotes read.

        Raises: Unavailable: the bus does not answer; nothing is lost, the next step goes on from the same place.
        """
        self._claim()
        if self.cursor is None:
            self.cursor = self.bus.last_id()
        batch = self.bus.read(self.cursor, block_ms=block_ms, count=READ_AT_ONCE)
        # an order accepted before these quotes must be seen before they are dealt with
        self._look_for_orders(woken=batch.woken or bool(batch.quotes))
        if batch.quotes:
            self.cursor = batch.quotes[-1].id
            self.stream_ms = max(self.stream_ms, batch.quotes[-1].received_ms)
            self.quotes_read += len(batch.quotes)
        for desk in list(self.desks.values()):
            self._guarded(desk, lambda desk=desk: self._work(desk, batch.quotes))
        if batch.quotes:  # a recording played at once waits for its slowest reader
            self.bus.report(self.holder, self.cursor, wall_ms())
        self._show_boards()
        return len(batch.quotes)

    def stop(self) -> None:
        """Store where everything stands and give the leases back."""
        for desk in list(self.desks.values()):
            self._guarded(desk, desk.checkpoint)
        for desk in self.desks.values():
            leases.release(desk.lease)
        self._clear()

    def _clear(self) -> None:
        self.desks.clear()
        self.standings.clear()
        self.tapes.clear()

    def now_ms(self) -> int:
        """Give the contest's time: the clock's, or the newest quote's when a recording is played."""
        return self.stream_ms if self.clock is None else self.clock()

    # -- which contests are ours ----------------------------------------------------------------------------------------
    def _claim(self) -> None:
        if time.monotonic() < self._next_claim:
            return
        self._next_claim = time.monotonic() + CLAIM_EVERY_S
        running = {row.pk: row for row in Competition.objects.filter(status=Competition.Status.RUNNING)}
        for pk in set(self.desks) - set(running):
            self.tapes[pk].release_all()  # cancelled: there is nothing to hold back any more
            self._drop(pk)
        note = {"quotes_read": self.quotes_read, "fills_made": self.fills_made, "contests": len(self.desks)}
        for pk, competition in running.items():
            held = leases.claim(steps.lease_name(pk), self.holder, lease_ms=LEASE_MS, note=note)
            desk = self.desks.get(pk)
            if held is None or (desk is not None and desk.lease.epoch != held.epoch):
                self._drop(pk)
            elif desk is None:
                self._open_desk(competition, held)
            elif competition.ends_at < desk.competition.ends_at:  # an operator closes it early
                desk.move_end(competition.ends_at)

    def _open_desk(self, competition: Competition, held: leases.Held) -> None:
        desk = Desk(competition, held)
        desk.load()
        if self.cursor is None:
            self.cursor = self.bus.last_id()
        fresh = not desk.decided_to and self.clock is not None
        if fresh:
            # a contest that has just started: nothing before now concerns it but the prices there are
            desk.book.seed(quote for quote in self.bus.newest().values() if quote.id <= self.cursor)
            desk.decided_to = desk.marked_to = desk.fed_to = self.cursor
        self.desks[competition.pk] = desk
        self.standings[competition.pk] = Standings(desk)
        tape = self.tapes[competition.pk] = Tape(competition)
        if tape.delay_ms:
            telling.tell_again(desk, tape, from_ms(self.now_ms() - tape.delay_ms - BEHIND_SNAPSHOT_MS))
        self._checkpoints[competition.pk] = time.monotonic() + CHECKPOINT_EVERY_S
        if fresh:  # who comes after a crash must begin here too
            self._guarded(desk, desk.checkpoint)
        if competition.pk in self.desks:
            self._catch_up(desk)
        log.info(
            "desk_open", extra={"competition": str(competition.pk), "entries": len(desk.entries), "epoch": held.epoch}
        )

    def _catch_up(self, desk: Desk) -> None:
        """Feed a desk the quotes between its own place in the stream and the engine's."""
        assert self.cursor is not None
        position = desk.marked_to
        oldest = self.bus.oldest_id()
        if position and oldest > position + 1 and oldest // 10**12 == position // 10**12:
            log.error(
                "quotes_missing", extra={"competition": str(desk.competition.pk), "after": position, "oldest": oldest}
            )
        while position < self.cursor:
            batch = self.bus.read(position, count=READ_AT_ONCE)
            quotes = [quote for quote in batch.quotes if quote.id <= self.cursor]
            if not quotes:
                break
            position = quotes[-1].id
            self._guarded(desk, lambda quotes=quotes: self._work(desk, quotes))
            if desk.competition.pk not in self.desks:
                return

    def _drop(self, pk: UUID) -> None:
        self.desks.pop(pk, None)
        self.standings.pop(pk, None)
        self.tapes.pop(pk, None)

    def _guarded(self, desk: Desk, work: Callable[[], object]) -> None:
        """Do a desk's work; a desk that fails is thrown away, to be loaded again as it was committed."""
        try:
            work()
        except LeaseLost:
            log.warning("desk_lost", extra={"competition": str(desk.competition.pk)})
            self._drop(desk.competition.pk)
        except Unavailable:
            self._drop(desk.competition.pk)
            raise
        except Exception:  # one contest's trouble must not stop the others; its rows are whole, it is loaded again
            log.exception("desk_failed", extra={"competition": str(desk.competition.pk)})
            self._drop(desk.competition.pk)
            self._next_claim = time.monotonic() + CLAIM_EVERY_S

    # -- orders ---------------------------------------------------------------------------------------------------------
    def _look_for_orders(self, *, woken: bool) -> None:
        """Take in what traders have sent: at once when woken, else four times a second."""
        if not self.desks or (not woken and time.monotonic() < self._next_look):
            return
        self._next_look = time.monotonic() + LOOK_EVERY_S
        fresh = Q(competition__in=list(self.desks), seq__gt=self._seen_seq - LATE_ORDERS)
        orders = list(Order.objects.filter(fresh, status=Order.Status.ACCEPTED).order_by("seq"))
        amendments = list(
            Amendment.objects.filter(fresh, status=Amendment.Status.ACCEPTED).select_related("position").order_by("seq")
        )
        for desk in self.desks.values():
            desk.take(
                [order for order in orders if order.competition_id == desk.competition.pk],
                [amendment for amendment in amendments if amendment.competition_id == desk.competition.pk],
            )
        self._seen_seq = max([self._seen_seq, *(row.seq for row in orders), *(row.seq for row in amendments)])

    # -- a group of quotes ----------------------------------------------------------------------------------------------
    def _work(self, desk: Desk, quotes: list[Quote]) -> None:
        for quote in quotes:
            if quote.received_ms > desk.book.rules.ends_ms and quote.id > desk.decided_to:
                if self._end(desk):
                    return
                self._feed_after_outage(desk, quote)
            else:
                desk.feed(quote)
        now_ms = self.now_ms()
        desk.pass_time(desk.book.last_ms if self.clock is None else max(desk.book.last_ms, now_ms - IN_FLIGHT_MS))
        if self.clock is not None and now_ms - IN_FLIGHT_MS > desk.book.rules.ends_ms and self._end(desk):
            return
        self._commit(desk)
        self.tapes[desk.competition.pk].release(now_ms)
        if time.monotonic() >= self._checkpoints[desk.competition.pk]:
            self._checkpoints[desk.competition.pk] = time.monotonic() + CHECKPOINT_EVERY_S
            desk.checkpoint()

    def _commit(self, desk: Desk) -> None:
        told = desk.commit()
        if told:
            self.fills_made += sum(1 for decision in told if hasattr(decision, "rule"))
            telling.tell(desk, self.tapes[desk.competition.pk], told)

    def _show_boards(self) -> None:
        if time.monotonic() < self._next_board:
            return
        self._next_board = time.monotonic() + 1.0
        for standings in self.standings.values():
            standings.show()

    # -- the end --------------------------------------------------------------------------------------------------------
    def _end(self, desk: Desk) -> bool:
        """End a contest that is due, unless the feed is down across its end: then `lifecycle.advance` voids it after a day."""
        if self._stale_since(desk, desk.book.rules.ends_ms) is not None:
            return False
        self._finish(desk, desk.book.rules.ends_ms)
        return True

    def _feed_after_outage(self, desk: Desk, quote: Quote) -> None:
        """Take a quote that comes after an end without quotes; once all positions can be valued, the end moves by the outage."""
        ends_ms = desk.book.rules.ends_ms
        silent_since_ms = self._stale_since(desk, ends_ms)
        desk.feed(quote)
        if silent_since_ms is not None and self._stale_since(desk, quote.received_ms) is None:
            self._move_end(desk, from_ms(ends_ms + quote.received_ms - silent_since_ms))

    def _stale_since(self, desk: Desk, at_ms: int) -> int | None:
        """Give the time of the oldest quote that would value an open position too late, or None when all are fresh."""
        if keeps_the_fx_week():
            at_ms = min(at_ms, to_ms(market_hours.last_open(from_ms(at_ms))))
        held = {pair for account in desk.book.accounts for pair, holding in account.holdings.items() if holding.units}
        received = [desk.book.quotes[pair].received_ms for pair in held]
        stale = [ms for ms in received if at_ms - ms > LAST_QUOTE_MS]
        return min(stale, default=None)

    def _finish(self, desk: Desk, ends_ms: int) -> None:
        competition = desk.competition
        desk.close_all(ends_ms)
        with transaction.atomic():
            desk.write()
            lifecycle.finish(competition.pk, from_ms(ends_ms))
            # accepted between our last look and the change of status
            Order.objects.filter(competition=competition, status__in=["accepted", "working"]).update(
                status=Order.Status.REJECTED, reason="competition_over", decided_at=from_ms(ends_ms)
            )
            Amendment.objects.filter(competition=competition, status="accepted").update(
                status=Amendment.Status.REJECTED, reason="competition_over", decided_at=from_ms(ends_ms)
            )
        desk.checkpoint()
        tape = self.tapes[competition.pk]
        telling.tell(desk, tape, desk.decisions)
        tape.release_all()
        self.standings[competition.pk].show(final=True)
        leases.release(desk.lease)
        self._drop(competition.pk)

    def _move_end(self, desk: Desk, ends_at: datetime) -> None:
        with transaction.atomic():
            leases.prove(desk.lease)
            moved = lifecycle.move_end(desk.competition.pk, ends_at)
        desk.move_end(moved.ends_at)
