"""The embedded services under what happens to them in real life: odd paths, kills, races, copies, closed modes."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import psycopg
import pytest
import redis

from tradingarena.localstack.place import LONGEST_SOCKET
from tradingarena.localstack.programs import PlaceError, processes_in
from tradingarena.localstack.pytest_plugin import TestServices
from tradingarena.localstack.services import Services, environment_values, given_urls

ROOT = Path(__file__).resolve().parent.parent.parent
ODD_NAME = "Ein sehr langer Pfad mit Leerzeichen, Ümläuten und %20 " + "x" * 90


@pytest.fixture(autouse=True, scope="module")
def _no_outer_environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ARENA_STATE_DIR", "DATABASE_URL", "REDIS_URL"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="module")
def open_directory() -> Iterator[Path]:
    """A directory that an unprivileged account may pass, as pytest's own are not."""
    path = Path(tempfile.mkdtemp(prefix="arena-test-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@contextmanager
def removed_afterwards(services: Services) -> Iterator[Services]:
    try:
        yield services
    finally:
        services.remove()


@pytest.fixture(scope="module")
def running(open_directory: Path) -> Iterator[Services]:
    with removed_afterwards(Services(open_directory / ODD_NAME, durable=False)) as services:
        services.start()
        yield services


def remember(services: Services, value: str) -> None:
    with psycopg.connect(services.urls()["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS memory (value text)")
        connection.execute("INSERT INTO memory VALUES (%s)", [value])
    with redis.Redis.from_url(services.urls()["REDIS_URL"]) as client:
        client.set("memory", value)


def remembered(services: Services) -> tuple[str | None, str | None]:
    with psycopg.connect(services.urls()["DATABASE_URL"]) as connection:
        row = connection.execute("SELECT value FROM memory ORDER BY ctid DESC LIMIT 1").fetchone()
    with redis.Redis.from_url(services.urls()["REDIS_URL"], decode_responses=True) as client:
        return (row[0] if row else None), client.get("memory")


def wait_until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.02)


def test_it_runs_in_a_long_path_with_spaces_and_only_on_sockets(running: Services) -> None:
    postgres, redis_server = running.status()
    assert postgres.running
    assert redis_server.running
    place = running._place
    assert place is not None
    assert len(os.fsencode(place.sockets / ".s.PGSQL.5432")) <= LONGEST_SOCKET
    with psycopg.connect(running.urls()["DATABASE_URL"]) as connection:
        shown = connection.execute(
            "SELECT current_setting('listen_addresses'), current_setting('server_encoding'),"
            " current_setting('TimeZone'), (SELECT datlocale FROM pg_database WHERE datname = 'arena')"
        ).fetchone()
    assert shown == ("", "UTF8", "UTC", "C.UTF-8")
    with redis.Redis.from_url(running.urls()["REDIS_URL"], decode_responses=True) as client:
        assert client.config_get("port") == {"port": "0"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_second_start_starts_nothing_and_the_environment_file_tells_the_urls(running: Services) -> None:
    assert running.start() == ()
    assert environment_values(running.environment_file) == running.urls()


def test_it_keeps_its_data_over_stop_and_start(open_directory: Path) -> None:
    with removed_afterwards(Services(open_directory / "durable")) as services:
        assert services.start() == ("Postgres", "Redis")
        with psycopg.connect(services.urls()["DATABASE_URL"]) as connection:
            assert connection.execute("SELECT current_setting('fsync')").fetchone() == ("on",)
        remember(services, "kept")
        services.stop()
        assert not services.alive()
        assert services.start() == ("Postgres", "Redis")
        assert remembered(services) == ("kept", "kept")


def test_a_killed_server_is_started_again_with_what_was_committed(running: Services) -> None:
    remember(running, "before the kill")
    with redis.Redis.from_url(running.urls()["REDIS_URL"]) as client:
        client.config_set("appendonly", "yes")  # this pair is volatile; its file would otherwise never hold the key
        wait_until(lambda: not client.info("persistence")["aof_rewrite_in_progress"], "the first file is written")
    for each in running.status():
        assert each.pid is not None
        os.kill(each.pid, signal.SIGKILL)
    assert running.start() == ("Postgres", "Redis")
    with psycopg.connect(running.urls()["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT value FROM memory").fetchall() == [("before the kill",)]


def test_a_backend_that_is_killed_does_not_take_the_server_away(running: Services) -> None:
    remember(running, "seen")
    with psycopg.connect(running.urls()["DATABASE_URL"]) as connection:
        os.kill(connection.info.backend_pid, signal.SIGKILL)
    wait_until(lambda: _answers(running), "PostgreSQL recovered by itself")
    assert running.start() == ()


def _answers(services: Services) -> bool:
    try:
        psycopg.connect(services.urls()["DATABASE_URL"]).close()
    except psycopg.OperationalError:
        return False
    return True


def test_servers_whose_sockets_were_swept_away_are_replaced_not_doubled(running: Services) -> None:
    place = running._place
    assert place is not None
    before = {each.pid for each in running.status()}
    for entry in place.sockets.iterdir():
        entry.unlink()
    assert running.start() == ("Postgres", "Redis")
    after = {each.pid for each in running.status()}
    assert not before & after
    assert not {pid for pid in before if pid and os.path.exists(f"/proc/{pid}/cwd")} & processes_in(
        place.data / "redis"
    )
    assert len(processes_in(place.data / "redis")) == 1


def test_simultaneous_starts_start_each_server_once(open_directory: Path) -> None:
    with removed_afterwards(Services(open_directory / "race", durable=False)) as services:
        code = (
            "import sys; from pathlib import Path; from tradingarena.localstack.services import Services;"
            "print(*Services(Path(sys.argv[1]), durable=False).start())"
        )
        rivals = [
            subprocess.Popen(
                [sys.executable, "-c", code, open_directory / "race"], cwd=ROOT, stdout=subprocess.PIPE, text=True
            )
            for _ in range(4)
        ]
        said = [rival.communicate(timeout=60)[0].split() for rival in rivals]
        assert sorted(chain.from_iterable(said)) == ["Postgres", "Redis"]
        assert all(rival.returncode == 0 for rival in rivals)
        assert services.alive()


def test_a_copied_checkout_gets_a_pair_of_its_own(running: Services, open_directory: Path) -> None:
    copy = open_directory / "copy"
    subprocess.run(["cp", "-a", running.state.parent, copy], check=True)
    with removed_afterwards(Services(copy, durable=False)) as other:
        assert other.start() == ("Postgres", "Redis")
        assert other.urls() != running.urls()
        remember(other, "only in the copy")
        assert remembered(running)[0] != "only in the copy"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes the account")
def test_root_below_a_closed_directory_uses_one_of_its_own_outside(open_directory: Path) -> None:
    closed = open_directory / "closed"
    closed.mkdir(mode=0o700)
    services = Services(closed / "checkout", durable=False)
    with removed_afterwards(services):
        services.start()
        place = services._place
        assert place is not None
        assert closed not in place.data.parents
        assert place.account.uid != 0
        assert closed.stat().st_mode & 0o777 == 0o700
        outside = place.outside
        assert outside is not None
    assert not outside.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes the account")
def test_an_outside_directory_goes_when_its_checkout_is_gone(open_directory: Path) -> None:
    closed = open_directory / "closed too"
    closed.mkdir(mode=0o700)
    gone, here = Services(closed / "gone", durable=False), Services(closed / "here", durable=False)
    gone.urls()
    assert gone._place is not None
    abandoned = gone._place.outside
    assert abandoned is not None
    shutil.rmtree(closed / "gone")
    with removed_afterwards(here):
        here.urls()
        assert not abandoned.exists()
        assert here._place is not None
        assert here._place.data.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_plain_user_is_told_whose_the_state_is(running: Services) -> None:
    code = (
        "import os, sys; from pathlib import Path; from tradingarena.localstack.place import find_place;"
        "os.setuid(65534); find_place(Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, running.state], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "was made by the user root" in done.stderr


def test_an_unknown_version_of_the_data_is_refused_with_the_way_on(open_directory: Path) -> None:
    with removed_afterwards(Services(open_directory / "old", durable=False)) as services:
        services.start(postgres=False)
        place = services._place
        assert place is not None
        (place.data / "pg").mkdir()
        (place.data / "pg" / "PG_VERSION").write_text("9.6\n")
        with pytest.raises(PlaceError, match=r"PostgreSQL 9\.6, the packages ship 18"):
            services.start()


def test_urls_that_a_person_set_are_told_from_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".arena").mkdir()
    (tmp_path / ".arena" / "services.env").write_text("# ours\nDATABASE_URL=postgres://ours\nREDIS_URL=unix:///ours\n")
    monkeypatch.setenv("DATABASE_URL", "postgres://ours")
    assert given_urls(tmp_path) == {}
    (tmp_path / ".env").write_text('REDIS_URL="redis://theirs"\n')
    assert given_urls(tmp_path) == {"REDIS_URL": "redis://theirs"}
    monkeypatch.setenv("DATABASE_URL", "postgres://theirs")
    assert given_urls(tmp_path) == {"DATABASE_URL": "postgres://theirs", "REDIS_URL": "redis://theirs"}


def test_runs_of_the_tests_share_a_pair_and_the_last_one_stops_it(open_directory: Path) -> None:
    first, second = TestServices(open_directory / "runs"), TestServices(open_directory / "runs")
    with removed_afterwards(first.services):
        assert first.enter(postgres=False) == 0
        assert second.enter(postgres=False) == 1
        first.leave()
        assert second.services.alive(postgres=False)
        third = TestServices(open_directory / "runs")
        assert third.enter(postgres=False) == 0
        second.leave()
        assert third.services.alive(postgres=False)
        third.leave()
        assert not third.services.alive(postgres=False)
