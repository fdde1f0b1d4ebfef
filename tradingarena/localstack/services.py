"""The pair of embedded services as one thing: start, stop, status, URLs; safe from any number of processes at once.

Who needs them and when is decided in `pytest_plugin.py` and in the commands `up` and `services`.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tradingarena.localstack.place import Place, find_place, replace_file
from tradingarena.localstack.postgres import DATABASE, Postgres
from tradingarena.localstack.programs import own_directory
from tradingarena.localstack.redis import Redis

URL_NAMES = ("DATABASE_URL", "REDIS_URL")


@dataclass(frozen=True)
class ServiceStatus:
    """What `services status` shows of one service."""

    name: str
    running: bool
    pid: int | None
    url: str
    data: str
    log: str


class Services:
    """One PostgreSQL and one Redis for a checkout; `instance` names a second pair, as the tests' own.

    Guarantees: one flock per pair orders every start and stop; each call may be repeated, and recovers from kill -9 of
        anything.
    """

    def __init__(self, root: Path, *, instance: str = "", durable: bool = True) -> None:
        self.state = state_directory(root) / instance  # an empty name adds nothing
        self.durable = durable
        self._place: Place | None = None

    @property
    def environment_file(self) -> Path:
        """Return the file that tells the settings where the services are."""
        return self.state / "services.env"

    def start(self, *, postgres: bool = True, redis: bool = True) -> tuple[str, ...]:
        """Make sure the wanted services run and answer; return the names of those that this call started.

        Effects: writes `services.env` before it returns.
        Raises: PlaceError: one does not start; the message says why and what to do.
        """
        started = []
        with self._locked() as place:
            wanted: dict[str, Postgres | Redis] = {}
            if postgres:
                wanted["DATABASE_URL"] = Postgres(place, self.durable)
            if redis:
                wanted["REDIS_URL"] = Redis(place, self.durable)
            for service in wanted.values():
                if service.start():
                    started.append(type(service).__name__)
            lines = "".join(f"{name}={service.url()}\n" for name, service in wanted.items())
            text = f"# Written by the embedded services at each start; the environment and .env come first.\n{lines}"
            if not self.environment_file.is_file() or self.environment_file.read_text() != text:
                replace_file(self.environment_file, text)
        return tuple(started)

    def stop(self) -> None:
        """Stop what runs, cleanly, and leave the data."""
        with self._locked() as place:
            Redis(place).stop()
            Postgres(place).stop()
            if self.state not in place.sockets.parents:
                with suppress(OSError):  # something else may still be in it
                    place.sockets.rmdir()

    def alive(self, *, postgres: bool = True, redis: bool = True) -> bool:
        """Tell whether the wanted services answer, cheaply enough to ask every second."""
        place = self._place
        if place is None:
            with self._locked() as place:
                pass
        return (not postgres or Postgres(place).alive()) and (not redis or Redis(place).alive())

    def status(self) -> list[ServiceStatus]:
        """Return what runs, where and with which process id, PostgreSQL first."""
        with self._locked() as place:
            return [
                ServiceStatus(
                    type(each).__name__, each.alive(), each.pid(), each.url(), str(each.directory), str(each.log)
                )
                for each in (Postgres(place), Redis(place))
            ]

    def urls(self, database: str = DATABASE) -> dict[str, str]:
        """Return DATABASE_URL and REDIS_URL, whether or not the services run."""
        with self._locked() as place:
            return {"DATABASE_URL": Postgres(place).url(database), "REDIS_URL": Redis(place).url()}

    def remove(self) -> None:
        """Stop the services and remove their data, also where it lies outside the checkout."""
        self.stop()
        with self._locked() as place:
            for path in (place.data, place.sockets, place.outside):
                if path:
                    shutil.rmtree(path, ignore_errors=True)
            (self.state / "place.json").unlink(missing_ok=True)
            self.environment_file.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[Place]:
        own_directory(self.state, mode=0o711)
        # Opened for reading, so that root may have made it: flock does not care.
        handle = os.open(self.state / "services.lock", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            self._place = find_place(self.state)
            yield self._place
        finally:
            os.close(handle)


def state_directory(root: Path) -> Path:
    """Return where a checkout keeps what is its own: ARENA_STATE_DIR, or `.arena` in it."""
    return Path(os.environ.get("ARENA_STATE_DIR") or root / ".arena").resolve()


def environment_values(file: Path) -> dict[str, str]:
    """Read the lines NAME=value of a file, nothing when there is no such file."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def given_urls(root: Path) -> dict[str, str]:
    """Return the URLs that a person set: those servers are not ours to start."""
    return given_values(root, URL_NAMES, state_directory(root) / "services.env")


def given_values(root: Path, names: Iterable[str], written: Path) -> dict[str, str]:
    """Return what a person set, in the environment (where empty is unset) or else in `.env`.

    Guarantees: what the settings copied from the file that we have `written` into this process's environment does not
        count.
    """
    ours = environment_values(written)
    given = {}
    for name in names:
        value = os.environ.get(name, environment_values(root / ".env").get(name, "").strip().strip("\"'"))
        if value and value != ours.get(name):
            given[name] = value
    return given
