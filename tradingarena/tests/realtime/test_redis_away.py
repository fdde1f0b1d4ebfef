"""Redis dies, hangs, is emptied: publishers never raise, joins work, and every socket finds its way back by itself."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tradingarena.core import limits, realtime, redis_client, tickets, wire
from tradingarena.core.errors import TooFast, Unavailable
from tradingarena.core.ids import new_id
from tradingarena.settings import base
from tradingarena.tests.realtime.client import serve_here
from tradingarena.tests.realtime.own_redis import OwnRedis

BOUND_S = 5.0  # two seconds, and a machine that is busy with other things


@pytest.fixture
def own_redis(settings: Any) -> Iterator[OwnRedis]:
    with OwnRedis.running() as own:
        settings.REDIS_LIVE_URL, settings.REDIS_TIMEOUT_S = own.url, base.REDIS_TIMEOUT_S
        yield own


async def timed(work: Any, *arguments: Any) -> tuple[Any, float]:
    started = time.monotonic()
    return await asyncio.to_thread(work, *arguments), time.monotonic() - started


@pytest.mark.parametrize("how", ["killed", "hanging"])
async def test_publishing_without_redis_is_quick_logged_and_never_an_error(
    own_redis: OwnRedis, how: str, stage: str
) -> None:
    own_redis.hang() if how == "hanging" else own_redis.stop()
    room = f"stage.{stage}"
    for work, arguments, expected in (
        (realtime.publish_fact, (room, "note", {}), None),
        (realtime.publish_latest, (room, "price", {}), None),
        (realtime.current_seq, (room,), {"epoch": "", "seq": 0}),
        (realtime.replay, (room, 0), realtime.RESYNC),
        (realtime.heard, ([room],), frozenset()),
    ):
        answer, seconds = await timed(work, *arguments)
        assert answer == expected
        assert seconds < BOUND_S
    if how == "hanging":
        own_redis.go_on()


@pytest.mark.parametrize("how", ["killed", "hanging"])
async def test_limits_without_redis_hold_within_the_process(own_redis: OwnRedis, how: str, stage: str) -> None:
    own_redis.hang() if how == "hanging" else own_redis.stop()
    await asyncio.to_thread(limits.spend, "test", stage, limit=2, window_s=60)
    await limits.aspend("test", stage, limit=2, window_s=60)
    with pytest.raises(TooFast) as refused:
        await asyncio.to_thread(limits.spend, "test", stage, limit=2, window_s=60)
    assert 1 <= refused.value.retry_after_s <= 60
    assert await limits.ahold("test", stage, "token", limit=1, keep_s=5)
    with pytest.raises(Unavailable):
        await asyncio.to_thread(tickets.issue, new_id(), ["read"])
    with pytest.raises(Unavailable):
        await tickets.redeem("x")
    if how == "hanging":
        own_redis.go_on()


async def test_after_a_restart_from_nothing_every_reader_is_sent_to_the_snapshot(
    own_redis: OwnRedis, stage: str
) -> None:
    async with serve_here() as site, site.client() as client:
        await client.ask(type="enter_stage", name=stage, id="1")
        before = await say(stage, 1)
        assert (await client.next("note"))["seq"] == before
        own_redis.stop()
        await asyncio.to_thread(own_redis.start)
        resync = await client.next("resync")
        while resync["room"] != f"stage.{stage}":
            resync = await client.next("resync")
        await say(stage, 2)
        after = await client.next("note")
        assert (after["seq"], after["epoch"]) == (1, resync["data"]["epoch"])


async def test_a_connection_that_breaks_and_comes_back_replays_what_was_missed(own_redis: OwnRedis, stage: str) -> None:
    async with serve_here() as site, site.client() as client:
        await client.ask(type="enter_stage", name=stage, id="1")
        await say(stage, 1)
        assert (await client.next("note"))["seq"] == 1
        redis_client.client().client_kill_filter(_type="pubsub")
        for number in (2, 3, 4):
            await say(stage, number)
        assert [note["seq"] for note in await client.facts(3, "note")] == [2, 3, 4]
        assert "resync" not in [frame["type"] for frame in client.frames]


async def test_many_calls_to_a_hanging_redis_wait_once(own_redis: OwnRedis, stage: str) -> None:
    own_redis.hang()
    started = time.monotonic()
    for number in range(20):
        await asyncio.to_thread(limits.spend, "test", f"{stage}{number}", limit=2, window_s=60)
        assert await asyncio.to_thread(realtime.publish_fact, f"stage.{stage}", "note", {"n": number}) is None
    assert time.monotonic() - started < 2 * BOUND_S
    own_redis.go_on()


async def test_a_fact_that_was_not_heard_while_redis_hung_is_seen_as_a_resync(own_redis: OwnRedis, stage: str) -> None:
    async with serve_here() as site, site.client() as client:
        await client.ask(type="enter_stage", name=stage, id="1")
        await say(stage, 1)
        await client.next("note")
        own_redis.hang()
        assert await asyncio.to_thread(realtime.publish_fact, f"stage.{stage}", "note", {"n": 2}) is None
        own_redis.go_on()
        await asyncio.to_thread(realtime.heal)  # what the re-check does every three seconds
        assert (await client.next("resync"))["room"] == f"stage.{stage}"
        await say(stage, 3)
        assert (await client.next("note"))["seq"] == 1


async def test_who_joins_without_redis_gets_an_ack_and_later_a_resync(own_redis: OwnRedis, stage: str) -> None:
    async with serve_here() as site:
        own_redis.stop()
        async with site.client() as client:
            ack = await client.ask(type="enter_stage", name=stage, since=5, epoch="0123456789ab", id="1")
            assert {head["epoch"] for head in ack["data"]["rooms"]} == {""}
            assert (await client.ask(type="ping", id="2"))["type"] == "pong"
            await asyncio.to_thread(own_redis.start)
            rooms = {(await client.next("resync"))["room"] for _ in range(3)}
            assert rooms == {f"stage.{stage}", f"side.{stage}", wire.SITE_ROOM}
            await say(stage, 1)
            assert (await client.next("note"))["seq"] == 1


async def say(name: str, number: int) -> int:
    seq = None
    while seq is None:  # the publisher's own connections come back too
        seq = await asyncio.to_thread(realtime.publish_fact, f"stage.{name}", "note", {"n": number})
    return seq


async def test_a_hanging_redis_delays_a_join_by_a_bounded_time(own_redis: OwnRedis, stage: str) -> None:
    async with serve_here() as site, site.client() as client:
        await client.ask(type="ping", id="0")
        own_redis.hang()
        started = time.monotonic()
        assert (await client.ask(type="enter_stage", name=stage, id="1"))["type"] == "ack"
        assert time.monotonic() - started < 4 + BOUND_S
        own_redis.go_on()
