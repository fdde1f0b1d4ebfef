"""Pool, places, ties and odd cents: the tables of docs/rules/prizes.md, and what holds for any contest."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competitions.engine.prizes import check_split, plan, pool, rewards, share_out, without
from competitions.engine.ranking import Standing, rank

RULES = (Path(__file__).parents[3] / "docs/rules/prizes.md").read_text(encoding="utf-8")


def _rows(heading: str) -> list[list[str]]:
    section = RULES.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def _numbers(cell: str) -> list[int | None]:
    return [None if part == "none" else int(part) for part in re.split(r", ", cell)]


@pytest.mark.parametrize("row", _rows("Pool"), ids=lambda row: row[0])
def test_the_pool_is_what_the_rules_say(row):
    paid, rake_bps, rake_cents, left = row
    paid_cents = round(float(paid.replace(",", "")) * 100)
    left_cents = round(float(left.replace(",", "")) * 100)
    assert pool(paid_cents, int(rake_bps.removesuffix(" bps").replace(",", ""))) == left_cents
    assert paid_cents - left_cents == int(rake_cents.replace(",", ""))


@pytest.mark.parametrize("row", _rows("Places"), ids=" / ".join)
def test_the_places_receive_what_the_rules_say(row):
    amount, split, ranks, payouts = row
    assert share_out(int(amount), _numbers(split), _numbers(ranks)) == _numbers(payouts)


@pytest.mark.parametrize("row", _rows("Rewards"), ids=" / ".join)
def test_places_are_rewarded_as_the_rules_say(row):
    given, ranks, tokens = row
    assert rewards(_numbers(given), _numbers(ranks)) == _numbers(tokens)


def test_the_tables_were_found():
    assert len(_rows("Rewards")) == 4
    assert len(_rows("Pool")) == 5
    assert len(_rows("Places")) == 11


def test_everything_goes_back_without_a_rake_when_nobody_is_ranked():
    result = plan(50_000, 1_000, [6_000, 4_000], [None, None, None])
    assert (result.paid, result.rake, result.refunded, result.payouts) == (50_000, 0, 50_000, [0, 0, 0])


@pytest.mark.parametrize(
    ("split", "complaint"),
    [([], "sum to 0"), ([9_999], "sum to 9,999"), ([10_000, 0], "receives something"), ([4_000, 6_000], "worth more")],
)
def test_it_refuses_a_split_that_is_not_one(split, complaint):
    with pytest.raises(ValueError, match=complaint):
        check_split(split)


@pytest.mark.parametrize(("paid", "rake"), [(-1, 0), (1, -1), (1, 10_001)])
def test_it_refuses_amounts_and_rates_out_of_range(paid, rake):
    with pytest.raises(ValueError, match="negative"):
        pool(paid, rake)


@st.composite
def splits(draw):
    weights = sorted(draw(st.lists(st.integers(1, 500), min_size=1, max_size=10)), reverse=True)
    bps = [weight * 10_000 // sum(weights) for weight in weights]
    bps[0] += 10_000 - sum(bps)
    return bps


boards = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.booleans()), max_size=30).map(
    lambda rows: rank(Standing(place, equity, 0, 1, fills, gone) for place, (equity, fills, gone) in enumerate(rows, 1))
)


@given(st.integers(0, 10**12), st.integers(0, 10_000), splits(), boards)
def test_every_cent_is_accounted_for(paid, rake_bps, split, board):
    ranks = [line.rank for line in board]
    result = plan(paid, rake_bps, split, ranks)
    assert sum(result.payouts) + result.rake == result.paid - result.refunded
    assert all(amount >= 0 for amount in result.payouts)
    assert all(not amount for amount, place in zip(result.payouts, ranks, strict=True) if place is None)


@given(st.integers(0, 10**12), splits(), boards)
def test_a_better_rank_never_receives_less_and_ties_receive_the_same(amount, split, board):
    ranks = [line.rank for line in board]
    payouts = share_out(amount, split, ranks)
    ranked = [(place, paid) for place, paid in zip(ranks, payouts, strict=True) if place is not None]
    for (place, paid), (next_place, next_paid) in pairwise(ranked):
        assert paid >= next_paid
        if place == next_place:
            assert paid - next_paid <= (1 if place == 1 else 0)


@pytest.mark.parametrize("row", _rows("Prize bans"), ids=" / ".join)
def test_who_is_barred_from_prizes_holds_no_place(row):
    ranks, who, left = row
    barred = {"the first": 0, "the second": 1}[who]
    wanted = [None if part.startswith("–") else int(part) for part in left.split(", ")]
    shown = [int(part) for part in ranks.split(", ")]
    assert without(shown, [place == barred for place in range(len(shown))]) == wanted
