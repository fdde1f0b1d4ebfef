"""The board's order: the table of docs/rules/ranking.md, and what holds for any board."""

import random
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from competitions.engine.ranking import Ranked, Standing, rank


def _ms(clock: str) -> int:
    return int(datetime.fromisoformat(f"2026-03-02T{clock}").replace(tzinfo=UTC).timestamp() * 1000)


TABLE = [
    (Standing(5, 10_420_000, 310, _ms("12:00:07.250"), 9), 1),
    (Standing(2, 10_100_000, 120, _ms("11:58:00.000"), 4), 2),
    (Standing(7, 10_100_000, 120, _ms("11:58:00.000"), 2), 2),
    (Standing(1, 10_100_000, 120, _ms("11:58:00.001"), 6), 4),
    (Standing(4, 10_100_000, 500, _ms("10:00:00.000"), 1), 5),
    (Standing(6, 9_875_025, 900, _ms("11:00:00.000"), 30), 6),
    (Standing(8, 0, 10_000, _ms("10:30:00.000"), 3), 7),
    (Standing(3, 10_000_000, 0, None, 0), None),
    (Standing(9, 25_000_000, 50, _ms("11:59:00.000"), 12, True), None),
]


def test_it_ranks_the_table_of_the_rules():
    shuffled = [standing for standing, _ in TABLE]
    random.Random(4).shuffle(shuffled)
    assert rank(shuffled) == [Ranked(standing.number, expected) for standing, expected in TABLE]


def test_nobody_makes_an_empty_board():
    assert rank([]) == []


def test_a_disqualified_entry_without_a_fill_stands_with_the_disqualified():
    board = rank([Standing(1, 5, 0, None, 0, True), Standing(2, 5, 0, None, 0)])
    assert board == [Ranked(2, None), Ranked(1, None)]


standings = st.lists(
    st.builds(
        Standing,
        st.just(0),
        st.integers(0, 3),
        st.integers(0, 2),
        st.integers(1, 3),
        st.integers(0, 2),
        st.booleans(),
    ),
    max_size=12,
).map(
    lambda rows: [
        row._replace(number=place, last_fill_ms=row.last_fill_ms if row.fills else None)
        for place, row in enumerate(rows, 1)
    ]
)


@given(standings, st.randoms())
def test_the_board_does_not_depend_on_the_order_of_arrival(rows, dice):
    shuffled = list(rows)
    dice.shuffle(shuffled)
    assert rank(shuffled) == rank(rows)


@given(standings)
def test_a_rank_is_one_more_than_the_number_of_those_who_are_better(rows):
    by_number = {row.number: row for row in rows}
    eligible = [row for row in rows if row.fills and not row.disqualified]

    def better(one: Standing, other: Standing) -> bool:
        if one.final_equity_cents != other.final_equity_cents:
            return one.final_equity_cents > other.final_equity_cents
        if one.max_drawdown_bps != other.max_drawdown_bps:
            return one.max_drawdown_bps < other.max_drawdown_bps
        return one.last_fill_ms < other.last_fill_ms

    board = rank(rows)
    assert sorted(line.number for line in board) == sorted(by_number)
    for line in board:
        row = by_number[line.number]
        if row in eligible:
            assert line.rank == 1 + sum(better(other, row) for other in eligible)
        else:
            assert line.rank is None
    assert [line.rank is None for line in board] == sorted(line.rank is None for line in board)
