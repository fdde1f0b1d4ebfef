"""Slow readers, compression, and the outlets by themselves: what a reader misses, in which order it gets the rest, and what it costs us."""

import asyncio
import json
import socket
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from tradingarena.core import hub, realtime
from tradingarena.core.connections import Registry
from tradingarena.core.outlets import (
    BACKLOG_FRAMES,
    AsgiOutlet,
    Frame,
    Outlet,
    RawOutlet,
    deflated_frame,
    websocket_frame,
)
from tradingarena.tests.realtime.client import Site


class FakeRaw:
    """A transport that takes so many bytes and then no more."""

    def __init__(self, deflate: bool = False) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.ours.setblocking(False)
        self.fd, self.deflate, self.outlet = self.ours.fileno(), deflate, None
        self.full = self.aborted = False
        self.written: list[bytes] = []
        self.closed_with: int | None = None

    def write(self, data: bytes) -> None:
        self.written.append(data)
        if self.full and self.outlet:
            self.outlet.paused()  # type: ignore[unreachable]

    def abort(self) -> None:
        self.aborted = True

    def close_at_once(self, code: int, reason: str = "") -> None:
        self.closed_with = code


def fact(number: int, size: int = 10) -> Frame:
    return Frame(json.dumps({"n": number, "pad": "x" * size}).encode())


@pytest.fixture
def raw() -> Any:
    lent = FakeRaw()
    yield lent
    lent.ours.close()
    lent.theirs.close()


def test_a_blocked_reader_gets_its_facts_in_order_and_only_the_newest_of_each_kind(raw: Any) -> None:
    outlet = RawOutlet(raw)
    outlet.paused()
    for number in range(10):
        outlet.offer([fact(number)], {"price": fact(100 + number), f"other{number % 2}": fact(200 + number)})
    assert raw.written == []
    assert outlet.conflated == 9 + 8
    outlet.resumed()
    expected = [fact(number) for number in range(10)] + [fact(109), fact(208), fact(209)]
    assert b"".join(raw.written) == b"".join(frame.plain for frame in expected)
    assert outlet.waiting() == (0, 0)


def test_a_reader_that_stays_blocked_is_closed_to_resync_and_keeps_nothing(raw: Any) -> None:
    outlet = RawOutlet(raw)
    outlet.paused()
    for number in range(BACKLOG_FRAMES):
        outlet.offer([fact(number)], {})
    assert raw.closed_with is None
    outlet.offer([fact(BACKLOG_FRAMES)], {})
    assert raw.closed_with == 1013
    assert outlet.waiting() == (0, 0)
    assert outlet.closed


def test_disposable_messages_alone_never_close_a_blocked_reader(raw: Any) -> None:
    outlet = RawOutlet(raw)
    outlet.paused()
    for number in range(10_000):
        outlet.offer([], {f"quote{number % 28}": fact(number)})
    assert not outlet.closed
    assert outlet.waiting()[0] == 28


def test_few_large_facts_are_bounded_in_bytes(raw: Any) -> None:
    outlet = RawOutlet(raw)
    outlet.paused()
    for number in range(12):
        outlet.offer([fact(number, size=100_000)], {})
    assert raw.closed_with == 1013


def test_what_the_kernel_does_not_take_goes_to_the_transport(raw: Any) -> None:
    outlet = RawOutlet(raw)
    raw.full = True
    data = b"x" * 3_000_000
    outlet.push(data)
    assert outlet.blocked
    assert 0 < len(raw.written[0]) < len(data)
    raw.theirs.close()
    outlet.push(b"y")
    assert raw.aborted


async def test_an_asgi_server_that_makes_send_wait_is_a_blocked_reader() -> None:
    sent: list[dict[str, Any]] = []
    gate = asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        await gate.wait()
        sent.append(message)

    outlet = AsgiOutlet(send, on_stuck=lambda: None)
    for number in range(5):
        outlet.offer([fact(number)], {"price": fact(100 + number)})
    assert outlet.blocked
    gate.set()
    await until(lambda: len(sent) == 6)
    assert [json.loads(message["text"])["n"] for message in sent] == [0, 1, 2, 3, 4, 104]
    outlet.close(4403, "why")
    await asyncio.sleep(0)
    assert sent[-1] == {"type": "websocket.close", "code": 4403, "reason": "why"}


