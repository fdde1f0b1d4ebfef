"""The rows P1 to P13 of the vendor's faults against the stand-in over real sockets; P14 is in test_feed.py and test_kills.py."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from competitions.engine.market_hours import is_open
from competitions.marketdata import feed as feed_module
from competitions.marketdata.feed import Feed
from competitions.marketdata.providers.base import Arrived, Connected, Disconnected, Idle, Start, Tick
from competitions.marketdata.providers.polygon import PolygonProvider, spell
from competitions.marketdata.providers.polygon_socket import Timing
from competitions.models import Candle
from competitions.tests.marketdata.support import everything, fresh_bus, now_ms, running, until
from tradingarena.core.models import Lease
from tradingarena.localstack.fakepolygon import FakePolygon, read_script

PAIRS = ("EUR/USD", "GBP/USD", "USD/JPY")
QUICK = Timing(
    connect=0.6, ping_every=0.4, pong_within=0.3, first_backoff=0.05, longest_backoff=0.4, healthy_after=0.3, capped=0.6
)


@dataclass
class Listener:
    """A provider whose events are collected in a thread, without a feed."""

    provider: PolygonProvider
    ticks: list[Tick] = field(default_factory=list)
    connects: int = 0
    losses: list[Disconnected] = field(default_factory=list)
    idles: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def listen(self) -> None:
        with closing(self.provider.stream(self.stop, Start())) as events:  # type: ignore[type-var]
            for event in events:
                if isinstance(event, Arrived):
                    self.ticks += event.ticks
                elif isinstance(event, Connected):
                    self.connects += 1
                elif isinstance(event, Disconnected):
                    self.losses.append(event)
                elif isinstance(event, Idle):
                    self.idles += 1


def make(fake: FakePolygon, *, timing: Timing = QUICK, key: str = "", form: str = "EUR/USD") -> PolygonProvider:
    return PolygonProvider(
        key or fake.key, ws_url=fake.url, rest_url=fake.rest_url, pairs=PAIRS, pair_form=form, timing=timing
    )


@contextmanager
def listening(provider: PolygonProvider) -> Iterator[Listener]:
    listener = Listener(provider)
    thread = threading.Thread(target=listener.listen, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        listener.stop.set()
        thread.join(timeout=60)
        assert not thread.is_alive()


@pytest.fixture
def fake() -> Iterator[FakePolygon]:
    with FakePolygon() as server:
        yield server


@contextmanager
def subscribed(fake: FakePolygon, **options: str | Timing) -> Iterator[Listener]:
    with listening(make(fake, **options)) as listener:  # type: ignore[arg-type]
        until(lambda: fake.subscribed() and listener.connects)
        until(lambda: listener.provider.counts["subscribed"] >= len(PAIRS))
        yield listener


def test_p1_a_refused_key_stops_it_with_the_reason_and_is_never_tried_again() -> None:
    with FakePolygon() as fake, listening(make(fake, key="wrong")) as listener:
        until(lambda: listener.losses)
        idles = listener.idles
        until(lambda: listener.idles > idles + 12)  # much longer than any backing off here
        assert [(loss.status, loss.fatal) for loss in listener.losses] == [("auth_failed", True)]
        assert "POLYGON_API_KEY" in listener.losses[0].detail
        assert len(fake.attempts) == 1


@pytest.mark.django_db(transaction=True)
def test_p1_operators_see_the_reason_in_the_leases_note() -> None:
    bus = fresh_bus()
    with FakePolygon() as fake, running(Feed(make(fake, key="wrong"), bus=bus, warm_up_s=0)):
        until(
            lambda: (
                (Lease.objects.filter(name="feed").values_list("note", flat=True).first() or {}).get("status")
                == "auth_failed"
            )
        )


def test_p2_a_silent_server_is_given_up_and_backed_off_from() -> None:
    with FakePolygon(faults=read_script("no_connected=2")) as fake, listening(make(fake)) as listener:
        until(lambda: listener.connects)
        assert len(listener.losses) == 2
        assert all("no 'connected' within 0.6 s" in loss.detail for loss in listener.losses)


def test_p2_an_auth_that_is_never_answered_times_out() -> None:
    with (
        FakePolygon(faults=read_script("auth_timeout=1"), auth_timeout_s=30) as fake,
        listening(make(fake)) as listener,
    ):
        until(lambda: listener.connects)
        assert "no 'auth_success'" in listener.losses[0].detail


def test_p3_too_many_connections_are_tried_only_once_per_pause_and_counted() -> None:
    with FakePolygon(faults=read_script("max_connections")) as fake, listening(make(fake)) as listener:
        until(lambda: len(fake.attempts) == 4)
        gaps = [later - earlier for earlier, later in zip(fake.attempts, fake.attempts[1:], strict=False)]
        assert min(gaps) >= QUICK.capped  # successful sign-ins in between did not reset anything
        assert listener.provider.counts["capped"] >= 3
        assert {loss.status for loss in listener.losses} == {"connected_too_often"}
        assert Timing().capped == 60


def test_p3_a_second_connection_with_the_same_key_is_the_one_too_many(fake: FakePolygon) -> None:
    with subscribed(fake), listening(make(fake)) as second:
        until(lambda: second.losses)
        assert second.losses[0].status == "connected_too_often"


def test_p4_after_a_reset_it_is_back_at_once_with_all_subscriptions() -> None:
    with FakePolygon(faults=read_script("drop@500")) as fake, subscribed(fake) as listener:
        for n in range(500):
            fake.quote("EUR/USD", "1.08500", f"1.0{8510 + n % 50}")
        until(lambda: listener.losses)
        dropped = time.monotonic()
        until(lambda: listener.connects == 2 and fake.subscribed())
        assert fake.attempts[-1] - dropped < 2
        for pair in PAIRS:
            fake.quote(pair, "1.08500", "1.08510")
        until(lambda: {tick.pair for tick in listener.ticks[-3:]} == set(PAIRS))


@pytest.mark.django_db(transaction=True)
def test_p4_missed_minutes_are_filled_over_rest_and_no_candle_is_there_twice() -> None:
    bus = fresh_bus()
    minute = now_ms() // 60_000 * 60_000
    with FakePolygon() as fake:
        for back in (1, 2, 3):  # the market while nobody listened
            for second in (0, 20, 40):
                fake.tape.add(
                    "EUR/USD", f"1.08{500 + back}", f"1.08{510 + back}", minute - back * 60_000 + second * 1000
                )
        fake.inject("rest_pages=2")
        with running(Feed(make(fake), bus=bus, warm_up_s=0)) as feed:
            until(fake.subscribed)
            fake.quote("EUR/USD", "1.08500", "1.08510")
            until(lambda: feed.history.minutes == 6)
            until(lambda: bus.last_id())
            fake.inject("drop")
            until(lambda: feed.counts["connects"] == 2 and fake.subscribed())
            fake.quote("EUR/USD", "1.08502", "1.08512")
            until(lambda: len(everything(bus)) == 2)
    found = list(
        Candle.objects.filter(timeframe="1m", side="bid", pair="EUR/USD")
        .order_by("opens_at")
        .values_list("ticks", "close")
    )
    assert [(ticks, str(close)) for ticks, close in found[:3]] == [(3, "1.08503"), (3, "1.08502"), (3, "1.08501")]
    assert sum(ticks for ticks, _ in found[3:]) == 2  # the two that came live, whichever minute they fell in
    assert all("/range/1/minute/" in asked for asked in fake.rest.asked)


@pytest.mark.django_db(transaction=True)
def test_p5_a_half_open_connection_is_replaced_when_every_pair_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "is_open", lambda _: True)
    bus = fresh_bus()
    patient = Timing(connect=1, ping_every=60, pong_within=60, first_backoff=0.05)  # so that only the feed can notice
    with (
        FakePolygon(limit=9) as fake,
        running(Feed(make(fake, timing=patient), bus=bus, warm_up_s=0, silence_s=0.5)) as feed,
    ):
        until(fake.subscribed)
        fake.quote("EUR/USD", "1.08500", "1.08510")
        until(lambda: bus.last_id())
        fake.inject("silence")
        until(lambda: feed.counts["connects"] == 2)
        fake.quote("EUR/USD", "1.08501", "1.08511")
        until(lambda: len(everything(bus)) == 2)
        assert feed.counts["silences"] >= 1


def test_p5_a_server_that_answers_no_ping_is_replaced_as_well() -> None:
    with FakePolygon(limit=9) as fake, subscribed(fake) as listener:
        fake.inject("silence")
        until(lambda: listener.losses)
        assert "no answer to a ping" in listener.losses[0].detail
        until(lambda: listener.connects == 2)


@pytest.mark.django_db(transaction=True)
def test_p6_silence_at_the_weekend_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    friday = datetime(2026, 7, 3, 21, 0, 1, tzinfo=UTC)
    assert not is_open(friday)
    monkeypatch.setattr(feed_module, "is_open", lambda _: is_open(friday))
    with FakePolygon() as fake, running(Feed(make(fake), bus=fresh_bus(), warm_up_s=0, silence_s=0.05)) as feed:
        until(fake.subscribed)
        began = time.monotonic()
        until(lambda: time.monotonic() - began > 1)
        assert len(fake.attempts) == 1
        assert feed.note()["status"] == "market_closed"


@pytest.mark.django_db(transaction=True)
def test_p7_p8_bad_quotes_are_dropped_and_counted_and_the_last_good_one_is_kept() -> None:
    bus = fresh_bus()
    with FakePolygon() as fake, running(Feed(make(fake), bus=bus, warm_up_s=0)) as feed:
        until(fake.subscribed)
        fake.quote("EUR/USD", "1.08500", "1.08510")
        for fault in ("crossed", "locked", "zero", "negative", "nan", "jump=20.5", "stale=3000", "ahead", "bad_pair"):
            fake.inject(fault)
            fake.quote("EUR/USD", "1.08500", "1.08510")
        until(lambda: sum(feed.quality.dropped.values()) == 9)
        assert dict(feed.quality.dropped) == {
            "crossed": 1, "locked": 1, "not_positive": 2, "not_a_number": 1, "out_of_range": 1, "old": 1, "ahead": 1, "unknown_pair": 1,
        }  # fmt: skip
        assert [(one.bid, one.confirmed) for one in everything(bus)] == [(108500, True)]
        fake.inject("twice")
        fake.quote("EUR/USD", "1.08500", "1.08510")
        until(lambda: len(everything(bus)) == 3)
        assert bus.newest()["EUR/USD"].bid == 108501  # the same millisecond twice: the later one stays
        fake.inject("jump=2")
        fake.quote("EUR/USD", "1.08500", "1.08510")
        fake.quote("EUR/USD", "1.08500", "1.08510")
        fake.inject("move=2")
        fake.quote("EUR/USD", "1.08500", "1.08510")
        fake.quote("EUR/USD", "1.08500", "1.08510")
        until(lambda: len(everything(bus)) == 7)
    assert [(one.bid, one.confirmed) for one in everything(bus)[3:]] == [
        (110670, False),
        (108500, True),
        (110670, False),
        (110670, True),
    ]


def test_p9_strings_for_numbers_unknown_keys_and_events_and_large_frames_are_read_in_order(fake: FakePolygon) -> None:
    now = now_ms()
    with subscribed(fake) as listener:
        fake.inject("string_x")
        fake.quote("EUR/USD", "1.08500", "1.08510")
        fake.inject("unknown_ev")
        fake.quote("EUR/USD", "1.08501", "1.08511")
        fake.send(
            [
                {"ev": "C", "p": "EUR/USD", "x": "44", "a": 1.08512, "b": 1.08502, "t": now},
                {"ev": "ZZ"},
                {"ev": "CA", "pair": "EUR/USD", "o": 1},
                {"ev": "C", "p": "USD/JPY", "a": 151, "b": "150.991", "t": now, "new": {"key": []}},
            ]
        )
        fake.inject("burst=500")
        fake.quote("GBP/USD", "1.27000", "1.27010")
        until(lambda: len(listener.ticks) == 504)
    assert [(tick.pair, str(tick.bid)) for tick in listener.ticks[:5]] == [
        ("EUR/USD", "1.085"), ("EUR/USD", "1.08501"), ("EUR/USD", "1.08502"), ("USD/JPY", "150.991"), ("GBP/USD", "1.27"),
    ]  # fmt: skip
    assert [tick.time_ms - listener.ticks[4].time_ms for tick in listener.ticks[4:]] == list(range(500))
    assert listener.provider.counts["unknown_event"] == 3


JUNK: list[tuple[str | bytes, str]] = [
    ("<<< this is no JSON >>>", "not_json"),
    ("", "not_json"),
    ("[" * 100_000, "not_json"),
    (b"\x00\xff\x01", "binary"),
    ('[{"ev":"ZZ","filler":"' + "x" * 2_000_000 + '"}]', "oversized"),
    ("null", "malformed"),
    ('"C"', "malformed"),
    ("[1, null, []]", "malformed"),
    ('[{"ev":"C"}]', "malformed"),
    ('[{"ev":"C","p":1,"a":1.1,"b":1.0,"t":1}]', "malformed"),
    ('[{"ev":"C","p":"EUR/USD","a":true,"b":1.0,"t":1}]', "malformed"),
    ('[{"ev":"C","p":"EUR/USD","a":{},"b":[],"t":1}]', "malformed"),
    ('[{"ev":"C","p":"EUR/USD","a":1.1,"b":1.0,"t":"soon"}]', "malformed"),
    ('[{"ev":"C","p":"EUR/USD","a":1.1,"b":1.0,"t":1.5}]', "malformed"),
    ('[{"ev":"C","p":"EUR/USD","a":1.1,"b":1.0,"t":true}]', "malformed"),
    ('[{"ev":["C"]}]', "unknown_event"),
]


@pytest.mark.parametrize(("frame", "counted"), JUNK, ids=[f"{counted} {str(frame)[:30]}" for frame, counted in JUNK])
def test_p10_a_frame_that_cannot_be_read_is_counted(frame: str | bytes, counted: str) -> None:
    provider = PolygonProvider("key", ws_url="ws://127.0.0.1:1", rest_url="http://127.0.0.1:1")
    assert provider.parse(frame) == []
    assert provider.counts[counted] >= 1


def test_p10_junk_frames_do_not_end_the_connection(fake: FakePolygon) -> None:
    with subscribed(fake) as listener:
        for fault in ("not_json", "binary", "big"):
            fake.inject(fault)
            fake.quote("EUR/USD", "1.08500", "1.08510")
        until(lambda: len(listener.ticks) == 3)
        assert {name: listener.provider.counts[name] for name in ("not_json", "binary", "oversized")} == {
            "not_json": 1,
            "binary": 1,
            "oversized": 1,
        }
        assert len(fake.attempts) == 1
        assert not listener.losses


def test_p11_all_three_spellings_are_the_same_instrument(fake: FakePolygon) -> None:
    with subscribed(fake) as listener:
        for spelling in ("slash", "dash", "plain"):
            if spelling != "slash":
                fake.inject(spelling)
            fake.quote("EUR/USD", "1.08500", "1.08510")
        until(lambda: len(listener.ticks) == 3)
    assert {tick.pair for tick in listener.ticks} == {"EUR/USD"}


@pytest.mark.parametrize("form", ["EUR/USD", "EUR-USD", "EURUSD"])
def test_p11_it_subscribes_in_the_configured_form(form: str, fake: FakePolygon) -> None:
    with subscribed(fake, form=form) as listener:
        fake.quote("USD/JPY", "151.500", "151.508")
        until(lambda: listener.ticks)
    assert spell("USD/JPY", form) == form.replace("EUR", "USD", 1).replace("USD", "JPY").replace("JPY", "USD", 1)


def test_p11_a_form_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no form of a pair"):
        spell("EUR/USD", "eur_usd")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("off_s", [90, -90])
def test_p13_a_clock_that_is_off_by_90_s_stops_nothing(off_s: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen from here the vendor's times are 90 s off; silence is measured on the monotonic clock."""
    monkeypatch.setattr(feed_module, "is_open", lambda _: True)
    bus = fresh_bus()
    with FakePolygon() as fake, running(Feed(make(fake), bus=bus, warm_up_s=0, silence_s=0.8)) as feed:
        fake.inject(f"clock={off_s * 1000}")
        until(fake.subscribed)
        for n in range(60):
            fake.quote("EUR/USD", "1.08500", f"1.085{10 + n % 9}")
        until(lambda: len(everything(bus)) >= 40)
        first = everything(bus)[0]
        assert abs(first.time_ms - first.received_ms - off_s * 1000) < 2_000
        assert abs(first.received_ms - now_ms()) < 30_000
        assert feed.note()["clock_skew_ms"] == 0 if off_s < 0 else feed.quality.skew_ms > 80_000
        assert len(fake.attempts) == 1
        until(lambda: len(fake.attempts) == 2)  # real silence is noticed all the same


