"""What a bet would pay, estimated from the pools as they are: now, after one's own bet, and at the worst.

The real payout is decided by the pools at the lock, in `parimutuel.py`. Rules: docs/rules/bet-behind.md#odds.
"""

from dataclasses import dataclass

from betting.rules.lines import Side
from betting.rules.parimutuel import rake_of
from tradingarena.core.money import BPS

MILLI = 1_000


@dataclass(frozen=True, slots=True)
class Pool:
    """One side of a line. Units: tokens; weighted in tokens times bps."""

    stakes_tokens: int = 0
    weighted: int = 0
    bets: int = 0


@dataclass(frozen=True, slots=True)
class Pools:
    """Both sides of a line."""

    above: Pool = Pool()
    below: Pool = Pool()

    def of(self, side: Side | str) -> Pool:
        """Give one side."""
        return self.above if side == Side.ABOVE else self.below

    def against(self, side: Side | str) -> Pool:
        """Give the other side."""
        return self.below if side == Side.ABOVE else self.above

    @property
    def total_tokens(self) -> int:
        """Sum both sides up."""
        return self.above.stakes_tokens + self.below.stakes_tokens


def price_milli(pools: Pools, side: Side | str, *, weight_bps: int, rake_bps: int) -> int | None:
    """Tell what one more token on a side would pay if it is right, with the pools as they are.

    Units: thousandths of a token for each token; 1,000 is the stake alone.
    Formula: 1,000 + 1,000 * (losing - rake) * weight // weighted, rounded down; None while nobody is on that side and somebody is
        against it: the first one there takes all. Source: docs/rules/bet-behind.md#odds.
    """
    own, against = pools.of(side), pools.against(side)
    if not against.stakes_tokens:
        return MILLI
    if not own.weighted:
        return None
    share = against.stakes_tokens - rake_of(pools.total_tokens, against.stakes_tokens, rake_bps)
    return MILLI + MILLI * share * weight_bps // own.weighted


def pay_if_right(pools: Pools, side: Side | str, stake_tokens: int, *, weight_bps: int, rake_bps: int) -> int:
    """Tell what a new bet receives if it is right and nobody bets after it.

    Units: tokens.
    Formula: stake + (losing - rake) * stake * weight // (weighted + stake * weight), rounded down: rounding by largest
        remainder may add a token. Source: docs/rules/bet-behind.md#odds.
    Guarantees: never less than the stake.
    """
    return stake_tokens + _share(pools, side, 0, stake_tokens, stake_tokens * weight_bps, rake_bps)


def pay_of_own(pools: Pools, side: Side | str, stake_tokens: int, *, weight_bps: int, rake_bps: int) -> int:
    """Tell what a bet that is in the pools already receives if it is right and nobody bets any more. Units: tokens."""
    own = stake_tokens * weight_bps
    return stake_tokens + _share(pools, side, -own, 0, own, rake_bps)


def worst_pay(stake_tokens: int) -> int:
    """Tell what a right answer receives at the worst, whatever others still bet: its stake."""
    return stake_tokens


def share_bps(pools: Pools, side: Side | str) -> int:
    """Tell which share of a line's stakes stands on a side, for showing. Units: bps, rounded down; 0 of an empty line."""
    return pools.of(side).stakes_tokens * BPS // pools.total_tokens if pools.total_tokens else 0


def _share(pools: Pools, side: Side | str, others: int, added_tokens: int, own_weighted: int, rake_bps: int) -> int:
    losing = pools.against(side).stakes_tokens
    shared = losing - rake_of(pools.total_tokens + added_tokens, losing, rake_bps)
    return shared * own_weighted // (pools.of(side).weighted + others + own_weighted)
