"""Final standings of a contest that has ended: the board, its export and the equity curves.

Live boards are in `standings.py`. Rules: docs/rules/ranking.md, docs/rules/prizes.md.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypedDict

from django.db.models import Count, F, Q, QuerySet

from competitions.messages import when
from competitions.models import Competition, Entry, EquitySnapshot, Payout
from competitions.selectors.competitions import entrants
from tradingarena.core.errors import Conflict
from tradingarena.core.money import return_bps

Status = Competition.Status

CSV_HEADER = (
    "rank",
    "username",
    "country",
    "final_equity_cents",
    "return_bps",
    "max_drawdown_bps",
    "fills",
    "trades",
    "status",
    "disqualified_for",
    "prize_cents",
    "prize_tokens",
    "reward_tokens",
    "finalized_at",
)


class ResultRow(TypedDict):
    """One line of the final board. Units: cents, tokens, bps (return rounded down, for showing only)."""

    rank: int | None
    entry_id: str
    user_id: str
    username: str
    country: str
    is_bot: bool
    final_equity_cents: int
    return_bps: int
    max_drawdown_bps: int
    fills: int
    trades: int
    last_fill_at: str | None
    status: str
    disqualified_for: str
    prize_cents: int
    prize_tokens: int
    reward_tokens: int
    payout_status: str | None
    finalized_at: str | None


class Curve(TypedDict):
    """One entry's equity over time. Shapes: as many cents as the curves have moments, None before it had joined."""

    entry_id: str
    username: str
    equity_cents: list[int | None]


class NotEnded(Conflict):
    """Raised when results are asked for of a contest that has none."""

    code, message = "no_results", "This contest has no results yet."


def require_ended(competition: Competition) -> None:
    """Refuse to speak of results before there are any.

    Raises: NotEnded.
    """
    if competition.status not in {Status.SETTLING, Status.COMPLETED}:
        raise NotEnded(
            "This contest was cancelled: it has no results." if competition.status == Status.CANCELLED else None
        )


def board(competition: Competition) -> list[ResultRow]:
    """Give the final board: ranked entries, then those without a fill, then the disqualified.

    Raises: NotEnded.
    """
    require_ended(competition)
    payouts = {payout.entry_id: payout for payout in Payout.objects.filter(competition=competition)}
    rows = (
        entrants(competition)
        .annotate(closed_trades=Count("trades", filter=Q(trades__closed_at__isnull=False)))
        .order_by(F("rank").asc(nulls_last=True), "status", "number")
    )
    return [_row(competition, entry, payouts.get(entry.pk)) for entry in rows]


def _row(competition: Competition, entry: Any, payout: Payout | None) -> ResultRow:
    equity = entry.final_equity_cents
    return {
        "rank": entry.rank,
        "entry_id": str(entry.pk),
        "user_id": str(entry.user_id),
        "username": entry.user.username,
        "country": entry.user.country,
        "is_bot": entry.user.is_bot,
        "final_equity_cents": equity,
        "return_bps": return_bps(equity, competition.starting_balance_cents).__floor__(),
        "max_drawdown_bps": entry.max_drawdown_bps,
        "fills": entry.fills_count,
        "trades": entry.closed_trades,
        "last_fill_at": when(entry.last_fill_at),
        "status": entry.status,
        "disqualified_for": entry.dq_reason,
        "prize_cents": payout.amount_cents if payout else 0,
        "prize_tokens": payout.amount_tokens if payout else 0,
        "reward_tokens": payout.reward_tokens if payout else 0,
        "payout_status": payout.status if payout and payout.amount_cents else None,
        "finalized_at": when(entry.finalized_at),
    }


def results(competition: Competition) -> dict[str, Any]:
    """Give everything there is to know about how a contest ended, JSON-ready.

    Raises: NotEnded.
    """
    rows = board(competition)
    return {
        "competition_id": str(competition.pk),
        "slug": competition.slug,
        "title": competition.title,
        "status": competition.status,
        "starts_at": when(competition.starts_at),
        "ends_at": when(competition.ends_at),
        "final": competition.status == Status.COMPLETED,
        "objection_ends_at": when(competition.objection_ends_at),
        "starting_balance_cents": competition.starting_balance_cents,
        "prize_pool_cents": sum(row["prize_cents"] for row in rows),
        "prize_pool_tokens": sum(row["prize_tokens"] for row in rows),
        "rankings": rows,
    }


def csv_rows(competition: Competition) -> Iterator[tuple[str, ...]]:
    """Give the final board as rows of text, the header first.

    Raises: NotEnded.
    """
    rows = board(competition)
    yield CSV_HEADER
    for row in rows:
        values = {**row, "rank": row["rank"] or "", "finalized_at": row["finalized_at"] or ""}
        yield tuple(str(values[name]) for name in CSV_HEADER)


def equity_curves(competition: Competition, *, top: int = 10, points: int = 200) -> dict[str, Any]:
    """Give the equity curves of the best entries, thinned to about as many moments as a chart shows.

    Shapes: {"moments": [aware UTC], "curves": [Curve]}; the last stored moment is always there.
    """
    moments: list[tuple[datetime, list[int]]] = list(
        EquitySnapshot.objects.filter(competition=competition).order_by("at").values_list("at", "equity_cents")
    )
    step = max(1, -(-len(moments) // points))
    kept = moments[::-1][::step][::-1]
    best = ranked(competition)[:top]
    curves: list[Curve] = [
        {
            "entry_id": str(entry.pk),
            "username": entry.user.username,
            "equity_cents": [row[entry.number - 1] if entry.number <= len(row) else None for _, row in kept],
        }
        for entry in best
    ]
    return {"moments": [at for at, _ in kept], "curves": curves}


def ranked(competition: Competition) -> QuerySet[Entry]:
    """List a finished contest's entries, the best first, with the people."""
    return entrants(competition).order_by(F("rank").asc(nulls_last=True), "number")
