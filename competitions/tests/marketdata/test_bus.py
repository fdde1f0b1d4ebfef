"""The bus: order, cursors, fencing, waking, trimming, and a Redis that is gone."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from competitions.engine.quotes import Quote
from competitions.marketdata.bus import LIFE, Fenced, QuoteBus, newest
from competitions.marketdata.room import ReadersRoom
from competitions.tests.marketdata.support import everything, fresh_bus, until
from tradingarena.core import redis_client
from tradingarena.core.errors import Unavailable


def quote(id_: int, pair: str = "EUR/USD", bid: int = 108_500) -> Quote:
    return Quote(id_, pair, bid, bid + 10, 1_700_000_000_000 + id_, 1_700_000_000_001 + id_, True, False, "test")


def impatient(port: int) -> redis.Redis:
    return redis.Redis(port=port, socket_timeout=0.2, socket_connect_timeout=0.2, retry=Retry(NoBackoff(), 0))


@pytest.fixture
def bus() -> Iterator[QuoteBus]:
    bus = fresh_bus()
    yield bus
    bus.clear()


def test_quotes_come_out_as_they_went_in_and_in_order(bus: QuoteBus) -> None:
    quotes = [quote(LIFE + n, pair) for n, pair in enumerate(["EUR/USD", "USD/JPY", "EUR/USD"], start=1)]
    bus.append(quotes[:2])
    bus.append(quotes[2:])
    assert everything(bus) == quotes
    assert bus.newest() == newest() == {"EUR/USD": quotes[2], "USD/JPY": quotes[1]}
    assert (bus.oldest_id(), bus.last_id()) == (LIFE + 1, LIFE + 3)


def test_an_empty_bus_says_so(bus: QuoteBus) -> None:
    assert bus.read(0).quotes == []
    assert (bus.oldest_id(), bus.last_id(), bus.newest(), bus.state()) == (0, 0, {}, {})


def test_a_cursor_in_the_middle_of_an_entry_skips_what_it_has_seen(bus: QuoteBus) -> None:
    bus.append([quote(LIFE + n) for n in range(1, 11)])
    bus.append([quote(LIFE + n) for n in range(11, 21)])
    for after in range(21):
        assert [one.id - LIFE for one in bus.read(LIFE + after, 0, 1000).quotes] == list(range(after + 1, 21))


@pytest.mark.parametrize("count", [1, 7, 50, 10_000])
def test_reading_in_portions_gives_each_quote_once(bus: QuoteBus, count: int) -> None:
    for begin in range(0, 300, 20):
        bus.append([quote(LIFE + begin + n) for n in range(1, 21)])
    found: list[int] = []
    while quotes := bus.read(found[-1] if found else 0, 0, count).quotes:
        assert len(quotes) < count + 20
        found += [one.id for one in quotes]
    assert found == list(range(LIFE + 1, LIFE + 301))


def test_a_fenced_feed_cannot_append_and_changes_nothing(bus: QuoteBus) -> None:
    bus.append([quote(2 * LIFE + 1)], state={"of": "the new one"})
    with pytest.raises(Fenced):
        bus.append([quote(LIFE + 500, bid=999_999)], state={"of": "the old one"})
    with pytest.raises(Fenced):
        bus.append([quote(2 * LIFE + 1, bid=999_999)])
    assert [one.bid for one in everything(bus)] == [108_500]
    assert bus.newest()["EUR/USD"].bid == 108_500
    assert bus.state() == {"of": "the new one"}


def test_state_is_stored_with_the_quotes_and_kept_when_none_comes(bus: QuoteBus) -> None:
    bus.append([quote(LIFE + 1)], state={"position": {"index": 1}})
    bus.append([quote(LIFE + 2)])
    assert bus.state() == {"position": {"index": 1}}
    bus.forget_state()
    assert bus.state() == {}


def test_a_blocked_reader_is_woken_by_a_quote(bus: QuoteBus) -> None:
    bus.read(0)  # the first wake
    reader = QuoteBus()
    reader.read(0)
    found: list[list[Quote]] = []
    thread = threading.Thread(target=lambda: found.append(reader.read(0, 1000).quotes))
    thread.start()
    bus.append([quote(LIFE + 1)])
    thread.join(timeout=60)
    assert [one.id for one in found[0]] == [LIFE + 1]


def test_a_blocked_reader_is_woken_by_a_wake_once_and_without_quotes(bus: QuoteBus) -> None:
    reader = QuoteBus()
    reader.read(0)
    found = []
    thread = threading.Thread(target=lambda: found.append(reader.read(0, 1000)))
    thread.start()
    bus.wake()
    thread.join(timeout=60)
    assert found[0] == ([], True)
    assert reader.read(0) == ([], False)


def test_a_wake_between_two_reads_is_not_lost(bus: QuoteBus) -> None:
    reader = QuoteBus()
    reader.read(0)
    bus.append([quote(LIFE + 1)])
    bus.wake()
    assert reader.read(0).woken
    bus.wake()
    assert reader.read(LIFE + 1, 1000) == ([], True)


def test_it_forgets_the_oldest_quotes_over_all_lives_of_the_feed() -> None:
    bus = fresh_bus(kept=10_000)
    for epoch, batches in ((1, 100), (2, 30), (3, 600)):
        for batch in range(batches):
            bus.append([quote(epoch * LIFE + batch * 50 + n) for n in range(1, 51)])
        left = everything(bus)
        assert len(left) >= min(10_000, sum(b for e, b in ((1, 100), (2, 30), (3, 600)) if e <= epoch) * 50)
    assert len(left) <= 10_000 + 50 * 100 + 256 * 50  # whole nodes of the stream, and what came since the last trimming
    assert left[-1].id == 3 * LIFE + 30_000
    assert bus.oldest_id() > 3 * LIFE
    bus.clear()


def test_it_walks_back_from_the_newest_entry(bus: QuoteBus) -> None:
    for batch in range(120):
        bus.append([quote(LIFE + 2 * batch + n) for n in (1, 2)])
    assert [quotes[-1].id - LIFE for quotes in bus.tail(0)] == list(range(240, 0, -2))
    assert [quotes[-1].id - LIFE for quotes in bus.tail(LIFE + 234)] == [240, 238, 236, 234]


def test_a_recording_waits_for_the_slowest_reader_that_still_reports(bus: QuoteBus) -> None:
    now = time.time_ns() // 1_000_000
    bus.append([quote(LIFE + 1)])
    assert ReadersRoom(bus, ahead=100)(LIFE + 1_000)
    bus.report("quick", LIFE + 950, now)
    assert ReadersRoom(bus, ahead=100)(LIFE + 1_000)
    bus.report("slow", LIFE + 1, now)
    assert not ReadersRoom(bus, ahead=100)(LIFE + 1_000)
    assert ReadersRoom(bus, ahead=100)(2 * LIFE + 1)  # another life, and everything of the first has been read
    bus.report("slow", LIFE + 1, now - 60_000)  # dead for a minute
    assert ReadersRoom(bus, ahead=100)(LIFE + 1_000)


def test_a_redis_that_refuses_is_said_to_be_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = impatient(taken.getsockname()[1])
        bus = QuoteBus(nobody)
        calls = [
            lambda: bus.append([quote(1)]), lambda: bus.read(0), bus.wake, bus.newest, bus.last_id, bus.oldest_id, bus.state,
            lambda: bus.report("x", 1, 1), lambda: bus.slowest(1), bus.candles_flushed, lambda: next(bus.tail(0)),
        ]  # fmt: skip
        for call in calls:
            with pytest.raises(Unavailable) as caught:
                call()
            assert caught.value.code == "bus_unavailable"


def test_a_redis_that_hangs_is_given_up_within_its_bound() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hanging = impatient(silent.getsockname()[1])
        with pytest.raises(Unavailable):
            QuoteBus(hanging).newest()


def test_an_emptied_redis_is_written_to_again(bus: QuoteBus) -> None:
    bus.append([quote(LIFE + 1)])
    keys = list(redis_client.client().scan_iter(redis_client.key("*")))
    redis_client.client().delete(*keys)
    bus.append([quote(LIFE + 2)])
    assert [one.id for one in everything(bus)] == [LIFE + 2]
    until(lambda: bus.newest()["EUR/USD"].id == LIFE + 2)
