"""Bets and what became of them: one's own, everybody's of a market, and what was won on whom.

What a market shows to whom is in `markets.py`, its receipt in `receipts.py`. Rules: docs/rules/bet-behind.md.
"""

from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, QuerySet, Sum

from betting.models import Bet, Market
from tradingarena.core.errors import NotFound

UNSETTLED = (Market.Status.OPEN, Market.Status.LOCKED, Market.Status.SETTLING)


class Outcome(NamedTuple):
    """What one person received of one market. Units: tokens."""

    user_id: UUID
    bets: int
    staked_tokens: int
    paid_tokens: int


def has_bet(user_id: UUID, competition_id: UUID) -> bool:
    """Tell whether somebody has bet on a contest."""
    return Bet.objects.filter(user=user_id, market__competition=competition_id).exists()


def own(user_id: UUID, *, settled: bool | None = None) -> QuerySet[Bet]:
    """List a person's bets with everything that is shown of them, the latest first; settled ones alone, or those that are not."""
    found = Bet.objects.filter(user=user_id).select_related(
        "market__competition", "market__trader", "line", "result__settlement"
    )
    if settled is not None:
        found = found.filter(result__isnull=not settled)
    return found.order_by("-placed_at", "-id")


def own_bet(user_id: UUID, bet_id: UUID) -> Bet:
    """Find one of a person's bets.

    Raises: NotFound: it does not exist, or is another's.
    """
    found = own(user_id).filter(pk=bet_id).first()
    if found is None:
        raise NotFound("There is no such bet.")
    return found


def outcomes(market_id: UUID) -> list[Outcome]:
    """List what everybody received of a market that is settled or void, for whoever tells them."""
    rows = Bet.objects.filter(market=market_id, result__isnull=False).values_list("user")
    summed = rows.annotate(n=Count("id"), staked=Sum("stake_tokens"), paid=Sum("result__pay_tokens")).order_by("user")
    return [Outcome(*row) for row in summed]
