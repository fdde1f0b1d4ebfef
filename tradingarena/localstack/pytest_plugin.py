"""Real PostgreSQL and Redis for the tests, started before Django reads its settings. Loaded with `-p` in pytest.ini.

A root conftest.py would be too late. DATABASE_URL and REDIS_URL in the environment bypass it. Several runs in one
checkout share one pair of services; each has a slot of its own (a database name and a key prefix), and the last one to
leave stops them.
"""

from __future__ import annotations

import atexit
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tradingarena.localstack.bootstrap import boxed, find_chromium, no_chromium_message
from tradingarena.localstack.programs import own_directory
from tradingarena.localstack.services import Services

NO_CHROMIUM = "no Chromium was found"
NO_RECORDED_QUOTES = "THE TESTS ON RECORDED QUOTES ARE SKIPPED: FX_DATA_DIR does not point at them."
ROOT = Path(__file__).resolve().parent.parent.parent


class TestServices:
    """The tests' own pair, counted by shared flocks: a killed run stops counting by itself."""

    __test__ = False  # pytest would collect it by its name

    def __init__(self, root: Path = ROOT) -> None:
        self.services = Services(root, instance="test", durable=False)
        self.handles: list[int] = []

    def enter(self, *, postgres: bool = True, redis: bool = True) -> int:
        """Start the services unless they run, and return this run's slot: 0 for a lone run, else the first free one."""
        own_directory(self.services.state, mode=0o711)
        self._lock("users", fcntl.LOCK_SH)  # waits while a last run stops the services
        slot = next(number for number in range(1000) if self._lock(f"slot-{number}", fcntl.LOCK_EX | fcntl.LOCK_NB))
        self.services.start(postgres=postgres, redis=redis)
        return slot

    def leave(self) -> None:
        """Stop the services if no other run uses them."""
        if not self.handles:
            return
        users, *others = self.handles
        self.handles = []
        try:
            # Turning the shared lock into an exclusive one succeeds only for the last run.
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            self.services.stop()
        for handle in (*others, users):
            os.close(handle)

    def _lock(self, name: str, kind: int) -> bool:
        handle = os.open(self.services.state / name, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, kind)
        except BlockingIOError:
            os.close(handle)
            return False
        self.handles.append(handle)
        return True


_entered: TestServices | None = None


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    """Start the services before any other plugin's hook of this name: pytest-django's loads the settings."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        prefix = os.environ.get("ARENA_KEY_PREFIX", "t:")
        os.environ["ARENA_KEY_PREFIX"] = f"{prefix.rstrip(':')}-{worker}:"
    else:
        _start()
    return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what this machine cannot run, with the reason: page tests without a Chromium, replays without their data."""
    lacking = {"page": NO_CHROMIUM} if find_chromium() is None else {}
    if not os.environ.get("FX_DATA_DIR"):
        lacking["recorded"] = NO_RECORDED_QUOTES
    for item in items:
        for marker, reason in lacking.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in a box what was skipped for the machine's sake: nobody should take it for tested."""
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for reason, message in ((NO_CHROMIUM, no_chromium_message()), (NO_RECORDED_QUOTES, NO_RECORDED_QUOTES)):
        if count := sum(reason in each for each in skipped):
            terminalreporter.write_line(boxed(f"{message}\n({count} tests)"), yellow=True, bold=True)


def pytest_unconfigure() -> None:
    """Leave the services when the run is over."""
    _stop()


def _start() -> None:
    global _entered
    wanted = {name: not os.environ.get(name) for name in ("DATABASE_URL", "REDIS_URL")}
    slot = 0
    if any(wanted.values()):
        _entered = TestServices()
        atexit.register(_stop)  # also when pytest ends before its own last hook
        slot = _entered.enter(postgres=wanted["DATABASE_URL"], redis=wanted["REDIS_URL"])
        name = f"arena_{slot}" if slot else "arena"
        for key, url in _entered.services.urls(name).items():
            if wanted[key]:
                os.environ[key] = url
    os.environ["ARENA_KEY_PREFIX"] = f"t{slot or ''}:"


def _stop() -> None:
    global _entered
    entered, _entered = _entered, None
    if entered:
        entered.leave()
