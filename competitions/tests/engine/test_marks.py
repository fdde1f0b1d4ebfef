"""The arrays of marks: the largest sizes that a contest's terms allow do not leave 64 bits, and arrays grow in place."""

import warnings

import pytest

from competitions.engine.instruments import INSTRUMENTS
from competitions.engine.marks import Marks
from competitions.services.terms import BOUNDS

MOST_UNITS = BOUNDS["max_units"][1]
MOST_CENTS = BOUNDS["starting_balance_cents"][1]
MIDS = {
    "EUR/USD": 108_500, "GBP/USD": 127_000, "AUD/USD": 65_000, "NZD/USD": 60_000, "USD/CAD": 136_000, "USD/CHF": 88_000,
    "USD/JPY": 150_000, "EUR/JPY": 162_700, "GBP/JPY": 190_500, "AUD/JPY": 97_500, "NZD/JPY": 90_000, "CAD/JPY": 110_300,
    "CHF/JPY": 170_500,
}  # fmt: skip


@pytest.mark.parametrize("percent", [60, 80, 125, 140])
@pytest.mark.parametrize("side", [1, -1])
def test_the_largest_positions_are_valued_exactly_when_every_price_moves_by_two_fifths(side: int, percent: int) -> None:
    yen = [pair for pair in MIDS if pair.endswith("JPY")]
    marks = Marks(MIDS, peak_limit_bps=5_000)
    marks.add(cash_cents=MOST_CENTS, peak_cents=MOST_CENTS, drawdown_bps=0, day_start_cents=MOST_CENTS)
    for pair, mid in MIDS.items():
        marks.quote(pair, mid, mid + 10)
    for pair in yen:
        marks.hold(0, pair, side * MOST_UNITS, side * MOST_UNITS * MIDS[pair], 0, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for pair in yen:
            marks.quote(pair, MIDS[pair] * percent // 100, MIDS[pair] * percent // 100 + 10)
    price = {pair: MIDS[pair] * percent // 100 + (10 if side < 0 else 0) for pair in yen}
    points = sum(side * MOST_UNITS * (price[pair] - MIDS[pair]) for pair in yen)
    both = 2 * (MIDS["USD/JPY"] * percent // 100) + 10
    exact = MOST_CENTS * 1_000 + points * 100 * 2_000 // both
    assert int(marks.worth[0]) == exact
    assert int(marks.equity[0]) == exact // 1_000


def test_a_thousand_entries_find_their_place_and_keep_their_figures() -> None:
    marks = Marks(INSTRUMENTS)
    places = [
        marks.add(cash_cents=100 + n, peak_cents=200 + n, drawdown_bps=n, day_start_cents=300 + n) for n in range(1_000)
    ]
    assert places == list(range(1_000))
    marks.quote("EUR/USD", 108_500, 108_510)
    marks.hold(999, "EUR/USD", 1_000, 1_000 * 108_400, 0, 0)
    marks.quote("EUR/USD", 108_600, 108_610)
    assert [int(marks.equity[place]) for place in (0, 500, 999)] == [100, 600, 1_099 + 200]
