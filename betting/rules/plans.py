"""One line from its bets to its payouts: whether it counts, who was right, what each receives.

Rules: docs/rules/bet-behind.md#settlement.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from betting.rules.lines import right_side
from betting.rules.parimutuel import LinePlan, Stake, settle_line
from betting.rules.verdicts import Refund


@dataclass(frozen=True, slots=True)
class Decided:
    """What decides a market's lines. Units: cents. `reason`: why nothing of it counts; None: it counts."""

    reason: Refund | None
    starting_balance_cents: int
    final_equity_cents: int | None


def plan_line(
    stakes: Sequence[Stake], decided: Decided, *, threshold_bps: int, rake_bps: int
) -> tuple[LinePlan, Refund | None]:
    """Decide one line: its payouts, and why it is refunded if it is.

    Shapes: n >= 1 stakes in the order in which they were placed; final_equity_cents is there unless a reason is.
    Units: bps; tokens out.
    Guarantees: those of `settle_line`; a reason is given exactly when everything is refunded.
    Raises: EmptyLine: no stakes. ValueError: nothing says how the trader ended.
    """
    right = None
    if decided.reason is None:
        if decided.final_equity_cents is None:
            raise ValueError("a result that counts has a final equity")
        right = right_side(decided.final_equity_cents, decided.starting_balance_cents, threshold_bps)
    plan = settle_line(stakes, right, rake_bps=rake_bps)
    if plan.right is not None:
        return plan, None
    if decided.reason is not None:
        return plan, decided.reason
    return plan, Refund.ON_THE_LINE if right is None else Refund.ONE_SIDED
