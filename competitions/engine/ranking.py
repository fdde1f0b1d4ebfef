"""Who is ahead of whom: the order of a board and the ranks on it, shared by those who are equal in everything.

How an equity comes about is in `marks.py`, what a rank is worth in `prizes.py`. Rules: docs/rules/ranking.md.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Standing(NamedTuple):
    """What decides one entry's place.

    Units: equity in cents, drawdown in bps, last fill in Unix milliseconds (None without a fill).
    """

    number: int
    final_equity_cents: int
    max_drawdown_bps: int
    last_fill_ms: int | None
    fills: int
    disqualified: bool = False


class Ranked(NamedTuple):
    """One line of the board. No rank: without a fill, or disqualified."""

    number: int
    rank: int | None


def _merit(standing: Standing) -> tuple[int, int, int]:
    return (-standing.final_equity_cents, standing.max_drawdown_bps, standing.last_fill_ms or 0)


def rank(standings: Iterable[Standing]) -> list[Ranked]:
    """Put entries in the board's order and give each its rank.

    Shapes: n standings with unique numbers, in any order; n lines in board order: ranked, then without a fill, then
        disqualified.
    Formula: by higher final equity, then lower maximum drawdown, then earlier last fill; equal in all three share the
        better rank and the next rank is skipped (1, 2, 2, 4). Equal lines stand in order of entry number.
        Source: docs/rules/ranking.md#order.
    Guarantees: the same standings give the same board, whatever their order of arrival.
    Example:
        >>> rank([Standing(1, 100, 0, 7, 1), Standing(2, 100, 0, 7, 1), Standing(3, 200, 0, None, 0)])
        [Ranked(number=1, rank=1), Ranked(number=2, rank=1), Ranked(number=3, rank=None)]
    """
    everyone = sorted(standings, key=lambda standing: standing.number)
    ranked = sorted((one for one in everyone if one.fills and not one.disqualified), key=_merit)
    board: list[Ranked] = []
    current, merit = 0, None
    for place, standing in enumerate(ranked, start=1):
        if _merit(standing) != merit:
            current, merit = place, _merit(standing)
        board.append(Ranked(standing.number, current))
    board += [Ranked(one.number, None) for one in everyone if not one.fills and not one.disqualified]
    board += [Ranked(one.number, None) for one in everyone if one.disqualified]
    return board
