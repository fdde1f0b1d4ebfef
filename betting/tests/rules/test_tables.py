"""The tables of docs/rules/bet-behind.md."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from betting.models import Market
from betting.rules.lines import Side, outcome, right_side, thresholds
from betting.rules.odds import Pool, Pools, pay_if_right, price_milli, worst_pay
from betting.rules.parimutuel import Stake, settle_line
from betting.rules.verdicts import Refund
from betting.rules.weights import locks_at, weight_bps

RULES = Path(__file__).parents[3] / "docs/rules/bet-behind.md"
START = datetime(2026, 3, 2, 12, tzinfo=UTC)
UNITS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}


def _tables(heading: str) -> list[list[list[str]]]:
    section = RULES.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    blocks = [block for block in section.strip().split("\n\n") if block.startswith("|")]
    return [
        [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()[2:]] for block in blocks
    ]


def _number(cell: str) -> int:
    return int(re.sub(r"[^0-9−]", "", cell).replace("−", "-"))


def _span(cell: str) -> timedelta:
    number, unit = cell.replace("−", "-").replace(",", "").split()
    return timedelta(seconds=float(number) * UNITS[unit])


@pytest.mark.parametrize("row", _tables("Lines")[0], ids=" / ".join)
def test_a_line_is_judged_as_the_rules_say(row: list[str]) -> None:
    start, final, threshold = map(_number, row[:3])
    side = right_side(final, start, threshold)
    assert (outcome(threshold, side) if side else "nobody: refunded") == row[3]


@pytest.mark.parametrize("row", _tables("Weights")[0], ids=" / ".join)
def test_bets_lock_when_the_rules_say(row: list[str]) -> None:
    assert locks_at(START, START + _span(row[0]), _number(row[1])) - START == _span(row[2])


@pytest.mark.parametrize("row", _tables("Weights")[1], ids=" / ".join)
def test_a_bet_weighs_what_the_rules_say(row: list[str]) -> None:
    assert weight_bps(START + _span(row[1]), START, START + _span(row[0])) == _number(row[2])


@pytest.mark.parametrize("row", _tables("Odds")[0], ids=" / ".join)
def test_odds_are_what_the_rules_say(row: list[str]) -> None:
    own, weighted, against, rake, weight = map(_number, row[:5])
    pools = Pools(Pool(own, weighted), Pool(against, against * 10_000))
    price = price_milli(pools, Side.ABOVE, weight_bps=weight, rake_bps=rake)
    assert ("first" if price is None else f"{price // 1_000}.{price % 1_000:03d}") == row[5]
    assert pay_if_right(pools, Side.ABOVE, 100, weight_bps=weight, rake_bps=rake) == _number(row[6])
    assert worst_pay(100) == _number(row[7])


@pytest.mark.parametrize("row", _tables("Settlement")[0], ids=" / ".join)
def test_a_line_pays_what_the_rules_say(row: list[str]) -> None:
    stakes = []
    for text in row[0].split(", "):
        stake, weight = text[1:].split("×")
        stakes.append(Stake(Side.ABOVE if text[0] == "+" else Side.BELOW, int(stake), int(weight)))
    plan = settle_line(stakes, Side.ABOVE, rake_bps=_number(row[1]))
    assert plan.rake_tokens == _number(row[2])
    assert plan.pays == [int(pay) for pay in row[3].split(", ")]


def test_the_reasons_and_defaults_are_those_of_the_rules() -> None:
    assert {row[0].strip("`") for row in _tables("Refunds")[0]} == set(Refund)
    assert thresholds([200, 500, 1_000]) == [0, 200, 500, 1_000]
    assert set(Market.Status.values) == {"open", "locked", "settling", "settled", "void"}


def test_the_tables_were_found() -> None:
    assert [len(_tables(name)[0]) for name in ("Lines", "Weights", "Odds", "Settlement", "Refunds")] == [7, 4, 6, 7, 8]
