"""How long an order takes over REST: a real web process, a real engine, the simulated market, and clients at a fixed rate.

    python -m bench.orders [--rate 50] [--seconds 20]

Each client has its own account and connection and sends when its time has come, whether or not the answer before took long; the
time of an answer counts from that moment. "Decided" is when the engine's commit can be seen in the database.
"""

import argparse
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.report import ROOT, machine, own_services, percentile, prepare_django, say, table, verdict

CLIENTS = 10
PAIRS = ("EUR/USD", "GBP/USD", "USD/JPY")
TARGET_P95_MS = 50.0
PATIENCE_S = 60.0
WARM_UP_S = 3.0
LOOK_EVERY_S = 0.01


def free_port() -> int:
    """Find a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(commands: list[list[str]]) -> Iterator[list[int]]:
    """Run processes for as long as the block lasts; give their ids."""
    started = [
        subprocess.Popen([sys.executable, *command], cwd=ROOT, stdout=subprocess.DEVNULL) for command in commands
    ]
    try:
        yield [process.pid for process in started]
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait(20)


def cpu_s(pid: int) -> float:
    """Give the CPU seconds a process has used."""
    fields = (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def contest() -> tuple[Any, list[str]]:
    """Make a running contest and give it with one API token an entrant."""
    from django.core.management import call_command

    from accounts.models import User
    from accounts.services import people, tokens
    from competitions.models import Competition, Entry
    from tradingarena.core.clock import database_now

    call_command("migrate", verbosity=0, interactive=False)
    now = database_now()
    competition = Competition.objects.create(
        slug="bench", title="Bench", pairs=list(PAIRS), status="running", starts_at=now - timedelta(minutes=1),
        ends_at=now + timedelta(hours=1), planned_ends_at=now + timedelta(hours=1),
    )  # fmt: skip
    secrets = []
    for number in range(1, CLIENTS + 1):
        user: User = people.person_add(f"bench{number}@example.com", f"bench{number}", role="user", confirmed=True)
        start = competition.starting_balance_cents
        names = ("cash_cents", "max_equity_cents", "day_start_equity_cents", "last_equity_cents")
        Entry.objects.create(competition=competition, user=user, number=number, **dict.fromkeys(names, start))
        secrets.append(tokens.token_create(user.pk, name="bench", scopes=["read", "trade"], by_operator=True)[1])
    return competition, secrets


def wait_until_ready(port: int, competition: Any) -> None:
    """Wait until the web answers, every pair has a quote and an engine holds the contest."""
    from competitions.marketdata import bus
    from competitions.services import steps
    from tradingarena.core.models import Lease

    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/healthz")
            answers = connection.getresponse().status == 200
            led = Lease.objects.filter(name=steps.lease_name(competition.pk)).exists()
            if answers and led and set(PAIRS) <= bus.newest().keys():
                return
        time.sleep(0.1)
    raise SystemExit("web, feed and engine were not ready in time")


class Client(threading.Thread):
    """One account that sends market orders at fixed times."""

    def __init__(self, port: int, path: str, secret: str, times_s: list[float]) -> None:
        super().__init__()
        self.port, self.path, self.times_s = port, path, times_s
        self.headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        self.took_ms: list[float] = []
        self.refused: list[str] = []

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        for number, due_s in enumerate(self.times_s):
            time.sleep(max(0.0, due_s - time.monotonic()))
            order = {
                "id": str(uuid.uuid4()), "pair": PAIRS[number % len(PAIRS)], "side": "buy" if number // 3 % 2 else "sell",
                "type": "market", "units": 1_000,
            }  # fmt: skip
            connection.request("POST", self.path, json.dumps(order), self.headers)
            answer = connection.getresponse()
            body = answer.read()
            self.took_ms.append((time.monotonic() - due_s) * 1000)
            if answer.status != 201:
                self.refused.append(f"{answer.status} {body[:200].decode(errors='replace')}")


class Watcher(threading.Thread):
    """Looks every few milliseconds which orders are decided, and how long after their acceptance that could be seen."""

    def __init__(self) -> None:
        from competitions.models import Order

        super().__init__()
        self.over = threading.Event()
        newest = Order.objects.first()
        self.decided_to = newest.seq if newest else 0
        self.took_ms: dict[Any, float] = {}
        self.statuses: dict[Any, str] = {}

    def run(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            while not self.over.wait(LOOK_EVERY_S):
                cursor.execute(
                    "SELECT seq, id, status, extract(epoch FROM clock_timestamp() - accepted_at) * 1000 "
                    "FROM competitions_order WHERE seq > %s ORDER BY seq",
                    [self.decided_to],
                )
                self._note(cursor.fetchall())
        connection.close()

    def _note(self, rows: list[tuple[int, Any, str, Any]]) -> None:
        """Note what is decided, and look no more at what lies before the first undecided order."""
        undecided = False
        for seq, pk, status, age_ms in rows:
            if status in ("filled", "rejected"):
                self.took_ms.setdefault(pk, float(age_ms))
                self.statuses[pk] = status
                self.decided_to = self.decided_to if undecided else seq
            else:
                undecided = True


def measure(port: int, competition: Any, secrets: list[str], rate: int, seconds: float) -> tuple[list[float], Watcher]:
    """Send for some seconds; give the times of all answers, and what the watcher saw."""
    path = f"/api/competitions/{competition.pk}/orders"
    begin_s = time.monotonic() + 0.5
    count = int(rate * seconds)
    due = [begin_s + number / rate for number in range(count)]
    clients = [Client(port, path, secret, due[place :: len(secrets)]) for place, secret in enumerate(secrets)]
    watcher = Watcher()
    watcher.start()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    deadline = time.monotonic() + 5
    while len(watcher.took_ms) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    watcher.over.set()
    watcher.join()
    refused = [line for client in clients for line in client.refused]
    if refused:
        raise SystemExit(f"{len(refused)} of {count} orders were not accepted, such as: {refused[0]}")
    return [value for client in clients for value in client.took_ms], watcher


def main() -> None:
    """Measure and print the percentiles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    say(machine())
    with own_services():
        os.environ |= {"MARKET_DATA_PROVIDER": "simulated", "SIMULATED_ALWAYS_OPEN": "true"}
        prepare_django()
        competition, secrets = contest()
        port = free_port()
        commands = [
            ["-m", "tradingarena.web", "--port", str(port)], ["manage.py", "run_feed"], ["manage.py", "run_engine"],
        ]  # fmt: skip
        with running(commands) as pids:
            wait_until_ready(port, competition)
            measure(port, competition, secrets, options.rate, WARM_UP_S)
            before = [cpu_s(pid) for pid in pids]
            answers, watcher = measure(port, competition, secrets, options.rate, options.seconds)
            used = [(cpu_s(pid) - old) * 1000 / len(answers) for pid, old in zip(pids, before, strict=True)]
        from django.db import connection

        connection.close_pool()
    decided = list(watcher.took_ms.values())
    filled = sum(1 for status in watcher.statuses.values() if status == "filled")
    rows = [
        (
            name,
            f"{len(values):,}",
            *(f"{percentile(values, share):,.1f}" for share in (0.5, 0.95, 0.99)),
            f"{max(values):,.1f}",
        )
        for name, values in (("answer", answers), ("decided and committed", decided))
    ]
    table(("milliseconds", "orders", "p50", "p95", "p99", "worst"), rows)
    say(
        f"{options.rate} orders a second for {options.seconds:g} s from {CLIENTS} accounts; {filled:,} of {len(decided):,} filled"
    )
    say(
        f"CPU ms an order: web {used[0]:.1f}, feed {used[1]:.1f}, engine {used[2]:.1f} (feed and engine at every quote besides)"
    )
    say(verdict("answer p95 in ms", percentile(answers, 0.95), TARGET_P95_MS, at_least=False))
    say(machine())


if __name__ == "__main__":
    main()