def test_a_plan_without_the_data_is_said_and_nothing_breaks() -> None:
    with FakePolygon(faults=read_script("not_entitled")) as fake, listening(make(fake)) as listener:
        until(lambda: listener.provider.counts["statuses"] >= len(PAIRS))
        assert listener.connects == 1
        assert not listener.losses


def test_a_server_that_goes_away_and_comes_back_is_found_again() -> None:
    with ExitStack() as stack:
        with FakePolygon() as first:
            port = first.port
            listener = stack.enter_context(listening(make(first)))
            until(lambda: listener.connects == 1)
        until(lambda: len(listener.losses) >= 2)
        second = stack.enter_context(FakePolygon(port=port))
        until(lambda: listener.connects == 2 and second.subscribed())
        second.quote("EUR/USD", "1.08500", "1.08510")
        until(lambda: listener.ticks)


def test_backing_off_grows_to_its_ceiling_and_a_healthy_life_resets_it() -> None:
    provider = PolygonProvider("key", ws_url="ws://127.0.0.1:1/forex", rest_url="http://127.0.0.1:1", timing=QUICK)
    with listening(provider) as listener:
        until(lambda: len(listener.losses) >= 7)
    waits = [loss.retry_in_s or 0 for loss in listener.losses]
    for number, wait in enumerate(waits):
        assert 0 < wait <= min(QUICK.longest_backoff, QUICK.first_backoff * 2**number) + 0.001
    assert (Timing().first_backoff, Timing().longest_backoff, Timing().healthy_after) == (1.0, 60.0, 10.0)
