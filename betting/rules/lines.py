"""Lines: what can be claimed of a trader's result, how a claim is called, and which one came true.

What a line pays is in `parimutuel.py`. Rules: docs/rules/bet-behind.md#lines.
"""

import re
from enum import StrEnum

from tradingarena.core.money import BPS

MOST_THRESHOLDS = 3


class Side(StrEnum):
    """Which way a claim goes: above the line's threshold, or below it."""

    ABOVE = "above"
    BELOW = "below"


SIDES = (Side.ABOVE, Side.BELOW)


def thresholds(chosen_bps: list[int]) -> list[int]:
    """List a market's lines by threshold: the sign line first, then those that the operator chose.

    Shapes: at most 3 chosen, each above 0, as the listing has them; 1 to 4 lines.
    Example:
        >>> thresholds([200, 500, 1_000])
        [0, 200, 500, 1000]
    """
    return [0, *sorted({bps for bps in chosen_bps if bps > 0})[:MOST_THRESHOLDS]]


def outcome(threshold_bps: int, side: Side | str) -> str:
    """Name a claim as the outside knows it.

    Example:
        >>> [outcome(0, Side.BELOW), outcome(500, Side.ABOVE), outcome(250, Side.BELOW)]
        ['negative', 'beat_5_pct', 'miss_2.5_pct']
    """
    if threshold_bps == 0:
        return "positive" if side == Side.ABOVE else "negative"
    return f"{'beat' if side == Side.ABOVE else 'miss'}_{percent(threshold_bps)}_pct"


def percent(threshold_bps: int) -> str:
    """Write a threshold in percent without needless zeros.

    Example:
        >>> [percent(500), percent(250), percent(1)]
        ['5', '2.5', '0.01']
    """
    whole, rest = divmod(threshold_bps, 100)
    return f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole)


def right_side(final_equity_cents: int, starting_balance_cents: int, threshold_bps: int) -> Side | None:
    """Tell which claim of a line came true; None when the result is exactly on it.

    Units: cents, bps.
    Formula: final * 10_000 against start * (10_000 + threshold). Source: docs/rules/units.md#returns.
    Example:
        >>> right_side(10_200_001, 10_000_000, 200).value, right_side(10_200_000, 10_000_000, 200)
        ('above', None)
    """
    reached, line = final_equity_cents * BPS, starting_balance_cents * (BPS + threshold_bps)
    if reached == line:
        return None
    return Side.ABOVE if reached > line else Side.BELOW


def claim(named: str) -> tuple[int, Side]:
    """Read a claim's name back: its line's threshold and its side.

    Units: bps.
    Raises: ValueError: no claim is called so.
    Example:
        >>> claim("miss_2.5_pct")
        (250, <Side.BELOW: 'below'>)
    """
    found = _CLAIM.fullmatch(named)
    if found is None:
        raise ValueError(f"no claim is called {named!r}")
    sign, way, whole, rest = found.groups()
    if sign:
        return 0, Side.ABOVE if sign == "positive" else Side.BELOW
    threshold_bps = int(whole) * 100 + int((rest or "").ljust(2, "0"))
    side = Side.ABOVE if way == "beat" else Side.BELOW
    if not threshold_bps or outcome(threshold_bps, side) != named:
        raise ValueError(f"no claim is called {named!r}")
    return threshold_bps, side


_CLAIM = re.compile(r"(positive|negative)|(beat|miss)_(0|[1-9][0-9]{0,5})(?:\.([0-9]{1,2}))?_pct", re.ASCII)
