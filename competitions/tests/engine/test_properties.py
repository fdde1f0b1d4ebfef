"""What holds in every contest, whatever happens in it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from competitions.engine.decisions import Change, Decision, Filled, Protected, Wish
from competitions.engine.quotes import Quote
from competitions.tests.engine.test_oracle import book_for, in_words, play
from competitions.tests.engine.worlds import World, draw, fresh

WORLDS = st.builds(
    draw, st.integers(0, 2**48), players=st.integers(1, 4), length=st.integers(10, 150), late=st.booleans()
)
SOME = settings(max_examples=60, deadline=None, print_blob=True)


def fills(world: World) -> list[Filled]:
    return [one for one in play(book_for(world), world) if isinstance(one, Filled)]


@SOME
@given(WORLDS)
def test_cash_is_the_start_plus_profits_less_fees_and_never_ends_below_zero(world: World) -> None:
    book = book_for(world)
    decisions = play(book, world)
    for place, account in enumerate(book.accounts):
        cash = world.rules.starting_balance_cents
        for one in decisions:
            if isinstance(one, Filled) and one.place == place:
                cash += sum(leg.pnl_cents - leg.fee_cents for leg in one.legs)
                assert one.legs[-1].cash_after_cents == cash
            elif isinstance(one, Protected) and one.place == place:
                assert cash + one.shortfall_cents == 0
                cash = 0
        assert cash == account.cash_cents >= 0
        assert int(book.marks.equity[place]) == cash  # everything is closed at the end


@SOME
@given(WORLDS)
def test_signed_fills_sum_to_the_position(world: World) -> None:
    held: dict[tuple[int, str], int] = {}
    for fill in fills(world):
        key = fill.place, fill.pair
        held[key] = held.get(key, 0) + fill.units
        assert held[key] == fill.units_after
        assert (fill.units_after == 0) <= (fill.cost_after == 0)
    assert not any(held.values())


@SOME
@given(WORLDS)
def test_fills_happen_only_at_prices_that_the_quote_allows(world: World) -> None:
    for fill in fills(world):
        quote, buys = fill.quote, fill.units > 0
        if fill.rule == "limit":
            assert fill.order is not None
            assert fill.price == fill.order.price
            assert quote.ask <= fill.price if buys else quote.bid >= fill.price
        elif fill.rule == "take_profit":
            assert quote.ask <= fill.price if buys else quote.bid >= fill.price
        else:
            assert fill.price == (quote.ask if buys else quote.bid)
        assert quote.pair == fill.pair
        if fill.order is not None:
            assert fill.order.accepted_ms < quote.received_ms <= world.ends_ms
        assert quote.armed or fill.rule in ("market", "stop_out", "drawdown", "disqualified", "end")
        assert quote.confirmed or fill.rule in ("market", "limit")


@SOME
@given(WORLDS)
def test_the_same_orders_and_quotes_give_the_same_decisions(world: World) -> None:
    first, second = (play(book_for(world), world) for _ in range(2))
    assert [in_words(one) for one in first] == [in_words(one) for one in second]


@SOME
@given(WORLDS)
def test_asking_the_clock_more_often_decides_nothing_else(world: World) -> None:
    book = book_for(world)
    decisions: list[Decision] = []
    for happening in world.happenings:
        match happening:
            case Quote():
                decisions += book.on_quote(happening)
                decisions += book.on_time(book.last_ms)
            case Wish() | Change():
                book.accept(fresh(happening))
            case int():
                decisions += book.on_time(happening - 1)
                decisions += book.on_time(happening)
    decisions += book.finish(world.ends_ms)
    seldom = [one for one in world.happenings if not isinstance(one, int)]
    expected = play(book_for(world), World(world.rules, world.players, seldom, world.ends_ms))
    assert sorted(map(repr, map(in_words, decisions))) == sorted(map(repr, map(in_words, expected)))
