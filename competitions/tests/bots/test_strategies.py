"""Strategies decide from what they see alone, and never ask for what no arena would accept."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingarena.bots.market import Market
from tradingarena.bots.strategies import STRATEGIES, Cancel, Close, Enter, View

ROW = {"digits": 5, "pip": "0.0001"}


def _market(mids, spread=8):
    market = Market()
    market.know([{"pair": "EUR/USD", **ROW}, {"pair": "USD/JPY", "digits": 3, "pip": "0.01"}])
    pair = market.pairs["EUR/USD"]
    pair.mids.extend(2 * mid for mid in mids)
    pair.bid, pair.ask, pair.stale = mids[-1] - spread // 2, mids[-1] + spread // 2, False
    return pair


def _view(pair, **changes):
    plain = {
        "pairs": [pair],
        "positions": [],
        "orders": [],
        "equity_cents": 10_000_000,
        "start_cents": 10_000_000,
        "left_s": 600.0,
        "now_s": 1_000.0,
        "dice": random.Random(1),
    }
    return View(**(plain | changes))


def _decide(name, view):
    return list(STRATEGIES[name]().decide(view))


def _held(side="long", units=10_000, **fields):
    return {"position_id": "p1", "pair": "EUR/USD", "side": side, "units": units, "unrealized_cents": 0, **fields}


RISING = [108_000 + 3 * step for step in range(200)]
FLAT = [108_000 + (step % 3) for step in range(200)]


def test_the_trend_follower_buys_what_rises_and_turns_round_when_it_falls():
    (entry,) = _decide("trend", _view(_market(RISING)))
    assert entry.units > 0
    assert entry.stop_loss < RISING[-1]
    leave, turn = _decide("trend", _view(_market(RISING[::-1]), positions=[_held()]))
    assert leave == Close("p1")
    assert turn.units < 0


def test_the_trend_follower_sits_out_a_quiet_market():
    assert _decide("trend", _view(_market(FLAT))) == []


def test_the_mean_reverter_sells_a_spike_with_the_mean_as_its_target():
    (entry,) = _decide("reversion", _view(_market([*FLAT, 108_080])))
    assert entry.units < 0
    assert 107_990 < entry.take_profit < 108_010


def test_the_breakout_trader_lays_a_stop_on_either_side_and_takes_the_other_away():
    upper, lower = _decide("breakout", _view(_market(FLAT)))
    assert upper.kind == lower.kind == "stop"
    assert upper.price > 108_002 > 108_000 > lower.price
    orders = [{"id": "o2", "pair": "EUR/USD"}]
    assert _decide("breakout", _view(_market(FLAT), orders=orders, positions=[_held()])) == [Cancel("o2")]


def test_the_scalper_does_not_hold_for_long():
    scalper, pair = STRATEGIES["scalper"](), _market(FLAT)
    list(scalper.decide(_view(pair, positions=[_held()])))
    assert list(scalper.decide(_view(pair, positions=[_held()], now_s=1_061.0))) == [Close("p1")]


def test_the_patient_trader_asks_for_a_better_price_and_gives_up_on_it_in_time():
    patient, pair = STRATEGIES["patient"](), _market(FLAT)
    (entry,) = patient.decide(_view(pair))
    assert entry.kind == "limit"
    assert entry.price < pair.bid if entry.units > 0 else entry.price > pair.ask
    order = {"id": "o1", "pair": "EUR/USD"}
    assert list(patient.decide(_view(pair, orders=[order]))) == []
    assert list(patient.decide(_view(pair, orders=[order], now_s=1_201.0))) == [Cancel("o1")]


@pytest.mark.parametrize("changes", [{"left_s": 30.0}, {"equity_cents": 9_890_000}])
def test_the_careful_trader_goes_home_before_the_end_and_after_a_loss(changes):
    assert _decide("careful", _view(_market(RISING), positions=[_held()], **changes)) == [Close("p1")]
    assert _decide("careful", _view(_market(RISING), **changes)) == []


@given(
    st.sampled_from(sorted(STRATEGIES)),
    st.lists(st.integers(-40, 40), min_size=1, max_size=400),
    st.integers(2, 40),
    st.integers(1, 50_000_000),
    st.randoms(use_true_random=False),
    st.booleans(),
)
def test_every_order_is_one_that_an_arena_accepts(name, steps, spread, equity, dice, holds):
    price, mids = 108_000, []
    for step in steps:
        price += step
        mids.append(price)
    pair = _market(mids, spread)
    view = _view(pair, dice=dice, equity_cents=equity, positions=[_held()] if holds else [])
    for action in STRATEGIES[name]().decide(view):
        if not isinstance(action, Enter):
            continue
        way = 1 if action.units > 0 else -1
        reference = action.price if action.price is not None else (pair.ask if way > 0 else pair.bid)
        assert action.units % 1_000 == 0
        assert abs(action.units) * 108_000 // 100_000 <= max(
            equity // 100 * 10, 2_000
        )  # at most about ten times the equity
        assert action.stop_loss is None or (reference - action.stop_loss) * way > 0
        assert action.take_profit is None or (action.take_profit - reference) * way > 0
        assert (action.kind == "market") == (action.price is None)


@given(
    st.sampled_from(sorted(STRATEGIES)), st.lists(st.integers(-20, 20), min_size=130, max_size=300), st.integers(0, 99)
)
def test_the_same_dice_and_prices_give_the_same_decisions(name, steps, seed):
    def once():
        pair = _market([108_000 + sum(steps[: n + 1]) for n in range(len(steps))])
        return _decide(name, _view(pair, dice=random.Random(seed)))

    assert once() == once()
