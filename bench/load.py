"""How much of everything at once one machine carries, and what gives way first: sockets, orders, bets, chat, pages.

    python -m bench.load [--steps 0.5,1,2,4] [--seconds 20] [--split] [--report docs/reports/load.md]

Step 1 is 500 live sockets in one contest, 50 traders who order every two seconds, 25 of them talking, 10 bettors, and 5 readers
of pages; a step of 2 is twice of each. The clients run on the same cores and take their share. A
step is carried while orders answer within 300 ms and pages within one second at the 95th percentile, frames are at most one second old
at the 99th, and no answer is a 5xx.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.faults import open_contest
from bench.markdown import write_report
from bench.mixed_load import Crowd, Outcome, bet, channel_of, market_ids, message, order
from bench.report import ROOT, machine, percentile, say, table
from tradingarena.tests.flows.arena import Arena, Person, running

SOCKETS, TRADERS, BETTORS, TALKERS, PAGE_READERS = 500, 50, 10, 25, 5
ORDER_P95_S, PAGE_P95_S, AGE_P99_MS = 0.3, 1.0, 1000.0


@dataclass(frozen=True, slots=True)
class Carried:
    """What one step showed. Units: ms, requests and frames a second, per cent of one core for each part."""

    step: float
    orders_s: float
    order_p95_ms: float
    bets_s: float
    messages_s: float
    pages_s: float
    page_p95_ms: float
    frames_s: float
    age_p99_ms: float
    failed: int
    cores: dict[str, float]

    @property
    def why(self) -> str:
        """Name what was not carried; empty: all was."""
        reasons = {
            "orders": self.order_p95_ms > ORDER_P95_S * 1000, "pages": self.page_p95_ms > PAGE_P95_S * 1000,
            "frames": self.age_p99_ms > AGE_P99_MS, "failed answers": self.failed > 0,
        }  # fmt: skip
        return ", ".join(name for name, broken in reasons.items() if broken)


class Pages:
    """People who open one page after another, a fifth of a second apart."""

    def __init__(self, arena: Arena, paths: Sequence[str]) -> None:
        self.arena, self.paths, self.over = arena, paths, threading.Event()
        self.took_s: list[float] = []
        self.failed = 0
        self.threads: list[threading.Thread] = []

    def add(self) -> None:
        """Add one reader."""
        dice = random.Random(len(self.threads))

        def read() -> None:
            while not self.over.wait(dice.uniform(0.1, 0.3)):
                began = time.monotonic()
                try:
                    with urllib.request.urlopen(self.arena.url + dice.choice(self.paths), timeout=10) as answer:
                        answer.read()
                except OSError:
                    self.failed += 1
                self.took_s.append(time.monotonic() - began)

        self.threads.append(threading.Thread(target=read, daemon=True))
        self.threads[-1].start()

    def stop(self) -> None:
        """Let them finish."""
        self.over.set()
        for thread in self.threads:
            thread.join(15)


@contextmanager
def spectators(arena: Arena, contest_id: str, count: int) -> Iterator[dict[str, Any]]:
    """Keep sockets open for the length of a block; what they saw is in the yielded dictionary afterwards."""
    seen: dict[str, Any] = {}
    url = f"ws://127.0.0.1:{arena.port}/ws"
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.load_readers", url, contest_id, str(count)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        if process.stdout.readline() != "ready\n":
            raise SystemExit("the spectators could not join")
        yield seen
        told, _ = process.communicate("\n", timeout=60)
        seen |= json.loads(told)
    finally:
        process.kill()
        process.wait(10)


def cpu_by_part(arena: Arena) -> dict[str, float]:
    """Give the CPU seconds that each part and its children have used."""
    hertz = os.sysconf("SC_CLK_TCK")
    groups = {pid: name for name, pid in arena.processes().items()}
    used = dict.fromkeys(groups.values(), 0.0) | {"postgres and redis": 0.0}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            environment = (stat.parent / "environ").read_bytes() if int(fields[2]) not in groups else b""
        except OSError:
            continue
        cpu = (int(fields[11]) + int(fields[12])) / hertz
        if (group := int(fields[2])) in groups:
            used[groups[group]] += cpu
        elif _is_service(stat.parent, str(arena.state), environment):
            used["postgres and redis"] += cpu
    return used


def _is_service(process: Path, state: str, environment: bytes) -> bool:
    try:
        name = (process / "comm").read_text().strip()
        return name in {"postgres", "redis-server"} and state in os.readlink(process / "cwd") + (
            (process / "cmdline").read_bytes().decode(errors="replace")
        )
    except OSError:
        return False


def carry(
    arena: Arena, step: float, contest_id: str, slug: str, cast: dict[str, list[Person]], seconds: float
) -> Carried:
    """Put one step's load on the arena for some seconds and measure."""
    crowd = Crowd(arena)
    pages = Pages(arena, ["/", "/arena", "/competitions", f"/competitions/{slug}", f"/arena/{slug}"])
    markets = market_ids(arena, contest_id)
    channel = channel_of(cast["traders"][0], contest_id)
    with spectators(arena, contest_id, int(SOCKETS * step)) as seen:
        for person in cast["traders"][: int(TRADERS * step)]:
            crowd.add(person, [order(contest_id)], every_s=2.0)
        for person in cast["bettors"][: int(BETTORS * step)]:
            crowd.add(person, [bet(markets)], every_s=7.0)
        for person in cast["traders"][: int(TALKERS * step)]:
            crowd.add(person, [message(channel)], every_s=5.0)
        for _ in range(int(PAGE_READERS * step)):
            pages.add()
        time.sleep(3)
        before, began = cpu_by_part(arena), time.monotonic()
        counted_from, pages_from = len(crowd.deeds), len(pages.took_s)
        time.sleep(seconds)
        lasted = time.monotonic() - began
        after = cpu_by_part(arena)
        deeds, took = crowd.deeds[counted_from:], pages.took_s[pages_from:]
        crowd.stop()
        pages.stop()
    orders = [deed.took_s for deed in deeds if deed.kind == "order" and deed.outcome is Outcome.DONE]
    return Carried(
        step, len(orders) / lasted, percentile(orders or [99.0], 0.95) * 1000,
        *(sum(deed.kind == kind and deed.outcome is Outcome.DONE for deed in deeds) / lasted for kind in ("bet", "message")),
        len(took) / lasted, percentile(took or [99.0], 0.95) * 1000, seen["frames"] / (lasted + 3), seen["p99_ms"],
        sum(deed.outcome is Outcome.UNKNOWN for deed in deeds) + pages.failed + seen["lost"],
        {name: (after[name] - before.get(name, 0.0)) / lasted * 100 for name in after},
    )  # fmt: skip


