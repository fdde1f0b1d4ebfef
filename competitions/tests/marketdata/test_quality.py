"""The table of docs/rules/quotes.md#quality, row by row, and that a feed's successor judges like itself."""

from decimal import Decimal
from random import Random

import pytest

from competitions.engine.quotes import Quote
from competitions.marketdata import quality
from competitions.marketdata.quality import BadPrice, Quality, points

NOW = 1_767_600_000_000
GOOD = ("EUR/USD", "1.08500", "1.08510", NOW, NOW)

# name, (pair, bid, ask, time, received) after one good quote of 1.08500/1.08510 at NOW, expected
TABLE = [
    ("good", ("EUR/USD", "1.08501", "1.08511", NOW + 1, NOW + 1), (108501, 108511, True)),
    ("zeros beyond the digits", ("EUR/USD", "1.0850100", "1.08511000", NOW + 1, NOW + 1), (108501, 108511, True)),
    ("fewer decimals", ("EUR/USD", "1.085", "1.0851", NOW + 1, NOW + 1), (108500, 108510, True)),
    ("a Decimal", ("EUR/USD", Decimal("1.08501"), Decimal("1.08511"), NOW + 1, NOW + 1), (108501, 108511, True)),
    ("an exponent", ("EUR/USD", "1085.01e-3", "1085.11E-3", NOW + 1, NOW + 1), (108501, 108511, True)),
    ("the same millisecond again", ("EUR/USD", "1.08502", "1.08512", NOW, NOW), (108502, 108512, True)),
    ("5 s ahead", ("EUR/USD", "1.08501", "1.08511", NOW + 5_000, NOW), (108501, 108511, True)),
    ("1 % up", ("EUR/USD", "1.09585", "1.09595", NOW + 1, NOW + 1), (109585, 109595, True)),
    ("more than 1 % up", ("EUR/USD", "1.09586", "1.09596", NOW + 1, NOW + 1), (109586, 109596, False)),
    ("more than 1 % down", ("EUR/USD", "1.07410", "1.07420", NOW + 1, NOW + 1), (107410, 107420, False)),
    ("crossed", ("EUR/USD", "1.08511", "1.08501", NOW + 1, NOW + 1), "crossed"),
    ("locked", ("EUR/USD", "1.08501", "1.08501", NOW + 1, NOW + 1), "locked"),
    ("zero bid", ("EUR/USD", "0", "1.08501", NOW + 1, NOW + 1), "not_positive"),
    ("zero ask", ("EUR/USD", "1.08501", "0.00000", NOW + 1, NOW + 1), "not_positive"),
    ("negative", ("EUR/USD", "-1.08501", "1.08501", NOW + 1, NOW + 1), "not_positive"),
    ("NaN", ("EUR/USD", "NaN", "1.08501", NOW + 1, NOW + 1), "not_a_number"),
    ("a Decimal NaN", ("EUR/USD", Decimal("NaN"), "1.08501", NOW + 1, NOW + 1), "not_a_number"),
    ("infinite", ("EUR/USD", "1.08501", "Infinity", NOW + 1, NOW + 1), "not_a_number"),
    ("a word", ("EUR/USD", "cheap", "1.08501", NOW + 1, NOW + 1), "not_a_number"),
    ("empty", ("EUR/USD", "", "1.08501", NOW + 1, NOW + 1), "not_a_number"),
    ("underscores", ("EUR/USD", "1.08_501", "1.08511", NOW + 1, NOW + 1), "not_a_number"),
    ("digits of another script", ("EUR/USD", "١.٠٨٥٠١", "1.08511", NOW + 1, NOW + 1), "not_a_number"),
    ("a huge exponent", ("EUR/USD", "1e999999", "1.08511", NOW + 1, NOW + 1), "not_a_number"),
    ("a tiny exponent", ("EUR/USD", "1e-999999", "1.08511", NOW + 1, NOW + 1), "precision"),
    ("endless digits", ("EUR/USD", "1." + "0" * 100, "1.08511", NOW + 1, NOW + 1), "not_a_number"),
    ("finer than a point", ("EUR/USD", "1.085011", "1.08511", NOW + 1, NOW + 1), "precision"),
    ("finer than a yen's point", ("USD/JPY", "151.5001", "151.510", NOW + 1, NOW + 1), "precision"),
    ("unknown pair", ("XAU/USD", "1300.0", "1300.5", NOW + 1, NOW + 1), "unknown_pair"),
    ("another spelling", ("EUR-USD", "1.08501", "1.08511", NOW + 1, NOW + 1), "unknown_pair"),
    ("older than the newest", ("EUR/USD", "1.08501", "1.08511", NOW - 1, NOW + 1), "old"),
    ("more than 5 s ahead", ("EUR/USD", "1.08501", "1.08511", NOW + 5_001, NOW), "ahead"),
    ("an hour ahead", ("EUR/USD", "1.08501", "1.08511", NOW + 3_600_000, NOW), "ahead"),
    ("20 % up", ("EUR/USD", "1.30210", "1.30220", NOW + 1, NOW + 1), "out_of_range"),
    ("20 % down", ("EUR/USD", "0.86790", "0.86900", NOW + 1, NOW + 1), "out_of_range"),
    ("only the ask is far", ("EUR/USD", "1.08500", "1.30210", NOW + 1, NOW + 1), "out_of_range"),
]


