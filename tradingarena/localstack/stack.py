"""What `manage.py up` runs, how it prepares it, and what it tells the person at the terminal.

Keeping processes alive is done in `processes.py`, the services in `services.py`; the command only joins these.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import http.client
import json
import os
import re
import socket
import sys
import textwrap
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from tradingarena.localstack.children import Command

LEVEL = re.compile(r"\b(DEBUG|INFO|WARNING|ERROR|CRITICAL)\b")
FAILED = re.compile(r"ended \(status [1-9]")
LAST_WORDS = 5
NOTE_WIDTH = 96
TROUBLE = re.compile(r"Traceback |\w*Error: |\w*Exception: ")


class StackError(RuntimeError):
    """`up` cannot start; the message says the way on."""


@dataclass(frozen=True)
class Address:
    """Where the web server listens and where a browser on this machine finds it."""

    host: str
    port: int

    @property
    def local_host(self) -> str:
        """Return the host to connect to: a server on every address is asked at the loopback one."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104  a host that is read, not one that is bound

    @property
    def url(self) -> str:
        """Return the address to open."""
        host = f"[{self.local_host}]" if ":" in self.local_host else self.local_host
        return f"http://{host}:{self.port}/"

    def bind(self) -> None:
        """Bind the port for a moment.

        Raises: OSError: it is taken, forbidden, or the host is none of this machine's.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((self.host, self.port))

    def is_free(self) -> bool:
        """Tell whether the port can be bound."""
        try:
            self.bind()
        except OSError:
            return False
        return True

    def require_free(self) -> None:
        """Make sure that the port can be bound.

        Raises: StackError: it is taken, forbidden, or the host is none of this machine's.
        """
        try:
            self.bind()
        except OSError as error:
            way_on = f"choose another one: PORT={self.port + 1 if self.port < 65535 else 8000} make run"
            if error.errno == errno.EADDRINUSE:
                raise StackError(f"Port {self.port} is taken by another program; {way_on}") from error
            if error.errno == errno.EACCES:
                raise StackError(f"Port {self.port} is for root alone; {way_on}") from error
            raise StackError(f"Cannot listen on {self.host} port {self.port}: {error.strerror}") from error


def commands(address: Address, *, state: Path, web_workers: int, bots: bool) -> list[Command]:
    """Return everything that runs beside the database and Redis, the web server first."""
    python = sys.executable
    manage = [python, "manage.py"]
    web = [python, "-m", "tradingarena.web", "--host", address.host, "--port", str(address.port)]
    celery = [python, "-m", "celery", "-A", "tradingarena"]
    found = [
        Command("web", [*web, "--workers", str(web_workers)]),
        Command("feed", [*manage, "run_feed"]),
        Command("engine", [*manage, "run_engine"]),
        Command(
            "worker",
            [*celery, "worker", "--loglevel", "INFO", "--concurrency", "2", "--without-gossip", "--without-mingle"],
        ),
        Command(
            "beat",
            [*celery, "beat", "--loglevel", "INFO", "--schedule", str(state / "celerybeat-schedule"), "--pidfile="],
        ),
    ]
    if bots:
        found.append(Command("bots", [*manage, "run_bots"], {"ARENA_URL": address.url.rstrip("/")}, waits=True))
    return found


@contextlib.contextmanager
def only_one(state: Path, address: Address) -> Iterator[int]:
    """Hold the lock of the one `up` of a checkout; yield it, so that the guard can keep it until it is done.

    Raises: StackError: another one runs; the message has its address and process.
    """
    handle = os.open(state / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _wait_for_a_killed_one(handle)
        os.truncate(handle, 0)
        os.pwrite(handle, json.dumps({"pid": os.getpid(), "url": address.url}).encode(), 0)
        yield handle
    finally:
        os.close(handle)


def _wait_for_a_killed_one(handle: int) -> None:
    """Wait while the guard of a killed `up` clears up; refuse when the other one is alive."""
    try:
        other = json.loads(os.pread(handle, 1000, 0))
        os.kill(other["pid"], 0)
    except ProcessLookupError:
        fcntl.flock(handle, fcntl.LOCK_EX)
        return
    except (ValueError, KeyError, PermissionError):
        other = {"pid": "unknown", "url": "an unknown address"}
    raise StackError(
        f"It is running already, at {other['url']} (process {other['pid']}). "
        f"Stop that one with Ctrl-C in its terminal, or: kill {other['pid']}"
    )


def fingerprint(files: Iterator[tuple[str, Path]]) -> str:
    """Return a digest of names, sizes and times, to know whether static files have to be collected again."""
    digest = hashlib.sha256()
    for name, path in files:
        found = path.stat()
        digest.update(f"{name}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


@dataclass
class Terminal:
    """Print the children's lines with their names: warnings and worse, a failed child's last words, or everything."""

    out: TextIO
    everything: bool = False
    _shown: dict[str, bool] = field(default_factory=dict)
    _unseen: dict[str, deque[str]] = field(default_factory=dict)

    def line(self, name: str, text: str) -> None:
        """Print one line of a child if it matters; lines without a level go with the one before them."""
        unseen = self._unseen.setdefault(name, deque(maxlen=LAST_WORDS))
        ours = text.startswith(f"WARNING {name} ")  # the supervisor's own words; what follows is a new process's
        level = LEVEL.search(text[:100])
        if level:
            self._shown[name] = level.group() not in {"DEBUG", "INFO"}
        elif TROUBLE.match(text):
            self._shown[name] = True
        if not self.everything and not self._shown.get(name, False):
            unseen.append(text)
            return
        if FAILED.search(text) and ours:
            for each in unseen:
                self.print(f"{name:>10} | {each}")
        self.print(f"{name:>10} | {text}")
        unseen.clear()
        if ours:
            self._shown[name] = False

    def print(self, text: str) -> None:
        """Print, whatever the terminal can show, and go on when it has been closed."""
        encoding = self.out.encoding or "ascii"
        with contextlib.suppress(OSError, ValueError):
            self.out.write(text.encode(encoding, "replace").decode(encoding) + "\n")
            self.out.flush()


@dataclass(frozen=True)
class Readiness:
    """What the web server says of the whole: whether it answers, whether all is ready, and what is not."""

    answers: bool
    ready: bool
    lacking: str = ""


def look(address: Address) -> Readiness:
    """Ask the web server whether everything is ready, without ever waiting long."""
    connection = http.client.HTTPConnection(address.local_host, address.port, timeout=2)
    try:
        connection.request(
            "GET", "/readyz", headers={"Host": f"localhost:{address.port}", "Accept": "application/json"}
        )
        response = connection.getresponse()
        text = response.read(100_000).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return Readiness(answers=False, ready=False)
    finally:
        connection.close()
    return Readiness(
        answers=True, ready=response.status == 200, lacking="" if response.status == 200 else _reasons(text)
    )


def _reasons(text: str) -> str:
    """Return the reasons of /readyz, one a line, or whatever it said instead."""
    try:
        return "\n".join(map(str, json.loads(text)["reasons"]))
    except (ValueError, KeyError, TypeError):
        return text[:500]


def banner(address: Address, notes: Sequence[str], lacking: str) -> list[str]:
    """Return the lines of the friendly box: the address, what the demo said, how to stop."""
    lines = [f"Trading Arena is running:  {address.url}", ""]
    if lacking:
        lines += ["Not everything is ready yet; /readyz says:", *lacking.splitlines()[:12], ""]
    if notes:
        lines += [
            *(part for note in notes for part in textwrap.wrap(note, NOTE_WIDTH, subsequent_indent="  ") or [""]),
            "",
        ]
    return [*lines, "Logs: .arena/logs    Stop: Ctrl-C"]
