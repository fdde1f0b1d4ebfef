"""What the database would hold of a contest, in dictionaries: batches are applied to it, and books are rebuilt from it.

The real loading is `services/desk.py`, which the crash tests drive on the real database; this one is fast enough for thousands
of random contests.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from competitions.engine.book import Book
from competitions.engine.decisions import Account, Change, Decision, Holding, Wish
from competitions.engine.instruments import INSTRUMENTS
from competitions.engine.quotes import Quote
from competitions.models import Competition, Entry
from competitions.services.journal import DealRow, EntryRow, FillRow, OrderRow, PositionRow, TradeRow
from competitions.services.recorder import Recorder
from competitions.tests.engine.worlds import World, fresh
from tradingarena.core.clock import to_ms

LATER = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass
class Store:
    """Rows as they are committed. Everything is keyed as the tables are."""

    world: World
    competition: Competition = field(
        default_factory=lambda: Competition(id=UUID(int=7), starts_at=LATER, ends_at=LATER)
    )
    fills: dict[UUID, FillRow] = field(default_factory=dict)
    deals: dict[UUID, DealRow] = field(default_factory=dict)
    trades: dict[UUID, TradeRow] = field(default_factory=dict)
    positions: dict[UUID, PositionRow] = field(default_factory=dict)
    orders: dict[str, OrderRow] = field(default_factory=dict)
    entries: dict[UUID, EntryRow] = field(default_factory=dict)
    sent: list[Wish | Change] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)  # amendments
    decided_to: int = 0
    marked_to: int = 0
    marked_ms: int = 0
    marked_quotes: list[Quote] = field(default_factory=list)

    def new_entries(self) -> list[Entry]:
        """Make the entries as a desk would read them now."""
        start = self.world.rules.starting_balance_cents
        made = []
        for number in range(1, self.world.players + 1):
            row = self.entries.get(UUID(int=1_000 + number))
            entry = Entry(
                id=UUID(int=1_000 + number),
                number=number,
                cash_cents=start,
                max_equity_cents=start,
                day_start_equity_cents=start,
            )
            for name in EntryRow.__slots__ if row else ():
                setattr(entry, name, getattr(row, name))
            made.append(entry)
        return made


class Bench:
    """A book with its recorder, as a desk has them, loaded from what the store holds."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.book = Book(store.world.rules)
        self.entries = store.new_entries()
        self.recorder = Recorder(store.competition, self.book, self.entries, epoch=1)
        self.decided_to = store.decided_to
        self.book.seed(store.marked_quotes, store.marked_ms)
        for entry in self.entries:
            self._add(entry)
        places = {entry.pk: place for place, entry in enumerate(self.entries)}
        for row in sorted(store.positions.values(), key=lambda one: (places[one.entry_id], one.pair)):
            if row.units:
                self._restore(places[row.entry_id], row)
        self.book.loaded()
        for item in store.sent:
            self.send(item)

    def _add(self, entry: Entry) -> None:
        deals = sum(1 for deal in self.store.deals.values() if deal.entry_id == entry.pk)
        account = Account(
            entry.number, entry.cash_cents, fills=entry.fills_count, deals=deals,
            last_fill_ms=to_ms(entry.last_fill_at) if entry.last_fill_at else None, active=entry.status == Entry.Status.ACTIVE,
        )  # fmt: skip
        self.book.add_account(
            account, peak_cents=entry.max_equity_cents, drawdown_bps=entry.max_drawdown_bps,
            day_start_cents=entry.day_start_equity_cents,
            seen_quote_id=entry.marked_to if entry.marked_to > self.store.marked_to else 0,
        )  # fmt: skip

    def _restore(self, place: int, row: PositionRow) -> None:
        traded = INSTRUMENTS[row.pair]
        self.book.restore(
            Holding(
                place,
                row.pair,
                row.units,
                row.cost_points,
                None if row.stop_loss is None else traded.to_points(row.stop_loss),
                None if row.take_profit is None else traded.to_points(row.take_profit),
                row.seq,
            )  # fmt: skip
        )
        assert row.trade_id is not None
        self.recorder.open_trades[place, row.pair] = replace(self.store.trades[row.trade_id])

    def send(self, item: Wish | Change) -> None:
        """Hand over an order or amendment as the database has it, unless it is decided."""
        item = fresh(item)
        if isinstance(item, Change):
            if item.id not in self.store.answered:
                self.book.accept(item)
            return
        row = self.store.orders.get(item.id)
        if row is not None:
            if row.status != "working":
                return
            traded = INSTRUMENTS[item.pair]
            price, stop_loss, take_profit = (
                None if value is None else traded.to_points(value)
                for value in (row.price, row.stop_loss, row.take_profit)
            )
            item = replace(
                item, units=row.units if item.units > 0 else -row.units, price=price, stop_loss=stop_loss,
                take_profit=take_profit, working=True,
            )  # fmt: skip
        self.book.accept(item)

    def feed(self, quote: Quote) -> None:
        """Take a quote as a desk does."""
        if quote.id > self.decided_to:
            self.note(self.book.on_quote(quote))
            self.decided_to = quote.id
        elif quote.id > self.store.marked_to:
            self.book.remark(quote)

    def note(self, decisions: list[Decision]) -> None:
        """Turn decisions into rows that wait."""
        self.recorder.record(decisions)

    def commit(self) -> None:
        """Write what waits, if anything does."""
        if not self.recorder:
            return
        batch, store = self.recorder.take(self.decided_to), self.store
        assert not store.fills.keys() & {row.id for row in batch.fills}
        assert not store.deals.keys() & {row.id for row in batch.deals}
        store.fills |= {row.id: row for row in batch.fills}
        store.deals |= {row.id: row for row in batch.deals}
        store.trades |= {row.id: replace(row) for row in batch.trades.values()}
        store.positions |= batch.positions
        store.orders |= batch.orders
        store.entries |= {row.id: row for row in batch.entries}
        store.answered |= {str(row.id) for row in batch.amendments}
        store.decided_to = self.decided_to

    def checkpoint(self) -> None:
        """Write everybody's marks and the prices they were marked at."""
        for place in range(len(self.entries)):
            self.recorder.entry(place)
        self.commit()
        store = self.store
        store.marked_to, store.marked_ms, store.marked_quotes = (
            self.decided_to,
            self.book.last_ms,
            list(self.book.quotes.values()),
        )

    def finish(self, at_ms: int) -> dict[str, Any]:
        """End the contest, write it all down and give every row there is, the writer's place in the stream left out."""
        self.note(self.book.finish(at_ms))
        self.checkpoint()
        store = self.store
        entries = [replace(row, marked_to=0) for row in sorted(store.entries.values(), key=lambda one: one.id)]
        return {
            "fills": store.fills, "deals": store.deals, "trades": store.trades, "positions": store.positions,
            "orders": store.orders, "entries": entries, "answered": store.answered,
        }  # fmt: skip
