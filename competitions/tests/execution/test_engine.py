"""The engine from orders in the database and quotes on the bus to rows: what fills, at which price, and what it leaves behind."""

from datetime import timedelta
from decimal import Decimal

import pytest

from competitions.models import Amendment, Competition, Deal, Entry, EquitySnapshot, Fill, Order, Position, Trade
from competitions.tests.stage import START, Market, amend, contest, enter, person, play, stream_engine, wish

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE = 60_000
OPENING = [
    (0, "EUR/USD", "1.08500", "1.08510"),
    (1, "USD/JPY", "150.000", "150.010"),
    (2, "GBP/USD", "1.27000", "1.27010"),
    (3, "EUR/GBP", "0.85000", "0.85010"),
]


@pytest.fixture
def market() -> Market:
    return Market()


@pytest.fixture
def alice() -> Entry:
    return enter(contest(), person("alice"))


def test_a_market_order_fills_at_the_first_quote_after_its_acceptance(alice: Entry, market: Market) -> None:
    order = wish(alice, 1_000, "EUR/USD", 100_000)
    engine = stream_engine()
    play(engine, market, [*OPENING, (1_000, "EUR/USD", "1.08600", "1.08610"), (1_500, "EUR/USD", "1.08700", "1.08712")])
    order.refresh_from_db()
    fill = Fill.objects.get()
    assert order.status == Order.Status.FILLED
    assert (fill.price, fill.bid, fill.ask, fill.rule) == (
        Decimal("1.08712"),
        Decimal("1.08700"),
        Decimal("1.08712"),
        "market",
    )
    assert fill.quote_id == market.next_id - 1
    assert fill.engine_epoch >= 1


def test_a_market_order_without_a_quote_in_three_seconds_is_rejected(alice: Entry, market: Market) -> None:
    order = wish(alice, 1_000, "EUR/USD", 100_000)
    play(
        stream_engine(),
        market,
        [*OPENING, (4_001, "USD/JPY", "150.000", "150.011"), (4_002, "EUR/USD", "1.08600", "1.08610")],
    )
    order.refresh_from_db()
    assert (order.status, order.reason) == ("rejected", "no_quote")
    assert not Fill.objects.exists()


def test_a_limit_order_fills_at_its_own_price_and_a_stop_at_the_quote_gap_included(
    alice: Entry, market: Market
) -> None:
    wish(alice, 10, "EUR/USD", 10_000, type="limit", price="1.08400")
    wish(alice, 20, "EUR/USD", 10_000, type="stop", price="1.08700")
    play(
        stream_engine(),
        market,
        [*OPENING, (100, "EUR/USD", "1.08300", "1.08310"), (200, "EUR/USD", "1.08900", "1.08915")],
    )
    limit, stop = Fill.objects.order_by("number")
    assert (limit.rule, limit.price) == ("limit", Decimal("1.08400"))
    assert (stop.rule, stop.price) == ("stop", Decimal("1.08915"))


def test_stop_loss_fills_at_the_quote_and_take_profit_at_its_price(alice: Entry, market: Market) -> None:
    bob = enter(alice.competition, person("bob"))
    wish(alice, 10, "EUR/USD", 10_000, stop_loss="1.08400", take_profit="1.08600")
    wish(bob, 10, "EUR/USD", -10_000, stop_loss="1.08600", take_profit="1.08400")
    play(
        stream_engine(),
        market,
        [*OPENING, (100, "EUR/USD", "1.08500", "1.08510"), (200, "EUR/USD", "1.08650", "1.08660")],
    )
    assert {(fill.entry_id, fill.rule, fill.price) for fill in Fill.objects.filter(number=2)} == {
        (alice.pk, "take_profit", Decimal("1.08600")),
        (bob.pk, "stop_loss", Decimal("1.08660")),
    }


def test_a_flip_closes_one_trade_and_opens_the_next(alice: Entry, market: Market) -> None:
    wish(alice, 10, "EUR/USD", 10_000)
    wish(alice, 150, "EUR/USD", -30_000)
    play(
        stream_engine(),
        market,
        [*OPENING, (100, "EUR/USD", "1.08500", "1.08510"), (200, "EUR/USD", "1.08600", "1.08610")],
    )
    first, second = Trade.objects.order_by("opened_at")
    assert (first.side, first.closed_units, first.pnl_cents) == ("buy", 10_000, 900)
    assert (second.side, second.opened_units, second.closed_at) == ("sell", 20_000, None)
    assert [deal.direction for deal in Deal.objects.order_by("number")] == ["in", "out", "in"]
    assert Position.objects.get().units == -20_000


