"""What the engine's decisions sound like in the rooms, once they are committed. Losing a message loses nothing: snapshots have it.

Entrants hear of their own orders at once; what the crowd hears goes through `tape.py`, which may hold it back.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from uuid import UUID

from competitions import broadcast, messages
from competitions.engine.decisions import Decided, Decision, Filled
from competitions.models import Deal, Entry, Fill, Order
from competitions.selectors import hindsight
from competitions.services.desk import Desk
from competitions.services.tape import Tape
from tradingarena.core import realtime
from tradingarena.core.clock import to_ms
from tradingarena.core.realtime import Fact

MOST_AT_ONCE = 500


def tell(desk: Desk, tape: Tape, decisions: Sequence[Decision]) -> None:
    """Tell entrants what became of their orders, and give the tape what was traded.

    Effects: order_update to the entrant; deal_executed and position_update to the tape; the deals of closed trades to rivals.
    """
    fills = [decision for decision in decisions if isinstance(decision, Filled)]
    decided = [decision for decision in decisions if isinstance(decision, Decided)]
    keys = {(desk.entries[one.place].pk, one.number) for one in fills}
    found = Fill.objects.filter(entry__in={entry_id for entry_id, _ in keys}, number__in={number for _, number in keys})
    rows = [fill for fill in found if (fill.entry_id, fill.number) in keys]
    _to_entrants(rows, fills, decided)
    deals = Deal.objects.filter(fill__in=[fill.pk for fill in rows]).order_by("at", "number", "pk")
    _to_crowd(desk, tape, deals)


def tell_again(desk: Desk, tape: Tape, since: datetime) -> None:
    """Give the tape what an engine that is gone may still have held back: every deal since a moment, by its own time."""
    deals = Deal.objects.filter(competition=desk.competition, trade__isnull=False, at__gt=since).order_by(
        "at", "number"
    )
    for _, at_once in groupby(deals, key=lambda deal: deal.at):
        _to_crowd(desk, tape, list(at_once))


def _to_entrants(rows: Iterable[Fill], fills: Sequence[Filled], decided: Sequence[Decided]) -> None:
    wishes = [*(one.order for one in fills), *(one.order for one in decided)]
    orders = Order.objects.in_bulk([UUID(wish.id) for wish in wishes if wish is not None])
    out = [
        broadcast.order(fill.entry_id, messages.order(orders[fill.order_id]), messages.fill(fill))
        for fill in rows
        if fill.order_id in orders
    ]
    decided_orders = [orders[key] for one in decided if (key := UUID(one.order.id)) in orders]
    out += [broadcast.order(order.entry_id, messages.order(order), None) for order in decided_orders]
    for start in range(0, len(out), MOST_AT_ONCE):
        realtime.publish_many(out[start : start + MOST_AT_ONCE])


def _to_crowd(desk: Desk, tape: Tape, deals: Collection[Deal]) -> None:
    """Put deals on the tape, with what their traders hold after them."""
    if not deals:
        return
    last = max(deal.at for deal in deals)
    entries = {entry.pk: entry for entry in (desk.entries[desk.places[deal.entry_id]] for deal in deals)}
    competition_id = desk.competition.pk
    out: list[Fact] = [broadcast.deal_on_tape(competition_id, _shown(deal, entries)) for deal in deals]
    out += broadcast.deals_of_closed_trade(competition_id, [_shown(deal, entries) for deal in _now_over(deals, last)])
    held = hindsight.positions_at(entries, last if tape.delay_ms else None)
    out += [
        broadcast.positions_on_tape(competition_id, entry.user_id, entry.pk, held.get(entry.pk, []))
        for entry in entries.values()
    ]
    tape.take(out, to_ms(last))


def _now_over(deals: Iterable[Deal], last: datetime) -> Iterable[Deal]:
    """All the deals of the trades that these deals closed."""
    closing = {deal.trade_id for deal in deals if deal.direction == Deal.Direction.OUT}
    if not closing:
        return ()
    return Deal.objects.filter(trade__in=closing, trade__closed_at__lte=last).order_by("at", "number", "pk")


def _shown(deal: Deal, entries: dict[UUID, Entry]) -> dict[str, object]:
    user = entries[deal.entry_id].user
    return messages.public_deal(deal, user_id=user.pk, username=user.username)
