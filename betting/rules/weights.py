"""When bets lock, and how much an early bet counts more than a late one.

Rules: docs/rules/bet-behind.md#weights.
"""

from datetime import datetime, timedelta

from tradingarena.core.money import BPS

LATEST_LOCK = timedelta(hours=24)
FULL_BPS = 10_000
LEAST_BPS = 5_000
_US = timedelta(microseconds=1)


def locks_at(starts_at: datetime, ends_at: datetime, lock_bps: int) -> datetime:
    """Tell when the bets of a contest lock.

    Shapes: aware times, ends_at after starts_at.
    Units: lock_bps is a share of the duration, 0..5_000.
    Formula: start + min(duration * lock_bps / 10_000, 24 h), in whole microseconds, rounded down.
    """
    share = timedelta(microseconds=(ends_at - starts_at) // _US * lock_bps // BPS)
    return starts_at + min(share, LATEST_LOCK)


def weight_bps(placed_at: datetime, starts_at: datetime, locked_at: datetime) -> int:
    """Tell what a bet placed at a moment weighs when the losing pool is shared.

    Shapes: aware times; placed_at before locked_at.
    Units: bps, 5_000..10_000.
    Formula: 10_000 until the start, then 10_000 - 5_000 * elapsed // (lock - start): it falls evenly to 5,000 at the lock.
        Source: docs/rules/bet-behind.md#weights.
    """
    elapsed, span = (placed_at - starts_at) // _US, (locked_at - starts_at) // _US
    if elapsed <= 0 or span <= 0:
        return FULL_BPS
    return FULL_BPS - (FULL_BPS - LEAST_BPS) * min(elapsed, span) // span
