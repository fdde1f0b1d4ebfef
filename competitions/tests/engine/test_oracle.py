"""The engine against the oracle: the same decisions in the same order, and the same equity, peak and drawdown at each quote."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from competitions.engine.book import Book
from competitions.engine.decisions import (
    Account,
    Amended,
    Change,
    Decided,
    Decision,
    Disqualified,
    Filled,
    Protected,
    Wish,
)
from competitions.engine.quotes import Quote
from competitions.tests.engine.oracle import Oracle
from competitions.tests.engine.worlds import World, draw, fresh

SEEDS = st.integers(0, 2**48)
MANY = settings(max_examples=150, deadline=None, derandomize=False, print_blob=True)


def book_for(world: World) -> Book:
    """Make a book with all players, nothing done yet."""
    book = Book(world.rules)
    start = world.rules.starting_balance_cents
    for number in range(1, world.players + 1):
        book.add_account(Account(number, start), peak_cents=start, drawdown_bps=0, day_start_cents=start)
    book.loaded()
    return book


def in_words(decision: Decision) -> tuple[Any, ...]:
    """Say an engine's decision as the oracle says its own."""
    match decision:
        case Filled() as f:
            legs = tuple(
                (b.number, b.leg.opens, b.leg.units, b.pnl_cents, b.fee_cents, b.cash_after_cents) for b in f.legs
            )
            return (
                "filled", f.place, f.number, f.order.id if f.order else None, f.pair, f.units, f.price, f.rule, f.quote.id,
                Fraction(f.rate.numerator, f.rate.denominator), legs, f.units_after, f.cost_after, f.stop_loss, f.take_profit,
                f.seq, f.at_ms,
            )  # fmt: skip
        case Decided() as d:
            return ("decided", d.order.id, d.status, d.reason, d.at_ms)
        case Amended() as a:
            return ("amended", a.change.id, a.reason, a.at_ms)
        case Protected() as p:
            return ("protected", p.place, p.number, p.shortfall_cents, p.at_ms)
        case Disqualified() as q:
            return ("disqualified", q.place, q.reason, q.quote_id, q.equity_cents, q.at_ms)


def play(book: Book, world: World) -> list[Decision]:
    """Let a book live through a world to its end."""
    decisions: list[Decision] = []
    for happening in world.happenings:
        match happening:
            case Quote():
                decisions += book.on_quote(happening)
            case Wish() | Change():
                book.accept(fresh(happening))
            case int():
                decisions += book.on_time(happening)
    return decisions + book.finish(world.ends_ms)


@MANY
@given(SEEDS, st.integers(1, 4), st.integers(10, 160))
def test_the_engine_decides_what_the_oracle_decides(seed: int, players: int, length: int) -> None:
    world = draw(seed, players=players, length=length, late=True)
    book, oracle = book_for(world), Oracle(world.rules, players)
    for happening in world.happenings:
        before = len(oracle.said)
        decisions: Sequence[Decision] = ()
        match happening:
            case Quote():
                decisions = book.on_quote(happening)
                oracle.on_quote(happening)
            case Wish() | Change():
                book.accept(fresh(happening))
                oracle.inbox.append(happening)
            case int():
                decisions = book.on_time(happening)
                oracle.on_time(happening)
        assert [in_words(one) for one in decisions] == oracle.said[before:], happening
        for place, player in enumerate(oracle.players):
            assert int(book.marks.equity[place]) == oracle.equity(player), (place, happening)
            assert book.accounts[place].cash_cents == player.cash
            assert book.used_margin_cents(place) == oracle.margin(player)
            if player.active:
                marks = book.marks
                found = (int(marks.peak[place]), int(marks.drawdown_bps[place]), int(marks.day_start[place]))
                assert found == (player.peak, player.drawdown, player.day_start), (place, happening)
    before = len(oracle.said)
    decisions = book.finish(world.ends_ms)
    oracle.finish(world.ends_ms)
    assert [in_words(one) for one in decisions] == oracle.said[before:]
