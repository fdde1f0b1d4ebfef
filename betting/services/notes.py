"""What betting tells people: that bets open on a trader they follow, and what became of their own.

How people hear of it is their own choice (`accounts.services.notices`). Rules: docs/rules/notices.md#kinds.
"""

from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet

from accounts.selectors.social import followers_of
from accounts.services import notices
from betting.models import Market
from betting.selectors.bets import Outcome, outcomes
from competitions.models import Competition
from tradingarena.core.clock import database_now

LOOK_BACK = timedelta(hours=1)


def opened(market_ids: tuple[UUID, ...]) -> int:
    """Tell the followers of traders on whom bets are open, in contests that everybody may find."""
    markets = list(_markets().filter(pk__in=market_ids, competition__kind=Competition.Kind.PUBLIC))
    followers = followers_of([market.trader_id for market in markets])
    told = 0
    for market in markets:
        if market.trader_id in followers:
            values = {"trader": market.trader.username, "title": market.competition.title}
            url = f"/arena/{market.competition.slug}"
            to = followers[market.trader_id]
            told += notices.tell("followed_market_opened", to, cause=market.pk, url=url, values=values)
    return told


def settled(market_id: UUID) -> int:
    """Tell everybody who bet in a market what became of it; one that is not over tells nothing."""
    market = _markets().get(pk=market_id)
    if market.status not in {Market.Status.SETTLED, Market.Status.VOID}:
        return 0
    own = {
        one.user_id: {"result": _result(one, void=market.status == Market.Status.VOID)} for one in outcomes(market_id)
    }
    values = {"trader": market.trader.username, "title": market.competition.title}
    url = f"/settlements/{market.pk}"
    return notices.tell("bet_settled", own, cause=market.pk, url=url, values=values, own_values=own)


def sweep() -> int:
    """Tell of markets that were settled within the last hour and of which no event has told; say how many people."""
    over = Market.objects.filter(closed_at__gt=database_now() - LOOK_BACK, bets__isnull=False).distinct()
    found = over.values_list("pk", flat=True)
    return sum(settled(pk) for pk in found if not notices.was_told("bet_settled", pk))


def _markets() -> QuerySet[Market]:
    return Market.objects.select_related("trader", "competition")


def _result(outcome: Outcome, *, void: bool) -> str:
    if void:
        return f"it is off, and your {outcome.paid_tokens:,} tokens are back."
    if not outcome.paid_tokens:
        return f"you receive nothing for {outcome.staked_tokens:,} tokens."
    return f"you receive {outcome.paid_tokens:,} for {outcome.staked_tokens:,} tokens."