def test_yen_profit_is_divided_by_the_mid_and_the_rate_is_on_the_deal(alice: Entry, market: Market) -> None:
    wish(alice, 10, "USD/JPY", 100_000)
    wish(alice, 150, "USD/JPY", -100_000)
    play(
        stream_engine(),
        market,
        [*OPENING, (100, "USD/JPY", "150.000", "150.010"), (200, "USD/JPY", "150.510", "150.520")],
    )
    deal = Deal.objects.get(direction="out")
    # 100,000 * 0.500 yen = 50,000 yen / 150.515 = 332.192804 dollars
    assert (deal.pnl_cents, deal.conversion_rate, deal.conversion_pair) == (33_219, Decimal("150.515"), "USD/JPY")
    alice.refresh_from_db()
    assert alice.cash_cents == 10_000_000 + 33_219


def test_margin_is_judged_again_at_the_fill(alice: Entry, market: Market) -> None:
    # 10,000,000 cents * 30 / 1.085 is about 2.76 million euros
    first = wish(alice, 10, "EUR/USD", 2_000_000)
    second = wish(alice, 11, "EUR/USD", 1_000_000)
    play(stream_engine(), market, [*OPENING, (100, "EUR/USD", "1.08500", "1.08510")])
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status, second.reason) == ("filled", "rejected", "insufficient_margin")


def test_positions_are_stopped_out_largest_loss_first_and_the_balance_never_ends_below_zero(market: Market) -> None:
    entry = enter(contest(starting_balance_cents=100_000, pairs=["EUR/USD", "USD/JPY"]), person("alice"))
    wish(entry, 10, "EUR/USD", 20_000)
    wish(entry, 10, "USD/JPY", 1_000)
    play(
        stream_engine(),
        market,
        [
            *OPENING,
            (100, "EUR/USD", "1.08500", "1.08510"),
            (101, "USD/JPY", "150.000", "150.010"),
            (200, "EUR/USD", "1.06000", "1.06010"),  # 50,200 lost: 49,800 left for a margin of 70,667 + 3,334
            (300, "EUR/USD", "1.05300", "1.05310"),  # 35,800 left: below half of 70,200 + 3,334
        ],
    )
    assert [(fill.pair, fill.price) for fill in Fill.objects.filter(rule="stop_out")] == [
        ("EUR/USD", Decimal("1.05300"))
    ]
    assert Position.objects.get(pair="USD/JPY").units == 1_000


def test_a_balance_that_a_gap_took_below_zero_is_brought_back_to_zero_in_its_own_row(market: Market) -> None:
    entry = enter(contest(starting_balance_cents=100_000), person("alice"))
    wish(entry, 10, "EUR/USD", 20_000)
    play(
        stream_engine(),
        market,
        [*OPENING, (100, "EUR/USD", "1.08500", "1.08510"), (200, "EUR/USD", "1.03000", "1.03010")],
    )
    entry.refresh_from_db()
    protection = Deal.objects.get(direction="protection")
    assert (entry.cash_cents, protection.pnl_cents, protection.cash_after_cents) == (0, 10_200, 0)


def test_a_drawdown_breach_closes_everything_and_disqualifies_with_reason_and_quote(market: Market) -> None:
    entry = enter(contest(drawdown_rule="peak", drawdown_limit_bps=100), person("alice"))
    wish(entry, 10, "EUR/USD", 1_000_000)
    resting = wish(entry, 20, "EUR/USD", 1_000, type="limit", price="1.00000")
    play(
        stream_engine(),
        market,
        [
            *OPENING,
            (100, "EUR/USD", "1.08500", "1.08510"),
            (200, "EUR/USD", "1.08460", "1.08470"),
            (300, "EUR/USD", "1.08410", "1.08420"),
            (400, "EUR/USD", "1.09000", "1.09010"),
        ],
    )
    entry.refresh_from_db()
    resting.refresh_from_db()
    assert (entry.status, entry.dq_reason) == ("disqualified", "drawdown_peak")
    assert entry.dq_quote_id == market.next_id - 2
    assert entry.final_equity_cents == entry.cash_cents == 10_000_000 - 100_000
    assert (resting.status, resting.reason) == ("cancelled", "drawdown")


def test_an_unconfirmed_jump_triggers_no_stop_and_moves_no_highest_equity(alice: Entry, market: Market) -> None:
    wish(alice, 10, "EUR/USD", 10_000, stop_loss="1.08000")
    engine = stream_engine()
    play(engine, market, [*OPENING, (100, "EUR/USD", "1.08500", "1.08510")])
    market.send(market.quote(200, "EUR/USD", "1.20000", "1.20010", confirmed=False))
    market.send(market.quote(300, "EUR/USD", "1.05000", "1.05010", confirmed=False))
    market.send(market.quote(400, "EUR/USD", "1.08500", "1.08510"))
    engine.step()
    engine.stop()
    alice.refresh_from_db()
    assert Fill.objects.count() == 1
    assert alice.max_equity_cents == 10_000_000


