"""The payloads of contests: what a row looks like outside, the same over REST and in rooms. Who may see it is decided elsewhere.

Prices are strings with the pair's digits, ids strings, amounts integers, times ISO-8601 with Z. Schemas: docs/asyncapi.yaml and
docs/openapi.yaml.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypedDict
from uuid import UUID

from competitions.engine.instruments import INSTRUMENTS, LOT_UNITS
from competitions.models import Competition, Deal, Fill, Order, Position, Trade

Id = UUID | str


def arena_room(competition_id: Id) -> str:
    """Name the room of the board and the contest's status."""
    return f"arena.{competition_id}"


def tape_room(competition_id: Id) -> str:
    """Name the spectators' room of deals and positions."""
    return f"tape.{competition_id}"


def closed_room(competition_id: Id) -> str:
    """Name the entrants' room of trades that are over."""
    return f"closed.{competition_id}"


def account_room(entry_id: Id) -> str:
    """Name the entrant's own room."""
    return f"account.{entry_id}"


def quotes_room(pair: str) -> str:
    """Name the room of a pair's newest quote."""
    return f"quotes.{pair}"


class QuoteUpdate(TypedDict):
    pair: str
    bid: str
    ask: str
    timestamp: str
    stale: bool


class BoardRow(TypedDict):
    rank: int | None
    previous_rank: int | None
    entry_id: str
    user_id: str
    username: str
    country: str
    equity_cents: int
    return_bps: int
    max_drawdown_bps: int
    fills: int
    status: str


class LeaderboardUpdate(TypedDict):
    as_of: str
    rankings: list[BoardRow]


class PositionRow(TypedDict):
    position_id: str
    pair: str
    side: str
    units: int
    average_price: str | None
    stop_loss: str | None
    take_profit: str | None
    opened_at: str | None


class OwnPositionRow(PositionRow):
    unrealized_cents: int
    margin_cents: int
    mark_price: str | None


class HeldBy(TypedDict):
    """What somebody holds now, as the crowd may see it."""

    user_id: str
    entry_id: str
    positions: list[PositionRow]


class AccountUpdate(TypedDict):
    entry_id: str
    cash_cents: int
    equity_cents: int
    max_equity_cents: int
    day_start_equity_cents: int
    used_margin_cents: int
    free_margin_cents: int
    margin_level_bps: int | None
    unrealized_cents: int
    rank: int | None
    status: str
    positions: list[OwnPositionRow]


def when(moment: datetime | None) -> str | None:
    """Write a time as ISO-8601 UTC with milliseconds and Z."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def when_ms(ms: int) -> str:
    """Write Unix milliseconds as ISO-8601 UTC with Z."""
    seconds, millis = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"


def price_text(pair: str, price: Decimal | None) -> str | None:
    """Write a price with its pair's digits."""
    return None if price is None else f"{price:.{INSTRUMENTS[pair].digits}f}"


def average_text(pair: str, units: int, cost_points: int) -> str | None:
    """Write a position's average price with one digit more than its pair has."""
    if not units:
        return None
    digits = INSTRUMENTS[pair].digits
    return f"{(Decimal(cost_points) / units).scaleb(-digits):.{digits + 1}f}"


def side_of(units: int) -> str:
    """Name the direction of a position."""
    return "long" if units > 0 else "short" if units < 0 else "flat"


def quote(pair: str, bid: int, ask: int, time_ms: int, *, stale: bool = False) -> QuoteUpdate:
    """Show a quote. Units: bid and ask in points."""
    traded = INSTRUMENTS[pair]
    return {
        "pair": pair,
        "bid": traded.text(bid),
        "ask": traded.text(ask),
        "timestamp": when_ms(time_ms),
        "stale": stale,
    }


def competition(row: Competition, *, entrants: int, reason: str = "") -> dict[str, Any]:
    """Show where a contest stands."""
    return {
        "competition_id": str(row.pk),
        "status": row.status,
        "starts_at": when(row.starts_at),
        "ends_at": when(row.ends_at),
        "entrants": entrants,
        "reason": reason,
    }


def order(row: Order) -> dict[str, Any]:
    """Show an order to its owner."""
    return {
        "id": str(row.pk),
        "competition_id": str(row.competition_id),
        "entry_id": str(row.entry_id),
        "seq": row.seq,
        "pair": row.pair,
        "side": row.side,
        "type": row.type,
        "units": row.units,
        "price": price_text(row.pair, row.price),
        "stop_loss": price_text(row.pair, row.stop_loss),
        "take_profit": price_text(row.pair, row.take_profit),
        "closes_position": str(row.closes_position) if row.closes_position else None,
        "status": row.status,
        "reason": row.reason,
        "accepted_at": when(row.accepted_at),
        "decided_at": when(row.decided_at),
    }


