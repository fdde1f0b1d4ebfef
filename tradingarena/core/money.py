"""Amounts: integer cents and tokens, rates in basis points, and how an amount is split.

No currencies, no prices and no accounts live here. Rules: docs/rules/units.md.
"""

from collections.abc import Sequence
from fractions import Fraction

BPS = 10_000


def half_even(numerator: int, denominator: int) -> int:
    """Divide two integers and round to the nearest, ties to the even neighbour.

    Shapes: denominator > 0.
    Source: docs/rules/units.md#rounding.
    Example:
        >>> [half_even(n, 2) for n in (1, 3, 5, -1, -3)]
        [0, 2, 2, 0, -2]
    """
    quotient, remainder = divmod(numerator, denominator)
    doubled = 2 * remainder
    if doubled > denominator or (doubled == denominator and quotient & 1):
        return quotient + 1
    return quotient


def bps_of(amount: int, bps: int) -> int:
    """Take a rate of an amount, rounded down: the house never rounds in its own favour.

    Units: amount in cents or tokens (int >= 0); bps in 0..10_000.
    Formula: amount * bps // 10_000.
    Example:
        >>> bps_of(999, 1_000)
        99
    """
    return amount * bps // BPS


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Split an amount in proportion to weights by largest remainder.

    Shapes: n weights in, n parts out in the same order; an empty sequence only for amount 0.
    Units: amount in cents or tokens (int >= 0); weights int >= 0 of any common unit.
    Formula: part_i = floor(amount * w_i / W), the rest one each to the largest remainders, ties to the earlier row.
        Source: docs/rules/units.md#splitting.
    Guarantees: sum(parts) == amount; a weight of 0 receives 0.
    Raises: ValueError: a negative amount or weight, or an amount with nothing to weigh it by.
    Example:
        >>> split(100, [1, 1, 1])
        [34, 33, 33]
    """
    total = sum(weights)
    if amount < 0 or any(weight < 0 for weight in weights):
        raise ValueError("amounts and weights are never negative")
    if amount and not total:
        raise ValueError("an amount needs at least one positive weight")
    if not total:
        return [0] * len(weights)
    parts = [amount * weight // total for weight in weights]
    remainders = [amount * weight % total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda row: (-remainders[row], row))
    for row in by_remainder[: amount - sum(parts)]:
        parts[row] += 1
    assert sum(parts) == amount
    return parts


def return_bps(final_cents: int, start_cents: int) -> Fraction:
    """Give a return as an exact fraction of basis points: for display and for nothing else.

    Units: cents in, bps out.
    Raises: ZeroDivisionError: a start of 0.
    """
    return Fraction((final_cents - start_cents) * BPS, start_cents)
