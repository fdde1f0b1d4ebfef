"""What a rank is worth: the pool, its places, ties and odd cents.

Who holds which rank is decided in `ranking.py`; rows and statuses of payouts live in `services/prizes.py`.
Rules: docs/rules/prizes.md.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from tradingarena.core.money import BPS, bps_of, split


class PrizePlan(NamedTuple):
    """What happens to the buy-ins of one contest.

    Units: cents, or tokens. Guarantees: sum(payouts) + rake == paid - refunded.
    """

    paid: int
    rake: int
    refunded: int
    payouts: list[int]


def pool(paid_cents: int, rake_bps: int) -> int:
    """Give the prize pool: the paid buy-ins less the rake.

    Units: cents (int >= 0); rake_bps in 0..10_000.
    Formula: paid - paid * rake_bps // 10_000. Source: docs/rules/prizes.md#pool.
    Raises: ValueError: a negative amount or a rate out of range.
    Example:
        >>> pool(10_001, 1_000)
        9001
    """
    if paid_cents < 0 or not 0 <= rake_bps <= BPS:
        raise ValueError("an amount is never negative and a rate is between 0 and 10,000 bps")
    return paid_cents - bps_of(paid_cents, rake_bps)


def check_split(split_bps: Sequence[int]) -> None:
    """Refuse a split that is not one.

    Shapes: at least one place; every place positive and none worth more than the one before it.
    Raises: ValueError: says which of this does not hold.
    """
    if sum(split_bps) != BPS:
        raise ValueError(f"the places sum to {sum(split_bps):,} bps, not to {BPS:,}")
    if any(share <= 0 for share in split_bps):
        raise ValueError("every place that is listed receives something")
    if any(later > earlier for earlier, later in pairwise(split_bps)):
        raise ValueError("no place is worth more than the one before it")


def share_out(pool_cents: int, split_bps: Sequence[int], ranks: Sequence[int | None]) -> list[int]:
    """Share the pool among the ranks of a final board.

    Shapes: ranks in board order as `ranking.rank` gives them; n payouts in the same order, 0 for who receives nothing.
    Units: cents.
    Formula: a filled place's amount is pool * bps // (bps of all filled places), so what an empty place would have
        had is shared by the filled ones; tied lines pool the amounts of the places they stand on and share them
        equally, rounded down; the odd cents of both steps go to first place, one each in board order when it is tied.
        Source: docs/rules/prizes.md#places.
    Guarantees: sum(payouts) == pool_cents when anybody is ranked, 0 otherwise; a better rank never receives less.
    Raises: ValueError: a negative pool, or a split that is not one (`check_split`).
    Example:
        >>> share_out(1_000, [5_000, 3_000, 2_000], [1, 2, 2, 4])
        [500, 250, 250, 0]
    """
    if pool_cents < 0:
        raise ValueError("a pool is never negative")
    holders = Counter(rank for rank in ranks if rank is not None)
    payouts = [0] * len(ranks)
    if not pool_cents or not holders:
        return payouts
    check_split(split_bps)
    filled = split_bps[: holders.total()]
    of_place = [pool_cents * bps // sum(filled) for bps in filled]
    for row, rank in enumerate(ranks):
        if rank is not None:
            payouts[row] = sum(of_place[rank - 1 : rank - 1 + holders[rank]]) // holders[rank]
    first = [row for row, rank in enumerate(ranks) if rank == 1]
    each, odd = divmod(pool_cents - sum(payouts), len(first))
    for place, row in enumerate(first):
        payouts[row] += each + (place < odd)
    assert sum(payouts) == pool_cents
    return payouts


def without(ranks: Sequence[int | None], barred: Sequence[bool]) -> list[int | None]:
    """Rank for prizes alone: who is barred from them holds no place, and whoever stands below moves up.

    Shapes: ranks in board order, best first; barred of the same length.
    Source: docs/rules/prizes.md#prize-bans.
    Example:
        >>> without([1, 2, 2, 4, None], [True, False, False, False, False])
        [None, 1, 1, 3, None]
    """
    eligible = [rank for rank, is_barred in zip(ranks, barred, strict=True) if rank is not None and not is_barred]
    return [
        None if rank is None or is_barred else 1 + sum(better < rank for better in eligible)
        for rank, is_barred in zip(ranks, barred, strict=True)
    ]


def rewards(reward_tokens: Sequence[int], ranks: Sequence[int | None]) -> list[int]:
    """Give the tokens that reward the places of a final board.

    Shapes: reward_tokens of places 1, 2, 3 …; ranks in board order; n rewards in the same order, 0 for who receives none.
    Units: tokens.
    Formula: lines that share a rank pool the rewards of the places they stand on and share them by largest remainder, ties to
        the earlier line. Source: docs/rules/prizes.md#rewards.
    Guarantees: sum(rewards) <= sum(reward_tokens), equal when every rewarded place is filled.
    Example:
        >>> rewards([100, 50, 25], [1, 2, 2, None])
        [100, 38, 37, 0]
    """
    holders = Counter(rank for rank in ranks if rank is not None)
    given = [0] * len(ranks)
    for rank, count in holders.items():
        rows = [row for row, found in enumerate(ranks) if found == rank]
        for row, part in zip(rows, split(sum(reward_tokens[rank - 1 : rank - 1 + count]), [1] * count), strict=True):
            given[row] = part
    return given


def plan(paid_cents: int, rake_bps: int, split_bps: Sequence[int], ranks: Sequence[int | None]) -> PrizePlan:
    """Decide everything that happens to a contest's buy-ins when it has ended.

    Formula: nobody ranked: everything goes back and there is no rake; otherwise the rake is taken and the pool shared
        out.
        Source: docs/rules/prizes.md#nobody-eligible.
    Guarantees: sum(payouts) + rake == paid - refunded, to the cent.
    Raises: ValueError: as `pool` and `share_out`.
    """
    prize_pool = pool(paid_cents, rake_bps)
    if all(rank is None for rank in ranks):
        return PrizePlan(paid_cents, 0, paid_cents, [0] * len(ranks))
    payouts = share_out(prize_pool, split_bps, ranks)
    assert sum(payouts) + (paid_cents - prize_pool) == paid_cents
    return PrizePlan(paid_cents, paid_cents - prize_pool, 0, payouts)
