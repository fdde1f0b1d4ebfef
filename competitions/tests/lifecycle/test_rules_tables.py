"""The tables of docs/rules/units.md and docs/rules/competitions.md, and the terms that the latter lists."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from competitions.models import Competition
from competitions.services.entries import join_ends_at
from competitions.services.terms import BOUNDS, FIELDS
from tradingarena.core.money import bps_of, half_even, return_bps, split

RULES = Path(__file__).parents[3] / "docs/rules"


def _table(file: str, heading: str, *, last: bool = False) -> list[list[str]]:
    section = (RULES / file).read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    tables = [block for block in section.strip().split("\n\n") if block.startswith("|")]
    rows = [line.strip("|").split("|") for line in tables[-1 if last else 0].splitlines()[2:]]
    return [[cell.strip() for cell in row] for row in rows]


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(", ")]


@pytest.mark.parametrize("row", _table("units.md", "Splitting"), ids=" / ".join)
def test_amounts_are_split_as_the_rules_say(row):
    amount, weights, parts = row
    assert split(int(amount), _numbers(weights)) == _numbers(parts)


@pytest.mark.parametrize("row", _table("units.md", "Returns"), ids=" / ".join)
def test_thresholds_are_judged_as_the_rules_say(row):
    start, final, threshold = (int(re.sub(r"[^0-9]", "", cell)) for cell in row[:3])
    left, right = final * 10_000, start * (10_000 + threshold)
    assert row[3] == ("equal" if left == right else "yes" if left > right else "no")
    assert (return_bps(final, start) > threshold) is (left > right)


def test_rounding_is_what_the_rules_say():
    rows = {row[0]: row[2] for row in _table("units.md", "Rounding")}
    assert rows["a rate of an amount"] == f"1,000 bps of 999 = {bps_of(999, 1_000)}"
    assert rows["a fee"] == ", ".join(f"{n / 2} → {half_even(n, 2)}" for n in (1, 3, 5))
    assert rows["a drawdown"] == f"a fall of 1 in 3 = {1 * 10_000 // 3:,} bps"


@pytest.mark.parametrize("row", _table("competitions.md", "Entry", last=True), ids=" / ".join)
def test_late_entry_ends_when_the_rules_say(row):
    number, unit = row[0].split()
    length = timedelta(seconds=int(number) * {"h": 3600, "min": 60, "s": 1}[unit])
    start = datetime(2026, 3, 2, tzinfo=UTC)
    share = int(row[1].removesuffix(" bps").replace(",", ""))
    contest = Competition(starts_at=start, ends_at=start + length, late_join_bps=share)
    assert join_ends_at(contest) - start == timedelta(seconds=int(row[2].removesuffix(" s")))


def test_the_tables_were_found():
    assert [len(_table("units.md", name)) for name in ("Splitting", "Returns", "Rounding")] == [5, 4, 5]
    assert len(_table("competitions.md", "Entry", last=True)) == 4


def test_every_bound_belongs_to_a_term():
    assert set(BOUNDS) <= FIELDS