async def test_an_asgi_reader_that_is_stuck_for_good_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradingarena.core.outlets.CLOSE_WITHIN_S", 0.01)
    given_up = asyncio.Event()
    never = asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        await never.wait()

    outlet = AsgiOutlet(send, on_stuck=given_up.set)
    for number in range(BACKLOG_FRAMES + 2):
        outlet.offer([fact(number)], {})
    await asyncio.wait_for(given_up.wait(), 20)
    assert outlet.closed
    never.set()


async def test_an_asgi_server_that_says_the_client_is_gone_ends_the_outlet() -> None:
    async def send(message: dict[str, Any]) -> None:
        raise OSError("gone")

    changed: list[bool] = []
    outlet = AsgiOutlet(send, on_stuck=lambda: None)
    outlet.on_change = lambda: changed.append(outlet.closed)
    outlet.send(fact(1))
    assert outlet.closed
    assert changed == [True]


def test_prepared_frames_are_frames() -> None:
    for size in (0, 1, 125, 126, 65535, 65536, 100_000):
        head = websocket_frame(b"x" * size, 0x81)
        assert head[0] == 0x81
        assert len(head) == size + (2 if size < 126 else 4 if size < 65536 else 10)
    packed = deflated_frame(b"board " * 500)
    assert packed[0] == 0xC1
    start = 4 if packed[1] == 126 else 2
    assert zlib.decompressobj(-15).decompress(packed[start:] + b"\0\0\xff\xff") == b"board " * 500
    assert fact(1).packed is fact(1).plain or len(fact(1).text) < 256
    assert len(fact(1, size=5000).packed) < 500


# -- real sockets -------------------------------------------------------------------------------------------------------------


def only_outlet() -> Outlet:
    (connection,) = Registry.current().connections
    return connection.outlet


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110  the state belongs to the server under test
            await asyncio.sleep(0.005)


async def fill(name: str, outlet: Outlet) -> int:
    """Publish disposable messages until the reader stays blocked; give how many."""
    count = in_a_row = 0
    while in_a_row < 4:
        count += 1
        await asyncio.to_thread(realtime.publish_latest, f"stage.{name}", "price", {"p": count, "pad": "x" * 100_000})
        await asyncio.sleep(0.03)  # more than a tick
        in_a_row = in_a_row + 1 if outlet.blocked else 0
        assert count < 300, "the reader is never blocked"
    return count


async def test_a_reader_that_pauses_gets_the_newest_price_and_every_fact(either_site: Site, stage: str) -> None:
    async with either_site.client(slow=True, max_queue=1) as client:
        await client.ask(type="enter_stage", name=stage, id="1")
        client.socket.transport.pause_reading()
        outlet = only_outlet()
        count = await fill(stage, outlet)
        for number in range(50):
            await asyncio.to_thread(realtime.publish_fact, f"stage.{stage}", "note", {"n": number})
        for _ in range(3):
            count += 1
            await asyncio.to_thread(realtime.publish_latest, f"stage.{stage}", "price", {"p": count})
            await asyncio.sleep(0.05)  # longer than a tick, else the hub and not the outlet conflates
        await until(lambda: outlet.waiting()[0] >= 51)
        assert outlet.conflated > 0
        client.socket.transport.resume_reading()
        notes = await client.facts(50, "note")
        assert [note["data"]["n"] for note in notes] == list(range(50))
        prices = [frame["data"]["p"] for frame in client.frames if frame["type"] == "price"]
        while not prices or prices[-1] != count:
            prices.append((await client.next("price"))["data"]["p"])
        assert prices == sorted(prices)
        assert len(prices) < count
        assert not outlet.blocked


