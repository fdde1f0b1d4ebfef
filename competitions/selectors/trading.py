"""Reading one entry's trading: orders, positions, fills, deals, trades and the curve of its equity.

Who may read what of whom is decided in `visibility.py`; the account is in `accounts.py`. Rules: docs/rules/trading.md.
"""

from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from competitions.messages import PositionRow
from competitions.models import Deal, Entry, Fill, Order, Position, Trade
from competitions.selectors import hindsight
from competitions.selectors.visibility import Sight, deals_seen, fills_seen, trades_seen
from tradingarena.core.errors import NotFound

OPEN = (Order.Status.ACCEPTED, Order.Status.WORKING)
MOST_POINTS = 2_000


def orders(entry: Entry, *, open_only: bool = False, pair: str = "") -> QuerySet[Order]:
    """List an entry's orders. Only its owner may be shown them."""
    found = Order.objects.filter(entry=entry)
    if open_only:
        found = found.filter(status__in=OPEN)
    return found.filter(pair=pair) if pair else found


def order(entry: Entry, order_id: UUID) -> Order:
    """Find one of an entry's orders.

    Raises: NotFound: it does not exist, or is another's.
    """
    found = Order.objects.filter(entry=entry, pk=order_id).first()
    if found is None:
        raise NotFound("You have no such order.")
    return found


def positions(entry: Entry, seen: Sight) -> list[PositionRow]:
    """List an entry's open positions; none for who may see closed trades alone."""
    if not seen.open_trades:
        return []
    return hindsight.positions_at([entry.pk], seen.until).get(entry.pk, [])


def position(entry: Entry, position_id: UUID) -> Position:
    """Find one of an entry's positions, flat ones included.

    Raises: NotFound: it does not exist, or is another's.
    """
    found = Position.objects.filter(entry=entry, pk=position_id).first()
    if found is None:
        raise NotFound("You have no such position.")
    return found


def fills(entry: Entry, seen: Sight) -> QuerySet[Fill]:
    """List an entry's fills."""
    return fills_seen(Fill.objects.filter(entry=entry), seen)


def fill(viewer_sees: Sight, entry: Entry, fill_id: UUID) -> Fill:
    """Find one of an entry's fills.

    Raises: NotFound: it does not exist, or may not be seen yet.
    """
    found = fills(entry, viewer_sees).filter(pk=fill_id).select_related("order").first()
    if found is None:
        raise NotFound("There is no such fill.")
    return found


def deals(entry: Entry, seen: Sight) -> QuerySet[Deal]:
    """List an entry's deals."""
    return deals_seen(Deal.objects.filter(entry=entry), seen)


def trades(entry: Entry, seen: Sight) -> QuerySet[Trade]:
    """List an entry's trades."""
    return trades_seen(Trade.objects.filter(entry=entry), seen)


def latest_deals(competition_id: UUID, seen: Sight, limit: int = 50) -> list[Deal]:
    """Give a contest's last deals that may be seen, the newest first, with their traders."""
    found = deals_seen(Deal.objects.filter(competition_id=competition_id), seen).exclude(
        direction=Deal.Direction.PROTECTION
    )
    return list(found.select_related("entry__user").order_by("-at", "-number", "-pk")[:limit])


def equity_curve(entry: Entry, *, points: int = 500) -> list[tuple[datetime, int]]:
    """Give the curve of an entry's equity, oldest first, thinned to at most `points` of the stored moments.

    Shapes: (time, equity in cents); the first and the last stored moment are always among them.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH stored AS (
                SELECT at, equity_cents[%(number)s] AS equity, row_number() OVER (ORDER BY at) - 1 AS place,
                       count(*) OVER () AS n
                FROM competitions_equitysnapshot
                WHERE competition_id = %(competition)s AND equity_cents[%(number)s] IS NOT NULL
            )
            SELECT at, equity FROM stored
            WHERE n <= %(points)s OR place = n - 1 OR place %% ((n + %(points)s - 2) / (%(points)s - 1)) = 0
            ORDER BY at
            """,
            {"number": entry.number, "competition": entry.competition_id, "points": max(2, min(points, MOST_POINTS))},
        )
        rows: list[tuple[datetime, int]] = cursor.fetchall()
    return rows
