"""Badges from facts: the table of the documentation, and each rule at its edge."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from competitions.engine.badges import BADGES, Facts, Played, earned

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "rules" / "badges.md"
WON, LOST = Played(1, 2, 100), Played(2, 2, -100)


def facts(*history: Played, **more: object) -> Facts:
    plain = Facts(history, week=(), max_drawdown_bps=500, rival_wins=None)
    return replace(plain, **more)  # type: ignore[arg-type]


def test_the_documented_badges_are_those_there_are() -> None:
    rows = re.findall(r"^\| ([A-Z][a-z ]+) \| (.+) \|$", DOCUMENT.read_text(), re.MULTILINE)
    assert rows == [(badge.title, badge.what_for) for badge in BADGES.values()]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (facts(LOST), []),
        (facts(WON), ["first_win"]),
        (facts(Played(1, 1, 100)), []),
        (facts(Played(3, 4, -1)), ["podium"]),
        (facts(Played(4, 9, 1)), []),
        (facts(WON, WON, WON), ["first_win", "hat_trick"]),
        (facts(WON, LOST, WON), ["first_win"]),
        (facts(LOST, week=(WON, WON, WON)), ["green_week"]),
        (facts(LOST, week=(WON, WON, LOST)), []),
        (facts(LOST, week=(WON, WON)), []),
        (facts(WON, rival_wins=3), ["first_win", "giant_slayer"]),
        (facts(WON, WON, rival_wins=3), ["first_win"]),
        (facts(LOST, rival_wins=9), []),
        (facts(WON, max_drawdown_bps=100), ["first_win", "steady_hand"]),
        (facts(WON, max_drawdown_bps=101), ["first_win"]),
        (facts(*[LOST] * 10), ["regular"]),
        (facts(*[LOST] * 50), ["regular", "veteran"]),
    ],
)
def test_each_badge_at_its_edge(known: Facts, expected: list[str]) -> None:
    assert earned(known) == expected
