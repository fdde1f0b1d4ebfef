"""Contests on real recorded quotes, played twice: the same fills both times, and a recount that agrees to the cent.

The full million of quotes takes minutes: `manage.py replay_contest eurusd_fxcm_2014w19 nzdusd_fxcm_2014w19 --twice`.
"""

import csv
import gzip
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import call_command

from competitions.management.replay.contest import Played, play
from competitions.management.replay.recount import recount
from competitions.marketdata.providers.recording import TICKS, Recording
from competitions.models import Deal, Entry, Fill, Order

pytestmark = [pytest.mark.recorded, pytest.mark.django_db(transaction=True)]

WEEK_BEGINS_MS = int(datetime(2014, 5, 5, 6, 0, tzinfo=UTC).timestamp() * 1000)


def recorded(*names: str) -> list[Path]:
    """Find recorded files, or skip."""
    root = Path(os.environ.get("FX_DATA_DIR", "missing"))
    found = [root / f"{name}.csv.gz" for name in names]
    lacking = [path.name for path in found if not path.is_file()]
    if lacking:
        pytest.skip(f"FX_DATA_DIR has no {', '.join(lacking)}")
    return found


def play_twice(recording: Recording, **options: int) -> tuple[Played, list[tuple[object, ...]]]:
    """Play, forget everything, play again; give the second play and the first one's fills, every column of them."""
    play(recording, **options)
    first = rows()
    call_command("flush", interactive=False, verbosity=0)
    return play(recording, **options), first


def rows() -> list[tuple[object, ...]]:
    names = [field.attname for field in Fill._meta.concrete_fields if field.attname != "engine_epoch"]
    return list(Fill.objects.order_by("entry__number", "number").values_list(*names))


@pytest.mark.timeout(300)
def test_a_trading_day_of_one_broker_gives_the_same_fills_twice_and_recounts_to_the_cent() -> None:
    recording = Recording(recorded("ticks/eurusd_oanda_2014w19", "ticks/nzdusd_oanda_2014w19"), WEEK_BEGINS_MS)
    played, first = play_twice(recording, entrants=50, seed=1, hours=14)
    assert played.competition.status == "settling"
    assert played.quotes > 20_000
    assert rows() == first
    assert {fill.rule for fill in Fill.objects.all()} >= {"market", "limit", "stop", "stop_loss", "take_profit", "end"}
    assert played.recount.disagreements == []
    assert (played.recount.entries, played.recount.fills) == (50, len(first))
    assert sum(1 for deal in Deal.objects.all() if deal.direction == "out") > 50
    assert Order.objects.filter(status__in=["accepted", "working"]).count() == 0


@pytest.mark.timeout(300)
def test_yen_and_crosses_are_converted_at_recorded_rates(tmp_path: Path) -> None:
    ticks, week = recorded("ticks/gbpjpy_dukascopy_2012-12-03", "candles/replay_week_m1_5pairs")
    moved = move_to_week(ticks, tmp_path / "gbpjpy.csv.gz")
    played, first = play_twice(Recording([week, moved], WEEK_BEGINS_MS), entrants=30, seed=2, hours=6)
    assert played.competition.pairs == ["EUR/USD", "GBP/JPY", "GBP/USD", "NZD/USD", "USD/JPY"]
    assert rows() == first
    assert played.recount.disagreements == []
    assert played.recount.rates_checked > 50
    assert played.dropped["unknown_pair"] > 0  # gold is no pair of currencies
    assert {"GBP/JPY", "USD/JPY"} <= set(Fill.objects.values_list("pair", flat=True))


@pytest.mark.timeout(300)
def test_the_recount_finds_a_cent_a_rank_and_a_rate_that_are_wrong() -> None:
    week = recorded("candles/replay_week_m1_5pairs")
    played = play(Recording(week, WEEK_BEGINS_MS), entrants=8, seed=3, hours=4)
    assert played.recount.disagreements == []
    best = Entry.objects.get(rank=1)
    Entry.objects.filter(pk=best.pk).update(final_equity_cents=(best.final_equity_cents or 0) + 1)
    found = recount(played.competition, played.mids)
    assert [line.split(":")[0] for line in found.disagreements] == [f"entry {best.number}"]
    Entry.objects.filter(pk=best.pk).update(final_equity_cents=best.final_equity_cents, rank=2)
    assert recount(played.competition, played.mids).disagreements == [f"entry {best.number}: rank 2 stored, 1 counted"]
    wrong = {number: (pair, mid + 1) for number, (pair, mid) in played.mids.items()}
    assert any("is not the mid of its quote" in line for line in recount(played.competition, wrong).disagreements)


def move_to_week(source: Path, target: Path) -> Path:
    """Copy ticks with their times moved by whole weeks, and an hour of daylight saving, into the week of the candles."""
    with gzip.open(source, "rt", newline="") as old, gzip.open(target, "wt", newline="") as new:
        lines = csv.reader(old)
        assert ",".join(next(lines)) == TICKS
        new.write(f"{TICKS}\n")
        shift_ms = (datetime(2014, 5, 4, 21, tzinfo=UTC) - datetime(2012, 12, 2, 22, tzinfo=UTC)).total_seconds() * 1000
        for time_ms, pair, bid, ask in lines:
            new.write(f"{int(time_ms) + int(shift_ms)},{pair},{bid},{ask}\n")
    return target
