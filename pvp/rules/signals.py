"""When challenges look like tokens handed over and not like play. No database here.

Rules: docs/rules/fair-play.md#chip-dumping.
"""

from collections.abc import Sequence
from dataclasses import dataclass

FEWEST_LINKED = 2
FEWEST = 4
FEW_FILLS = 1
GIVEN_UP_BPS = -2_000


@dataclass(frozen=True, slots=True)
class Lost:
    """A decided challenge from the loser's side. Units: fills, bps of the starting balance."""

    fills: int
    return_bps: int

    @property
    def given_up(self) -> bool:
        """Tell whether the loser hardly played, or lost a fifth of what they began with."""
        return self.fills <= FEW_FILLS or self.return_bps <= GIVEN_UP_BPS


def is_dumping(won: int, lost: Sequence[Lost], *, linked: bool) -> bool:
    """Tell whether somebody lets another win.

    Shapes: won: how many of their decided challenges the loser has won; lost: those that they have lost.
    Formula: none won; linked accounts: 2 lost, of which one given up; others: 4 lost, of which three quarters given up.
        Source: docs/rules/fair-play.md#chip-dumping.
    Example:
        >>> is_dumping(0, [Lost(0, 0), Lost(9, -10)], linked=True), is_dumping(1, [Lost(0, 0)] * 9, linked=False)
        (True, False)
    """
    given_up = sum(one.given_up for one in lost)
    if won or len(lost) < FEWEST_LINKED:
        return False
    return given_up >= 1 if linked else len(lost) >= FEWEST and given_up * 4 >= len(lost) * 3
