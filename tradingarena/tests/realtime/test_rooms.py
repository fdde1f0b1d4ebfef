"""Joining, hearing, replaying: what a reader of a room sees, whichever way its frames come."""

import asyncio
import time

from tradingarena.core import realtime, redis_client
from tradingarena.core.realtime import Fact, Latest
from tradingarena.tests.realtime.client import Site
from tradingarena.tests.realtime.stage import next_presence


def publish(name: str, number: int) -> int | None:
    return realtime.publish_fact(f"stage.{name}", "note", {"n": number})


async def test_a_join_answers_with_heads_then_first_frames_then_facts_in_order(either_site: Site, stage: str) -> None:
    for number in range(3):
        publish(stage, number)
    async with either_site.client() as client:
        ack = await client.ask(type="enter_stage", name=stage, id="7")
        heads = {head["room"]: head for head in ack["data"]["rooms"]}
        assert heads[f"stage.{stage}"]["seq"] == 3
        assert heads[f"side.{stage}"]["seq"] == 0
        assert ack["data"]["name"] == stage
        assert (await client.next())["type"] == "welcome"
        for number in range(3, 40):
            publish(stage, number)
        notes = await client.facts(37, "note")
        assert [note["seq"] for note in notes] == list(range(4, 41))
        assert [note["data"]["n"] for note in notes] == list(range(3, 40))
        assert {note["epoch"] for note in notes} == {heads[f"stage.{stage}"]["epoch"]}
        assert all(note["room"] == f"stage.{stage}" for note in notes)


async def test_a_join_with_since_replays_exactly_what_was_missed(either_site: Site, stage: str) -> None:
    for number in range(10):
        publish(stage, number)
    head = realtime.current_seq(f"stage.{stage}")
    async with either_site.client() as client:
        await client.ask(type="enter_stage", name=stage, since=6, epoch=head["epoch"], id="1")
        assert [note["seq"] for note in await client.facts(4, "note")] == [7, 8, 9, 10]
        await client.nothing()


async def test_a_join_replays_side_rooms_by_seen(site: Site, stage: str) -> None:
    for number in range(4):
        realtime.publish_fact(f"side.{stage}", "note", {"n": number})
    head = realtime.current_seq(f"side.{stage}")
    async with site.client() as client:
        await client.ask(
            type="enter_stage", name=stage, seen={f"side.{stage}": {"epoch": head["epoch"], "seq": 2}}, id="1"
        )
        assert [note["seq"] for note in await client.facts(2, "note")] == [3, 4]


async def test_a_reader_too_far_behind_is_sent_to_the_snapshot(either_site: Site, stage: str) -> None:
    for number in range(70):
        publish(stage, number)
    head = realtime.current_seq(f"stage.{stage}")
    async with either_site.client() as client:
        await client.ask(type="enter_stage", name=stage, since=5, epoch=head["epoch"], id="1")
        resync = await client.next("resync", "note")
        assert resync["type"] == "resync"
        assert resync["data"] == head
        publish(stage, 70)
        assert (await client.next("note"))["seq"] == 71


async def test_another_epoch_or_a_number_from_the_future_is_a_resync(site: Site, stage: str) -> None:
    publish(stage, 0)
    for position in (
        {"since": 1, "epoch": "0123456789ab"},
        {"since": 2},
        {"since": 9, "epoch": realtime.current_seq(f"stage.{stage}")["epoch"]},
    ):
        async with site.client() as client:
            await client.ask(type="enter_stage", name=stage, id="1", **position)
            assert (await client.next("resync", "note"))["type"] == "resync"


async def test_nothing_is_lost_or_doubled_while_facts_pour_in_during_joins(either_site: Site, stage: str) -> None:
    epoch = realtime.current_seq(f"stage.{stage}")["epoch"]
    stop = asyncio.Event()

    def pour() -> int:
        count = 0
        while not stop.is_set():
            realtime.publish_many([Fact(f"stage.{stage}", "note", {"n": count})])
            count += 1
            time.sleep(0.002)  # a hard-pressed room, not one that no reader could follow
        return count

    pouring = asyncio.create_task(asyncio.to_thread(pour))
    try:
        for _ in range(10):
            async with either_site.client() as client:
                ack = await client.ask(type="enter_stage", name=stage, id="1")
                first = next(head["seq"] for head in ack["data"]["rooms"] if head["room"] == f"stage.{stage}")
                seqs = [note["seq"] for note in await client.facts(15, "note")]
                assert seqs == list(range(first + 1, first + 16))
            async with either_site.client() as client:
                since = max(0, int(realtime.current_seq(f"stage.{stage}")["seq"]) - 10)
                await client.ask(type="enter_stage", name=stage, since=since, epoch=epoch, id="1")
                frames = await client.facts(15, "note", "resync")
                if frames[0]["type"] == "resync":  # more than 64 came meanwhile
                    since = frames.pop(0)["data"]["seq"]
                assert [note["seq"] for note in frames] == list(range(since + 1, since + 1 + len(frames)))
    finally:
        stop.set()
        await pouring


async def test_joining_again_repeats_but_never_skips(site: Site, stage: str) -> None:
    async with site.client() as client:
        await client.ask(type="enter_stage", name=stage, id="1")
        head = realtime.current_seq(f"stage.{stage}")
        for number in range(3):
            publish(stage, number)
        await client.ask(type="enter_stage", name=stage, since=0, epoch=head["epoch"], id="2")
        publish(stage, 3)
        while not client.frames or client.frames[-1].get("seq") != 4:
            await client.next()
        assert {frame["seq"] for frame in client.frames if frame["type"] == "note"} == {1, 2, 3, 4}


