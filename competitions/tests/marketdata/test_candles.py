"""Candles against a plain recomputation: every timeframe, stops at any point, history beneath them, reading."""

import time
from collections import defaultdict
from random import Random

import pytest
from django.db import connection

from competitions.engine.instruments import INSTRUMENTS
from competitions.engine.market_hours import day_open_ms, four_hours_open_ms
from competitions.engine.quotes import Quote
from competitions.marketdata import candle_store
from competitions.marketdata.bus import LIFE
from competitions.marketdata.candles import CandleBuilder
from competitions.marketdata.providers.base import Bar
from competitions.models import Candle
from competitions.selectors import candles
from competitions.tests.marketdata.support import fresh_bus
from tradingarena.core.clock import from_ms, to_ms
from tradingarena.core.leases import Held, LeaseLost

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE = 60_000
BEGIN = 1_772_913_600_000  # 2026-03-07 20:00 UTC: the clocks change in New York seven hours later
Rows = dict[tuple[str, str, str, int], tuple[int, int, int, int, int]]


def some_quotes(minutes: int, seed: int = 1, every_ms: int = 4_000) -> list[Quote]:
    """Make quotes of two pairs with quiet minutes in between, some of them unconfirmed."""
    chance = Random(seed)
    prices = {"EUR/USD": 108_500, "USD/JPY": 151_500}
    quotes, at_ms, number = [], BEGIN, 0
    while at_ms < BEGIN + minutes * MINUTE:
        at_ms += chance.randint(1, every_ms) + (chance.random() < 0.01) * 4 * MINUTE
        pair = chance.choice(list(prices))
        prices[pair] += chance.randint(-9, 9)
        number += 1
        quotes.append(
            Quote(
                LIFE + number,
                pair,
                prices[pair],
                prices[pair] + 8,
                at_ms,
                at_ms + 30,
                chance.random() > 0.05,
                True,
                "t",
            )
        )
    return quotes


def expected(quotes: list[Quote]) -> Rows:
    """Recompute every candle, the plain way."""
    openings = {
        "1m": lambda ms: ms - ms % MINUTE,
        "5m": lambda ms: ms - ms % (5 * MINUTE),
        "15m": lambda ms: ms - ms % (15 * MINUTE),
        "1h": lambda ms: ms - ms % (60 * MINUTE),
        "4h": four_hours_open_ms,
        "1d": day_open_ms,
    }
    found: dict[tuple[str, str, str, int], list[int]] = defaultdict(list)
    for quote in quotes:
        if quote.confirmed:
            for timeframe, opening in openings.items():
                for side, price in (("bid", quote.bid), ("ask", quote.ask)):
                    found[quote.pair, timeframe, side, opening(quote.time_ms)].append(price)
    return {key: (p[0], max(p), min(p), p[-1], len(p)) for key, p in found.items()}


def stored() -> Rows:
    rows: Rows = {}
    for one in Candle.objects.all():
        scale = INSTRUMENTS[one.pair].scale
        prices = [int(price * scale) for price in (one.open, one.high, one.low, one.close)]
        rows[one.pair, one.timeframe, one.side, to_ms(one.opens_at)] = (*prices, one.ticks)  # type: ignore[assignment]
    return rows


def test_every_timeframe_of_both_sides_is_what_a_plain_recomputation_gives() -> None:
    quotes = some_quotes(26 * 60, every_ms=40_000)
    builder = CandleBuilder()
    for begin in range(0, len(quotes), 97):
        builder.add(quotes[begin : begin + 97])
        assert builder.flush()
    builder.flush(everything=True)
    assert stored() == expected(quotes)
    assert len({key[3] for key in stored() if key[1] == "1d"}) == 3


def test_a_minute_without_quotes_has_no_candle() -> None:
    quotes = [quote for quote in some_quotes(30) if not BEGIN + 10 * MINUTE <= quote.time_ms < BEGIN + 12 * MINUTE]
    builder = CandleBuilder()
    builder.add(quotes)
    builder.flush(everything=True)
    assert not Candle.objects.filter(timeframe="1m", opens_at__in=[from_ms(BEGIN + n * MINUTE) for n in (10, 11)])
    assert stored() == expected(quotes)


@pytest.mark.parametrize("seed", range(6))
def test_a_feed_that_dies_at_any_point_leaves_candles_as_if_it_had_lived(seed: int) -> None:
    """Each life appends, adds and flushes now and then, and dies without a last flush; some die between flush and note."""
    chance = Random(seed)
    bus, quotes = fresh_bus(), some_quotes(50, seed=seed, every_ms=3_000)
    builder = CandleBuilder()
    builder.take_over(bus)
    begin = 0
    while begin < len(quotes):
        batch = quotes[begin : begin + chance.randint(1, 40)]
        begin += len(batch)
        bus.append(batch)
        if chance.random() < 0.15:  # killed between the bus and the candles
            builder = CandleBuilder()
            builder.take_over(bus)
            continue
        builder.add(batch)
        if chance.random() < 0.3:
            builder.flush(None if chance.random() < 0.3 else bus, everything=chance.random() < 0.3)
        if chance.random() < 0.1:
            builder = CandleBuilder()
            builder.take_over(bus)
    builder.flush(bus, everything=True)
    assert stored() == expected(quotes)
    bus.clear()


def test_with_an_emptied_bus_a_new_feed_adds_to_the_stored_minute() -> None:
    quotes = [quote for quote in some_quotes(3, every_ms=500) if quote.confirmed]
    half = next(number for number, quote in enumerate(quotes) if quote.time_ms >= BEGIN + 90_000)
    first, second = CandleBuilder(), CandleBuilder()
    first.add(quotes[:half])
    first.flush(everything=True)
    second.take_over(fresh_bus())
    second.add(quotes[half:])
    second.flush(everything=True)
    assert stored() == expected(quotes)


