"""Replays: at once and paced, resumed after any stop without losing or doubling a quote, and a recorded day of two brokers."""

import os
import threading
from collections import Counter
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from django.core.management import CommandError, call_command

from competitions.engine.quotes import Quote
from competitions.marketdata.bus import LIFE, QuoteBus
from competitions.marketdata.feed import Feed
from competitions.marketdata.providers import replay
from competitions.marketdata.providers.base import Arrived, Connected, Start
from competitions.marketdata.providers.recording import TICKS, Recording, RecordingError
from competitions.marketdata.providers.replay import ReplayProvider
from competitions.marketdata.quality import Quality
from competitions.models import Candle
from competitions.tests.marketdata.support import everything, fresh_bus, now_ms, running, until
from tradingarena.core import leases

pytestmark = pytest.mark.django_db(transaction=True)

DAY = 1_399_248_000_000


def record(path: Path, rows: int, seed: int = 1, every_ms: int = 700) -> Path:
    """Write a recording of two pairs with jumps, crossed and locked quotes in it."""
    chance = Random(seed)
    price, at_ms, lines = {"EUR/USD": 138_000, "USD/JPY": 102_000}, DAY, [TICKS]
    for _ in range(rows):
        at_ms += chance.randint(0, every_ms)
        pair = chance.choice(list(price))
        price[pair] += chance.randint(-5, 5) + chance.choice([0] * 40 + [2_200, -2_200])
        bid, ask = price[pair], price[pair] + chance.choice([6, 7, 8, 0, -2])
        scale = 1_000 if pair == "USD/JPY" else 100_000
        lines.append(f"{at_ms},{pair},{Decimal(bid) / scale},{Decimal(ask) / scale}")
    path.write_text("\n".join(lines) + "\n")
    return path


def essence(quotes: list[Quote]) -> list[tuple[object, ...]]:
    """What two runs of a recording must agree on: everything but the ids."""
    return [tuple(quote[1:]) for quote in quotes]


def candles() -> list[tuple[object, ...]]:
    return list(
        Candle.objects.order_by("pair", "timeframe", "side", "opens_at").values_list(
            "pair", "timeframe", "side", "opens_at", "open", "high", "low", "close", "ticks"
        )
    )


def play(path: Path, stop: threading.Event | None = None, warm_up_s: float = 30) -> Feed:
    feed = Feed(ReplayProvider(Recording([path]), speed=None), bus=QuoteBus(), warm_up_s=warm_up_s)
    feed.run(stop or threading.Event())
    return feed


def test_at_once_the_recordings_own_times_are_the_contests_clock(tmp_path: Path) -> None:
    bus = fresh_bus()
    feed = play(record(tmp_path / "q.csv", 3_000))
    quotes = everything(bus)
    assert len(quotes) == feed.counts["quotes"] == 3_000 - sum(feed.quality.dropped.values())
    assert feed.quality.dropped["crossed"] > 300
    assert feed.quality.dropped["locked"] > 300
    assert all(quote.received_ms == quote.time_ms for quote in quotes)
    armed_from_ms = Recording([tmp_path / "q.csv"]).first_ms + 30_000
    assert not quotes[0].armed
    assert [quote.armed for quote in quotes] == [quote.time_ms >= armed_from_ms for quote in quotes]
    assert bus.state() == {}  # played to its end: the next run begins anew


@pytest.mark.parametrize("seed", range(4))
def test_stopped_anywhere_and_started_again_it_is_as_if_it_had_not_been(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "AT_ONCE_BATCH", 37)
    path, chance = record(tmp_path / "q.csv", 3_000, seed), Random(seed)
    bus = fresh_bus()
    play(path)
    whole, whole_candles = essence(everything(bus)), candles()
    bus.clear()
    Candle.objects.all().delete()
    lives = 0
    while True:  # each life dies after some batches, at different places
        lives += 1
        feed = Feed(ReplayProvider(Recording([path]), speed=None), bus=QuoteBus(), warm_up_s=30)
        dies_after = chance.randint(0, 25)
        append, calls = feed.bus.append, [0]

        def dying(*args: object, append=append, calls=calls, dies_after=dies_after, **options: object) -> None:  # type: ignore[no-untyped-def]
            calls[0] += 1
            if calls[0] > dies_after:
                raise Killed
            append(*args, **options)

        feed.bus.append = dying  # type: ignore[method-assign]
        monkeypatch.setattr(feed, "_leave", lambda held, keeper: leases.release(held))  # the dead store nothing more
        try:
            feed.run(threading.Event())
        except Killed:
            continue
        break
    assert lives > 3
    assert essence(everything(bus)) == whole
    assert [quote.id for quote in everything(bus)] == sorted({quote.id for quote in everything(bus)})
    finished = Feed(ReplayProvider(Recording([path]), speed=None), bus=QuoteBus())
    finished.candles.take_over(bus)
    finished.candles.flush(bus, everything=True)
    assert candles() == whole_candles


