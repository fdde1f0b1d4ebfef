"""Looking at a settled market for what is unfair, and putting it before the moderators. Nobody is punished here.

When a signal is one is in `rules/signals.py`. Rules: docs/rules/bet-behind.md#fair-play.
"""

from collections import defaultdict
from uuid import UUID

from django.db import connection
from django.db.models import F

from accounts import selectors
from accounts.models import User
from accounts.services.integrity import case_open
from arena.models import Listing
from betting.models import Bet, Market
from betting.rules import signals
from betting.rules.lines import Side
from betting.selectors import bets
from competitions.models import Order
from tokens.selectors import payments
from tradingarena.core.money import BPS

OF_A_MARKET = {"bet_late_heavy", "bet_thrown"}  # the others are told once for two people
FEW = 5_000  # bettors of one market that are compared with its trader


def look_at(market: Market) -> int:
    """Open the cases that a settled market gives rise to; say how many were new.

    Guarantees: doing it again opens nothing more.
    Locks / Effects: a few queries whatever the number of bets; a row for each case.
    """
    staked = {one.user_id: one for one in bets.outcomes(market.pk)}
    names = dict(User.objects.filter(pk__in=[*staked, market.trader_id]).values_list("pk", "username"))
    found = _shared(market, list(staked)[:FEW])
    for user_id, wins, on_trader, in_all in _winnings(market):
        if signals.is_concentrated(wins, on_trader, in_all):
            evidence = {"wins_on_trader": wins, "won_on_trader_tokens": on_trader, "won_tokens": in_all}
            found.append(("bet_concentration", user_id, "wins mostly by bets on", evidence))
    for user_id, late_tokens in _late_and_heavy(market).items():
        found.append(("bet_late_heavy", user_id, "won with late, heavy bets on", {"late_stakes_tokens": late_tokens}))
    for user_id, stake in _against_a_thrown_result(market).items():
        found.append(
            (
                "bet_thrown",
                user_id,
                "won with heavy bets against a trader who may have thrown it:",
                {"stakes_tokens": stake},
            )
        )
    trader = names[market.trader_id]
    return sum(
        case_open(
            kind,
            f"{user_id}:{market.trader_id}" + (f":{market.pk}" if kind in OF_A_MARKET else ""),
            [user_id, market.trader_id],
            summary=f"{names[user_id]} {words} {trader}",
            evidence={"market_id": str(market.pk), "competition_id": str(market.competition_id), **evidence},
            url=f"/settlements/{market.pk}",
        )
        for kind, user_id, words, evidence in found
    )


def _shared(market: Market, bettors: list[UUID]) -> list[tuple[str, UUID, str, dict[str, object]]]:
    found: list[tuple[str, UUID, str, dict[str, object]]] = []
    for user_id, kinds in selectors.seen_with(market.trader_id, bettors).items():
        for kind in sorted(kinds):
            found.append((f"bet_shared_{kind}", user_id, f"has bet on and shares a{_n(kind)} with", {"shared": kind}))
    for user_id in payments.paid_with_cards_of(market.trader_id, bettors):
        found.append(("bet_shared_card", user_id, "has bet on and shares a card with", {"shared": "card"}))
    return found


def _n(kind: str) -> str:
    return f"n {kind}" if kind[0] in "aeiou" else f" {kind}"


def _winnings(market: Market) -> list[tuple[UUID, int, int, int]]:
    """Sum up, for who has won on this market, the winning bets on its trader, what they gained, and what all winning bets gained."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH won AS (
                SELECT bet.user_id, market.trader_id, result.pay_tokens - bet.stake_tokens AS gain
                FROM betting_bet AS bet JOIN betting_result AS result ON result.bet_id = bet.id
                JOIN betting_market AS market ON market.id = bet.market_id
                WHERE result.pay_tokens > bet.stake_tokens AND bet.user_id IN (
                    SELECT own.user_id FROM betting_bet AS own JOIN betting_result AS paid ON paid.bet_id = own.id
                    WHERE own.market_id = %s AND paid.pay_tokens > own.stake_tokens)
            )
            SELECT user_id, count(*) FILTER (WHERE trader_id = %s),
                coalesce(sum(gain) FILTER (WHERE trader_id = %s), 0)::bigint, sum(gain)::bigint
            FROM won GROUP BY user_id HAVING count(*) FILTER (WHERE trader_id = %s) >= %s ORDER BY user_id
            """,
            [market.pk, market.trader_id, market.trader_id, market.trader_id, signals.MANY_WINS],
        )
        return cursor.fetchall()


def _against_a_thrown_result(market: Market) -> dict[UUID, int]:
    """Find who has won with heavy bets below a line when the trader looks to have lost on purpose: person -> tokens staked so."""
    entry = market.entry
    if entry.final_equity_cents is None:
        return {}
    start = market.competition.starting_balance_cents
    placed = Order.objects.filter(entry=entry).exclude(status=Order.Status.REJECTED).filter(closes_position=None)
    units = {
        after: [size for size, at in placed.values_list("units", "accepted_at") if (at >= market.locks_at) == after]
        for after in (False, True)
    }
    if not signals.is_thrown((entry.final_equity_cents - start) * BPS // start, units[False], units[True]):
        return {}
    below: dict[UUID, int] = defaultdict(int)
    right = Bet.objects.filter(market=market, side=Side.BELOW, result__settlement__right_side=F("side"))
    for user_id, stake in right.values_list("user", "stake_tokens"):
        below[user_id] += stake
    largest = _largest_stake(market)
    return {user_id: stake for user_id, stake in below.items() if signals.is_heavy(stake, largest)}


def _largest_stake(market: Market) -> int:
    listed = Listing.objects.filter(competition=market.competition_id)
    return listed.values_list("max_stake_tokens", flat=True).first() or 0


def _late_and_heavy(market: Market) -> dict[UUID, int]:
    largest = _largest_stake(market)
    late: dict[UUID, int] = defaultdict(int)
    right = Bet.objects.filter(market=market, result__settlement__right_side=F("side"))
    for user_id, stake, placed_at in right.values_list("user", "stake_tokens", "placed_at"):
        if signals.is_late(placed_at, market.opened_at, market.locks_at):
            late[user_id] += stake
    return {user_id: stake for user_id, stake in late.items() if signals.is_heavy(stake, largest)}