def test_history_fills_gaps_once_and_never_replaces_what_was_built() -> None:
    built = [quote for quote in some_quotes(3, every_ms=900) if quote.confirmed]
    builder = CandleBuilder()
    builder.add(built)
    builder.flush(everything=True)
    own = stored()
    opens = [BEGIN + n * MINUTE for n in range(-10, 4)]
    bars = [Bar("EUR/USD", side, ms, 100_000, 100_020, 99_990, 100_010, 7) for ms in opens for side in ("bid", "ask")]
    gaps = [bar for bar in bars if (bar.pair, "1m", bar.side, bar.opens_ms) not in own]
    assert 20 <= len(gaps) < len(bars)
    assert candle_store.add_history(bars, None) == len(gaps)
    assert candle_store.add_history(bars, None) == 0
    now = stored()
    minutes = {key for key in now if key[1] == "1m"}
    assert {key for key in minutes if key[3] < BEGIN} == {
        ("EUR/USD", "1m", side, ms) for ms in opens[:10] for side in ("bid", "ask")
    }
    assert all(now[key] == own[key] for key in own if key[1] == "1m")
    day = now["EUR/USD", "1d", "bid", day_open_ms(BEGIN)]
    assert day[0] == 100_000
    assert day[2] == 99_990
    assert day[4] == 7 * len(gaps) // 2 + own["EUR/USD", "1d", "bid", day_open_ms(BEGIN)][4]


def test_running_spans_take_history_in_that_came_beneath_them() -> None:
    quotes = [quote for quote in some_quotes(8, every_ms=900) if quote.confirmed]
    late = next(number for number, quote in enumerate(quotes) if quote.time_ms >= BEGIN + 5 * MINUTE)
    again = next(number for number, quote in enumerate(quotes) if quote.time_ms >= BEGIN + 6 * MINUTE + 20_000)
    builder = CandleBuilder()
    builder.add(quotes[late:again])
    builder.flush(everything=True)
    missed = expected(quotes[:late])
    bars = [Bar(pair, side, ms, *values) for (pair, timeframe, side, ms), values in missed.items() if timeframe == "1m"]
    candle_store.add_history(bars, None)
    builder.flush(everything=True)
    builder.reload()
    builder.add(quotes[again:])
    builder.flush(everything=True)
    assert stored() == expected(quotes)


def test_a_fenced_feed_stores_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_lease (name, holder, epoch, expires_at, note) VALUES ('feed', 'new', 2, now(), '{}')"
        )
    builder = CandleBuilder(held=Held("feed", "old", 1))
    builder.add(some_quotes(2))
    with pytest.raises(LeaseLost):
        builder.flush()
    with pytest.raises(LeaseLost):
        candle_store.add_history([Bar("EUR/USD", "bid", BEGIN, 1, 1, 1, 1, 1)], Held("feed", "old", 1))
    assert not Candle.objects.exists()


def test_what_could_not_be_stored_is_stored_later() -> None:
    quotes = some_quotes(5)
    builder = CandleBuilder()
    builder.add(quotes[:20])
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE competitions_candle RENAME TO elsewhere")
    try:
        assert not builder.flush(everything=True)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO competitions_candle")
    builder.add(quotes[20:])
    assert builder.flush(everything=True)
    assert stored() == expected(quotes)


def test_reading_is_newest_first_bounded_and_strict() -> None:
    builder = CandleBuilder()
    builder.add(some_quotes(90))
    builder.flush(everything=True)
    rows = candles.read("EUR/USD", "1m", "bid", BEGIN, BEGIN + 200 * MINUTE, 10)
    assert len(rows) == 10
    assert [row.opens_at for row in rows] == sorted((row.opens_at for row in rows), reverse=True)
    exact = candles.read("EUR/USD", "1m", "bid", to_ms(rows[5].opens_at), to_ms(rows[2].opens_at), 10)
    assert exact == rows[3:6]  # [from, to)
    assert candles.read("EUR/USD", "1m", "bid", 0, BEGIN, 10) == []
    assert candles.read("EUR/USD", "1m", "bid", 0, BEGIN * 2, 0) == []
    for wrong in (("XAU/USD", "1m", "bid"), ("EUR/USD", "2m", "bid"), ("EUR/USD", "1m", "mid")):
        with pytest.raises((KeyError, ValueError)):
            candles.read(*wrong, 0, BEGIN, 10)


def test_reading_uses_the_index() -> None:
    bars = [
        Bar(pair, side, BEGIN + n * MINUTE, 100, 110, 90, 105, 1)
        for pair in ("EUR/USD", "USD/JPY")
        for n in range(2_000)
        for side in ("bid", "ask")
    ]
    candle_store.add_history(bars, None)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE competitions_candle")
        cursor.execute(
            "EXPLAIN SELECT * FROM competitions_candle WHERE pair = 'EUR/USD' AND timeframe = '1m' AND side = 'bid' "
            "AND opens_at >= '2026-01-01' AND opens_at < '2027-01-01' ORDER BY opens_at DESC LIMIT 500"
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index Scan Backward using candle_once" in plan
    assert "Sort" not in plan


def test_a_flush_is_due_once_a_second() -> None:
    builder = CandleBuilder()
    builder.flush()
    now = time.monotonic()
    assert not builder.is_due(now)
    assert builder.is_due(now + 1.1)
