"""The receipt of a market: every stake, weight and payout, so that anybody can compute it again.

It is computed again in `services/verification.py` and in `static/js/betting/receipt.js`. Rules: docs/rules/bet-behind.md#receipts.
"""

from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import connection

from accounts.models import User
from betting import messages
from betting.models import Bet, Market, Settlement
from betting.rules.lines import SIDES, outcome
from betting.rules.parimutuel import RULE_VERSION
from betting.selectors import markets
from competitions.messages import when
from tradingarena.core.errors import Conflict

CLOSED = frozenset({Market.Status.SETTLED, Market.Status.VOID})


class NotSettled(Conflict):
    """Raised when a market has no receipt yet."""

    code, message = "not_settled", "This market is not settled yet."


class Moved(NamedTuple):
    """What the ledger has moved for a market. Units: tokens."""

    staked_tokens: int
    paid_tokens: int
    rake_tokens: int


def moved(market_id: UUID) -> Moved:
    """Sum up a market's escrow by what went in, what went to wallets, and what went to the house."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(sum(leg.amount_tokens) FILTER (WHERE leg.amount_tokens > 0), 0),
                coalesce(-sum(leg.amount_tokens) FILTER (WHERE leg.amount_tokens < 0 AND whole.kind IN ('payout', 'refund')), 0),
                coalesce(-sum(leg.amount_tokens) FILTER (WHERE leg.amount_tokens < 0 AND whole.kind = 'rake'), 0)
            FROM tokens_account AS account JOIN tokens_leg AS leg ON leg.account_id = account.id
            JOIN tokens_transfer AS whole ON whole.id = leg.transfer_id
            WHERE account.kind = 'escrow' AND account.owner_id = %s AND account.name = 'bets'
            """,
            [market_id],
        )
        row = cursor.fetchone()
    assert row is not None
    return Moved(*map(int, row))


def receipt(viewer: User | AnonymousUser, market: Market) -> dict[str, Any]:
    """Give a closed market's receipt; others' names are pseudonyms, one's own bets are marked.

    Raises: NotSettled.
    """
    if market.status not in CLOSED:
        raise NotSettled
    rows = Settlement.objects.filter(market=market).select_related("line").order_by("line__threshold_bps")
    lines = [_line(market, one) for one in rows]
    own = viewer.pk if isinstance(viewer, User) else None
    places = {one["line_id"]: one for one in lines}
    bets = Bet.objects.filter(market=market).select_related("result").order_by("placed_at", "id")
    for bet in bets:
        places[str(bet.line_id)]["bets"].append(_bet(market, bet, own))
    return {
        "market_id": str(market.pk),
        "competition_id": str(market.competition_id),
        "competition": market.competition.title,
        "slug": market.competition.slug,
        "trader": {"user_id": str(market.trader_id), "username": market.trader.username},
        "status": market.status,
        "void_reason": market.void_reason or None,
        "note": market.note,
        "rake_bps": market.rake_bps,
        "rule_version": RULE_VERSION,
        "starts_at": when(market.starts_at),
        "locks_at": when(market.locks_at),
        "settled_at": when(market.closed_at),
        "lines": lines,
        **moved(market.pk)._asdict(),
    }


def _line(market: Market, one: Settlement) -> dict[str, Any]:
    return {
        "line_id": str(one.line_id),
        "threshold_bps": one.line.threshold_bps,
        "outcomes": [outcome(one.line.threshold_bps, side) for side in SIDES],
        "right": one.line.outcome(one.right_side) if one.right_side else None,
        "reason": one.reason or None,
        "total_tokens": one.total_tokens,
        "winning_tokens": one.winning_tokens,
        "losing_tokens": one.losing_tokens,
        "refunded_tokens": one.refunded_tokens,
        "rake_tokens": one.rake_tokens,
        "rake_bps": one.rake_bps,
        "rule_version": one.rule_version,
        "starting_balance_cents": one.starting_balance_cents,
        "final_equity_cents": one.final_equity_cents,
        "quote_id": None if one.quote_id is None else str(one.quote_id),
        "bets": [],
    }


def _bet(market: Market, bet: Bet, own: UUID | None) -> dict[str, Any]:
    mine = bet.user_id == own
    return {
        "bettor": messages.pseudonym(market.pk, bet.user_id),
        "own": mine,
        "bet_id": str(bet.pk) if mine else None,
        "side": bet.side,
        "stake_tokens": bet.stake_tokens,
        "weight_bps": bet.weight_bps,
        "placed_at": when(bet.placed_at),
        "pay_tokens": bet.result.pay_tokens,
    }


def market_receipt(viewer: User | AnonymousUser, market_id: UUID) -> dict[str, Any]:
    """Find a market that somebody may see, and give its receipt.

    Raises: NotFound, NotSettled. DomainError: they may not watch its contest.
    """
    return receipt(viewer, markets.market_of(viewer, market_id))
