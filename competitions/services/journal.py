"""What the engine decided, written to rows: a batch in a handful of statements, under the lease's epoch.

Only the engine writes here, and only what a desk has collected. Ids are derived from the entry and a running number, so the
same decisions are the same rows. Rules: docs/rules/trading.md#evidence, docs/locking.md.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.db import connection


@dataclass(slots=True)
class TradeRow:
    """A trade as it now stands; written whole, the newest state wins."""

    id: UUID
    entry_id: UUID
    pair: str
    side: str
    opened_at: datetime
    closed_at: datetime | None = None
    opened_units: int = 0
    opened_cost_points: int = 0
    closed_units: int = 0
    closed_cost_points: int = 0
    pnl_cents: int = 0
    fee_cents: int = 0
    close_reason: str = ""


@dataclass(frozen=True, slots=True)
class FillRow:
    """A fill with its evidence."""

    id: UUID
    competition_id: UUID
    entry_id: UUID
    order_id: str | None
    number: int
    pair: str
    side: str
    units: int
    price: Decimal
    fee_cents: int
    rule: str
    bid: Decimal
    ask: Decimal
    quote_id: int
    quote_at: datetime
    quote_received_at: datetime
    quote_age_ms: int
    source: str
    engine_epoch: int
    filled_at: datetime


@dataclass(frozen=True, slots=True)
class DealRow:
    """One in or out of a trade."""

    id: UUID
    entry_id: UUID
    competition_id: UUID
    fill_id: UUID | None
    trade_id: UUID | None
    number: int
    direction: str
    pair: str
    side: str
    units: int
    price: Decimal | None
    cost_points: int
    pnl_cents: int
    fee_cents: int
    cash_after_cents: int
    conversion_pair: str
    conversion_rate: Decimal
    conversion_quote_id: int | None
    at: datetime


@dataclass(slots=True)
class PositionRow:
    """A position as it now stands."""

    id: UUID
    entry_id: UUID
    pair: str
    units: int
    cost_points: int
    stop_loss: Decimal | None
    take_profit: Decimal | None
    seq: int
    trade_id: UUID | None
    opened_at: datetime | None
    updated_at: datetime


@dataclass(slots=True)
class OrderRow:
    """What became of an order; prices and size may have been changed by an amendment."""

    id: str
    status: str
    reason: str
    decided_at: datetime | None
    units: int
    price: Decimal | None
    stop_loss: Decimal | None
    take_profit: Decimal | None


@dataclass(frozen=True, slots=True)
class AmendmentRow:
    """What became of an amendment."""

    id: UUID
    status: str
    reason: str
    decided_at: datetime


@dataclass(slots=True)
class EntryRow:
    """An entry's account and marks as they now stand."""

    id: UUID
    cash_cents: int
    max_equity_cents: int
    max_drawdown_bps: int
    day_start_equity_cents: int
    last_equity_cents: int
    marked_to: int
    fills_count: int
    last_fill_at: datetime | None
    status: str
    dq_reason: str
    dq_quote_id: int | None
    dq_at: datetime | None
    final_equity_cents: int | None
    finalized_at: datetime | None


class Reached(NamedTuple):
    """How far a contest is decided, and under which epoch."""

    decided_to: int
    engine_epoch: int
    competition_id: UUID


@dataclass(slots=True)
class Batch:
    """Everything that one commit writes. Keyed rows hold the newest state of their key."""

    trades: dict[UUID, TradeRow] = field(default_factory=dict)
    fills: list[FillRow] = field(default_factory=list)
    deals: list[DealRow] = field(default_factory=list)
    positions: dict[UUID, PositionRow] = field(default_factory=dict)
    orders: dict[str, OrderRow] = field(default_factory=dict)
    amendments: list[AmendmentRow] = field(default_factory=list)
    entries: list[EntryRow] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.fills or self.deals or self.orders or self.amendments or self.positions or self.entries)


_TRADES = """
INSERT INTO competitions_trade ({columns})
SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[],
    %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[])
ON CONFLICT (id) DO UPDATE SET closed_at = excluded.closed_at, opened_units = excluded.opened_units,
    opened_cost_points = excluded.opened_cost_points, closed_units = excluded.closed_units,
    closed_cost_points = excluded.closed_cost_points, pnl_cents = excluded.pnl_cents, fee_cents = excluded.fee_cents,
    close_reason = excluded.close_reason
"""

_FILLS = """
INSERT INTO competitions_fill ({columns})
SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::int[], %s::text[], %s::text[], %s::bigint[],
    %s::numeric[], %s::bigint[], %s::text[], %s::numeric[], %s::numeric[], %s::bigint[], %s::timestamptz[],
    %s::timestamptz[], %s::int[], %s::text[], %s::bigint[], %s::timestamptz[])
"""

_DEALS = """
INSERT INTO competitions_deal ({columns})
SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::int[], %s::text[], %s::text[],
    %s::text[], %s::bigint[], %s::numeric[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[],
    %s::numeric[], %s::bigint[], %s::timestamptz[])
"""

_POSITIONS = """
INSERT INTO competitions_position ({columns})
SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::bigint[], %s::bigint[], %s::numeric[], %s::numeric[],
    %s::bigint[], %s::uuid[], %s::timestamptz[], %s::timestamptz[])
ON CONFLICT (id) DO UPDATE SET units = excluded.units, cost_points = excluded.cost_points, stop_loss = excluded.stop_loss,
    take_profit = excluded.take_profit, seq = excluded.seq, trade_id = excluded.trade_id, opened_at = excluded.opened_at,
    updated_at = excluded.updated_at
"""

