"""The guard: ends what a killed supervisor left behind. Runs as a script beside it, with the standard library alone.

The supervisor itself is in `processes.py`; it writes the state file that is read here.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

GRACE_S = 10.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def sweep(state_file: Path, *, grace_s: float = GRACE_S) -> list[str]:
    """End what a killed supervisor left behind, by its state file; return the names of what still ran.

    Guarantees: a process that merely got an old number again is left alone (other start time or other boot).
    """
    try:
        state = json.loads(state_file.read_text())
        if state["boot"] != boot_id():
            return []
        entries = [(str(each["name"]), int(each["pid"]), each["started"]) for each in state["processes"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    left = [(name, pid) for name, pid, started in entries if started_at(pid) in (started, None) and group_alive(pid)]
    for _, pid in left:
        signal_group(pid, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while any(group_alive(pid) for _, pid in left) and time.monotonic() < deadline:
        time.sleep(0.05)
    for _, pid in left:
        signal_group(pid, signal.SIGKILL)
    return [name for name, _ in left]


def signal_group(leader: int, number: int) -> None:
    """Send a signal to a process group, which may be gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def group_alive(leader: int) -> bool:
    """Tell whether a process group has a member that is more than a zombie."""
    try:
        os.killpg(leader, 0)
    except (ProcessLookupError, PermissionError):
        return False
    if not os.path.isdir("/proc/self"):
        return True
    return any(fields[2] == str(leader) and fields[0] not in "ZX" for fields in _all_stats())


def started_at(pid: int) -> str | None:
    """Return a process's start time in the kernel's own words, None when there is no such process."""
    fields = _stat(pid)
    if fields:
        return fields[19]
    if os.path.isdir("/proc/self"):
        return None
    shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip() or None


def boot_id() -> str:
    """Return what tells this boot of the machine from the next, empty where the kernel does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/<pid>/stat from the state on (the name before may hold anything)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _all_stats() -> Iterator[list[str]]:
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := _stat(int(entry))):
            yield fields


def main(arguments: Sequence[str]) -> None:
    """Wait on standard input; when it closes without a word the supervisor was killed, so end its children.

    Shapes: arguments are the state file, the grace in seconds, then a command that is run at last, if any.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if sys.stdin.buffer.read():
        return
    state_file, grace_s, *after = arguments
    sweep(Path(state_file), grace_s=float(grace_s))
    if after:
        os.execv(after[0], after)


if __name__ == "__main__":
    main(sys.argv[1:])
