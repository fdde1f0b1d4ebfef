"""The simulated market: seeded, consistent over all pairs, alive in every hour, and going on where it stopped."""

import itertools
import threading
from collections import defaultdict
from statistics import mean

import pytest

from competitions.engine.instruments import INSTRUMENTS
from competitions.engine.quotes import Quote
from competitions.marketdata.providers import simulated
from competitions.marketdata.providers.base import Arrived, Connected, Start
from competitions.marketdata.providers.simulated import LEGS, SimulatedMarket, SimulatedProvider, past
from competitions.marketdata.quality import Quality

MONDAY_NOON = 1_767_614_400_000  # 2026-01-05 12:00 UTC, London and soon New York
NIGHT = MONDAY_NOON + 10 * 3_600_000


def run(market: SimulatedMarket, begin_ms: int, seconds: int) -> list[simulated.Tick]:
    return [tick for step in range(seconds * 10) for tick in market.step(begin_ms + step * 100)]


def test_the_same_seed_gives_the_same_market_and_another_one_another() -> None:
    assert run(SimulatedMarket(5), MONDAY_NOON, 30) == run(SimulatedMarket(5), MONDAY_NOON, 30)
    assert run(SimulatedMarket(5), MONDAY_NOON, 30) != run(SimulatedMarket(6), MONDAY_NOON, 30)


def test_every_quote_is_a_good_and_confirmed_one() -> None:
    quality = Quality()
    ticks = run(SimulatedMarket(1), MONDAY_NOON, 600)
    judged = [quality.judge(*tick[:3], tick.time_ms, tick.time_ms) for tick in ticks]
    assert not quality.dropped
    assert all(quote and quote[2] for quote in judged)


def test_all_28_pairs_quote_majors_more_and_none_is_silent_for_the_time_that_makes_it_stale() -> None:
    for begin in (MONDAY_NOON, NIGHT):
        times: dict[str, list[int]] = defaultdict(list)
        for tick in run(SimulatedMarket(2), begin, 300):
            times[tick.pair].append(tick.time_ms)
        assert set(times) == set(INSTRUMENTS)
        assert (
            max(later - earlier for stamps in times.values() for earlier, later in itertools.pairwise(stamps)) < 5_000
        )
    assert len(times["EUR/USD"]) > len(times["NZD/CHF"])


def test_the_busy_hours_are_busier_and_their_spreads_narrower() -> None:
    def look(begin: int) -> tuple[int, float]:
        ticks = [tick for tick in run(SimulatedMarket(3), begin, 600) if tick.pair == "EUR/USD"]
        return len(ticks), mean(float(tick.ask) - float(tick.bid) for tick in ticks)

    (noon, narrow), (night, wide) = look(MONDAY_NOON + 2 * 3_600_000), look(NIGHT)
    assert noon > 2 * night
    assert narrow < wide


def test_crosses_agree_with_their_legs() -> None:
    market = SimulatedMarket(4)
    newest = {tick.pair: tick for tick in run(market, MONDAY_NOON, 120)}
    final = {tick.pair: tick for tick in market.step(MONDAY_NOON + 200_000)}  # after a pause everybody quotes at once
    assert set(final) == set(newest) == set(INSTRUMENTS)
    usd = {"USD": 1.0}
    for leg in LEGS:
        mid = (float(final[leg.pair].bid) + float(final[leg.pair].ask)) / 2
        usd[leg.currency] = mid if leg.pair.endswith("/USD") else 1 / mid
    for pair, tick in final.items():
        mid = (float(tick.bid) + float(tick.ask)) / 2
        assert mid == pytest.approx(usd[pair[:3]] / usd[pair[4:]], rel=3e-5), pair


def test_volatility_comes_in_clusters() -> None:
    market = SimulatedMarket(8)
    mids, moves = [], []
    for minute in range(600):
        market.step(MONDAY_NOON + minute * 60_000, 60_000)
        mids.append(market.legs["EUR"].price)
    moves = [abs(later - earlier) for earlier, later in itertools.pairwise(mids)]
    centre = mean(moves)
    variance = mean((move - centre) ** 2 for move in moves)
    together = mean((a - centre) * (b - centre) for a, b in itertools.pairwise(moves))
    assert together / variance > 0.03  # an uncorrelated walk is at 0


def test_the_past_ends_where_the_present_begins() -> None:
    market = SimulatedMarket(9)
    bars = past(market, MONDAY_NOON, 3_600)
    last = {bar.pair: bar for bar in bars if bar.side == "bid"}
    assert len([bar for bar in bars if bar.pair == "EUR/USD"]) == 120
    assert all(bar.low <= min(bar.open, bar.close) and bar.high >= max(bar.open, bar.close) for bar in bars)
    first = {tick.pair: int(tick.bid.replace(".", "")) for tick in market.step(MONDAY_NOON + 10_000)}
    for pair, points in first.items():
        assert points == pytest.approx(last[pair].close, rel=2e-3)


def test_a_restart_goes_on_from_the_newest_prices() -> None:
    newest = {
        leg.pair: Quote(1, leg.pair, 2 * INSTRUMENTS[leg.pair].scale, 2 * INSTRUMENTS[leg.pair].scale + 10, 0, 0)
        for leg in LEGS
    }
    provider = SimulatedProvider(seed=1)
    stop = threading.Event()
    events = provider.stream(stop, Start(newest))
    assert isinstance(next(events), Connected)
    arrived = next(event for event in events if isinstance(event, Arrived))
    stop.set()
    assert provider.goes_on(Start(newest))
    assert not provider.goes_on(Start())
    prices = {tick.pair: float(tick.bid) for tick in arrived.ticks}
    assert prices["EUR/USD"] == pytest.approx(2.0, rel=1e-3)
    assert list(provider.history({}, 10**15, stop)) == []  # no invented past behind a real one


def test_it_closes_at_the_weekend_when_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    saturday_ns = (MONDAY_NOON - 2 * 86_400_000) * 1_000_000
    began = simulated.time.monotonic_ns()
    monkeypatch.setattr(simulated.time, "time_ns", lambda: saturday_ns + simulated.time.monotonic_ns() - began)
    for always_open, quotes in ((False, False), (True, True)):
        stop = threading.Event()
        events = SimulatedProvider(seed=1, always_open=always_open, history_s=600).stream(stop, Start())
        seen = [next(events) for _ in range(12)]
        stop.set()
        assert any(isinstance(event, Arrived) for event in seen) is quotes
