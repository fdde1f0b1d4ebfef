"""Facts that bring their own numbers: told in order and once, whoever publishes; what is replaced is replayed as what replaced it."""

import threading
from collections.abc import Sequence

import pytest

from tradingarena.core import realtime, redis_client, wire
from tradingarena.core.realtime import Numbered
from tradingarena.tests.realtime.client import Site

KEPT = wire.KEPT_FACTS


def fact(name: str, seq: int, instead: int = 0, text: str = "") -> Numbered:
    stands = (instead, "note", {"n": instead, "text": "gone"}) if instead else None
    return Numbered(f"stage.{name}", "note", {"n": seq, "text": text or f"said {seq}"}, seq, stands)


def tell(name: str, *seqs: int) -> int | None:
    def missing(after: int, until: int) -> Sequence[Numbered]:
        return [fact(name, seq) for seq in range(after + 1, until + 1)]

    return realtime.publish_history(f"stage.{name}", [fact(name, seq) for seq in seqs], missing)


async def test_facts_that_overtake_each_other_are_heard_in_order_and_once(either_site: Site, stage: str) -> None:
    async with either_site.client() as client:
        await client.ask(type="enter_stage", name=stage, id="1")
        await client.next("welcome")
        for seqs in ([1], [3], [2], [3], [4, 5], [7], [6], [7]):
            tell(stage, *seqs)
        notes = await client.facts(7, "note")
        assert [note["data"]["n"] for note in notes] == [note["seq"] for note in notes] == list(range(1, 8))
        await client.nothing()


async def test_many_publishers_at_once_tell_each_fact_once(site: Site, stage: str) -> None:
    async with site.client() as client:
        await client.ask(type="enter_stage", name=stage, id="1")
        await client.next("welcome")
        tell(stage, 1)  # a room of which Redis knows nothing begins with whatever comes first
        threads = [threading.Thread(target=tell, args=(stage, seq)) for seq in range(2, 31)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [note["seq"] for note in await client.facts(30, "note")] == list(range(1, 31))
        await client.nothing()


async def test_what_is_replaced_is_replayed_as_what_replaced_it(either_site: Site, stage: str) -> None:
    tell(stage, 1, 2, 3)
    async with either_site.client() as early:
        await early.ask(type="enter_stage", name=stage, id="1", since=0)
        await early.facts(3, "note")
        realtime.publish_history(f"stage.{stage}", [fact(stage, 4, instead=2)], lambda *_: [])
        assert (await early.next("note"))["seq"] == 4
        async with either_site.client() as late:
            await late.ask(type="enter_stage", name=stage, id="1", since=0)
            texts = [note["data"]["text"] for note in await late.facts(4, "note")]
            assert texts == ["said 1", "gone", "said 3", "said 4"]
        kept = realtime.replay(f"stage.{stage}", 0)
        assert isinstance(kept, list)
        assert not any(b"said 2" in frame for frame in kept)


async def test_a_room_that_redis_has_forgotten_goes_on_with_its_numbers(site: Site, stage: str) -> None:
    async with site.client() as client:
        await client.ask(type="enter_stage", name=stage, id="1")
        await client.next("welcome")
        tell(stage, 1, 2)
        await client.facts(2, "note")
        redis_client.client().delete(*wire.keys_of(f"stage.{stage}"))
        tell(stage, 3)
        assert (await client.next("resync"))["data"]["seq"] == 3
        tell(stage, 4)
        frames = [await client.next("note") for _ in range(2)]
        assert [frame["seq"] for frame in frames] == [3, 4]


@pytest.mark.parametrize("behind", [KEPT, KEPT + 1])
def test_a_room_far_behind_is_led_step_by_step_or_sent_to_the_snapshot(stage: str, behind: int) -> None:
    tell(stage, 1)
    first = realtime.current_seq(f"stage.{stage}")
    assert tell(stage, 1 + behind) == 1 + behind
    after = realtime.current_seq(f"stage.{stage}")
    assert after["seq"] == 1 + behind
    assert (after["epoch"] == first["epoch"]) is (behind <= KEPT)
    assert tell(stage, 5) == 5
    assert realtime.current_seq(f"stage.{stage}") == after


def test_nothing_is_told_of_nothing(stage: str) -> None:
    assert realtime.publish_history(f"stage.{stage}", [], lambda *_: []) is None
