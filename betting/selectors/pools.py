"""How much stands on each side of each line, summed up from the bets themselves: no counter that a hot market would queue for.

What the sums mean is in `rules/odds.py`. Rules: docs/rules/bet-behind.md#odds.
"""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Count, F, QuerySet, Sum

from betting.models import Bet
from betting.rules.lines import Side
from betting.rules.odds import Pool, Pools


def of_lines(line_ids: Collection[UUID]) -> dict[UUID, Pools]:
    """Sum lines up with one query.

    Shapes: line -> pools; lines without a bet are there, and empty.
    Units: tokens; weighted in tokens times bps.
    """
    return _summed(Bet.objects.filter(line__in=line_ids), line_ids)


def of_line(line_id: UUID) -> Pools:
    """Sum one line up."""
    return of_lines([line_id])[line_id]


def _summed(bets: QuerySet[Bet], line_ids: Collection[UUID]) -> dict[UUID, Pools]:
    rows = bets.values_list("line", "side").annotate(
        stakes=Sum("stake_tokens"), weighted=Sum(F("stake_tokens") * F("weight_bps")), n=Count("id")
    )
    sides = {(line, side): Pool(int(stakes), int(weighted), n) for line, side, stakes, weighted, n in rows.order_by()}
    empty = Pool()
    return {
        line: Pools(sides.get((line, Side.ABOVE), empty), sides.get((line, Side.BELOW), empty)) for line in line_ids
    }
