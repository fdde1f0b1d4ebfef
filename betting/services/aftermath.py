"""What follows when a market is settled or void: bettors are told, the chat hears of it, the boards count, fair play is looked at.

Each part is done once however often it is tried, and a market is noted when all are: what a killed process left, the next sweep does.
Rules: docs/rules/bet-behind.md#markets.
"""

import logging
from datetime import UTC
from uuid import UUID

from django.db import connection

from betting.models import Market
from betting.services import fairplay, notes
from chat.selectors.channels import of_competition
from chat.services import lines
from tokens.services import boards
from tokens.services.boards import Gain
from tradingarena.core.clock import database_now
from tradingarena.core.ids import derived_id

log = logging.getLogger(__name__)

CLOSED = (Market.Status.SETTLED, Market.Status.VOID)
A_ROUND = 200


def follow_up_what_is_due() -> int:
    """Do what follows for every closed market for which it was not done; say for how many.

    Guarantees: safe in parallel with itself; one market's failure holds up no other.
    """
    due = Market.objects.filter(status__in=CLOSED, followed_up_at=None).order_by("closed_at")
    return sum(_try(market_id) for market_id in list(due.values_list("pk", flat=True)[:A_ROUND]))


def _try(market_id: UUID) -> bool:
    try:
        return follow_up(market_id)
    except Exception:  # it is found again
        log.exception("market_follow_up_failed", extra={"market": str(market_id)})
        return False


def follow_up(market_id: UUID) -> bool:
    """Do what follows for one closed market; False when there was nothing to do.

    Locks / Effects: notices, a line of the chat, boards, integrity cases, each in a transaction of its own; then the market is noted.
    Raises: Market.DoesNotExist.
    """
    market = Market.objects.select_related("trader", "competition").get(pk=market_id)
    if market.status not in CLOSED or market.followed_up_at is not None:
        return False
    notes.settled(market.pk)
    _say_in_chat(market)
    if market.status == Market.Status.SETTLED:
        _count(market)
        fairplay.look_at(market)
    Market.objects.filter(pk=market_id).update(followed_up_at=database_now())
    return True


def _say_in_chat(market: Market) -> None:
    """Let the contest's chat know of a market in which there were bets, once."""
    if not market.bets.exists():
        return
    settled = market.status == Market.Status.SETTLED
    name = market.trader.username
    text = f"Bets on {name} are settled." if settled else f"Bets on {name} were given back."
    data = {"fact": "bets", "market_id": str(market.pk)}
    lines.announce(of_competition(market.competition_id), f"bets:{market.pk}", text, data)


def _count(market: Market) -> None:
    """Let the board of bettors count what each gained on this market; bets that were given back do not count."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT bet.user_id, sum(result.pay_tokens - bet.stake_tokens)::bigint, count(*),
                count(*) FILTER (WHERE s.right_side = bet.side)
            FROM betting_bet AS bet JOIN betting_result AS result ON result.bet_id = bet.id
            JOIN betting_settlement AS s ON s.id = result.settlement_id
            WHERE bet.market_id = %s AND s.right_side <> '' GROUP BY bet.user_id ORDER BY bet.user_id
            """,
            [market.pk],
        )
        gains = [Gain(*row) for row in cursor.fetchall()]
    assert market.closed_at is not None
    boards.gains_add("bettors", derived_id(market.pk, "bettors"), market.closed_at.astimezone(UTC).date(), gains)