def test_cancel_modify_and_protect_are_decided_by_the_engine(alice: Entry, market: Market) -> None:
    doomed = wish(alice, 10, "EUR/USD", 10_000, type="limit", price="1.08000")
    moved = wish(alice, 10, "EUR/USD", 10_000, type="limit", price="1.07000")
    wish(alice, 10, "USD/JPY", 1_000)
    engine = stream_engine()
    play(engine, market, [*OPENING, (100, "USD/JPY", "150.000", "150.010"), (101, "EUR/USD", "1.08500", "1.08510")])
    position = Position.objects.get(pair="USD/JPY")
    amend(alice, 200, "cancel", order=doomed)
    amend(alice, 201, "modify", order=moved, units=20_000, price=Decimal("1.08450"))
    amend(alice, 202, "protect", position=position, stop_loss=Decimal("149.500"), take_profit=None)
    play(engine, market, [(300, "EUR/USD", "1.08440", "1.08450"), (301, "USD/JPY", "149.400", "149.410")])
    doomed.refresh_from_db()
    moved.refresh_from_db()
    assert (doomed.status, doomed.reason) == ("cancelled", "by_trader")
    assert (moved.status, moved.units) == ("filled", 20_000)
    assert Fill.objects.get(rule="stop_loss").price == Decimal("149.400")
    assert set(Amendment.objects.values_list("status", flat=True)) == {"applied"}


def test_the_end_closes_positions_at_the_last_good_quote_and_ranks_everybody(alice: Entry, market: Market) -> None:
    bob = enter(alice.competition, person("bob"))
    idle = enter(alice.competition, person("idle"))
    wish(alice, 10, "EUR/USD", 10_000)
    wish(bob, 10, "EUR/USD", -10_000)
    hanging = wish(bob, 20, "EUR/USD", 1_000, type="limit", price="1.00000")
    end = 60 * MINUTE
    play(
        stream_engine(),
        market,
        [*OPENING, (100, "EUR/USD", "1.08500", "1.08510"), (end - 10_000, "EUR/USD", "1.08600", "1.08610"),
         (end + 5_000, "EUR/USD", "1.20000", "1.20010")],
    )  # fmt: skip
    for entry in (alice, bob, idle):
        entry.refresh_from_db()
    hanging.refresh_from_db()
    competition = Competition.objects.get()
    assert competition.status == "settling"
    assert (alice.final_equity_cents, bob.final_equity_cents) == (10_000_900, 9_998_900)
    assert (alice.rank, bob.rank, idle.rank) == (1, 2, None)
    assert (hanging.status, hanging.reason) == ("cancelled", "end")
    assert EquitySnapshot.objects.filter(competition=competition).exists()
    assert not Position.objects.exclude(units=0).exists()


def test_the_end_moves_by_the_length_of_an_outage(alice: Entry, market: Market) -> None:
    wish(alice, 10, "EUR/USD", 10_000)
    end = 60 * MINUTE
    engine = stream_engine()
    play(
        engine,
        market,
        [*OPENING, (100, "EUR/USD", "1.08500", "1.08510"), (end - 120_000, "EUR/USD", "1.08600", "1.08610")],
    )
    play(engine, market, [(end + 180_000, "EUR/USD", "1.08700", "1.08710")])
    competition = Competition.objects.get()
    assert competition.status == "running"
    assert (competition.ends_at - competition.planned_ends_at).total_seconds() == 300
    play(
        engine,
        market,
        [(end + 290_000, "EUR/USD", "1.08800", "1.08810"), (end + 300_001, "EUR/USD", "1.08900", "1.08910")],
    )
    alice.refresh_from_db()
    assert Competition.objects.get().status == "settling"
    assert alice.final_equity_cents == 10_000_000 + 2_900


def test_a_contest_that_is_closed_early_ends_there_as_at_any_end(alice: Entry, market: Market) -> None:
    wish(alice, 10, "EUR/USD", 10_000)
    engine = stream_engine()
    play(engine, market, [*OPENING, (100, "EUR/USD", "1.08500", "1.08510"), (9_000, "EUR/USD", "1.08550", "1.08560")])
    Competition.objects.update(ends_at=START + timedelta(seconds=10))
    engine._next_claim = 0.0  # a second has passed
    play(engine, market, [(9_900, "EUR/USD", "1.08600", "1.08610"), (10_001, "EUR/USD", "1.20000", "1.20010")])
    competition = Competition.objects.get()
    alice.refresh_from_db()
    assert (competition.status, alice.final_equity_cents) == ("settling", 10_000_900)
    assert competition.planned_ends_at == START + timedelta(hours=1)