class Killed(BaseException):
    """Goes past every handler, like a kill."""


def test_a_clean_stop_in_the_middle_goes_on_with_the_next_start_and_restart_begins_anew(tmp_path: Path) -> None:
    path = record(tmp_path / "q.csv", 2_000)
    bus = fresh_bus()
    stop = threading.Event()
    feed = Feed(
        ReplayProvider(Recording([path]), speed=None),
        bus=QuoteBus(),
        room=lambda next_id: next_id % LIFE < 100 or stop.set() is not None,
    )
    feed.run(stop)
    first = len(everything(bus))
    assert 0 < first < 1_500
    provider = ReplayProvider(Recording([path]), speed=None)
    Feed(provider, bus=QuoteBus()).run(threading.Event())
    assert provider.resumed_at == 1_000
    assert Counter(essence(everything(bus))).most_common(1)[0][1] == 1
    stop.clear()
    feed.run(stop)
    anew = ReplayProvider(Recording([path]), speed=None, anew=True)
    Feed(anew, bus=QuoteBus()).run(threading.Event())
    assert anew.resumed_at == 0


def test_another_recording_or_pace_does_not_take_the_position_over(tmp_path: Path) -> None:
    one = Recording([record(tmp_path / "a.csv", 50)])
    two = Recording([record(tmp_path / "b.csv", 50, seed=2)])
    position = {"key": ReplayProvider(one, speed=None).key, "index": 10}
    assert ReplayProvider(one, speed=None).goes_on(Start(position=position))
    assert not ReplayProvider(one, speed=None, anew=True).goes_on(Start(position=position))
    assert not ReplayProvider(two, speed=None).goes_on(Start(position=position))
    assert not ReplayProvider(one, speed=Decimal(1)).goes_on(Start(position=position))
    assert not ReplayProvider(one, speed=None).goes_on(Start())


def test_paced_it_begins_now_and_keeps_the_recordings_rhythm(tmp_path: Path) -> None:
    bus = fresh_bus()
    path = record(tmp_path / "q.csv", 400, every_ms=100)
    recording = Recording([path])
    before = now_ms()
    with running(Feed(ReplayProvider(recording, speed=Decimal(20)), bus=QuoteBus(), warm_up_s=0)) as feed:
        until(lambda: feed.counts["ticks"] == 400)
    quotes = everything(bus)
    good = {(row[0], row[2], row[3]): row for row in recording}
    assert before <= quotes[0].time_ms <= before + 2_000
    assert all(quote.received_ms - quote.time_ms >= -5 for quote in quotes)
    span = (quotes[-1].time_ms - quotes[0].time_ms) * 20
    assert abs(span - (max(good)[0] - recording.first_ms)) < 2_000


def test_paced_and_stopped_it_catches_up_what_it_missed_and_moves_on_after_a_long_stop(tmp_path: Path) -> None:
    recording = Recording([record(tmp_path / "q.csv", 400, every_ms=100)])
    provider = ReplayProvider(recording, speed=Decimal(1))
    rows = list(recording)

    def first_batch(anchor_ms: int) -> list[Arrived]:
        stop = threading.Event()
        stream = provider.stream(stop, Start(position={"key": provider.key, "index": 100, "anchor_ms": anchor_ms}))
        assert next(stream) == Connected(resumed=True)
        found = next(event for event in stream if isinstance(event, Arrived))
        stop.set()
        return [found]

    due = rows[100][0] - recording.first_ms
    [short] = first_batch(now_ms() - due - 6_000)  # six seconds late
    assert short.ticks[0].bid == rows[100][3]
    assert len(short.ticks) == sum(1 for row in rows[100:] if row[0] <= rows[100][0] + 6_000) or len(short.ticks) >= 60
    [long] = first_batch(now_ms() - due - 3_600_000)  # an hour late: the rest is moved to now
    assert len(long.ticks) < 10
    assert abs(long.ticks[0].time_ms - now_ms()) < 2_000


