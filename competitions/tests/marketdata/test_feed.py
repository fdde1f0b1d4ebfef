"""The feed: numbers, stamps, warming up, leading, fencing, silence, showing, and a Redis or database that is gone."""

import itertools
import threading
import time
from datetime import datetime
from typing import Any

import pytest
from django.db import DatabaseError

from competitions.engine.quotes import Quote
from competitions.marketdata import feed as feed_module
from competitions.marketdata import leader
from competitions.marketdata.bus import LIFE, QuoteBus
from competitions.marketdata.feed import AnotherLeads, Feed
from competitions.marketdata.pace import Shown, Stamps
from competitions.marketdata.providers.base import Arrived, Bar, Connected, Disconnected, Tick
from competitions.models import Candle
from competitions.tests.marketdata.support import Scripted, arrived, everything, fresh_bus, now_ms, running, until
from tradingarena.core import leases
from tradingarena.core.errors import Unavailable
from tradingarena.core.models import Lease

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def bus() -> QuoteBus:
    return fresh_bus()


def make(source: Scripted, **options: Any) -> Feed:
    return Feed(source, bus=QuoteBus(), **({"warm_up_s": 0} | options))


def note() -> dict[str, Any]:
    found: dict[str, Any] | None = Lease.objects.filter(name="feed").values_list("note", flat=True).first()
    return found or {}


def test_good_quotes_are_numbered_stamped_and_published_bad_ones_counted(bus: QuoteBus) -> None:
    before = now_ms()
    source = Scripted(
        [
            arrived(
                ("EUR/USD", "1.08500", "1.08510"), ("EUR/USD", "1.08510", "1.08500"), ("USD/JPY", "151.500", "151.508")
            )
        ]
    )
    with running(make(source)) as feed:
        until(lambda: bus.last_id())
    quotes = everything(bus)
    epoch = Lease.objects.get(name="feed").epoch
    assert [(one.id - epoch * LIFE, one.pair, one.bid, one.ask) for one in quotes] == [
        (1, "EUR/USD", 108500, 108510),
        (2, "USD/JPY", 151500, 151508),
    ]
    assert all(
        before <= one.received_ms <= now_ms() + 5 and one.confirmed and one.armed and one.source == "scripted"
        for one in quotes
    )
    assert feed.note()["dropped"] == {"crossed": 1}
    assert Candle.objects.filter(timeframe="1m").count() == 4


