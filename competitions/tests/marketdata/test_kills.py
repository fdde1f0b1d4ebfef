"""The feed as real processes: killed, paused, two at once. What is on the bus afterwards is as if nothing had happened."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import pytest
from django.conf import settings
from django.db import connection

from competitions.marketdata.bus import LIFE, QuoteBus
from competitions.models import Candle
from competitions.tests.marketdata.support import everything, fresh_bus, until
from competitions.tests.marketdata.test_replay import candles, essence, play, record
from tradingarena.core.models import Lease

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


WAIT_S = 60.0  # processes take their time to start on a busy machine


def environment() -> dict[str, str]:
    """Point a process at the tests' own database and Redis."""
    found = settings.DATABASES["default"]
    url = f"postgres://{found['USER']}@/{connection.settings_dict['NAME']}?host={found['HOST']}"
    if found["PORT"]:
        url += f"&port={found['PORT']}"
    names = {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL, "ARENA_KEY_PREFIX": settings.KEY_PREFIX}
    return os.environ | names | {"DJANGO_SETTINGS_MODULE": "tradingarena.settings.test", "DATABASE_POOL_SIZE": "4"}


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command until the end of a block."""
    with subprocess.Popen(
        [sys.executable, "manage.py", *arguments], cwd=settings.BASE_DIR, env=environment()
    ) as started:
        try:
            yield started
        finally:
            with suppress(ProcessLookupError):
                started.send_signal(signal.SIGCONT)
                started.kill()


def is_at(bus: QuoteBus, after_epoch: int, count: int) -> bool:
    """Tell whether a later feed has published so many quotes."""
    epoch, number = divmod(bus.last_id(), LIFE)
    return epoch > after_epoch and number >= count


def test_a_replay_that_is_killed_again_and_again_loses_and_doubles_nothing(tmp_path: Path) -> None:
    path = record(tmp_path / "q.csv", 60_000)
    bus = fresh_bus()
    play(path, warm_up_s=0)
    whole, whole_candles = essence(everything(bus)), candles()
    bus.clear()
    Candle.objects.all().delete()
    chance = Random(3)
    command = ("replay_quotes", str(path), "--at-once")
    for _ in range(3):
        with process(*command) as running:
            before, enough = bus.last_id() // LIFE, chance.randint(1, 3_000)
            until(lambda before=before, enough=enough: is_at(bus, before, enough), WAIT_S)  # type: ignore[misc]
            running.kill()
            assert running.wait() == -signal.SIGKILL
        Lease.objects.update(expires_at="1970-01-01T00:00:00Z")  # the next need not wait five seconds for it
    with process(*command) as running:
        assert running.wait(timeout=WAIT_S) == 0
    assert essence(everything(bus)) == whole
    assert candles() == whole_candles


def test_after_a_kill_the_next_feed_leads_with_larger_ids() -> None:
    bus = fresh_bus()
    with (
        process("run_feed", "--provider", "simulated") as first,
        process("run_feed", "--provider", "simulated") as second,
    ):
        until(bus.last_id, WAIT_S)
        leader_pid = int(Lease.objects.get(name="feed").holder.split(":")[1])
        leader, follower = (first, second) if leader_pid == first.pid else (second, first)
        leader.kill()
        leader.wait()
        before = bus.last_id()
        until(lambda: bus.last_id() // LIFE > before // LIFE, WAIT_S)
        assert follower.poll() is None
        ids = [quote.id for quote in everything(bus)]
        assert ids == sorted(set(ids))
        follower.terminate()
        assert follower.wait(timeout=60) == 0
    assert Lease.objects.get(name="feed").expires_at.year == 1970  # given back


def test_a_paused_leader_that_wakes_up_cannot_write() -> None:
    """P14."""
    bus = fresh_bus()
    with process("run_feed", "--provider", "simulated") as first:
        until(bus.last_id, WAIT_S)
        first.send_signal(signal.SIGSTOP)
        old = bus.last_id() // LIFE
        with process("run_feed", "--provider", "simulated") as second:
            until(lambda: bus.last_id() // LIFE > old, WAIT_S)
            first.send_signal(signal.SIGCONT)
            mark = bus.last_id()
            until(lambda: bus.last_id() > mark + 200, WAIT_S)
            epochs = [quote.id // LIFE for quote in everything(bus)]
            assert epochs == sorted(epochs)
            assert set(epochs) == {old, old + 1}
            assert Lease.objects.get(name="feed").holder.split(":")[1] == str(second.pid)
            assert first.poll() is None  # it waits for its turn
