"""Hostile and broken frames: each gets a clear answer, three in a row end the socket, none ends in a traceback."""

import json
from typing import Any

import pytest

from tradingarena.core import frames
from tradingarena.core.frames import BadFrame
from tradingarena.tests.realtime.client import Site

DEEP = "[" * 16 + "]" * 16
BAD: list[tuple[str, str | bytes]] = [
    ("empty", ""),
    ("a space", " "),
    ("not JSON", "hello"),
    ("half an object", '{"type":"ping"'),
    ("two objects", '{"type":"ping"}{"type":"ping"}'),
    ("a trailing comma", '{"type":"ping",}'),
    ("single quotes", "{'type':'ping'}"),
    ("a comment", '{"type":"ping"/* please */}'),
    ("a byte order mark", '\ufeff{"type":"ping"}'),
    ("null", "null"),
    ("true", "true"),
    ("a number", "7"),
    ("a text", '"ping"'),
    ("a list", '[{"type":"ping"}]'),
    ("binary", b'{"type":"ping"}'),
    ("binary rubbish", bytes(range(256))),
    ("no type", "{}"),
    ("type null", '{"type":null}'),
    ("type a number", '{"type":7}'),
    ("type a list", '{"type":["ping"]}'),
    ("type empty", '{"type":""}'),
    ("type in capitals", '{"type":"PING"}'),
    ("type with a space", '{"type":"ping "}'),
    ("type a dunder", '{"type":"__class__"}'),
    ("type too long", json.dumps({"type": "p" * 65})),
    ("type unknown", '{"type":"buy_the_arena"}'),
    ("type of the server", '{"type":"leaderboard_update"}'),
    ("type twice", '{"type":"ping","type":"ping"}'),
    ("a name twice, deeper", '{"type":"enter_stage","name":{"a":1,"a":2}}'),
    ("id a number", '{"type":"ping","id":7}'),
    ("id empty", '{"type":"ping","id":""}'),
    ("id too long", json.dumps({"type": "ping", "id": "i" * 65})),
    ("id a list", '{"type":"ping","id":[]}'),
    ("id with NUL", '{"type":"ping","id":"a\\u0000"}'),
    ("NaN", '{"type":"enter_stage","name":NaN}'),
    ("Infinity", '{"type":"enter_stage","name":Infinity}'),
    ("-Infinity", '{"type":"enter_stage","name":-Infinity}'),
    ("an overflowing float", '{"type":"enter_stage","name":1e999}'),
    ("an enormous integer", '{"type":"enter_stage","name":' + "9" * 5000 + "}"),
    ("an integer beyond 2**53", '{"type":"enter_stage","name":9007199254740993}'),
    ("a lone surrogate", '{"type":"enter_stage","name":"\\ud800"}'),
    ("a lone surrogate as a name", '{"type":"enter_stage","\\udfff":1}'),
    ("NUL in a value", '{"type":"enter_stage","name":"a\\u0000b"}'),
    ("NUL in a name", '{"type":"enter_stage","a\\u0000":"b"}'),
    ("17 levels", '{"type":"enter_stage","name":' + DEEP + "}"),
    ("thousands of levels", "[" * 8000 + "]" * 8000),
    ("thousands of objects", '{"a":' * 2000 + "1" + "}" * 2000),
    ("an unknown field", '{"type":"enter_stage","name":"x","admin":true}'),
    ("a field missing", '{"type":"enter_stage"}'),
    ("a field null", '{"type":"enter_stage","name":null}'),
    ("a field a number", '{"type":"enter_stage","name":1}'),
    ("a field too long", json.dumps({"type": "enter_stage", "name": "x" * 41})),
    ("a field empty", '{"type":"enter_stage","name":""}'),
    ("since a text", '{"type":"enter_stage","name":"x","since":"1"}'),
    ("since a float", '{"type":"enter_stage","name":"x","since":1.0}'),
    ("since a boolean", '{"type":"enter_stage","name":"x","since":true}'),
    ("since negative", '{"type":"enter_stage","name":"x","since":-1}'),
    ("epoch a number", '{"type":"enter_stage","name":"x","since":1,"epoch":1}'),
    ("epoch too long", json.dumps({"type": "enter_stage", "name": "x", "since": 1, "epoch": "e" * 33})),
    ("seen a list", '{"type":"enter_stage","name":"x","seen":[]}'),
    ("seen without a number", '{"type":"enter_stage","name":"x","seen":{"side.x":{"epoch":"e"}}}'),
    ("seen of numbers", '{"type":"enter_stage","name":"x","seen":{"side.x":1}}'),
    ("a ping with luggage", '{"type":"ping","luggage":1}'),
    ("auth without a ticket", '{"type":"auth"}'),
    ("auth with a number", '{"type":"auth","ticket":1}'),
    ("auth with too long a ticket", json.dumps({"type": "auth", "ticket": "t" * 129})),
]