_ORDERS = """
UPDATE competitions_order AS o SET status = v.status, reason = v.reason, decided_at = v.decided_at, units = v.units,
    price = v.price, stop_loss = v.stop_loss, take_profit = v.take_profit
FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::timestamptz[], %s::bigint[], %s::numeric[], %s::numeric[], %s::numeric[])
    AS v(id, status, reason, decided_at, units, price, stop_loss, take_profit)
WHERE o.id = v.id
"""

_AMENDMENTS = """
UPDATE competitions_amendment AS a SET status = v.status, reason = v.reason, decided_at = v.decided_at
FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::timestamptz[]) AS v(id, status, reason, decided_at)
WHERE a.id = v.id
"""

_ENTRIES = """
UPDATE competitions_entry AS e SET cash_cents = v.cash, max_equity_cents = v.peak, max_drawdown_bps = v.drawdown,
    day_start_equity_cents = v.day_start, last_equity_cents = v.equity, marked_to = v.marked_to, fills_count = v.fills,
    last_fill_at = v.last_fill_at, status = v.status, dq_reason = v.dq_reason, dq_quote_id = v.dq_quote_id, dq_at = v.dq_at,
    final_equity_cents = v.final_equity, finalized_at = v.finalized_at
FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::int[],
        %s::timestamptz[], %s::text[], %s::text[], %s::bigint[], %s::timestamptz[], %s::bigint[], %s::timestamptz[])
    AS v(id, cash, peak, drawdown, day_start, equity, marked_to, fills, last_fill_at, status, dq_reason, dq_quote_id,
         dq_at, final_equity, finalized_at)
WHERE e.id = v.id
"""

_REACHED = "UPDATE competitions_enginestate SET decided_to = %s, engine_epoch = %s, updated_at = now() WHERE competition_id = %s"

_MARKS = """
UPDATE competitions_entry AS e SET max_equity_cents = v.peak, max_drawdown_bps = v.drawdown,
    day_start_equity_cents = v.day_start, last_equity_cents = v.equity, marked_to = %s
FROM unnest(%s::uuid[], %s::bigint[], %s::int[], %s::bigint[], %s::bigint[]) AS v(id, peak, drawdown, day_start, equity)
WHERE e.id = v.id
"""


def write(batch: Batch, reached: Reached) -> None:
    """Write a batch inside the engine's transaction: one round trip, and the server works while the next rows are put into words.

    Locks / Effects: the rows it names, in the order trades, fills, deals, positions, orders, amendments, entries, engine state.
    """
    with _pipeline() as cursor:
        _insert(cursor, _TRADES, TradeRow, batch.trades.values())
        _insert(cursor, _FILLS, FillRow, batch.fills)
        _insert(cursor, _DEALS, DealRow, batch.deals)
        _insert(cursor, _POSITIONS, PositionRow, batch.positions.values())
        _insert(cursor, _ORDERS, OrderRow, batch.orders.values())
        _insert(cursor, _AMENDMENTS, AmendmentRow, batch.amendments)
        _insert(cursor, _ENTRIES, EntryRow, batch.entries)
        cursor.execute(_REACHED, reached, prepare=True)


def write_marks(
    quote_id: int,
    ids: Sequence[UUID],
    peaks: list[int],
    drawdowns: list[int],
    day_starts: list[int],
    equities: list[int],
) -> None:
    """Write what quotes did to entries without a fill. Shapes: five columns of one length."""
    if ids:
        with _pipeline() as cursor:
            columns = [_numbers(column) for column in (ids, peaks, drawdowns, day_starts, equities)]
            cursor.execute(_MARKS, [quote_id, *columns], prepare=True)


@contextmanager
def _pipeline() -> Iterator[psycopg.Cursor[Any]]:
    """Give a cursor whose statements travel together, in Django's own connection and transaction.

    Parameters are bound by the server and plans are kept; Django's own cursors would write every value into the statement.
    """
    connection.ensure_connection()
    raw = connection.connection
    with connection.wrap_database_errors, raw.pipeline(), psycopg.Cursor(raw) as cursor:
        yield cursor


def _insert(cursor: psycopg.Cursor[Any], statement: str, row_type: Any, rows: Iterable[Any]) -> None:
    columns = zip(*map(attrgetter(*row_type.__slots__), rows), strict=True)
    arrays = [words(column) for words, column in zip(_words_of(row_type), columns, strict=False)]
    if arrays:
        cursor.execute(_statement(statement, row_type), arrays, prepare=True)


@cache
def _statement(statement: str, row_type: Any) -> str:
    return statement.format(columns=", ".join(f'"{name}"' for name in row_type.__slots__))


@cache
def _words_of(row_type: Any) -> tuple[Callable[[Iterable[Any]], str], ...]:
    """Give what puts each column of a row type into words: text is quoted, everything else needs no quotes."""
    ways = {str: _texts, datetime: _times, datetime | None: _times}
    return tuple(ways.get(field.type, _numbers) for field in fields(row_type))


def _numbers(column: Iterable[Any]) -> str:
    """Write an array of anything whose text has no comma, quote, brace or backslash: numbers and ids."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in column]) + "}"


def _times(column: Iterable[datetime | None]) -> str:
    return "{" + ",".join(map(_time, column)) + "}"


@lru_cache(maxsize=4_096)
def _time(moment: datetime | None) -> str:
    return "NULL" if moment is None else str(moment)  # a quote's times stand in many rows


def _texts(column: Iterable[str]) -> str:
    escaped = [value.replace("\\", "\\\\").replace('"', '\\"') for value in column]
    return '{"' + '","'.join(escaped) + '"}'
