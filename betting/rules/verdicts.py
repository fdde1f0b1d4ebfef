"""When a trader's result counts for bets, and when every bet on it is given back.

What a line pays when it counts is in `parimutuel.py`. Rules: docs/rules/bet-behind.md#refunds.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Refund(StrEnum):
    """Why bets are given back in full: the last two concern one line, the others a whole market."""

    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    DISQUALIFIED = "disqualified"
    NO_FILLS = "no_fills"
    OVERDUE = "overdue"
    OPERATOR = "operator"
    ONE_SIDED = "one_sided"
    ON_THE_LINE = "on_the_line"


@dataclass(frozen=True, slots=True)
class TraderResult:
    """How a trader ended, as far as bets ask. Times are aware UTC; None: it did not happen.

    `out_at` is when the trader was disqualified, `by_drawdown` whether the contest's own drawdown rule did it.
    """

    cancelled: bool = False
    withdrawn: bool = False
    fills: int = 0
    out_at: datetime | None = None
    by_drawdown: bool = False


def refund_reason(result: TraderResult, locked_at: datetime) -> Refund | None:
    """Tell why every bet on a trader is given back; None when the result counts.

    Formula: the contest was cancelled; the trader withdrew; was disqualified before the lock, or by an operator at any time; made no
        fill. A drawdown disqualification at or after the lock is a result like any other.
        Source: docs/rules/bet-behind.md#refunds.
    """
    if result.cancelled:
        return Refund.CANCELLED
    if result.withdrawn:
        return Refund.WITHDRAWN
    if result.out_at is not None and (not result.by_drawdown or result.out_at < locked_at):
        return Refund.DISQUALIFIED
    return None if result.fills else Refund.NO_FILLS
