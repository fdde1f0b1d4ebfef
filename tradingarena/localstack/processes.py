"""A supervisor for long-running children: named output, restarts, a clean end, nothing left behind by its own kill -9.

What is run is decided in the command `up`; what outlives a killed supervisor is ended by `guard.py`.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import math
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tradingarena.localstack import guard
from tradingarena.localstack.children import FIRST_DELAY_S, Child, Command, Log, OnLine, Process
from tradingarena.localstack.guard import GRACE_S, STOP_SIGNALS, boot_id, signal_group, started_at, sweep

HEALTHY_AFTER_S = 30.0
PR_SET_PDEATHSIG = 1


class Supervisor:
    """Keep commands running until a stop signal; see `run`.

    Guarantees: each child leads its own session; a dead child's descendants are killed before it is started again; a
        supervisor that is killed takes all with it, through the kernel (SIGTERM to each child, on Linux) and the guard,
        which then runs the command `after_kill` and keeps the file descriptors `hold` (a lock) open until it is done.
    """

    def __init__(
        self,
        commands: Sequence[Command],
        *,
        state_file: Path,
        log_directory: Path,
        on_line: OnLine,
        on_tick: Callable[[], None] = lambda: None,
        after_kill: Sequence[str] = (),
        hold: Sequence[int] = (),
        directory: Path | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        self.commands = commands
        self.state_file = state_file
        self.log_directory = log_directory
        self.on_line = on_line
        self.on_tick = on_tick
        self.after_kill = after_kill
        self.hold = hold
        self.directory = directory
        self.grace_s = grace_s
        self.stops = 0
        self._unwritten = False
        self.children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._guard: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Start everything and keep it running until SIGINT, SIGTERM or SIGHUP (or `stop`); then end everything.

        Effects: ends what an earlier, killed supervisor left (by `state_file`); calls `on_line(name, line)` for every
            line of output and `on_tick()` about once a second; writes `<log_directory>/<name>.log`.
        """
        self.log_directory.mkdir(parents=True, exist_ok=True)
        sweep(self.state_file, grace_s=self.grace_s)
        self.children = [
            Child(
                command,
                Log(command.name, self.log_directory, self.on_line),
                due_at=math.inf if command.waits else 0.0,
            )
            for command in self.commands
        ]
        with self._signals():
            try:
                next_tick = time.monotonic()
                while not self.stops:
                    self._keep_running()
                    if time.monotonic() >= next_tick:
                        self.on_tick()
                        next_tick = time.monotonic() + 1
                    dues = [child.due_at for child in self.children if child.process is None]
                    self._read(max(0.0, min([next_tick, *dues]) - time.monotonic()))
            finally:
                self._end_all()

    def release(self) -> None:
        """Start the commands that wait."""
        for child in self.children:
            if child.due_at == math.inf:
                child.due_at = 0.0

    def stop(self) -> None:
        """Ask `run` to end everything and return; a second call ends it without mercy."""
        self.stops += 1

    def _keep_running(self) -> None:
        for child in self.children:
            if child.process and child.process.popen.poll() is not None:
                self._bury(child, child.process)
                self._unwritten = True
            if child.process is None and time.monotonic() >= child.due_at:
                self._spawn(child)
                self._unwritten = True
        if self._guard is None or self._guard.poll() is not None:
            self._start_guard()
        if self._unwritten:
            with contextlib.suppress(OSError):  # a full disk: the next look tries again
                self._write_state()
                self._unwritten = False

    def _spawn(self, child: Child) -> None:
        # In the main thread only: the kernel's death signal follows the thread that forked.
        try:
            popen = subprocess.Popen(
                list(child.command.arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **child.command.environment},
                cwd=self.directory,
                start_new_session=True,
                preexec_fn=_die_with_parent(os.getpid()),
            )
        except OSError as error:
            child.log.say(f"could not be started: {error}")
            child.postpone()
            return
        output = popen.stdout
        assert output is not None  # it was asked for
        os.set_blocking(output.fileno(), False)
        child.process = Process(popen, output, child.log, time.monotonic())
        self._selector.register(output, selectors.EVENT_READ, child.process)

    def _bury(self, child: Child, process: Process) -> None:
        """End a dead child's descendants, take its last words, and decide when it is started again."""
        signal_group(process.popen.pid, signal.SIGKILL)
        while process.read():
            pass
        self._forget_output(process)
        child.process = None
        if self.stops:
            return
        if time.monotonic() - process.started_at > HEALTHY_AFTER_S:
            child.delay_s = FIRST_DELAY_S
        code = process.popen.returncode
        how = f"status {code}" if code >= 0 else signal.Signals(-code).name
        child.log.say(f"ended ({how}) and is started again in {child.delay_s:g} s")
        child.postpone()

    def _end_all(self) -> None:
        """TERM, up to `grace_s` of patience (less after another signal), KILL; then let the guard go."""
        self.stops = max(self.stops, 1)
        asked, deadline = self.stops, time.monotonic() + self.grace_s
        for _, process in self._living():
            signal_group(process.popen.pid, signal.SIGTERM)
        while self._living() and time.monotonic() < deadline and self.stops == asked:
            self._read(0.1)
            for child, process in self._living():
                if process.popen.poll() is not None:
                    self._bury(child, process)
        for child, process in self._living():
            child.log.say("did not end in time and is killed")
            signal_group(process.popen.pid, signal.SIGKILL)
            process.popen.wait()
            self._bury(child, process)
        for child in self.children:
            child.log.close()
        self.state_file.unlink(missing_ok=True)
        self._dismiss_guard()
        self._selector.close()

    def _living(self) -> list[tuple[Child, Process]]:
        return [(child, child.process) for child in self.children if child.process]

    def _read(self, timeout_s: float) -> None:
        for key, _ in self._selector.select(timeout_s):
            if not isinstance(key.data, Process):
                with contextlib.suppress(BlockingIOError):
                    os.read(key.fd, 4096)
            elif not key.data.read():
                self._forget_output(key.data)

    def _forget_output(self, process: Process) -> None:
        if not process.output.closed:
            self._selector.unregister(process.output)
            process.output.close()

    def _write_state(self) -> None:
        processes = [
            {"name": child.command.name, "pid": process.popen.pid, "started": started_at(process.popen.pid)}
            for child, process in self._living()
        ]
        aside = self.state_file.with_suffix(".new")
        aside.write_text(json.dumps({"pid": os.getpid(), "boot": boot_id(), "processes": processes}))
        os.replace(aside, self.state_file)

    def _start_guard(self) -> None:
        self._dismiss_guard()
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, str(self.state_file), str(self.grace_s), *self.after_kill],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.directory,
            start_new_session=True,
            pass_fds=tuple(self.hold),
        )

    def _dismiss_guard(self) -> None:
        if self._guard:
            with contextlib.suppress(BrokenPipeError):
                self._guard.communicate(b"done")

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Take the stop signals and children's deaths as events of the selector, and give the old handlers back."""
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(reader, selectors.EVENT_READ, None)
        before: dict[int, Any] = {number: signal.signal(number, lambda *_: self.stop()) for number in STOP_SIGNALS}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        old_fd = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(old_fd)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(reader)
            os.close(writer)


def _die_with_parent(parent: int) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def before_exec() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return before_exec