async def test_who_left_hears_nothing_more_and_leaving_twice_is_no_error(either_site: Site, stage: str) -> None:
    async with either_site.client() as client, either_site.client() as other:
        await client.ask(type="enter_stage", name=stage, id="1")
        await other.ask(type="enter_stage", name=stage, id="1")
        assert (await client.ask(type="leave_stage", name=stage, id="2"))["type"] == "ack"
        assert (await client.ask(type="leave_stage", name=stage, id="3"))["type"] == "ack"
        publish(stage, 0)
        assert (await other.next("note"))["seq"] == 1
        await client.nothing()


async def test_a_room_held_by_two_joins_stays_until_both_are_left(site: Site, stage: str) -> None:
    from tradingarena.core import rooms
    from tradingarena.core.rooms import Grant, RoomKind

    kind = RoomKind("arena", "enter_twin", "leave_twin", lambda user, payload: Grant(rooms=[f"stage.{stage}"]))
    rooms.register(kind)
    try:
        async with site.client() as client:
            await client.ask(type="enter_stage", name=stage, id="1")
            await client.ask(type="enter_twin", id="2")
            await client.ask(type="leave_stage", name=stage, id="3")
            publish(stage, 0)
            assert (await client.next("note"))["seq"] == 1
            await client.ask(type="leave_twin", id="4")
            publish(stage, 1)
            await client.nothing()
    finally:
        rooms.forget(kind)


async def test_the_newest_of_each_disposable_kind_greets_a_joiner(either_site: Site, stage: str) -> None:
    for price in range(5):
        realtime.publish_latest(f"stage.{stage}", "price", {"p": price}, key="a")
        realtime.publish_latest(f"stage.{stage}", "price", {"p": price * 10}, key="b")
        realtime.publish_latest(f"stage.{stage}", "secret", {"p": price}, keep_s=0)
    async with either_site.client() as client:
        await client.ask(type="enter_stage", name=stage, id="1")
        await client.next("welcome")
        greeted = await client.facts(2)
        assert sorted(frame["data"]["p"] for frame in greeted) == [4, 40]
        assert all("seq" not in frame for frame in greeted)
        await client.nothing()


async def test_facts_and_disposables_of_one_publication_arrive_together(either_site: Site, stage: str) -> None:
    async with either_site.client() as client:
        await client.ask(type="enter_stage", name=stage, id="1")
        sequence = await asyncio.to_thread(
            realtime.publish_many,
            [
                Fact(f"stage.{stage}", "note", {"n": 0}),
                Latest(f"side.{stage}", "price", {"p": 1}),
                Fact(f"side.{stage}", "note", {"n": 1}),
            ],
        )
        assert sequence == [1, None, 1]
        got = await client.facts(3, "note", "price")
        assert {(frame["room"].split(".")[0], frame["type"]) for frame in got} == {
            ("stage", "note"),
            ("side", "price"),
            ("side", "note"),
        }


async def test_a_flushed_room_is_seen_as_a_new_epoch(either_site: Site, stage: str) -> None:
    async with either_site.client() as client:
        await client.ask(type="enter_stage", name=stage, id="1")
        publish(stage, 0)
        before = await client.next("note")
        assert redis_client.client().delete(*(key for key in redis_client.client().scan_iter(f"*stage.{stage}*"))) > 0
        publish(stage, 1)
        resync = await client.next("resync", "note")
        assert resync["type"] == "resync"
        after = await client.next("note")
        assert (after["seq"], after["epoch"]) == (1, resync["data"]["epoch"])
        assert after["epoch"] != before["epoch"]


async def test_a_lost_message_is_noticed_by_its_number_and_fetched(either_site: Site, stage: str) -> None:
    from tradingarena.core import wire

    async with either_site.client() as client:
        await client.ask(type="enter_stage", name=stage, id="1")
        publish(stage, 0)
        await client.next("note")
        # numbered and kept, but never heard: as if the hub's connection had dropped one message
        head, log, _ = wire.keys_of(f"stage.{stage}")
        frame = wire.room_frame("note", f"stage.{stage}", {"n": 1})
        redis_client.client().eval(wire.FACT_SCRIPT, 2, head, log, "a channel of nobody", "e", frame[:-1], 60, 64)
        publish(stage, 2)
        assert [note["seq"] for note in await client.facts(2, "note")] == [2, 3]


async def test_the_namespaces_of_a_path_bound_what_it_serves(site: Site, stage: str) -> None:
    async with site.client("/ws/arena") as client:
        assert (await client.ask(type="enter_stage", name=stage, id="1"))["type"] == "ack"
        refused = await client.ask(type="enter_box", name=stage, id="2")
        assert (refused["type"], refused["code"]) == ("error", "bad_frame")
    async with site.client("/ws/chat") as client:
        assert (await client.ask(type="enter_stage", name=stage, id="1"))["code"] == "bad_frame"
        assert (await client.ask(type="enter_box", name=stage, id="2"))["code"] == "not_signed_in"
    for path in ("/ws/nothing", "/", "/ws/arena/x", "/wss"):
        async with site.client(path) as client:
            assert await client.closed() == (4404, "not_found")


async def test_presence_is_told_per_first_room_and_once_more_when_it_empties(site: Site, stage: str) -> None:
    room = f"stage.{stage}"
    async with site.client() as one, site.client() as two:
        await one.ask(type="enter_stage", name=stage, id="1")
        await two.ask(type="enter_stage", name=stage, id="1")
        while len((await next_presence()).get(room, ())) != 2:
            pass
    while (await next_presence()).get(room) != set():
        pass