def test_a_large_arrival_is_published_in_entries_of_at_most_500(bus: QuoteBus) -> None:
    base = now_ms()
    ticks = [("EUR/USD", "1.08500", f"1.085{10 + n % 80}", base + n % 5 // 5) for n in range(1_234)]
    with running(make(Scripted([arrived(*ticks)]))):
        until(lambda: len(everything(bus)) == 1_234)
    assert sorted(len(quotes) for quotes in bus.tail(0)) == [234, 500, 500]


def test_nothing_is_armed_until_the_warm_up_is_over(bus: QuoteBus) -> None:
    first, later = arrived(("EUR/USD", "1.08500", "1.08510")), arrived(("EUR/USD", "1.08501", "1.08511"))
    assert first.arrived_s
    assert later.arrived_s
    far = Arrived(later.ticks, first.arrived_s + 10.1)
    near = Arrived(later.ticks, first.arrived_s + 9.9)
    farther = Arrived(later.ticks, first.arrived_s + 20.3)  # resumed: the warm-up that runs goes on, no new one begins
    with running(make(Scripted([first, near, far, Connected(), far, Connected(resumed=True), farther]), warm_up_s=10)):
        until(lambda: len(everything(bus)) == 5)
    assert [one.armed for one in everything(bus)] == [False, False, True, False, True]


def test_a_clean_stop_gives_the_lease_back_and_the_next_feed_leads_at_once(bus: QuoteBus) -> None:
    with running(make(Scripted([arrived(("EUR/USD", "1.08500", "1.08510"))]))):
        until(lambda: bus.last_id())
    first = Lease.objects.get(name="feed")
    assert first.expires_at.year == 1970
    with running(make(Scripted([arrived(("EUR/USD", "1.08501", "1.08511"))]))):
        until(lambda: len(everything(bus)) == 2)
    assert [one.id // LIFE - first.epoch for one in everything(bus)] == [0, 1]


def test_of_two_feeds_one_leads_and_the_other_takes_over_when_it_stops(bus: QuoteBus) -> None:
    """P14; a leader that is paused and wakes up is tried with real processes in test_kills.py."""
    one, two = (
        Scripted([arrived(("EUR/USD", "1.08500", "1.08510"))]),
        Scripted([arrived(("GBP/USD", "1.27000", "1.27010"))]),
    )
    second = make(two)
    with running(make(one)):
        until(lambda: bus.last_id())
        thread = running(second)
        thread.__enter__()
        until(lambda: second.status == "following")
        assert not two.starts
    until(lambda: "GBP/USD" in bus.newest())
    thread.__exit__(None, None, None)
    assert len(one.starts) == len(two.starts) == 1
    assert everything(bus)[1].id // LIFE == everything(bus)[0].id // LIFE + 1


def test_a_feed_whose_lease_is_gone_publishes_nothing_more(bus: QuoteBus) -> None:
    source = Scripted([arrived(("EUR/USD", "1.08500", "1.08510"))])
    with running(make(source)) as feed:
        until(lambda: bus.last_id())
        Lease.objects.update(holder="another", epoch=99, expires_at=datetime.fromisoformat("2100-01-01T00:00:00+00:00"))
        until(lambda: feed.status == "following")
        source.events.append(arrived(("EUR/USD", "1.08501", "1.08511")))
        assert len(everything(bus)) == 1
        with pytest.raises(AnotherLeads, match=r"another feed .* is led by another"):
            make(Scripted(), patience_s=0).run(threading.Event())


def test_the_note_tells_how_it_goes(bus: QuoteBus) -> None:
    source = Scripted([arrived(("EUR/USD", "1.08500", "1.08510"), ("XAU/USD", "1", "2"))])
    with running(make(source)):
        found = until(lambda: (n := note()).get("last_quote_id") and n)
        source.events.append(Disconnected("capped", "too many", retry_in_s=60))
        until(lambda: note().get("status") == "capped")
    assert found["provider"] == "scripted"
    assert found["status"] == "connected"
    assert found["dropped"] == {"unknown_pair": 1}
    assert found["counts"]["quotes"] == 1
    assert note()["counts"]["capped"] == 1
    assert note()["detail"] == "too many"


@pytest.mark.parametrize(("open_", "expected"), [(True, 1), (False, 0)])
def test_silence_reconnects_while_the_market_is_open_and_only_then(
    open_: bool, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P5 and P6."""
    monkeypatch.setattr(feed_module, "is_open", lambda _: open_)
    source = Scripted()
    source.keeps_market_hours = True
    with running(make(source, silence_s=0.3)) as feed:
        until(lambda: feed.state_word() == ("silent" if open_ else "market_closed"))
        if expected:
            until(lambda: len(source.reconnects) >= expected)
            assert source.reconnects[0] == "nothing came for 0.3 s"
        else:
            began = time.monotonic()
            until(lambda: time.monotonic() - began > 1)
            assert not source.reconnects
            assert feed.state_word() == "market_closed"


def test_a_source_without_market_hours_is_never_asked_to_reconnect() -> None:
    source = Scripted()
    with running(make(source, silence_s=0.05)) as feed:
        until(lambda: feed.state_word() == "silent")
        assert not source.reconnects


def test_browsers_get_the_newest_of_a_pair_and_always_the_last_one(bus: QuoteBus) -> None:
    shown: list[Quote] = []
    base = now_ms()
    events = [arrived(("EUR/USD", "1.08500", f"1.085{10 + n}", base)) for n in range(40)]
    with running(make(Scripted(events), on_show=shown.extend)):
        until(lambda: len(everything(bus)) == 40)
        until(lambda: shown and shown[-1].ask == 108_549)
    assert len(shown) < 10


def test_four_a_second_and_pair_are_shown() -> None:
    shown = Shown()
    seen: list[tuple[float, str]] = []
    for step in range(100):
        now_s = step * 0.02
        for pair in ("EUR/USD", "USD/JPY"):
            shown.add([Quote(step, pair, 1, 2, 0, 0)])
        seen += [(now_s, quote.pair) for quote in shown.due(now_s)]
    for pair in ("EUR/USD", "USD/JPY"):
        times = [now_s for now_s, its in seen if its == pair]
        assert len(times) == 8
        assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= 0.25


def test_stamps_never_go_back_when_the_clock_is_set_back_and_follow_it_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    wall, mono = [1_000_000.0], [50.0]
    monkeypatch.setattr(time, "time_ns", lambda: int(wall[0] * 1e9))
    monkeypatch.setattr(time, "monotonic", lambda: mono[0])
    stamps, given = Stamps(), []
    for step in range(40):
        wall[0] += 0.5
        mono[0] += 0.5
        if step == 10:
            wall[0] -= 90
        if step == 25:
            wall[0] += 300
        given.append(stamps.now())
    assert given == sorted(given)
    assert given[-1] == int(wall[0] * 1000)
    assert Stamps(not_before_ms=2_000_000_000).now() == 2_000_000_000


def test_stamps_do_not_drift_from_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    mono = [50.0]
    monkeypatch.setattr(time, "time_ns", lambda: int((mono[0] + 1_000_000) * 1e9))
    monkeypatch.setattr(time, "monotonic", lambda: mono[0])
    stamps = Stamps()
    for _ in range(3_600):
        mono[0] += 1.0009
        stamps.now()
    assert abs(stamps.now() - (mono[0] + 1_000_000) * 1000) < 2


def test_a_live_feed_drops_what_it_cannot_publish_and_goes_on(bus: QuoteBus, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Scripted([arrived(("EUR/USD", "1.08500", "1.08510"))])
    feed = make(source)
    with running(feed):
        until(lambda: bus.last_id())
        with monkeypatch.context() as patch:
            patch.setattr(feed.bus, "append", _down)
            source.events.append(arrived(("EUR/USD", "1.08501", "1.08511")))
            until(lambda: feed.counts["bus_down"] == 1)
        source.events.append(arrived(("EUR/USD", "1.08502", "1.08512")))
        until(lambda: len(everything(bus)) == 2)
    assert [one.bid for one in everything(bus)] == [108500, 108502]


def test_a_recording_loses_nothing_to_a_redis_that_is_away_or_whose_answer_is_lost(
    bus: QuoteBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [Arrived([Tick("EUR/USD", "1.08500", "1.08510", 1_000_000 + n)], None, {"index": n}) for n in range(20)]
    feed = make(Scripted(events, ends=True, at_once=True))
    append, calls = feed.bus.append, [0]

    def unreliable(*args: Any, **options: Any) -> None:
        calls[0] += 1
        if calls[0] % 3 == 0:
            _down()
        append(*args, **options)
        if calls[0] % 3 == 1:
            _down()  # written, but the answer is lost

    monkeypatch.setattr(feed.bus, "append", unreliable)
    monkeypatch.setattr(feed_module, "RETRY_S", 0.001)
    assert feed.run(threading.Event())
    assert [one.time_ms for one in everything(bus)] == [1_000_000 + n for n in range(20)]
    assert all(one.received_ms == one.time_ms for one in everything(bus))


def test_a_recording_waits_for_room(bus: QuoteBus) -> None:
    events = [Arrived([Tick("EUR/USD", "1.08500", "1.08510", 1_000_000 + n)], None, {"index": n}) for n in range(5)]
    room = threading.Event()
    asked = threading.Event()

    def has_room(next_id: int) -> bool:
        asked.set()
        return room.is_set() or not bus.last_id()

    with running(make(Scripted(events, ends=True, at_once=True), room=has_room)):
        until(lambda: bus.last_id())
        assert len(everything(bus)) == 1
        room.set()
        until(lambda: len(everything(bus)) == 5)


def test_a_bus_of_another_databases_life_is_emptied(bus: QuoteBus) -> None:
    bus.append([Quote(77 * LIFE + 5, "EUR/USD", 1, 2, 3, 4)])
    with running(make(Scripted([arrived(("EUR/USD", "1.08500", "1.08510"))]))):
        until(lambda: bus.newest().get("EUR/USD", Quote(0, "", 0, 0, 0, 0)).bid == 108_500)
    assert [one.bid for one in everything(bus)] == [108_500]


def test_quality_goes_on_over_a_restart(bus: QuoteBus) -> None:
    base = now_ms()
    with running(
        make(
            Scripted(
                [arrived(("EUR/USD", "1.08500", "1.08510", base)), arrived(("EUR/USD", "1.10000", "1.10010", base + 1))]
            )
        )
    ):
        until(lambda: len(everything(bus)) == 2)
    events = [
        arrived(("EUR/USD", "1.08501", "1.08511", base - 5)),
        arrived(("EUR/USD", "1.10005", "1.10015", base + 2)),
    ]
    with running(make(Scripted(events))) as second:
        until(lambda: len(everything(bus)) == 3)
    assert [one.confirmed for one in everything(bus)] == [True, False, True]
    assert second.quality.dropped == {"old": 1}


def test_history_of_the_source_becomes_candles_beneath_the_running_ones(bus: QuoteBus) -> None:
    minute = now_ms() // 60_000 * 60_000
    source = Scripted([arrived(("EUR/USD", "1.08500", "1.08510"))])
    source.bars = [
        Bar("EUR/USD", side, minute - 120_000, 108_000, 108_020, 107_990, 108_010, 7) for side in ("bid", "ask")
    ]
    with running(make(source)) as feed:
        until(lambda: feed.history.minutes == 2)
        until(lambda: bus.last_id())
    day = Candle.objects.filter(timeframe="1d", side="bid").latest("opens_at")
    assert Candle.objects.filter(timeframe="1m", side="bid").count() == 2
    if Candle.objects.filter(timeframe="1d", side="bid").count() == 1:  # unless a trading day begins this very minute
        assert (str(day.open), str(day.close), day.ticks) == ("1.08000", "1.08500", 8)


def test_a_database_that_does_not_answer_costs_the_leadership(bus: QuoteBus, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Scripted([arrived(("EUR/USD", "1.08500", "1.08510"))])
    feed = make(source, lease_ms=1_500)
    with running(feed):
        until(lambda: bus.last_id())
        with monkeypatch.context() as patch:
            patch.setattr(leader.leases, "claim", _no_database)
            until(lambda: feed.status == "following")
            source.events.append(arrived(("EUR/USD", "1.08501", "1.08511")))
            assert len(everything(bus)) == 1
        until(lambda: len(everything(bus)) == 2)


def test_a_loop_that_shows_no_life_loses_its_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader, "STUCK_AFTER_S", 0.2)
    held = leases.claim("stuck", "me", lease_ms=1_500)
    assert held is not None
    with leader.LeaseKeeper(held, dict, lease_ms=1_500) as keeper:
        until(keeper.lost.is_set)
    until(lambda: leases.claim("stuck", "another", lease_ms=1_000))


def _down(*_: Any, **__: Any) -> None:
    raise Unavailable


def _no_database(*_: Any, **__: Any) -> None:
    raise DatabaseError("gone")
