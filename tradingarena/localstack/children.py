"""One child of the supervisor: what it is, what it says, and when it is started again.

Starting, ending and watching them is done in `processes.py`.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 10.0
LOG_BYTES = 10_000_000

OnLine = Callable[[str, str], None]


@dataclass(frozen=True)
class Command:
    """One long-running program: its name in logs, its arguments, what its environment has beyond ours.

    One that `waits` is first started by `Supervisor.release`, when what it needs is there.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    waits: bool = False


class Log:
    """A child's output: to its file, turned over when it is long, and line by line to `on_line`."""

    def __init__(self, name: str, directory: Path, on_line: OnLine) -> None:
        self.name = name
        self.file = directory / f"{name}.log"
        self._on_line = on_line
        self._rest = b""
        self._out = self.file.open("ab", buffering=0)

    def take(self, data: bytes) -> None:
        """Write what the child wrote, and pass on the lines that it completes. A full disk costs lines of the file, no more."""
        with contextlib.suppress(OSError):
            self._out.write(data)
            if self._out.tell() > LOG_BYTES:
                os.replace(self.file, self.file.with_suffix(".log.1"))
                self._out.close()
                self._out = self.file.open("ab", buffering=0)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._on_line(self.name, line.decode(errors="replace").rstrip())

    def say(self, text: str) -> None:
        """Add a line of the supervisor's own, after whatever line the child left unfinished."""
        self.take(b"\n" * bool(self._rest) + f"WARNING {self.name} {text}\n".encode())

    def close(self) -> None:
        """Close the file."""
        self._out.close()


@dataclass
class Process:
    """A running child and the pipe of its output."""

    popen: subprocess.Popen[bytes]
    output: IO[bytes]
    log: Log
    started_at: float

    def read(self) -> bool:
        """Pass on what it has written; return False when there is nothing more."""
        if self.output.closed:
            return False
        try:
            data = os.read(self.output.fileno(), 65536)
        except BlockingIOError:
            return False
        if data:
            self.log.take(data)
        return bool(data)


@dataclass
class Child:
    """A command, its process while it has one, and when it gets the next."""

    command: Command
    log: Log
    process: Process | None = None
    due_at: float = 0.0
    delay_s: float = FIRST_DELAY_S

    def postpone(self) -> None:
        """Set when it is started again: after 0.5 s, then ever longer, at most 10 s."""
        self.due_at = time.monotonic() + self.delay_s
        self.delay_s = min(self.delay_s * 2, LONGEST_DELAY_S)
