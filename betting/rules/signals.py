"""What looks unfair about bets on a trader: when a bettor is worth a moderator's look. No database here.

Rules: docs/rules/bet-behind.md#fair-play.
"""

from collections.abc import Sequence
from datetime import datetime
from statistics import median_low

from tradingarena.core.money import BPS

MANY_WINS = 5
MOST_ON_ONE_BPS = 8_000
LATE_SHARE = 10  # the last tenth
HEAVY_BPS = 5_000
THROWN_BPS = -500
TIMES_USUAL = 3


def is_concentrated(wins_on_trader: int, won_on_trader_tokens: int, won_tokens: int) -> bool:
    """Tell whether what a bettor wins comes from one trader.

    Formula: at least 5 winning bets on the trader, and at least 80 % of all net winnings from them.
    Example:
        >>> is_concentrated(5, 800, 1_000), is_concentrated(4, 800, 800), is_concentrated(9, 799, 1_000)
        (True, False, False)
    """
    return wins_on_trader >= MANY_WINS and won_on_trader_tokens * BPS >= won_tokens * MOST_ON_ONE_BPS > 0


def is_late(placed_at: datetime, opened_at: datetime, locked_at: datetime) -> bool:
    """Tell whether a bet was placed in the last tenth of the time in which bets were taken."""
    return (locked_at - placed_at) * LATE_SHARE <= locked_at - opened_at


def is_heavy(stake_tokens: int, max_stake_tokens: int) -> bool:
    """Tell whether stakes of one person come to half of the largest, or more."""
    return stake_tokens * BPS >= max_stake_tokens * HEAVY_BPS > 0


def is_thrown(return_bps: int, units_before: Sequence[int], units_after: Sequence[int]) -> bool:
    """Tell whether a trader may have lost on purpose once the bets were locked.

    Units: bps of the starting balance; units of the orders placed before the lock, and after it.
    Formula: a loss of at least 5 %, and after the lock an order at least 3 times as large as the usual (median) one before it; who had not
        traded before it is not judged.
    Example:
        >>> is_thrown(-500, [1_000, 2_000], [3_000]), is_thrown(-499, [1_000], [9_000]), is_thrown(-900, [], [9_000])
        (True, False, False)
    """
    if return_bps > THROWN_BPS or not units_before or not units_after:
        return False
    return max(units_after) >= median_low(units_before) * TIMES_USUAL
