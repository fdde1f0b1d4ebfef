"""What a trader's closed trades amount to: win rate, profit factor, average hold, Sharpe ratio. For showing; nothing is decided by it.

Rules: docs/rules/statistics.md.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from tradingarena.core.money import BPS

CENT = Decimal("0.01")


class Outcome(NamedTuple):
    """One closed trade. Units: cents after fees; milliseconds from open to close."""

    cents: int
    held_ms: int


class Statistics(NamedTuple):
    """Shapes: what cannot be told of so few trades is None. Units: cents, bps, seconds; ratios with two decimals."""

    trades: int
    won: int
    lost: int
    win_rate_bps: int | None
    gross_profit_cents: int
    gross_loss_cents: int
    net_cents: int
    profit_factor: Decimal | None
    average_cents: int | None
    best_cents: int | None
    worst_cents: int | None
    average_hold_s: int | None
    sharpe: Decimal | None


def statistics(outcomes: Sequence[Outcome]) -> Statistics:
    """Add up closed trades.

    Formula: win rate = won / trades, rounded down; profit factor = gross profit / gross loss; Sharpe = mean / sample standard
        deviation of the trades' results, not annualised. Ratios half-even to two decimals. Source: docs/rules/statistics.md#figures.
    Example:
        >>> statistics([Outcome(300, 60_000), Outcome(-100, 30_000)]).profit_factor
        Decimal('3.00')
    """
    cents = [one.cents for one in outcomes]
    count, won, lost = len(cents), sum(value > 0 for value in cents), sum(value < 0 for value in cents)
    profit, loss = sum(value for value in cents if value > 0), -sum(value for value in cents if value < 0)
    return Statistics(
        trades=count,
        won=won,
        lost=lost,
        win_rate_bps=won * BPS // count if count else None,
        gross_profit_cents=profit,
        gross_loss_cents=loss,
        net_cents=profit - loss,
        profit_factor=_two_places(Decimal(profit) / loss) if loss else None,
        average_cents=int((Decimal(profit - loss) / count).to_integral_value(ROUND_HALF_EVEN)) if count else None,
        best_cents=max(cents, default=None),
        worst_cents=min(cents, default=None),
        average_hold_s=sum(one.held_ms for one in outcomes) // count // 1000 if count else None,
        sharpe=_sharpe(cents),
    )


def _sharpe(cents: Sequence[int]) -> Decimal | None:
    if len(cents) < 2:
        return None
    mean = Decimal(sum(cents)) / len(cents)
    variance = sum(((Decimal(value) - mean) ** 2 for value in cents), Decimal(0)) / (len(cents) - 1)
    return _two_places(mean / variance.sqrt()) if variance else None


def _two_places(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_EVEN)
