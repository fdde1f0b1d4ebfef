"""One contest in the engine's hands: its book, what is not yet written, and where it stands in the stream of quotes.

A desk decides in memory and collects; `commit` writes the collection in one transaction under the lease's epoch, and only then
are rooms told. A desk that loses its lease or fails to commit is thrown away and loaded again: what was not committed did not
happen, what was committed is not repeated. Rules: docs/rules/trading.md, docs/engine.md.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from competitions.engine.book import Book
from competitions.engine.decisions import Account, Change, Decision, Wish
from competitions.engine.quotes import Quote
from competitions.models import Amendment, Competition, EngineState, Entry, EquitySnapshot, Order, Position
from competitions.selectors.accounts import holding_of, points, rules_of
from competitions.services import journal
from competitions.services.recorder import Recorder
from tradingarena.core import leases
from tradingarena.core.clock import from_ms, to_ms
from tradingarena.core.leases import Held

log = logging.getLogger(__name__)

UNDECIDED = ("accepted", "working")


class Desk:
    """One contest's book with what it takes to write down its decisions.

    Shapes: an entry's place in the book is its index in `entries`.
    """

    def __init__(self, competition: Competition, lease: Held) -> None:
        self.competition = competition
        self.lease = lease
        self.book = Book(rules_of(competition))
        self.entries: list[Entry] = []
        self.places: dict[UUID, int] = {}
        self.recorder = Recorder(competition, self.book, self.entries, lease.epoch)
        self.known: set[UUID] = set()  # orders and amendments already handed to the book
        self.decisions: list[Decision] = []  # not yet told
        self.decided_to = 0  # in memory; what the database knows may be older
        self.marked_to = 0
        self.fed_to = 0
        self._stored_marks: dict[int, tuple[int, int, int, int]] = {}

    # -- loading --------------------------------------------------------------------------------------------------------
    def load(self) -> None:
        """Read the contest as it was committed. What quotes did to it since is found again by feeding them from `marked_to`."""
        state, _ = EngineState.objects.get_or_create(competition=self.competition)
        self.decided_to, self.marked_to = state.decided_to, state.marked_to
        self.fed_to = self.marked_to
        self.book.seed((Quote._make(row) for row in state.marked_quotes.values()), state.marked_ms)
        self.add_new_entries()
        held = Position.objects.filter(entry__competition=self.competition).exclude(units=0).select_related("trade")
        for row in held.order_by("entry__number", "pair"):
            place = self.places[row.entry_id]
            self.book.restore(holding_of(place, row))
            self.recorder.restore_trade(place, row)
        self.book.loaded()
        self.take(
            Order.objects.filter(competition=self.competition, status__in=UNDECIDED),
            Amendment.objects.filter(competition=self.competition, status=Amendment.Status.ACCEPTED).select_related(
                "position"
            ),
        )

    def add_new_entries(self) -> None:
        """Take in entries that the book does not know yet."""
        fresh = Entry.objects.filter(competition=self.competition, number__gt=len(self.entries)).order_by("number")
        for entry in fresh.select_related("user"):
            account = Account(
                entry.number,
                entry.cash_cents,
                fills=entry.fills_count,
                deals=entry.deals.count() if entry.fills_count else 0,
                last_fill_ms=to_ms(entry.last_fill_at) if entry.last_fill_at else None,
                active=entry.status == Entry.Status.ACTIVE,
            )
            self.places[entry.pk] = self.book.add_account(
                account,
                peak_cents=entry.max_equity_cents,
                drawdown_bps=entry.max_drawdown_bps,
                day_start_cents=entry.day_start_equity_cents,
                seen_quote_id=entry.marked_to if entry.marked_to > self.marked_to else 0,
            )
            self.entries.append(entry)

    def take(self, orders: Iterable[Order], amendments: Iterable[Amendment]) -> None:
        """Hand accepted orders and amendments to the book; what it knows already is skipped."""
        for order in orders:
            if order.pk not in self.known:
                self.known.add(order.pk)
                self.book.accept(_wish(order, self._place_of(order.entry_id)))
        for amendment in amendments:
            if amendment.pk not in self.known:
                self.known.add(amendment.pk)
                self.book.accept(_change(amendment, self._place_of(amendment.entry_id)))

    def _place_of(self, entry_id: UUID) -> int:
        if entry_id not in self.places:
            self.add_new_entries()
        return self.places[entry_id]

    # -- deciding -------------------------------------------------------------------------------------------------------
    def feed(self, quote: Quote) -> None:
        """Let the book decide at a quote, or only mark it when its decisions are committed already."""
        self.fed_to = quote.id
        if quote.id > self.decided_to:
            self._collect(self.book.on_quote(quote))
            self.decided_to = quote.id
        elif quote.id > self.marked_to:
            self.book.remark(quote)

    def pass_time(self, now_ms: int) -> None:
        """Let the book decide what time alone brings about, unless it is still being led back to where it was.

        Units: Unix milliseconds on the contest's clock.
        """
        if self.fed_to < self.decided_to:
            return
        self._collect(self.book.on_time(now_ms))

    def close_all(self, at_ms: int) -> None:
        """End the contest in the book: orders cancelled, positions closed, final equities frozen."""
        self.add_new_entries()
        self._collect(self.book.finish(at_ms))
        for place, entry in enumerate(self.entries):
            if entry.final_equity_cents is None:
                entry.final_equity_cents = self.book.accounts[place].cash_cents
                entry.finalized_at = from_ms(at_ms)
            self.recorder.entry(place)

    def move_end(self, ends_at: datetime) -> None:
        """Take the contest's new end."""
        self.competition.ends_at = ends_at
        self.book.rules = rules_of(self.competition)

    def _collect(self, decisions: Sequence[Decision]) -> None:
        if decisions:
            self.decisions.extend(decisions)
            self.recorder.record(decisions)

    # -- writing --------------------------------------------------------------------------------------------------------
    def commit(self) -> list[Decision]:
        """Write what has been decided since the last commit and give the decisions, which may now be told.

        Locks / Effects: one transaction: the lease FOR SHARE, then the rows of the batch, then the engine's state.
        Raises: LeaseLost: another engine leads this contest; this desk must be thrown away.
        """
        if not self.recorder:
            return []
        with transaction.atomic():
            self.write()
        told, self.decisions = self.decisions, []
        return told

    def write(self) -> None:
        """Write the batch inside the caller's transaction, after proving the lease.

        Raises: LeaseLost. RuntimeError: no transaction is open.
        """
        leases.prove(self.lease)
        batch = self.recorder.take(self.decided_to)
        journal.write(batch, journal.Reached(self.decided_to, self.lease.epoch, self.competition.pk))
        for row in batch.entries:  # their stored marks are no longer those of the last checkpoint
            self._stored_marks.pop(self.places[row.id], None)

    def checkpoint(self) -> None:
        """Store everybody's high and low marks, the prices they were marked at, and a point of the equity curves.

        Locks / Effects: one transaction, as `commit`.
        Raises: LeaseLost.
        """
        marks, size = self.book.marks, len(self.entries)
        columns = [array[:size].tolist() for array in (marks.peak, marks.drawdown_bps, marks.day_start, marks.equity)]
        rows = list(zip(*columns, strict=True))
        changed = [place for place in range(size) if self._stored_marks.get(place) != rows[place]]
        with transaction.atomic():
            self.write()
            ids = [self.entries[place].pk for place in changed]
            journal.write_marks(self.decided_to, ids, *([column[place] for place in changed] for column in columns))
            EngineState.objects.filter(pk=self.competition.pk).update(
                marked_to=self.decided_to,
                marked_ms=self.book.last_ms,
                marked_quotes={pair: list(quote) for pair, quote in self.book.quotes.items()},
            )
            if self.book.last_ms and size:
                EquitySnapshot.objects.get_or_create(
                    competition=self.competition,
                    at=from_ms(self.book.last_ms),
                    defaults={"quote_id": self.decided_to, "equity_cents": columns[3]},
                )
        self.marked_to = self.decided_to
        self._stored_marks.update((place, rows[place]) for place in changed)