def main() -> None:
    """Climb the steps until one is not carried."""
    parser = argparse.ArgumentParser(description="Load an arena until something gives way.")
    parser.add_argument("--steps", default="0.5,1,2,4")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--split", action="store_true", help="two web servers behind nginx, two engines, two workers")
    parser.add_argument("--report", type=Path, help="also write what is found to this file, as Markdown")
    chosen = parser.parse_args()
    steps = [float(each) for each in chosen.steps.split(",")]
    most = max(steps)
    say(machine())
    home = Path(tempfile.mkdtemp(prefix="load-"))
    home.chmod(0o711)
    found: list[Carried] = []
    roomy = {"TRUSTED_PROXIES": "1", "MARKET_DATA_PROVIDER": "simulated", "FEED_WARM_UP_S": "0"}
    with running(home / "arena", "--no-demo", *(["--split"] if chosen.split else []), **roomy) as arena:
        names = {f"trader{n}": () for n in range(int(TRADERS * most))}
        bettors = {f"bettor{n}": ("--grant", "5000") for n in range(int(BETTORS * most))}
        operator, *others = arena.people({"olga": ("--role", "admin"), **names, **bettors})
        cast = {"traders": others[: len(names)], "bettors": others[len(names) :]}
        contest_id = open_contest(operator, cast["traders"], title="Load", lasts=timedelta(hours=4))
        slug = str(operator.ask("GET", f"/api/competitions/{contest_id}")[1]["slug"])
        for step in steps:
            found.append(carry(arena, step, contest_id, slug, cast, chosen.seconds))
            say(f"step {step:g}: {found[-1].why or 'carried'}")
            if found[-1].why:
                break
            time.sleep(3)
    head = (
        "step", "orders/s", "p95 ms", "bets/s", "chat/s", "pages/s", "p95 ms", "frames/s", "age p99 ms", "failed", "gave way",
    )  # fmt: skip
    rows = [
        (f"{each.step:g}", f"{each.orders_s:.0f}", f"{each.order_p95_ms:.0f}", f"{each.bets_s:.1f}", f"{each.messages_s:.1f}",
         f"{each.pages_s:.0f}",
         f"{each.page_p95_ms:.0f}", f"{each.frames_s:,.0f}", f"{each.age_p99_ms:.0f}", each.failed, each.why or "nothing")
        for each in found
    ]  # fmt: skip
    parts = sorted(found[-1].cores, key=lambda name: -found[-1].cores[name])
    usage = [(name, *(f"{each.cores.get(name, 0):.0f} %" for each in found)) for name in parts]
    say()
    table(head, rows)
    say()
    usage_head = ("CPU of one core", *(f"step {each.step:g}" for each in found))
    table(usage_head, usage)
    if chosen.report:
        shape = "the split shape (`--split`)" if chosen.split else "one of each part"
        write_report(
            chosen.report, "Load", f"`make load`, {shape}, {machine()}", [(head, rows), (usage_head, usage)], []
        )


if __name__ == "__main__":
    main()