@pytest.mark.parametrize("prepared", [True, False], ids=["prepared", "asgi"])
async def test_every_bad_frame_gets_an_error_frame_and_the_socket_goes_on(
    stage: str, settings: Any, prepared: bool
) -> None:
    from tradingarena.tests.realtime.client import serve_here

    settings.SOCKET_FRAMES_PER_SOCKET = 10_000
    assert len(BAD) >= 40
    async with serve_here(prepared=prepared) as site, site.client() as client:
        for name, bad in BAD:
            await client.send(bad)
            answer = await client.next()
            assert (answer["type"], answer["code"]) == ("error", "bad_frame"), name
            assert answer["detail"], name
            assert (await client.ask(type="ping", id=name))["type"] == "pong", name


async def test_an_error_carries_the_id_where_it_could_be_read(site: Site) -> None:
    async with site.client() as client:
        for bad in ('{"type":"nonsense","id":"a"}', '{"type":"enter_stage","id":"a"}', '{"id":"a"}'):
            await client.send(bad)
            assert (await client.next())["id"] == "a"
            await client.ask(type="ping", id="p")


async def test_three_bad_frames_in_a_row_end_the_socket(either_site: Site) -> None:
    async with either_site.client() as client:
        await client.send("x")
        await client.send("x")
        await client.send(type="ping")
        for _ in range(3):
            await client.send("x")
        assert await client.closed() == (4400, "bad_frame")
        assert [frame["type"] for frame in client.frames] == ["error", "error", "pong", "error", "error", "error"]


@pytest.mark.parametrize("way", ["prepared", "asgi"])
async def test_a_frame_over_16_kib_closes_with_1009(way: str) -> None:
    from tradingarena.tests.realtime.client import serve_here

    async with serve_here(prepared=way == "prepared") as site:
        async with site.client() as client:
            await client.send(json.dumps({"type": "ping", "id": "x", "luggage": "x" * 17_000}))
            assert (await client.closed())[0] == 1009
        async with site.client() as client:  # 16 KiB itself is no crime
            await client.send(json.dumps({"type": "ping"}).ljust(frames.LARGEST_BYTES))
            assert (await client.next())["type"] == "pong"


async def test_a_frame_in_pieces_or_compressed_cannot_be_larger_either(site: Site) -> None:
    async with site.client(compression="deflate") as client:
        await client.send(json.dumps({"type": "ping", "luggage": "x" * 200_000}))
        assert (await client.closed())[0] == 1009


async def test_too_many_frames_end_the_socket_with_4429(either_site: Site) -> None:
    async with either_site.client() as client:
        for _ in range(70):
            await client.send(type="ping")
        assert await client.closed() == (4429, "too_fast")
        assert client.frames[-1]["retry_after"] >= 1
        assert sum(frame["type"] == "pong" for frame in client.frames) >= 60


async def test_too_many_joins_end_the_socket_with_4429(site: Site, stage: str) -> None:
    async with site.client() as client:
        for number in range(32):
            await client.send(type="enter_stage", name=f"{stage}{number}")
        assert await client.closed() == (4429, "too_fast")
        assert sum(frame["type"] == "ack" for frame in client.frames) >= 30


async def test_a_socket_joins_a_bounded_number_of_rooms(site: Site, stage: str, settings: Any) -> None:
    settings.SOCKET_JOINS_PER_USER = settings.SOCKET_FRAMES_PER_SOCKET = 10_000
    async with site.client() as client:
        for number in range(64):
            assert (await client.ask(type="enter_stage", name=f"{stage}{number}", id=str(number)))["type"] == "ack"
        assert (await client.ask(type="enter_stage", name="one more", id="x"))["code"] == "too_many_joins"
        assert (await client.ask(type="enter_stage", name=f"{stage}1", id="again"))["type"] == "ack"


async def test_a_refused_join_says_why_and_leaves_the_socket_open(site: Site) -> None:
    async with site.client() as client:
        refused = await client.ask(type="enter_stage", name="nowhere", id="7")
        assert (refused["code"], refused["retry_after"]) == ("not_found", None)
        assert (await client.ask(type="enter_box", name="x", id="8"))["code"] == "not_signed_in"
        assert (await client.ask(type="ring", times=1, id="9"))["code"] == "not_signed_in"
        assert (await client.ask(type="ping", id="10"))["type"] == "pong"


def test_the_decoder_alone_refuses_what_is_no_frame() -> None:
    for name, bad in BAD[: BAD.index(next(row for row in BAD if row[0] == "an unknown field"))]:
        if name in {"type unknown", "type of the server"}:
            assert frames.decode(bad).type, name
            continue
        with pytest.raises(BadFrame) as refusal:
            frames.decode(bad)
        assert refusal.value.status == 400, name
