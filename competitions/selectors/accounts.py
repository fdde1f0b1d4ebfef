"""An entry's account as it is now: a book with one account, made from its rows and the newest quotes.

The engine's own books live in its process; this is for who asks from outside. Rules: docs/rules/trading.md#value.
"""

from collections.abc import Iterable
from decimal import Decimal

from competitions import messages
from competitions.engine import margin
from competitions.engine.book import Book
from competitions.engine.decisions import Account, Holding, Rules
from competitions.engine.instruments import INSTRUMENTS
from competitions.engine.quotes import Quote
from competitions.messages import AccountUpdate, OwnPositionRow
from competitions.models import Competition, Entry, Position
from tradingarena.core.clock import to_ms


def rules_of(competition: Competition) -> Rules:
    """Give a contest's trading rules in the engine's form."""
    return Rules(
        pairs=tuple(competition.pairs),
        starting_balance_cents=competition.starting_balance_cents,
        leverage=competition.leverage,
        max_units=competition.max_units,
        max_orders=competition.max_orders,
        commission_cents_per_lot=competition.commission_cents_per_lot,
        stop_out_level_bps=competition.stop_out_level_bps,
        drawdown_rule=competition.drawdown_rule,
        drawdown_limit_bps=competition.drawdown_limit_bps,
        starts_ms=to_ms(competition.starts_at),
        ends_ms=to_ms(competition.ends_at),
        close_only_ms=competition.close_only_s * 1000,
        market_order_timeout_ms=competition.market_order_timeout_ms,
        quote_stale_ms=competition.quote_stale_ms,
    )


def points(pair: str, price: Decimal | None) -> int | None:
    """Turn a stored price into points."""
    return None if price is None else INSTRUMENTS[pair].to_points(price)


def holding_of(place: int, row: Position) -> Holding:
    """Put a stored position into the engine's form."""
    return Holding(
        place=place,
        pair=row.pair,
        units=row.units,
        cost_points=row.cost_points,
        stop_loss=points(row.pair, row.stop_loss),
        take_profit=points(row.pair, row.take_profit),
        seq=row.seq,
    )


def book_of(competition: Competition, entry: Entry, positions: Iterable[Position], quotes: Iterable[Quote]) -> Book:
    """Make a book that holds one entry's account alone, at place 0, valued at these quotes."""
    book = Book(rules_of(competition))
    book.seed(quotes)
    account = Account(entry.number, entry.cash_cents, active=entry.status == Entry.Status.ACTIVE)
    book.add_account(
        account,
        peak_cents=entry.max_equity_cents,
        drawdown_bps=entry.max_drawdown_bps,
        day_start_cents=entry.day_start_equity_cents,
    )
    for row in positions:
        if row.units:
            book.restore(holding_of(0, row))
    return book


def account_of(book: Book, place: int, entry: Entry, positions: Iterable[Position], rank: int | None) -> AccountUpdate:
    """Show an account of a book: the engine's own, or one from `book_of`. Units: cents."""
    rows = [_own_position(book, place, row) for row in positions if row.units]
    cash = book.accounts[place].cash_cents
    equity = int(book.marks.equity[place])
    used = book.used_margin_cents(place)
    return {
        "entry_id": str(entry.pk),
        "cash_cents": cash,
        "equity_cents": equity,
        "max_equity_cents": int(book.marks.peak[place]),
        "day_start_equity_cents": int(book.marks.day_start[place]),
        "used_margin_cents": used,
        "free_margin_cents": equity - used,
        "margin_level_bps": margin.margin_level_bps(equity, used),
        "unrealized_cents": equity - cash,
        "rank": rank,
        "status": entry.status,
        "positions": rows,
    }


def _own_position(book: Book, place: int, row: Position) -> OwnPositionRow:
    held = book.accounts[place].holdings[row.pair]
    quote = book.quotes.get(row.pair)
    traded = INSTRUMENTS[row.pair]
    mark = None if quote is None else traded.text(quote.bid if held.units > 0 else quote.ask)
    shown = messages.position(
        row.pair,
        held.units,
        held.cost_points,
        position_id=row.pk,
        stop_loss=None if held.stop_loss is None else traded.to_price(held.stop_loss),
        take_profit=None if held.take_profit is None else traded.to_price(held.take_profit),
        opened_at=row.opened_at,
    )
    return {
        **shown,
        "unrealized_cents": book.open_profit(held) // margin.POINTS_PER_CENT,
        "margin_cents": book.margin_of(held),
        "mark_price": mark,
    }
