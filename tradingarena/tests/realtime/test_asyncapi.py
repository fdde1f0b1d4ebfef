"""docs/asyncapi.yaml and what the program says: every message of the arena as its own code makes it, and refusals as clients see them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from competitions import broadcast, messages
from competitions.models import Competition, Deal, Fill, Order
from tradingarena.core import frames, wire
from tradingarena.core.errors import NotFound, TooFast
from tradingarena.core.ids import new_id
from tradingarena.core.realtime import Fact, Latest
from tradingarena.tests.asyncapi import assert_frame, document, sent, validators

NOW = datetime(2026, 1, 7, 12, 30, 0, 123_000, tzinfo=UTC)
CONTEST, ENTRY, PERSON = new_id(), new_id(), new_id()


def order(**fields: Any) -> Order:
    given = {
        "id": new_id(),
        "entry_id": ENTRY,
        "competition_id": CONTEST,
        "seq": 7,
        "pair": "EUR/USD",
        "side": "buy",
        "type": "market",
        "units": 10_000,
    }
    return Order(**{**given, "accepted_at": NOW, **fields})


def fill() -> Fill:
    return Fill(
        competition_id=CONTEST, entry_id=ENTRY, order_id=new_id(), number=1, pair="USD/JPY", side="sell", units=1000,
        price=Decimal("151.234"), rule="market", bid=Decimal("151.234"), ask=Decimal("151.240"),
        quote_id=10**12 + 5, quote_at=NOW, quote_received_at=NOW,
        quote_age_ms=12, source="simulated", engine_epoch=3, filled_at=NOW,
    )  # fmt: skip


def deal(**fields: Any) -> Deal:
    given = {
        "entry_id": ENTRY,
        "competition_id": CONTEST,
        "number": 1,
        "direction": "in",
        "pair": "EUR/USD",
        "side": "buy",
        "units": 10_000,
    }
    return Deal(**{**given, "price": Decimal("1.08503"), "cash_after_cents": 10_000_000, "at": NOW, **fields})


def position(units: int = 10_000) -> Any:
    return messages.position(
        "EUR/USD",
        units,
        units * 108_503,
        position_id=new_id(),
        stop_loss=Decimal("1.08000"),
        take_profit=None,
        opened_at=NOW if units else None,
    )


BOARD_ROW: Any = {
    "rank": 1, "previous_rank": None, "entry_id": str(ENTRY), "user_id": str(PERSON), "username": "mika", "country": "FI",
    "equity_cents": 10_012_345, "return_bps": 12, "max_drawdown_bps": 3, "fills": 4, "status": "active",
}  # fmt: skip
ACCOUNT: Any = {
    "entry_id": str(ENTRY), "cash_cents": 10_000_000, "equity_cents": 9_999_000, "max_equity_cents": 10_000_000,
    "day_start_equity_cents": 10_000_000, "used_margin_cents": 36_168,
    "free_margin_cents": 9_962_832, "margin_level_bps": 2_764_598, "unrealized_cents": -1000, "rank": None, "status": "active",
    "positions": [{**position(), "unrealized_cents": -1000, "margin_cents": 36_168, "mark_price": "1.08403"}],
}  # fmt: skip

SAID: list[Fact | Latest] = [
    broadcast.board(
        CONTEST,
        {
            "as_of": messages.when_ms(1_767_788_000_123),
            "rankings": [BOARD_ROW, {**BOARD_ROW, "rank": None, "country": ""}],
        },
    ),
    broadcast.board(CONTEST, {"as_of": messages.when_ms(0), "rankings": []}),
    broadcast.competition(
        CONTEST, messages.competition(Competition(id=CONTEST, status="running", starts_at=NOW, ends_at=NOW), entrants=3)
    ),
    broadcast.viewers(CONTEST, 17),
    broadcast.order(ENTRY, messages.order(order()), None),
    broadcast.order(
        ENTRY,
        messages.order(order(type="limit", price=Decimal("1.08"), status="filled", decided_at=NOW)),
        messages.fill(fill()),
    ),
    broadcast.account(ENTRY, ACCOUNT),
    broadcast.deal_on_tape(CONTEST, messages.public_deal(deal(), user_id=PERSON, username="mika")),
    broadcast.deal_on_tape(
        CONTEST,
        messages.public_deal(
            deal(direction="protection", pair="", side="", units=0, price=None), user_id=PERSON, username="mika"
        ),
    ),
    *broadcast.deals_of_closed_trade(
        CONTEST, [messages.public_deal(deal(direction="out", side="sell"), user_id=PERSON, username="mika")]
    ),
    broadcast.positions_on_tape(CONTEST, PERSON, ENTRY, [position(), position(-1000), position(0)]),
    Latest(
        "quotes.EUR/USD", "quote_update", messages.quote("EUR/USD", 108_503, 108_511, 1_767_788_000_123, stale=True)
    ),
    Latest("quotes.USD/JPY", "quote_update", messages.quote("USD/JPY", 151_234, 151_240, 1_767_788_000_123)),
]


@pytest.mark.parametrize("message", SAID, ids=lambda message: f"{message.type} to {message.room.split('.')[0]}")
def test_what_the_arena_says_is_as_documented(message: Fact | Latest) -> None:
    frame = sent(message)
    assert_frame(frame)
    assert ("seq" in frame) is isinstance(message, Fact)


def test_everything_that_is_documented_of_the_arena_is_said_here() -> None:
    of_the_connection = {"ack", "error", "pong", "restart", "resync", "room_closed", "session_revoked"}
    of_later_apps = {"notification", "switches", "wallet_update", "challenge_update"}
    of_bets = {"odds_update", "bet_placed", "market_update", "market_locked", "market_settled"}
    of_the_chat = {"message", "message_deleted", "user_typing", "sanction"}  # said in test_chat.py
    of_others = of_later_apps | of_bets | of_the_chat
    assert {message.type for message in SAID} == set(validators("send")) - of_the_connection - of_others


def test_answers_and_notices_are_as_documented() -> None:
    for encoded in (
        frames.ack(None), frames.ack("7", {"rooms": [{"room": "arena.1", "epoch": "", "seq": 0}]}), frames.pong("1"), frames.pong(None),
        frames.error(NotFound(), "1"), frames.error(TooFast(retry_after_s=3)), frames.system("restart"),
        frames.system("session_revoked", {"code": "session_ended"}), wire.resync_frame("arena.1", wire.Head("0123", 7)),
        wire.room_frame("room_closed", "arena.1", {"code": "forbidden", "detail": "Why."}),
    ):  # fmt: skip
        assert_frame(orjson.loads(encoded))


def test_a_field_too_many_or_too_few_is_noticed() -> None:
    frame = sent(SAID[0])
    for wrong in (
        {**frame, "extra": 1},
        {name: frame[name] for name in frame if name != "seq"},
        {**frame, "data": {**frame["data"], "email": "x"}},
    ):
        with pytest.raises(AssertionError, match="not as documented"):
            assert_frame(wrong)
    with pytest.raises(AssertionError, match="not documented"):
        assert_frame({"type": "surprise"})


def test_client_frames_are_described_too() -> None:
    join = {
        "type": "join_room",
        "id": "1",
        "competition_id": str(CONTEST),
        "since": 3,
        "epoch": "0123",
        "seen": {"tape.1": {"epoch": "0", "seq": 1}},
    }
    assert_frame(join, action="receive")
    assert_frame({"type": "ping"}, action="receive")
    with pytest.raises(AssertionError):
        assert_frame({**join, "user_id": "me"}, action="receive")


def test_the_document_is_consistent() -> None:
    read = document()
    assert read["asyncapi"] == "3.0.0"
    for action in ("send", "receive"):
        for found in validators(action).values():
            for validator in found:
                Draft202012Validator.check_schema(validator.schema)
    for name, message in read["components"]["messages"].items():
        name = name.removesuffix("_of_client")  # the chat's `message` goes both ways
        assert message["name"] == name
        assert message["payload"]["additionalProperties"] is False
        assert message["payload"]["properties"]["type"] == {"const": name}
    spoken = {
        one["$ref"].rsplit("/", 1)[1] for operation in read["operations"].values() for one in operation["messages"]
    }
    assert spoken == set(read["components"]["messages"]) == set(read["channels"]["everything"]["messages"])
