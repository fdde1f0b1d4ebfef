"""What the crowd hears, and when: a delay holds deals and positions back, a crash loses none, the end sets them free."""

from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from arena.models import Listing
from arena.services.listings import listing_change, listing_make
from competitions import messages
from competitions.models import Competition, Deal
from competitions.selectors import room
from competitions.services import orders
from competitions.services.execution import Engine
from competitions.services.tape import BEHIND_SNAPSHOT_MS, Tape
from competitions.tests.factories import Desk
from tradingarena.core import realtime
from tradingarena.core.clock import to_ms
from tradingarena.tests.cast import Cast

DELAY_S = 30


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    cast = Cast.assemble()
    listing_make(cast.operator, cast.sprint.pk, delay_s=DELAY_S)
    return cast


def heard(room_name: str) -> list[dict[str, Any]]:
    """Give the facts that a room has been told."""
    found = realtime.replay(room_name, 0)
    assert found != "resync"
    return [orjson.loads(frame) for frame in found]


def told(cast: Cast) -> tuple[list[str], list[str]]:
    """Give what spectators and rivals have been told: the types of the facts."""
    names = (messages.tape_room(cast.sprint.pk), messages.closed_room(cast.sprint.pk))
    tape, closed = ([fact["type"] for fact in heard(name)] for name in names)
    return tape, closed


def trade(cast: Cast, desk: Desk, side: str, units: int = 100_000) -> None:
    orders.order_place(
        cast.alice, cast.sprint.pk, id=uuid4(), pair="EUR/USD", side=side, type="market", units=units, price=None,
        stop_loss=None, take_profit=None,
    )  # fmt: skip
    desk.decide()


def listing_of(cast: Cast) -> UUID:
    return Listing.objects.get(competition=cast.sprint).pk


def wait(engine: Engine, cast: Cast, seconds: float) -> None:
    """Let the contest's time pass."""
    ahead = engine.now_ms() + int(seconds * 1000)
    engine.tapes[cast.sprint.pk].release(ahead)


def test_the_crowd_hears_after_the_delay_and_the_owner_at_once(cast: Cast) -> None:
    desk = Desk()
    trade(cast, desk, "buy")
    assert [fact["data"]["order"]["status"] for fact in heard(messages.account_room(cast.alices.pk))] == ["filled"]
    assert told(cast) == ([], [])
    wait(desk.engine, cast, DELAY_S - 1)
    assert told(cast) == ([], [])
    wait(desk.engine, cast, DELAY_S + 1)
    assert told(cast) == (["deal_executed", "position_update"], [])
    trade(cast, desk, "sell")
    wait(desk.engine, cast, DELAY_S + 1)
    assert told(cast) == (["deal_executed", "position_update"] * 2, ["deal_executed"] * 2)
    positions = [
        fact["data"]["positions"] for fact in heard(messages.tape_room(cast.sprint.pk)) if "positions" in fact["data"]
    ]
    assert [len(held) for held in positions] == [1, 0]


def test_without_a_delay_the_crowd_hears_at_once(cast: Cast) -> None:
    listing_change(cast.operator, listing_of(cast), delay_s=0)
    trade(cast, Desk(), "buy")
    assert told(cast)[0] == ["deal_executed", "position_update"]


def test_a_snapshot_never_shows_less_than_its_rooms_have_told(cast: Cast) -> None:
    desk = Desk()
    trade(cast, desk, "buy")
    tape = desk.engine.tapes[cast.sprint.pk]
    shown_ms = to_ms(Deal.objects.get().at) + DELAY_S * 1000  # from then on a snapshot has it
    tape.release(shown_ms + BEHIND_SNAPSHOT_MS - 1)
    assert told(cast)[0] == []
    tape.release(shown_ms + BEHIND_SNAPSHOT_MS)
    assert told(cast)[0] != []
    snapshot = room.snapshot(cast.carol, cast.sprint)
    assert (snapshot["deals"], snapshot["positions"], snapshot["delay_s"]) == ([], [], DELAY_S)


def test_a_lowered_delay_sets_free_what_was_held(cast: Cast) -> None:
    desk = Desk()
    trade(cast, desk, "buy")
    listing_change(cast.operator, listing_of(cast), delay_s=0)
    tape = desk.engine.tapes[cast.sprint.pk]
    tape._next_ask = 0
    desk.engine.step()
    assert told(cast)[0] == ["deal_executed", "position_update"]


def test_what_a_dead_engine_held_the_next_one_tells(cast: Cast) -> None:
    desk = Desk()
    trade(cast, desk, "buy")
    trade(cast, desk, "sell", 40_000)
    desk.engine.stop()  # its lease would run out by itself
    after = Engine(desk.engine.bus)
    after.step()
    assert told(cast)[0] == []
    wait(after, cast, DELAY_S + 1)
    facts = heard(messages.tape_room(cast.sprint.pk))
    assert [fact["type"] for fact in facts] == ["deal_executed", "position_update"] * 2
    assert [fact["data"]["positions"][0]["units"] for fact in facts[1::2]] == [100_000, 60_000]


def test_nothing_is_held_when_the_contest_is_over(cast: Cast) -> None:
    desk = Desk()
    trade(cast, desk, "buy")
    Competition.objects.filter(pk=cast.sprint.pk).update(status="cancelled")
    desk.engine._next_claim = 0
    desk.engine.step()
    assert told(cast)[0] == ["deal_executed", "position_update"]


def test_a_tape_without_a_delay_keeps_nothing(cast: Cast) -> None:
    tape = Tape(cast.elsewhere)
    fact = realtime.Fact(messages.tape_room(cast.elsewhere.pk), "deal_executed", {})
    tape.take([fact], 0)
    assert len(heard(messages.tape_room(cast.elsewhere.pk))) == 1
    assert tape.delay_ms == 0