@pytest.mark.parametrize(("quote", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_it_judges_as_the_table_says(
    quote: tuple[str, str, str, int, int], expected: tuple[int, int, bool] | str
) -> None:
    judge = Quality()
    assert judge.judge(*GOOD) == (108500, 108510, True)
    found = judge.judge(*quote)
    if isinstance(expected, str):
        assert found is None
        assert judge.dropped == {expected: 1}
        assert judge.judge("EUR/USD", "1.08503", "1.08513", NOW + 2, NOW + 2) == (
            108503,
            108513,
            True,
        )  # nothing sticks
    else:
        assert found == expected
        assert not judge.dropped


def test_every_reason_is_in_the_table() -> None:
    assert {row[2] for row in TABLE if isinstance(row[2], str)} == set(quality.REASONS)


def test_a_jump_is_confirmed_by_a_second_quote_near_it() -> None:
    judge = Quality()
    judge.judge(*GOOD)
    assert judge.judge("EUR/USD", "1.10000", "1.10010", NOW + 1, NOW + 1) == (110000, 110010, False)
    assert judge.judge("EUR/USD", "1.10100", "1.10110", NOW + 2, NOW + 2) == (110100, 110110, True)
    assert judge.judge("EUR/USD", "1.10000", "1.10010", NOW + 3, NOW + 3) == (110000, 110010, True)
    assert judge.judge("EUR/USD", "1.08500", "1.08510", NOW + 4, NOW + 4) == (108500, 108510, False)  # a jump back


def test_a_quote_near_the_old_price_discards_a_jump() -> None:
    judge = Quality()
    judge.judge(*GOOD)
    judge.judge("EUR/USD", "1.10000", "1.10010", NOW + 1, NOW + 1)
    assert judge.judge("EUR/USD", "1.08502", "1.08512", NOW + 2, NOW + 2) == (108502, 108512, True)
    assert judge.judge("EUR/USD", "1.10000", "1.10010", NOW + 3, NOW + 3) == (110000, 110010, False)


def test_a_jump_that_goes_on_jumping_is_not_confirmed() -> None:
    judge = Quality()
    judge.judge(*GOOD)
    prices = [110_000, 111_500, 113_000, 114_500]
    found = [
        judge.judge("EUR/USD", f"1.{p % 100_000:05}", f"1.{(p + 10) % 100_000:05}", NOW + p, NOW + p) for p in prices
    ]
    assert [quote and quote[2] for quote in found] == [False] * 4


def test_jumps_of_one_pair_are_no_concern_of_another() -> None:
    judge = Quality()
    judge.judge(*GOOD)
    judge.judge("EUR/USD", "1.10000", "1.10010", NOW + 1, NOW + 1)
    assert judge.judge("USD/JPY", "151.500", "151.508", NOW + 1, NOW + 1) == (151500, 151508, True)


def test_after_an_hour_without_a_good_quote_the_old_price_bars_none_but_asks_for_a_second() -> None:
    judge = Quality()
    judge.judge(*GOOD)
    later = NOW + 3_600_001
    assert judge.judge("EUR/USD", "1.40000", "1.40010", later, later) == (140000, 140010, False)
    assert judge.judge("EUR/USD", "1.40001", "1.40011", later, later) == (140001, 140011, True)


def test_one_quote_ahead_is_dropped_but_a_wrong_clock_here_is_allowed_for() -> None:
    judge = Quality()
    judge.judge(*GOOD)
    ahead = 90_000
    found = [
        judge.judge("EUR/USD", "1.08501", "1.08511", NOW + ahead + i, NOW + i) for i in range(quality.SKEW_SAMPLE + 5)
    ]
    assert found[: quality.SKEW_SAMPLE - 1] == [None] * (quality.SKEW_SAMPLE - 1)
    assert found[-1] == (108501, 108511, True)
    assert judge.skew_ms == ahead
    assert judge.judge("EUR/USD", "1.08501", "1.08511", NOW + ahead + 6_000, NOW + 100) is None  # still 5 s, from there


def test_quotes_ahead_among_good_ones_never_count_as_a_wrong_clock() -> None:
    judge = Quality()
    for i in range(100):
        assert judge.judge("EUR/USD", "1.08501", "1.08511", NOW + i, NOW + i) is not None
        assert judge.judge("GBP/USD", "1.27000", "1.27010", NOW + 90_000 + i, NOW + i) is None
    assert (judge.skew_ms, judge.dropped["ahead"]) == (0, 100)


def test_a_successor_judges_exactly_as_the_feed_would_have() -> None:
    chance = Random(7)
    price, ticks = 108_500, []
    for i in range(3_000):
        price += chance.choice([-3, -1, 0, 1, 3]) + chance.choice([0] * 30 + [1_500, -1_500])
        spread = chance.choice([5, 6, 7, 0, -3])
        ticks.append(
            (
                "EUR/USD",
                f"{price / 1e5:.5f}",
                f"{(price + spread) / 1e5:.5f}",
                NOW + i * 10 - chance.choice([0, 0, 25]),
                NOW + i * 10,
            )
        )
    alone = Quality()
    whole = [alone.judge(*tick) for tick in ticks]
    assert {quote[2] for quote in whole if quote} == {True, False}
    current, newest, parts = Quality(), {}, []
    for number, tick in enumerate(ticks):
        if number % 7 == 3:  # killed here, with what the last batch stored
            waiting = current.waiting()
            current = Quality()
            current.seed(newest, waiting)
        good = current.judge(*tick)
        parts.append(good)
        if good:
            newest["EUR/USD"] = Quote(number + 1, "EUR/USD", good[0], good[1], tick[3], tick[4], good[2])
    assert parts == whole


@pytest.mark.parametrize("price", ["", "-", ".", "1.2.3", "0x1", "1,1", "nan", "sNaN", "∞"])
def test_points_refuse_what_is_no_number(price: str) -> None:
    with pytest.raises(BadPrice, match=quality.NOT_A_NUMBER):
        points(price, 5)


def test_points_are_exact_for_every_price_of_five_digits() -> None:
    for value in range(99_990, 100_200):
        assert points(f"{value // 100_000}.{value % 100_000:05}", 5) == value
