"""When two people's orders look like one person's. Pure. Rules: docs/rules/fair-play.md#mirrored-orders."""

from tradingarena.core.money import BPS

MIRRORED_S = 1
FEWEST_MIRRORED = 8
MIRRORED_BPS = 6_000
OPPOSITE_S = 60
FEWEST_OPPOSITE = 3
OPPOSITE_BPS = 5_000


def is_mirrored(alike: int, fewer_orders: int) -> bool:
    """Tell whether orders of the same side, or all of the opposite side, within a second of each other are more than chance.

    Shapes: alike of the fewer_orders of whichever of the two has placed fewer.
    Formula: at least 8, and at least 60 %.
    Example:
        >>> is_mirrored(8, 13), is_mirrored(8, 14), is_mirrored(7, 7)
        (True, False, False)
    """
    return alike >= FEWEST_MIRRORED and alike * BPS >= fewer_orders * MIRRORED_BPS


def is_hedged(opposite: int, fewer_orders: int) -> bool:
    """Tell whether linked accounts trade against each other: at least 3 opposite orders within a minute, and at least half."""
    return opposite >= FEWEST_OPPOSITE and opposite * BPS >= fewer_orders * OPPOSITE_BPS
