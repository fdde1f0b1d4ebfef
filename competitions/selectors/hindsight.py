"""What the crowd sees of positions and trades, now or as they were at a moment: then from the deals up to it alone.

Stop-loss and take-profit are plans and stay their owner's. Rules: docs/rules/arena.md#who-sees-what-when.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from competitions import messages
from competitions.engine.instruments import INSTRUMENTS
from competitions.messages import PositionRow
from competitions.models import Deal, Position, Trade
from tradingarena.core.ids import derived_id


@dataclass(slots=True)
class Held:
    """A position of somebody. Units: units and cost signed, cost in points."""

    entry_id: UUID
    pair: str
    opened_at: datetime | None
    units: int = 0
    cost_points: int = 0


def positions_at(entry_ids: Iterable[UUID], until: datetime | None) -> dict[UUID, list[PositionRow]]:
    """Give what some entries held at a moment (None: now), by entry; nothing for who was flat.

    Shapes: by pair within an entry.
    """
    found: dict[UUID, list[PositionRow]] = {}
    if until is None:
        rows = Position.objects.filter(entry__in=entry_ids).exclude(units=0)
        held = [Held(row.entry_id, row.pair, row.opened_at, row.units, row.cost_points) for row in rows]
    else:
        held = [one for one in _open_at(entry_ids, until) if one.units]
    for one in sorted(held, key=lambda one: one.pair):
        found.setdefault(one.entry_id, []).append(_position(one))
    return found


def trade_at(trade: Trade, until: datetime | None) -> Trade:
    """Give a trade as it was at a moment (None: now): one that was open then knows nothing of what came later."""
    if until is None or (trade.closed_at is not None and trade.closed_at <= until):
        return trade
    past = Trade(id=trade.pk, entry_id=trade.entry_id, pair=trade.pair, side=trade.side, opened_at=trade.opened_at)
    for deal in Deal.objects.filter(trade=trade, at__lte=until):
        assert deal.price is not None
        at_price = deal.units * INSTRUMENTS[deal.pair].to_points(deal.price)
        if deal.direction == Deal.Direction.IN:
            past.opened_units, past.opened_cost_points = (
                past.opened_units + deal.units,
                past.opened_cost_points + at_price,
            )
        else:
            past.closed_units, past.closed_cost_points = (
                past.closed_units + deal.units,
                past.closed_cost_points + at_price,
            )
        past.pnl_cents += deal.pnl_cents
        past.fee_cents += deal.fee_cents
    return past


def _open_at(entry_ids: Iterable[UUID], until: datetime) -> Iterable[Held]:
    """Add up the deals of the trades that were open."""
    was_open = Q(trade__closed_at__isnull=True) | Q(trade__closed_at__gt=until)
    deals = Deal.objects.filter(was_open, trade__entry__in=list(entry_ids), at__lte=until).select_related("trade")
    held: dict[UUID, Held] = {}
    for deal in deals:
        trade = deal.trade
        assert trade is not None
        one = held.setdefault(trade.pk, Held(trade.entry_id, trade.pair, trade.opened_at))
        one.units += deal.units if deal.side == "buy" else -deal.units
        one.cost_points += deal.cost_points if deal.direction == Deal.Direction.IN else -deal.cost_points
    return held.values()


def _position(held: Held) -> PositionRow:
    return messages.position(
        held.pair,
        held.units,
        held.cost_points,
        position_id=derived_id(held.entry_id, f"position:{held.pair}"),  # as the recorder names it
        stop_loss=None,
        take_profit=None,
        opened_at=held.opened_at,
    )