@pytest.mark.parametrize("prepared", [True, False], ids=["prepared", "asgi"])
async def test_a_reader_that_never_reads_is_dropped_and_costs_a_bounded_backlog(
    prepared: bool, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tradingarena.tests.realtime.client import serve_here

    monkeypatch.setattr("tradingarena.core.outlets.CLOSE_WITHIN_S", 0.05)
    monkeypatch.setattr("tradingarena.core.uvicorn_protocol.CLOSE_WITHIN_S", 0.05)
    async with serve_here(prepared=prepared) as site, site.client() as bystander:
        await bystander.ask(type="enter_stage", name=stage, id="1")
        before = set(Registry.current().connections)
        async with site.client(slow=True, max_queue=1, close_timeout=0.1) as client:
            await client.ask(type="enter_stage", name=stage, id="1")
            client.socket.transport.pause_reading()
            (stuck,) = Registry.current().connections - before
            await fill(stage, stuck.outlet)
            for number in range(BACKLOG_FRAMES + 10):
                await asyncio.to_thread(realtime.publish_fact, f"stage.{stage}", "note", {"n": number})
            await until(lambda: stuck not in Registry.current().connections)
            assert stuck.outlet.waiting() == (0, 0)
            client.socket.transport.abort()
        notes = await bystander.facts(BACKLOG_FRAMES + 10, "note")
        assert notes[-1]["data"]["n"] == BACKLOG_FRAMES + 9


async def test_compression_is_made_once_and_read_by_everybody(site: Site, stage: str) -> None:
    async with site.client(compression="deflate") as packed, site.client() as plain:
        for client in (packed, plain):
            await client.ask(type="enter_stage", name=stage, id="1")
        assert [type(extension).__name__ for extension in packed.socket.protocol.extensions] == ["PerMessageDeflate"]
        deflates = sorted(
            found.outlet.deflate for found in Registry.current().connections if isinstance(found.outlet, RawOutlet)
        )
        assert deflates == [False, True]
        for number in range(30):
            await asyncio.to_thread(
                realtime.publish_fact, f"stage.{stage}", "note", {"n": number, "pad": "board " * (number * 50)}
            )
        for client in (packed, plain):
            assert [note["data"]["n"] for note in await client.facts(30, "note")] == list(range(30))
            assert (await client.ask(type="ping", id="p"))["type"] == "pong"


async def test_a_client_with_a_smaller_window_gets_plain_frames(site: Site, stage: str) -> None:
    from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

    async with site.client(extensions=[ClientPerMessageDeflateFactory(server_max_window_bits=9)]) as client:
        await client.ask(type="enter_stage", name=stage, id="1")
        assert [found.outlet.deflate for found in Registry.current().connections] == [False]  # type: ignore[attr-defined]
        await asyncio.to_thread(realtime.publish_fact, f"stage.{stage}", "note", {"pad": "board " * 5000})
        assert len((await client.next("note"))["data"]["pad"]) == 30_000


async def test_messages_of_a_tick_are_conflated_and_keep_their_order(site: Site, stage: str) -> None:
    async with site.client() as client:
        await client.ask(type="enter_stage", name=stage, id="1")
        many: list[Any] = []
        for number in range(50):
            many.append(realtime.Latest(f"stage.{stage}", "price", {"p": number}))
            many.append(realtime.Fact(f"stage.{stage}", "note", {"n": number}))
        await asyncio.to_thread(realtime.publish_many, many)
        notes = await client.facts(50, "note")
        assert [note["data"]["n"] for note in notes] == list(range(50))
        while not any(frame["type"] == "price" and frame["data"]["p"] == 49 for frame in client.frames):
            await client.next("price")
        assert sum(frame["type"] == "price" for frame in client.frames) < 50


async def test_a_hub_ends_with_its_last_socket(site: Site, stage: str) -> None:
    async with site.client() as client:
        await client.ask(type="enter_stage", name=stage, id="1")
        here = hub.current()
        assert list(here.rooms)
    await until(lambda: not Registry.current().connections and not here.rooms)
    assert realtime.heard([f"stage.{stage}"]) == frozenset()
