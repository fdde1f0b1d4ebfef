"""The pure rules: the table of the documentation, the table of states, and stakes that always add up."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pvp.rules import states
from pvp.rules.stakes import share
from pvp.rules.terms import canonical, changed, problems
from pvp.tests.scene import TERMS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "rules" / "pvp.md"
RANKS = st.sampled_from([(1, 2), (2, 1), (1, 1), (1, None), (None, 1), (None, None)])


def amount(text: str) -> int:
    """Read tokens, or dollars as cents."""
    number = text.replace(",", "").split()[0]
    return round(float(number[1:]) * 100) if number.startswith("$") else int(number)


def test_the_documented_results_are_true() -> None:
    section = DOCUMENT.read_text().split("## Result")[1].split("## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*\|$", section, re.M)][
        2:
    ]
    assert len(rows) == 6
    for stake, rake, ranks, winner, house, back in rows:
        first, second = (None if rank.strip() == "none" else int(rank) for rank in ranks.split(","))
        plan = share(amount(stake), int(rake.split()[0].replace(",", "")), (first, second))
        assert (plan.paid, plan.rake, plan.returned) == (amount(winner), amount(house), amount(back)), stake


def test_the_documented_states_are_the_table() -> None:
    section = DOCUMENT.read_text().split("## States")[1].split("## ")[0]
    told: set[tuple[str, str]] = set()
    for line in re.findall(r"^\| ([a-z, ]+) \| ([a-z, ]+) \|", section, re.M)[1:]:
        told |= {(old, new) for old in line[0].split(", ") for new in line[1].split(", ")}
    assert told == {(old, new) for old, following in states.TRANSITIONS.items() for new in following}
    assert all(not states.TRANSITIONS[state] for state in states.OVER)
    assert set(states.STATES) == set(states.TRANSITIONS) == states.OPEN | states.OVER | {states.ACTIVE}


@given(st.integers(1, 10**12), st.integers(0, 2_000), RANKS)
def test_stakes_add_up(stake: int, rake_bps: int, ranks: tuple[int | None, int | None]) -> None:
    plan = share(stake, rake_bps, ranks)
    assert plan.paid + plan.rake + plan.returned == plan.pot == 2 * stake
    assert plan.returned in {0, plan.pot}
    assert (plan.winner is None) == (plan.paid == 0)
    assert plan.winner is None or plan.paid >= plan.pot * 8 // 10


@given(st.data())
def test_equal_terms_have_equal_bytes_and_others_have_others(data: st.DataObject) -> None:
    moments = st.none() | st.datetimes(
        timezones=st.just(UTC), min_value=datetime(2026, 1, 1), max_value=datetime(2030, 1, 1)
    )
    numbers = {name: st.integers(0, 3) for name in ("stake_cents", "stake_tokens", "duration_s", "rake_bps")}

    def some() -> dict[str, object]:
        drawn = {name: data.draw(numbers[name]) for name in numbers}
        return drawn | {
            "starts_at": data.draw(moments),
            "pairs": tuple(data.draw(st.lists(st.sampled_from(["EUR/USD", "GBP/USD"]), max_size=2))),
        }

    one, other = replace(TERMS, **some()), replace(TERMS, **some())  # type: ignore[arg-type]
    assert (canonical(one) == canonical(other)) == (one == other) == (not changed(one, other))


def test_the_bounds_of_a_fixed_start() -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    for after, holds in ((9, False), (10, True), (60 * 24 * 30, True), (60 * 24 * 30 + 1, False)):
        found = problems(replace(TERMS, starts_at=now + timedelta(minutes=after)), now)
        assert (not found) == holds
