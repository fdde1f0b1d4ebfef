"""What `bench.faults` breaks and heals again, one context manager a fault: what happens while its block runs is what is tried.

Every process that is stopped or killed is one that the arena under test has started.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from tradingarena.tests.flows.arena import ROOT, Arena
from tradingarena.tests.flows.beside import database

PARTS = ("web", "feed", "engine", "worker", "beat", "fakestripe")
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


@dataclass(frozen=True)
class Fault:
    """A name, how long it lasts, and what does it; `why_not` says why this machine cannot try it."""

    name: str
    lasts_s: float
    apply: Callable[[Arena], contextlib.AbstractContextManager[None]]
    why_not: Callable[[Arena], str] = lambda arena: ""


def group_of(arena: Arena, name: str) -> int:
    """Give the process group of a part."""
    return os.getpgid(arena.processes()[name])


@contextmanager
def killed(arena: Arena, name: str) -> Iterator[None]:
    """Kill -9 of a part with its children; the supervisor starts it again."""
    os.killpg(group_of(arena, name), signal.SIGKILL)
    yield


@contextmanager
def frozen(arena: Arena, name: str) -> Iterator[None]:
    """Stop a part where it stands, and let it go on."""
    group = group_of(arena, name)
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGCONT)


def service_pid(arena: Arena, name: str) -> int:
    """Give the process id of the embedded PostgreSQL or Redis."""
    told = arena.manage("services", "status").stdout
    line = next(line for line in told.splitlines() if line.startswith(f"{name}: running"))
    return int(line.rpartition(" ")[2])


@contextmanager
def service_signalled(arena: Arena, name: str, number: signal.Signals) -> Iterator[None]:
    """Send a signal to a service: it dies and is started again, or (SIGSTOP) answers nobody for the length of the block."""
    pid = service_pid(arena, name)
    os.kill(pid, number)
    try:
        yield
    finally:
        if number is signal.SIGSTOP:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def redis_flushed(arena: Arena) -> Iterator[None]:
    """Empty Redis: quotes, rooms, limits, tasks."""
    redis.Redis.from_url(arena.services_environment()["REDIS_URL"]).flushall()
    yield


@contextmanager
def backends_ended(arena: Arena) -> Iterator[None]:
    """End every session of the database, again and again, for as long as the block runs once a second."""
    with database(arena) as db:
        for _ in range(4):
            db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
            time.sleep(1)
    yield


def stand_in_control(arena: Arena, verb: str, **arguments: Any) -> Any:
    """Tell the payments stand-in something."""
    base = dict(line.split("=", 1) for line in (arena.state / "payments.env").read_text().splitlines() if "=" in line)[
        "STRIPE_API_BASE"
    ]
    asked = urllib.request.Request(
        f"{base}/_control/{verb}", json.dumps(arguments).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return json.loads(answer.read())


@contextmanager
def webhooks_doubled(arena: Arena) -> Iterator[None]:
    """Let the payments provider send every event three times and out of order."""
    stand_in_control(arena, "webhooks", copies=3, order="shuffled")
    try:
        yield
    finally:
        stand_in_control(arena, "webhooks", copies=1, order="as made")


@contextmanager
def doubled(arena: Arena, *, ahead_s: int = 0) -> Iterator[None]:
    """Run a second feed, engine, worker and beat beside the first, whose clocks may be wrong; kill them in the end."""
    celery = [sys.executable, "-m", "celery", "-A", "tradingarena"]
    commands = [
        [sys.executable, "manage.py", "run_feed"],
        [sys.executable, "manage.py", "run_engine"],
        [*celery, "worker", "--loglevel", "WARNING", "--concurrency", "1", "--hostname", "second@%h"],
        [*celery, "beat", "--schedule", str(arena.state / "second-beat"), "--pidfile="],
    ]
    environment = arena.services_environment()
    if ahead_s:
        environment |= {"LD_PRELOAD": str(FAKETIME), "FAKETIME": f"+{ahead_s}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    started = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for command in commands
    ]
    try:
        yield
    finally:
        for process in started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


@contextmanager
def disk_full(arena: Arena) -> Iterator[None]:
    """Fill the file system that the arena lives on to the last byte."""
    filler = arena.state / "filler"
    free = shutil.disk_usage(arena.state).free
    with filler.open("wb") as out:
        with contextlib.suppress(OSError):
            os.posix_fallocate(out.fileno(), 0, free)
        with contextlib.suppress(OSError):
            while True:
                out.write(b"\0" * 65536)
                out.flush()
    try:
        yield
    finally:
        filler.unlink()


def not_a_small_disk(arena: Arena) -> str:
    """Refuse to fill a disk that others use."""
    small = shutil.disk_usage(arena.state).total < 4 * 2**30 and os.path.ismount(arena.state.parent)
    return "" if small else "the arena does not live on a small file system of its own (needs root and tmpfs)"


FAULTS: tuple[Fault, ...] = (
    *(Fault(f"kill -9 of {name}", 1, lambda arena, name=name: killed(arena, name)) for name in PARTS),  # type: ignore[misc]
    *(Fault(f"{name} frozen for 8 s", 8, lambda arena, name=name: frozen(arena, name)) for name in PARTS),  # type: ignore[misc]
    Fault("Redis killed", 1, lambda arena: service_signalled(arena, "Redis", signal.SIGKILL)),
    Fault("Redis answers nobody for 8 s", 8, lambda arena: service_signalled(arena, "Redis", signal.SIGSTOP)),
    Fault("Redis emptied", 1, redis_flushed),
    Fault("PostgreSQL restarted", 1, lambda arena: service_signalled(arena, "Postgres", signal.SIGINT)),
    Fault("PostgreSQL killed", 1, lambda arena: service_signalled(arena, "Postgres", signal.SIGQUIT)),
    Fault("every database session ended, four times", 1, backends_ended),
    Fault("payment events three times and shuffled", 8, webhooks_doubled),
    Fault("a second feed, engine, worker and beat", 20, doubled),
    Fault(
        "the same with clocks an hour ahead", 20, lambda arena: doubled(arena, ahead_s=3600),
        lambda arena: "" if FAKETIME.exists() else "libfaketime is not installed",
    ),
    Fault("disk full for 8 s", 8, disk_full, not_a_small_disk),
)  # fmt: skip
