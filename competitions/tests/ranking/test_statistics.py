"""The journal's figures, against the worked table of docs/rules/statistics.md and by their own properties."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from competitions.engine.statistics import Outcome, Statistics, statistics

TABLE = Path(settings.BASE_DIR) / "docs" / "rules" / "statistics.md"
DASH = "–"


def rows() -> list[list[str]]:
    lines = TABLE.read_text(encoding="utf-8").split("## Worked")[1].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")][1:]


def numbers(cell: str) -> list[int]:
    return [] if cell in {"none", ""} else [int(number.replace("−", "-")) for number in cell.split(",")]


def written(value: int | Decimal | None) -> str:
    return DASH if value is None else str(value).replace("-", "−")


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_the_worked_table_holds(row: list[str]) -> None:
    outcomes = [Outcome(cents, 1000 * held) for cents, held in zip(numbers(row[0]), numbers(row[1]), strict=True)]
    found = statistics(outcomes)
    told = (found.win_rate_bps, found.profit_factor, found.average_cents, found.average_hold_s, found.sharpe)
    assert [written(value) for value in told] == row[2:]


def test_the_table_has_rows() -> None:
    assert len(rows()) >= 6


OUTCOMES = st.lists(st.builds(Outcome, st.integers(-(10**12), 10**12), st.integers(0, 10**9)), max_size=60)


@given(OUTCOMES)
def test_parts_make_the_whole(outcomes: list[Outcome]) -> None:
    found: Statistics = statistics(outcomes)
    assert found.net_cents == sum(one.cents for one in outcomes) == found.gross_profit_cents - found.gross_loss_cents
    assert found.won + found.lost <= found.trades == len(outcomes)
    if outcomes:
        assert found.worst_cents <= found.average_cents <= found.best_cents  # type: ignore[operator]
    assert statistics(outcomes[::-1]) == found
