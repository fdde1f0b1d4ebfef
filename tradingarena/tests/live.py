"""A real web server for tests: `python -m tradingarena.web` in its own process, on the tests' own database and Redis.

Use the `web` fixture with `transactional_db`: what a test commits is what the server sees.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from tradingarena.tests.flows.arena import until

ROOT = Path(__file__).resolve().parents[2]
START_WITHIN_S = 90.0
SESSIONS = f"arena-web-of-{os.getpid()}"


@dataclass(frozen=True, slots=True)
class Web:
    """A running server."""

    url: str
    process: "subprocess.Popen[bytes]"

    def path(self, path: str) -> str:
        """Give the whole address of a path."""
        return self.url + path


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(log: Path, *, port: int = 0, **environment: str) -> Iterator[Web]:
    """Serve for the length of a block; the server's output goes to `log`.

    Raises: AssertionError: it did not answer within 30 s.
    """
    port = port or free_port()
    database = _test_database(os.environ["DATABASE_URL"])
    settings = {"DJANGO_SETTINGS_MODULE": "tradingarena.settings.test", "DATABASE_URL": database, "ODDS_TOLD": "true"}
    # nothing is collected there: the server gives out the files of the checkout
    settings["STATIC_ROOT"] = str(log.parent / "nothing-collected")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tradingarena.web", "--port", str(port)],
            cwd=ROOT, env=os.environ | settings | environment, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        web = Web(f"http://127.0.0.1:{port}", process)
        try:
            _wait(web, log)
            yield web
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


def _test_database(url: str) -> str:
    """Point a DATABASE_URL at the tests' own database, under a name by which its sessions are found again."""
    parts = urlsplit(url)
    query = "&".join(filter(None, [parts.query, f"application_name={SESSIONS}"]))
    return parts._replace(path=f"/{connection.settings_dict['NAME']}", query=query).geturl()


def _end_sessions() -> bool:
    """End what the stopped server has left in this run's database, such as a wait for a lock; tell whether none is left."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE application_name = %s AND datname = current_database()",
            [SESSIONS],
        )
        return cursor.fetchone() == (0,)


def _wait(web: Web, log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline:
        assert web.process.poll() is None, log.read_text(errors="replace")
        try:
            with urllib.request.urlopen(web.path("/healthz"), timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"no server within {START_WITHIN_S:.0f} s: {log.read_text(errors='replace')}")


@contextmanager
def serving_tests(log: Path, blocker: DjangoDbBlocker, *, port: int = 0, **environment: str) -> Iterator[Web]:
    """Serve the tests' own database, and let go of it before it is dropped."""
    with serving(log, port=port, **environment) as running:
        yield running
    with blocker.unblock():
        until("PostgreSQL has ended the server's sessions", _end_sessions, patience_s=10)
        connection.close()


@pytest.fixture(scope="session")
def web(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    """Serve the tests' database for the whole run."""
    with serving_tests(tmp_path_factory.mktemp("web") / "web.log", django_db_blocker) as running:
        yield running