def _wish(order: Order, place: int) -> Wish:
    return Wish(
        id=str(order.pk),
        place=place,
        seq=order.seq,
        pair=order.pair,
        kind=order.type,
        units=order.units if order.side == "buy" else -order.units,
        price=points(order.pair, order.price),
        stop_loss=points(order.pair, order.stop_loss),
        take_profit=points(order.pair, order.take_profit),
        accepted_ms=to_ms(order.accepted_at),
        closes=order.closes_position is not None,
        working=order.status == Order.Status.WORKING,
    )


def _change(amendment: Amendment, place: int) -> Change:
    pair = amendment.position.pair if amendment.position else None
    if amendment.order_id:
        pair = Order.objects.values_list("pair", flat=True).get(pk=amendment.order_id)
    return Change(
        id=str(amendment.pk),
        place=place,
        seq=amendment.seq,
        kind=amendment.kind,
        order_id=str(amendment.order_id) if amendment.order_id else None,
        pair=pair,
        units=amendment.units,
        price=points(pair, amendment.price) if pair else None,
        stop_loss=points(pair, amendment.stop_loss) if pair else None,
        take_profit=points(pair, amendment.take_profit) if pair else None,
        accepted_ms=to_ms(amendment.accepted_at),
        note=amendment.note,
    )
