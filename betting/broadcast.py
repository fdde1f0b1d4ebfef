"""Everything that the rooms of bet-behind can hear, a function per message. Who may be in one is decided in `routing.py`.

betting.<competition>   odds, bets under pseudonyms, and what becomes of markets: for everybody who watches
user.<id>               one's own bets, in every window
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from betting import messages
from betting.messages import bets_room
from betting.models import Line, Market
from betting.rules.parimutuel import LinePlan
from betting.rules.verdicts import Refund
from competitions.messages import when
from tradingarena.core import realtime
from tradingarena.core.realtime import Fact


def odds(competition_id: UUID, market: dict[str, Any]) -> Fact:
    """How a market stands, at most once a second."""
    return Fact(bets_room(competition_id), "odds_update", market)


def bet(competition_id: UUID, market_id: UUID, user_id: UUID, outcome: str, amount: int, at: datetime) -> Fact:
    """A bet, for everybody who watches: who placed it is a pseudonym."""
    data = {
        "market_id": str(market_id),
        "bettor": messages.pseudonym(market_id, user_id),
        "outcome": outcome,
        "amount": amount,
        "placed_at": when(at),
    }
    return Fact(bets_room(competition_id), "bet_placed", {**data, "bet_id": None, "user_id": None})


def own_bet(user_id: UUID, market_id: UUID, bet_id: UUID, outcome: str, amount: int, at: datetime) -> Fact:
    """A bet, for its bettor alone."""
    data = {
        "market_id": str(market_id),
        "bettor": None,
        "outcome": outcome,
        "amount": amount,
        "placed_at": when(at),
        "bet_id": str(bet_id),
        "user_id": str(user_id),
    }
    return Fact(f"user.{user_id}", "bet_placed", data)


def changed(competition_id: UUID, market_id: UUID, status: str) -> Fact:
    """A market was opened, locked, or waits for the final standings."""
    data = {"market_id": str(market_id), "status": str(status)}
    kind = "market_locked" if status == Market.Status.LOCKED else "market_update"
    return Fact(bets_room(competition_id), kind, data)


def closed(market: Market, lines: Iterable[tuple[Line, LinePlan, Refund | None]]) -> Fact:
    """A market was settled or became void: what came true, and what was paid. `payout` is everything that bettors received."""
    rows = [
        {
            "threshold_bps": line.threshold_bps,
            "right": line.outcome(plan.right) if plan.right else None,
            "reason": reason.value if reason else None,
            "total_tokens": plan.total_tokens,
            "winning_tokens": plan.winning_tokens,
            "losing_tokens": plan.losing_tokens,
            "refunded_tokens": plan.refunded_tokens,
            "rake_tokens": plan.rake_tokens,
        }
        for line, plan, reason in lines
    ]
    data = {
        "market_id": str(market.pk),
        "status": market.status,
        "void_reason": market.void_reason or None,
        "note": market.note,
        "lines": rows,
        "payout": sum(row["total_tokens"] - row["rake_tokens"] for row in rows),
    }
    return Fact(bets_room(market.competition_id), "market_settled", data)


def markets_changed(competition_id: UUID, markets: Sequence[tuple[UUID, str]]) -> None:
    """Tell the room which markets have another status, once it has committed."""
    if markets:
        realtime.publish_on_commit(*(changed(competition_id, pk, status) for pk, status in markets))


def market_closed(market: Market, lines: Iterable[tuple[Line, LinePlan, Refund | None]]) -> None:
    """Tell the room what became of a market, once it has committed."""
    realtime.publish_on_commit(closed(market, lines))