def fill(row: Fill) -> dict[str, Any]:
    """Show a fill with its evidence."""
    return {
        "id": str(row.pk),
        "order_id": str(row.order_id) if row.order_id else None,
        "number": row.number,
        "pair": row.pair,
        "side": row.side,
        "units": row.units,
        "price": price_text(row.pair, row.price),
        "fee_cents": row.fee_cents,
        "rule": row.rule,
        "bid": price_text(row.pair, row.bid),
        "ask": price_text(row.pair, row.ask),
        "quote_id": str(row.quote_id),
        "quote_at": when(row.quote_at),
        "quote_received_at": when(row.quote_received_at),
        "quote_age_ms": row.quote_age_ms,
        "source": row.source,
        "engine_epoch": row.engine_epoch,
        "filled_at": when(row.filled_at),
    }


def deal(row: Deal) -> dict[str, Any]:
    """Show a deal to its owner."""
    return {
        "id": str(row.pk),
        "fill_id": str(row.fill_id) if row.fill_id else None,
        "trade_id": str(row.trade_id) if row.trade_id else None,
        "number": row.number,
        "direction": row.direction,
        "pair": row.pair,
        "side": row.side,
        "units": row.units,
        "price": price_text(row.pair, row.price) if row.pair else None,
        "pnl_cents": row.pnl_cents,
        "fee_cents": row.fee_cents,
        "cash_after_cents": row.cash_after_cents,
        "conversion_pair": row.conversion_pair,
        "conversion_rate": str(row.conversion_rate),
        "at": when(row.at),
    }


def public_deal(row: Deal, *, user_id: UUID | str, username: str) -> dict[str, Any]:
    """Show a deal to a crowd."""
    return {
        "deal_id": str(row.pk),
        "user_id": str(user_id),
        "username": username,
        "pair": row.pair,
        "side": row.side,
        "direction": row.direction,
        "units": row.units,
        "lots": lots(row.units),
        "price": price_text(row.pair, row.price) if row.pair else None,
        "pnl_cents": row.pnl_cents,
        "at": when(row.at),
    }


def lots(units: int) -> str:
    """Write units as lots with two decimals, or as many as it takes."""
    exact = Decimal(units) / LOT_UNITS
    return f"{exact:.2f}" if exact == exact.quantize(Decimal("0.01")) else f"{exact.normalize():f}"


def trade(row: Trade) -> dict[str, Any]:
    """Show the life of a position."""
    sign = 1 if row.side == "buy" else -1
    return {
        "id": str(row.pk),
        "pair": row.pair,
        "side": row.side,
        "opened_at": when(row.opened_at),
        "closed_at": when(row.closed_at),
        "opened_units": row.opened_units,
        "average_open_price": average_text(row.pair, sign * row.opened_units, sign * row.opened_cost_points),
        "closed_units": row.closed_units,
        "average_close_price": average_text(row.pair, sign * row.closed_units, sign * row.closed_cost_points),
        "pnl_cents": row.pnl_cents,
        "fee_cents": row.fee_cents,
        "close_reason": row.close_reason,
    }


def position(
    pair: str,
    units: int,
    cost_points: int,
    *,
    position_id: UUID | str,
    stop_loss: Decimal | None,
    take_profit: Decimal | None,
    opened_at: datetime | None,
) -> PositionRow:
    """Show a position."""
    return {
        "position_id": str(position_id),
        "pair": pair,
        "side": side_of(units),
        "units": abs(units),
        "average_price": average_text(pair, units, cost_points),
        "stop_loss": price_text(pair, stop_loss),
        "take_profit": price_text(pair, take_profit),
        "opened_at": when(opened_at),
    }


def position_of(row: Position) -> PositionRow:
    """Show a stored position."""
    return position(
        row.pair,
        row.units,
        row.cost_points,
        position_id=row.pk,
        stop_loss=row.stop_loss,
        take_profit=row.take_profit,
        opened_at=row.opened_at,
    )


def held_by(user_id: Id, entry_id: Id, positions: list[PositionRow]) -> HeldBy:
    """Show what somebody holds."""
    return {"user_id": str(user_id), "entry_id": str(entry_id), "positions": positions}
