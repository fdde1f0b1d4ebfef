"""What a line pays: the losing pool, less the rake, shared among those who were right. Integers only.

Which claim came true is in `lines.py`, when nothing counts in `verdicts.py`. Rules: docs/rules/bet-behind.md#settlement.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from betting.rules.lines import Side
from tradingarena.core.money import bps_of, split

RULE_VERSION = 1


class EmptyLine(ValueError):
    """Raised when a line without a bet would be settled."""


@dataclass(frozen=True, slots=True)
class Stake:
    """One bet as settlement sees it. Units: tokens > 0; bps, 5_000..10_000."""

    side: Side
    stake_tokens: int
    weight_bps: int


@dataclass(frozen=True, slots=True)
class LinePlan:
    """What a line pays.

    Shapes: `pays` in the order of the stakes, 0 for a wrong answer. `right` None: everything is refunded.
    Units: tokens. total = winning + losing + refunded; Σ pays + rake = total.
    """

    right: Side | None
    total_tokens: int
    winning_tokens: int
    losing_tokens: int
    refunded_tokens: int
    rake_tokens: int
    pays: list[int]


def rake_of(total_tokens: int, losing_tokens: int, rake_bps: int) -> int:
    """Take the house's share of a line: of its total, and never more than what was lost.

    Example:
        >>> rake_of(1_000, 400, 500), rake_of(1_000, 20, 500)
        (50, 20)
    """
    return min(bps_of(total_tokens, rake_bps), losing_tokens)


def settle_line(stakes: Sequence[Stake], right: Side | None, *, rake_bps: int) -> LinePlan:
    """Share one line's pool among its right answers.

    Shapes: n >= 1 stakes in the order in which they were placed; right None when nobody was right or nothing counts.
    Units: tokens; rake_bps in 0..10_000.
    Formula: rake = min(total * rake_bps // 10_000, losing); pay_i = stake_i + share_i, shares of (losing - rake)
        in proportion to stake_i * weight_i by largest remainder, ties to the earlier bet. One side empty: all refunded, rake 0.
        Source: docs/rules/bet-behind.md#settlement.
    Guarantees: sum(pays) + rake == sum(stakes); pay_i >= stake_i for every right answer.
    Raises: EmptyLine: no stakes.
    """
    if not stakes:
        raise EmptyLine("a line without a bet has nothing to settle")
    total = sum(one.stake_tokens for one in stakes)
    winning = sum(one.stake_tokens for one in stakes if one.side == right)
    losing = total - winning
    if right is None or not winning or not losing:
        return LinePlan(None, total, 0, 0, total, 0, [one.stake_tokens for one in stakes])
    rake = rake_of(total, losing, rake_bps)
    shares = split(losing - rake, [one.stake_tokens * one.weight_bps if one.side == right else 0 for one in stakes])
    pays = [one.stake_tokens + share if one.side == right else 0 for one, share in zip(stakes, shares, strict=True)]
    assert sum(pays) + rake == total
    return LinePlan(right, total, winning, losing, 0, rake, pays)
