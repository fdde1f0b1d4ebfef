"""The engine's decisions as rows: fills with their evidence, deals, trades, positions, orders, entries. Nothing is written here.

Ids are derived from the entry and a running number: the same decisions are the same rows. Rules: docs/rules/trading.md#evidence.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from competitions.engine.book import Book
from competitions.engine.decisions import Amended, Decided, Decision, Disqualified, Filled, LegBooked, Protected, Wish
from competitions.engine.instruments import INSTRUMENTS
from competitions.models import Amendment, Competition, Deal, Entry, Order, Position
from competitions.services.journal import (
    AmendmentRow,
    Batch,
    DealRow,
    EntryRow,
    FillRow,
    OrderRow,
    PositionRow,
    TradeRow,
)
from tradingarena.core import clock
from tradingarena.core.ids import derived_id

from_ms = lru_cache(maxsize=4_096)(clock.from_ms)  # a quote's times stand in many rows


def price_of(pair: str, points: int | None) -> Decimal | None:
    """Turn points back into a price."""
    return None if points is None else INSTRUMENTS[pair].to_price(points)


class Recorder:
    """Collects what one contest's book has decided until it is written.

    Shapes: `entries` is shared with the desk and indexed by place.
    """

    def __init__(self, competition: Competition, book: Book, entries: list[Entry], epoch: int) -> None:
        self.competition = competition
        self.book = book
        self.entries = entries
        self.epoch = epoch
        self.open_trades: dict[tuple[int, str], TradeRow] = {}
        self.batch = Batch()
        self._touched: set[int] = set()

    def restore_trade(self, place: int, row: Position) -> None:
        """Go on with the trade that a stored position belongs to."""
        trade = row.trade
        assert trade is not None
        self.open_trades[place, row.pair] = TradeRow(**{name: getattr(trade, name) for name in TradeRow.__slots__})

    def take(self, marked_to: int) -> Batch:
        """Hand over what has been collected, with the entries as they stand at a quote, and begin anew."""
        batch, self.batch = self.batch, Batch()
        batch.entries = self._entry_rows(sorted(self._touched), marked_to)
        self._touched.clear()
        return batch

    def __bool__(self) -> bool:
        """Tell whether there is anything to write."""
        return bool(self._touched) or bool(self.batch)

    def record(self, decisions: Sequence[Decision]) -> None:
        """Turn decisions into rows, in their order."""
        for decision in decisions:
            match decision:
                case Filled():
                    self._fill(decision)
                case Decided():
                    self._order(decision.order, decision.status, decision.reason, decision.at_ms)
                case Amended():
                    self._amendment(decision)
                case Protected():
                    self._protection(decision)
                case Disqualified():
                    self._disqualification(decision)

    def entry(self, place: int) -> None:
        """Record an entry's account, as it will stand when the batch is taken."""
        self._touched.add(place)

    def _entry_rows(self, places: Sequence[int], marked_to: int) -> list[EntryRow]:
        marks = self.book.marks
        rows = []
        for place in places:
            entry, account = self.entries[place], self.book.accounts[place]
            entry.cash_cents = account.cash_cents
            rows.append(
                EntryRow(
                    entry.pk,
                    account.cash_cents,
                    int(marks.peak[place]),
                    int(marks.drawdown_bps[place]),
                    int(marks.day_start[place]),
                    int(marks.equity[place]),
                    marked_to,
                    account.fills,
                    from_ms(account.last_fill_ms) if account.last_fill_ms else None,
                    entry.status,
                    entry.dq_reason,
                    entry.dq_quote_id,
                    entry.dq_at,
                    entry.final_equity_cents,
                    entry.finalized_at,
                )  # fmt: skip
            )
        return sorted(rows, key=lambda row: row.id)

    def _fill(self, filled: Filled) -> None:
        entry, traded, quote, at = (
            self.entries[filled.place],
            INSTRUMENTS[filled.pair],
            filled.quote,
            from_ms(filled.at_ms),
        )
        side = "buy" if filled.units > 0 else "sell"
        fill_id = derived_id(entry.pk, f"fill:{filled.number}")
        self.batch.fills.append(
            FillRow(
                fill_id,
                self.competition.pk,
                entry.pk,
                filled.order.id if filled.order else None,
                filled.number,
                filled.pair,
                side,
                abs(filled.units),
                traded.to_price(filled.price),
                sum(leg.fee_cents for leg in filled.legs),
                filled.rule,
                traded.to_price(quote.bid),
                traded.to_price(quote.ask),
                quote.id,
                from_ms(quote.time_ms),
                from_ms(quote.received_ms),
                filled.at_ms - quote.received_ms,
                quote.source,
                self.epoch,
                at,
            )  # fmt: skip
        )
        for leg in filled.legs:
            self._leg(filled, leg, fill_id, side, at)
        self._position(filled, at)
        if filled.order is not None:
            self._order(filled.order, Order.Status.FILLED, "", filled.at_ms)
        self.entry(filled.place)

    def _leg(self, filled: Filled, booked: LegBooked, fill_id: UUID, side: str, at: datetime) -> None:
        entry, leg, key = self.entries[filled.place], booked.leg, (filled.place, filled.pair)
        if leg.opens and key not in self.open_trades:
            trade_id = derived_id(entry.pk, f"trade:{booked.number}")
            self.open_trades[key] = TradeRow(trade_id, entry.pk, filled.pair, side, at)
        trade = self.open_trades[key]
        if leg.opens:
            trade.opened_units += leg.units
            trade.opened_cost_points += leg.units * filled.price
        else:
            trade.closed_units += leg.units
            trade.closed_cost_points += leg.units * filled.price
        trade.pnl_cents += booked.pnl_cents
        trade.fee_cents += booked.fee_cents
        self.batch.trades[trade.id] = trade
        self.batch.deals.append(
            DealRow(
                derived_id(entry.pk, f"deal:{booked.number}"),
                entry.pk,
                self.competition.pk,
                fill_id,
                trade.id,
                booked.number,
                Deal.Direction.IN if leg.opens else Deal.Direction.OUT,
                filled.pair,
                side,
                leg.units,
                INSTRUMENTS[filled.pair].to_price(filled.price),
                leg.cost_points,
                booked.pnl_cents,
                booked.fee_cents,
                booked.cash_after_cents,
                filled.rate.pair,
                filled.rate.mid,
                filled.rate.quote_id,
                at,
            )  # fmt: skip
        )
        if trade.closed_units == trade.opened_units:
            trade.closed_at, trade.close_reason = at, filled.rule
            del self.open_trades[key]

    def _position(self, filled: Filled, at: datetime) -> None:
        entry, pair = self.entries[filled.place], filled.pair
        trade = self.open_trades.get((filled.place, pair))
        row_id = derived_id(entry.pk, f"position:{pair}")
        self.batch.positions[row_id] = PositionRow(
            row_id, entry.pk, pair, filled.units_after, filled.cost_after, price_of(pair, filled.stop_loss),
            price_of(pair, filled.take_profit), filled.seq, trade.id if trade else None, trade.opened_at if trade else None, at,
        )  # fmt: skip

    def _order(self, wish: Wish, status: str, reason: str, at_ms: int) -> None:
        self.batch.orders[wish.id] = OrderRow(
            wish.id, status, reason, from_ms(at_ms) if status != Order.Status.WORKING else None, abs(wish.units),
            price_of(wish.pair, wish.price), price_of(wish.pair, wish.stop_loss), price_of(wish.pair, wish.take_profit),
        )  # fmt: skip

    def _amendment(self, amended: Amended) -> None:
        status = Amendment.Status.REJECTED if amended.reason else Amendment.Status.APPLIED
        at = from_ms(amended.at_ms)
        self.batch.amendments.append(AmendmentRow(UUID(amended.change.id), status, amended.reason, at))
        if amended.order is not None and amended.order.live:
            self._order(amended.order, Order.Status.WORKING, "", amended.at_ms)
        if amended.holding is not None:
            held = amended.holding
            entry, trade = self.entries[held.place], self.open_trades[held.place, held.pair]
            row_id = derived_id(entry.pk, f"position:{held.pair}")
            self.batch.positions[row_id] = PositionRow(
                row_id, entry.pk, held.pair, held.units, held.cost_points, price_of(held.pair, held.stop_loss),
                price_of(held.pair, held.take_profit), held.seq, trade.id, trade.opened_at, at,
            )  # fmt: skip

    def _protection(self, protected: Protected) -> None:
        entry = self.entries[protected.place]
        self.batch.deals.append(
            DealRow(
                derived_id(entry.pk, f"deal:{protected.number}"),
                entry.pk,
                self.competition.pk,
                None,
                None,
                protected.number,
                Deal.Direction.PROTECTION,
                "",
                "",
                0,
                None,
                0,
                protected.shortfall_cents,
                0,
                0,
                "",
                Decimal(1),
                None,
                from_ms(protected.at_ms),
            )  # fmt: skip
        )
        self.entry(protected.place)

    def _disqualification(self, out: Disqualified) -> None:
        entry, at = self.entries[out.place], from_ms(out.at_ms)
        entry.status, entry.dq_reason, entry.dq_quote_id, entry.dq_at = (
            Entry.Status.DISQUALIFIED,
            out.reason,
            out.quote_id,
            at,
        )
        entry.final_equity_cents, entry.finalized_at = out.equity_cents, at
        self.entry(out.place)
