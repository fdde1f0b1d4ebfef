"""A book that is lost at any moment and rebuilt from what was committed leaves the same rows as one that was never lost."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from competitions.engine.decisions import Change, Wish
from competitions.engine.quotes import Quote
from competitions.tests.engine.store import Bench, Store
from competitions.tests.engine.worlds import World, draw

SEEDS = st.integers(0, 2**48)


def undisturbed(world: World) -> dict[str, Any]:
    """Live through a world in one life, committing after every quote."""
    bench = Bench(Store(world))
    for happening in world.happenings:
        match happening:
            case Quote():
                bench.feed(happening)
            case Wish() | Change():
                bench.store.sent.append(happening)
                bench.send(happening)
            case int():
                bench.note(bench.book.on_time(happening))
        bench.commit()
    return bench.finish(world.ends_ms)


def interrupted(world: World, dice: random.Random) -> tuple[dict[str, Any], int]:
    """Live through a world in many lives: commits, checkpoints and deaths fall where the dice put them."""
    store = Store(world)
    bench, quotes, lives = Bench(store), [], 1
    for happening in world.happenings:
        match happening:
            case Quote():
                quotes.append(happening)
                bench.feed(happening)
            case Wish() | Change():
                store.sent.append(happening)
                bench.send(happening)
            case int():
                bench.note(bench.book.on_time(happening))
        chance = dice.random()
        if chance < 0.35:
            bench.commit()
        elif chance < 0.45:
            bench.checkpoint()
        elif chance < 0.60:
            bench, lives = Bench(store), lives + 1
            for quote in quotes:
                bench.feed(quote)
    return bench.finish(world.ends_ms), lives


@settings(max_examples=120, deadline=None, print_blob=True)
@given(SEEDS, st.integers(1, 4), st.integers(10, 140))
def test_a_rebuilt_book_goes_on_as_if_nothing_had_happened(seed: int, players: int, length: int) -> None:
    world = draw(seed, players=players, length=length)
    expected = undisturbed(world)
    found, _ = interrupted(world, random.Random(seed))
    for name, rows in expected.items():
        assert found[name] == rows, name


def test_the_random_contests_are_lost_often_and_in_the_middle_of_trades() -> None:
    lives = fills = 0
    for seed in range(12):
        world = draw(seed, players=3, length=140)
        found, its_lives = interrupted(world, random.Random(seed))
        lives, fills = lives + its_lives, fills + len(found["fills"])
    assert lives > 12 * 5
    assert fills > 12 * 2