def test_it_starts_over_at_the_end_behind_itself(tmp_path: Path) -> None:
    bus = fresh_bus()
    path = record(tmp_path / "q.csv", 50, every_ms=20)
    with running(
        Feed(ReplayProvider(Recording([path]), speed=Decimal(5), again=True), bus=QuoteBus(), warm_up_s=0)
    ) as feed:
        until(lambda: feed.counts["ticks"] >= 120)
        assert feed.quality.dropped["old"] == feed.quality.dropped["ahead"] == 0
    times = [quote.time_ms for quote in everything(bus) if quote.pair == "EUR/USD"]
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"speed": Decimal(0)}, "speed"),
        ({"speed": Decimal("1e9")}, "speed"),
        ({"speed": None, "again": True}, "cannot start over"),
    ],
)
def test_a_pace_that_cannot_be_is_refused(options: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=said):
        ReplayProvider(Recording([record(tmp_path / "q.csv", 5)]), **options)  # type: ignore[arg-type]


def test_the_command_plays_says_what_it_did_and_refuses_while_another_leads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = record(tmp_path / "q.csv", 500)
    bus = fresh_bus()
    call_command("replay_quotes", str(path), "--at-once")
    said = capsys.readouterr().out
    assert "500 quotes in" in said
    assert f"{len(everything(bus))} published" in said
    assert "locked" in said
    monkeypatch.setattr("competitions.management.commands.replay_quotes.LEASE_MS", -3_000)
    held = leases.claim("feed", "somebody", lease_ms=60_000, note={"provider": "simulated"})
    assert held
    with pytest.raises(CommandError, match=r"another feed \(simulated\) is led by somebody: stop it first"):
        call_command("replay_quotes", str(path), "--at-once")


@pytest.fixture
def recorded() -> Path:
    if not os.environ.get("FX_DATA_DIR"):
        pytest.skip("FX_DATA_DIR does not point at the recorded quotes")
    return Path(os.environ["FX_DATA_DIR"])


@pytest.mark.recorded
def test_a_recorded_week_has_the_crossed_and_locked_quotes_that_its_description_counts(recorded: Path) -> None:
    quality = Quality()
    recording = Recording([recorded / "ticks" / "nzdusd_fxcm_2014w19.csv.gz"])
    for time_ms, _, pair, bid, ask in recording:
        quality.judge(pair, bid, ask, time_ms, time_ms)
    assert recording.rows == 465_874
    assert quality.dropped == {"crossed": 9_936, "locked": 6_980}


@pytest.mark.recorded
def test_two_recorded_pairs_of_the_same_hours_come_through_twice_the_same(recorded: Path) -> None:
    bus, runs = fresh_bus(), []
    for _ in range(2):
        files = [recorded / "ticks" / name for name in ("eurusd_2019-01-01.csv.gz", "usdjpy_2019-01-01.csv.gz")]
        feed = Feed(ReplayProvider(Recording(files), speed=None), bus=QuoteBus(), warm_up_s=10)
        assert feed.run(threading.Event())
        assert feed.counts["ticks"] == 20_000
        assert feed.counts["quotes"] == len(everything(bus)) > 19_900
        runs.append((essence(everything(bus)), candles()))
        bus.clear()
    assert runs[0] == runs[1]


@pytest.mark.recorded
def test_recorded_minutes_of_five_pairs_become_quotes_and_gold_is_no_pair_here(recorded: Path) -> None:
    recording = Recording([recorded / "candles" / "replay_week_m1_5pairs.csv.gz"])
    quality = Quality()
    good = [quality.judge(pair, bid, ask, time_ms, time_ms) for time_ms, _, pair, bid, ask in recording]
    assert recording.extents[0].pairs == {"EUR/USD", "GBP/USD", "NZD/USD", "USD/JPY", "XAU/USD"}
    assert recording.rows > 4 * 30_000
    assert recording.rows % 4 == 0
    assert sum(1 for quote in good if quote) > 100_000
    assert quality.dropped["unknown_pair"] > 20_000
