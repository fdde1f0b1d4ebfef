"""Durable fills a second, everything a fill writes included, against `pgbench -N` on the same server in the same run.

    python -m bench.fills [--fills 20000] [--entrants 1000]

Market orders of many entrants are decided by the engine's own desk and committed in groups, with fsync and synchronous_commit on:
a fill with its evidence, its deals, trade, position, order and entry. An engine is one process with one connection and decides while
the server waits; eight clients of pgbench keep every core busy. So the target is held by one engine for each core, which share contests
as engines do; what a single one does is shown as well.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from typing import Any

from bench.report import ROOT, machine, own_services, pgbench, prepare_django, say, table, together, verdict

PAIRS = ("EUR/USD", "GBP/USD", "USD/JPY", "AUD/USD")
MIDS = {"EUR/USD": 108_500, "GBP/USD": 127_000, "USD/JPY": 150_000, "AUD/USD": 65_000}
GROUPS = (1, 10, 100, 500)
HEADLINE = 100
REPEATS = 3
CLIENTS = 8
TARGET = 1.0


class Bench:
    """A contest with entrants and accepted orders, and the desk that decides them."""

    def __init__(self, entrants: int) -> None:
        from datetime import UTC, datetime

        from competitions.engine.quotes import Quote
        from competitions.models import Competition
        from competitions.services import steps
        from competitions.services.desk import Desk
        from tradingarena.core import leases

        self.start = datetime(2026, 3, 2, 12, tzinfo=UTC)
        self.start_ms = int(self.start.timestamp() * 1000)
        self.competition = Competition.objects.create(
            slug=f"bench-{time.time_ns()}", title="Bench", pairs=list(PAIRS), status="running", starts_at=self.start,
            ends_at=self.start.replace(year=2099), starting_balance_cents=100_000_000, commission_cents_per_lot=350,
            market_order_timeout_ms=2_000_000_000,
        )  # fmt: skip
        self.entries = self._enter(entrants)
        held = leases.claim(steps.lease_name(self.competition.pk), "bench", lease_ms=3_600_000)
        assert held is not None
        self.desk = Desk(self.competition, held)
        self.desk.load()
        self.sent = 0
        self.now_ms, self.quote_id, self.quote_type = self.start_ms, 10**12, Quote
        for pair in PAIRS:
            self._quote(pair)

    def _enter(self, count: int) -> list[Any]:
        from accounts.models import User
        from competitions.models import Entry

        tag = self.competition.pk.hex[-6:]
        users = [
            User(email=f"{n}{tag}@example.com", username=f"t{n}-{tag}", username_skeleton=f"t{n}-{tag}", password="!")
            for n in range(count)
        ]
        User.objects.bulk_create(users)
        start = self.competition.starting_balance_cents
        names = ("cash_cents", "max_equity_cents", "day_start_equity_cents", "last_equity_cents")
        entries = [
            Entry(competition=self.competition, user=user, number=number, **dict.fromkeys(names, start))
            for number, user in enumerate(users, start=1)
        ]
        return list(Entry.objects.bulk_create(entries))

    def _quote(self, pair: str) -> None:
        self.now_ms += 10
        self.quote_id += 1
        mid = MIDS[pair] + self.quote_id % 13
        self.desk.feed(
            self.quote_type(self.quote_id, pair, mid, mid + 8, self.now_ms, self.now_ms, True, True, "bench")
        )

    def accept(self, count: int) -> list[Any]:
        """Store orders as the door does, without deciding them: opening, enlarging, shrinking and turning positions."""
        from django.db import connection

        from competitions.models import Order
        from tradingarena.core.clock import from_ms
        from tradingarena.core.ids import new_id

        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval('competitions_acceptance_seq') FROM generate_series(1, %s)", [count])
            seqs = sorted(row[0] for row in cursor.fetchall())
        orders = []
        for seq in seqs:
            self.sent += 1
            turn = self.sent // len(self.entries)
            orders.append(
                Order(
                    id=new_id(),
                    entry=self.entries[self.sent % len(self.entries)],
                    competition=self.competition,
                    seq=seq,
                    pair=PAIRS[self.sent % len(PAIRS)],
                    side="buy" if turn % 3 != 1 else "sell",
                    type="market",
                    units=1_000 * (1 + self.sent % 7),
                    accepted_at=from_ms(self.now_ms),
                )  # fmt: skip
            )
        return list(Order.objects.bulk_create(orders, batch_size=2_000))

    def run(self, orders: list[Any], group: int) -> tuple[float, float, float]:
        """Decide and commit; give when it began and ended, and the CPU seconds of this process."""
        from competitions.models import Fill

        stored = Fill.objects.filter(competition=self.competition).count()
        began, cpu = time.time(), time.process_time()
        for begin in range(0, len(orders), group):
            self.desk.take(orders[begin : begin + group], [])
            for pair in PAIRS:
                self._quote(pair)
            self.desk.commit()
        ended, used = time.time(), time.process_time() - cpu
        assert Fill.objects.filter(competition=self.competition).count() - stored == len(orders)
        return began, ended, used


def child(entrants: int, fills: int, group: int) -> None:
    """Be one engine: get ready, begin when told, tell how it went, as often as the parent wants."""
    prepare_django()
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
        assert cursor.fetchone() == ("on", "on")
    bench = Bench(entrants)
    bench.run(bench.accept(min(fills, group * 20)), group)  # connection, plans and caches warm
    for _ in range(REPEATS):
        orders = bench.accept(fills)
        say("ready")
        sys.stdin.readline()
        say(json.dumps(bench.run(orders, group)))


def engines(count: int, entrants: int, fills: int, group: int) -> tuple[float, float]:
    """Give (fills a second of all engines together, CPU microseconds of an engine a fill), the best of some runs."""
    command = [sys.executable, "-m", "bench.fills", "--child", str(entrants), str(fills), str(group)]
    best = (0.0, 0.0)
    for told in together(command, count, repeats=REPEATS):
        took = max(ended for _, ended, _ in told) - min(began for began, _, _ in told)
        best = max(best, (count * fills / took, sum(used for _, _, used in told) / (count * fills) * 1e6))
    return best


def main() -> None:
    """Measure and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fills", type=int, default=20_000, help="of one engine in one run, at most")
    parser.add_argument("--entrants", type=int, default=1_000)
    parser.add_argument("--child", nargs=4, type=int, metavar=("ENTRANTS", "FILLS", "GROUP", "PLACE"))
    options = parser.parse_args()
    if options.child:
        child(*options.child[:3])
        return
    say(machine())
    with own_services() as environment:
        reference = pgbench(environment["DATABASE_URL"], clients=CLIENTS)
        subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], check=True, cwd=ROOT)
        cores = os.cpu_count() or 1
        measured = {}
        for count, group in [(1, group) for group in GROUPS] + [(cores, HEADLINE)]:
            measured[count, group] = engines(count, options.entrants, min(options.fills, group * 200), group)
    rows = [(f"pgbench -N, {CLIENTS} clients", f"{reference:,.0f}", "1.00×", "")]
    rows += [
        (
            f"{count} engine{'s' if count > 1 else ''}, commits of {group}", f"{rate:,.0f}", f"{rate / reference:.2f}×",
            f"{cpu:,.0f}",
        )
        for (count, group), (rate, cpu) in measured.items()
    ]  # fmt: skip
    table(("", "a second", "ratio", "engine CPU µs each"), rows)
    ratio = measured[cores, HEADLINE][0] / reference
    say(
        verdict(
            f"fills of {cores} engines in commits of {HEADLINE} per pgbench transaction", ratio, TARGET, at_least=True
        )
    )
    say(machine())


if __name__ == "__main__":
    os.environ["PYTHONUTF8"] = "1"
    main()
