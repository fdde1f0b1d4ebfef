"""What a trader has to show for all contests: how many, how well, the badges. Only what is over and public, and challenges, counts.

Rules: docs/rules/badges.md#record.
"""

from dataclasses import dataclass
from typing import Any

from accounts.models import User
from accounts.selectors.profiles import Viewer
from competitions.engine.badges import BADGES
from competitions.models import Award, Competition, Entry, Trade
from tradingarena.core.money import return_bps

SHOWN = 10
CURVE = 50


@dataclass(frozen=True, slots=True)
class Record:
    """A trader's record. Units: bps rounded down, for showing only."""

    contests: int
    wins: int
    podiums: int
    best_return_bps: int | None
    average_return_bps: int | None
    worst_drawdown_bps: int
    trades: int
    trades_won: int

    @property
    def win_rate_bps(self) -> int | None:
        """Give the share of trades that ended with a gain."""
        return self.trades_won * 10_000 // self.trades if self.trades else None


@dataclass(frozen=True, slots=True)
class Earned:
    """A badge with the contest that earned it; the contest's link is left out where it is private."""

    title: str
    what_for: str
    award: Award
    linked: bool


def badges_of(user: User) -> list[Earned]:
    """List somebody's badges, the first one first."""
    return [
        Earned(badge.title, badge.what_for, row, row.competition.kind == Competition.Kind.PUBLIC)
        for row in Award.objects.filter(user=user).select_related("competition")
        if (badge := BADGES.get(row.badge)) is not None
    ]


def entries_over(user: User) -> list[Entry]:
    """List somebody's entries in public contests that are final, the latest first."""
    over = {"competition__status": Competition.Status.COMPLETED, "competition__kind": Competition.Kind.PUBLIC}
    found = Entry.objects.filter(user=user, **over).exclude(status=Entry.Status.WITHDRAWN)
    return list(found.select_related("competition").order_by("-competition__completed_at"))


def record_of(entries: list[Entry]) -> Record:
    """Sum up entries that are over."""
    ranked = [one for one in entries if one.rank is not None and one.final_equity_cents is not None]
    returns = [_return(one) for one in ranked]
    trades = Trade.objects.filter(entry__in=entries, closed_at__isnull=False)
    return Record(
        contests=len(entries),
        wins=sum(one.rank == 1 for one in ranked),
        podiums=sum((one.rank or 0) <= 3 for one in ranked),
        best_return_bps=max(returns, default=None),
        average_return_bps=sum(returns) // len(returns) if returns else None,
        worst_drawdown_bps=max((one.max_drawdown_bps for one in entries), default=0),
        trades=trades.count(),
        trades_won=trades.filter(pnl_cents__gt=0).count(),
    )


def profile(viewer: Viewer, trader: User) -> dict[str, Any]:
    """Give what a trader's page shows of contests."""
    entries = entries_over(trader)
    ranked = [one for one in reversed(entries[:CURVE]) if one.final_equity_cents is not None]
    curve, equity = [10_000], 10_000
    for one in ranked:  # what a hundred dollars would be, had each contest's return been theirs
        equity = equity * (10_000 + _return(one)) // 10_000
        curve.append(equity)
    return {
        "record": record_of(entries) if entries else None,
        "curve": curve if len(curve) > 1 else [],
        "badges": badges_of(trader),
        "entries": [(one, _return(one) if one.final_equity_cents is not None else None) for one in entries[:SHOWN]],
        "live": list(_live(trader)),
    }


def _return(entry: Entry) -> int:
    return int(return_bps(entry.final_equity_cents or 0, entry.competition.starting_balance_cents) // 1)


def _live(trader: User) -> list[Competition]:
    running = {"competition__status": Competition.Status.RUNNING, "competition__kind": Competition.Kind.PUBLIC}
    found = Entry.objects.filter(user=trader, status=Entry.Status.ACTIVE, **running).select_related("competition")
    return [one.competition for one in found.order_by("competition__ends_at")[:5]]
