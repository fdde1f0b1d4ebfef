"""Break everything under a mixed load, and count what was lost, what was doubled and how long it took to come back.

    python -m bench.faults [--only NAME] [--people 12] [--report docs/reports/faults.md]

A whole arena of its own runs as `manage.py up` runs it. People trade, bet, talk and buy tokens all the while, and note of every
request whether it was done, refused, or not answered. One fault after another is injected; after each the arena must be ready
again and take and decide an order. A short contest ends while its feed is frozen. In the end what was not answered is
asked again under its own key, the rows are held against every acknowledgement, and the books are proved.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench.fault_kinds import FAULTS, Fault, frozen, stand_in_control
from bench.markdown import write_report
from bench.mixed_load import (
    Compared,
    Crowd,
    Deed,
    Outcome,
    bet,
    channel_of,
    compare,
    market_ids,
    message,
    order,
    purchase,
)  # fmt: skip
from bench.report import machine, say, table
from tradingarena.tests.flows.arena import Arena, Person, Unanswered, running, until

RECOVERS_WITHIN_S = 60.0
DISK = "size=3g"
LATE = 4
KINDS = ("order", "bet", "message", "purchase")


@dataclass(frozen=True, slots=True)
class Survived:
    """What one fault did: seconds from its end until an order was taken and decided again."""

    name: str
    recovery_s: float
    requests: int
    unknown: int
    server_errors: int


def open_contest(operator: Person, people: Sequence[Person], *, title: str, lasts: timedelta) -> str:
    """Let everybody enter a contest that begins in some seconds; give its id once it runs."""
    begins = datetime.now(UTC) + timedelta(seconds=12)
    status, made = operator.ask(
        "POST", "/api/competitions",
        {"title": title, "pairs": ["EUR/USD", "GBP/USD", "USD/JPY"], "starts_at": begins.isoformat(),
         "ends_at": (begins + lasts).isoformat(), "objection_s": 3600},
    )  # fmt: skip
    if status != 201:
        raise SystemExit(f"no contest: {made}")
    path = f"/api/competitions/{made['id']}"
    operator.ask("POST", f"{path}/transition", {"to": "open"})
    for person in people:
        person.ask("POST", f"{path}/join", {})
    until(f"{title} runs", lambda: operator.ask("GET", path)[1]["status"] == "running")
    return str(made["id"])


def takes_and_decides(arena: Arena, person: Person, contest_id: str) -> bool:
    """Place one order and see it decided."""
    headers = {"Authorization": f"Bearer {person.token}"}
    body = {"id": str(uuid4()), "pair": "EUR/USD", "side": "buy", "type": "market", "units": 1000}
    path = f"/api/competitions/{contest_id}/orders"
    try:
        status, _ = arena.call("POST", path, body, headers=headers, timeout_s=5)
        if status != 201:
            return False
        for _ in range(30):
            status, found = arena.call("GET", f"{path}/{body['id']}", headers=headers, timeout_s=5)
            if status == 200 and found["status"] != "accepted":
                return bool(found["status"] == "filled")
            time.sleep(0.2)
    except Unanswered:
        pass
    return False


def try_fault(arena: Arena, fault: Fault, crowd: Crowd, prober: Person, contest_id: str) -> Survived:
    """Inject one fault, and measure how long after its end an order is taken and decided."""
    before = len(crowd.deeds)
    with fault.apply(arena):
        time.sleep(fault.lasts_s)
    healed = time.monotonic()
    until(
        f"the arena works again after: {fault.name}",
        lambda: takes_and_decides(arena, prober, contest_id) and arena.is_ready(),
        patience_s=RECOVERS_WITHIN_S,
    )
    recovery = time.monotonic() - healed
    time.sleep(2)
    mine = crowd.deeds[before:]
    return Survived(
        fault.name, recovery, len(mine), sum(deed.outcome is Outcome.UNKNOWN for deed in mine),
        sum(deed.status == 500 for deed in mine),
    )  # fmt: skip


def end_without_a_feed(arena: Arena, operator: Person, people: Sequence[Person]) -> Survived:
    """Freeze the feed across a contest's end; the contest must still be judged, with everybody's final equity."""
    contest_id = open_contest(operator, people, title="Feed cut", lasts=timedelta(seconds=15))
    for person in people:
        takes_and_decides(arena, person, contest_id)
    path = f"/api/competitions/{contest_id}"
    with frozen(arena, "feed"):
        ends = datetime.fromisoformat(operator.ask("GET", path)[1]["ends_at"])
        time.sleep(max(0.0, (ends - datetime.now(UTC)).total_seconds()) + 5)
    healed = time.monotonic()
    until(
        "the contest is judged", lambda: operator.ask("GET", path)[1]["status"] == "settling",
        patience_s=RECOVERS_WITHIN_S,
    )  # fmt: skip
    results = operator.ask("GET", f"{path}/results")[1]
    if len(results["rankings"]) != len(people):
        raise SystemExit(f"not everybody has a result: {results}")
    return Survived("feed frozen across a contest's end", time.monotonic() - healed, len(people), 0, 0)


@contextlib.contextmanager
def small_disk(home: Path) -> Iterator[Path]:
    """Give a file system of its own that may be filled, where this user may mount one; else a plain directory."""
    home.chmod(0o711)
    mount = ["mount", "-t", "tmpfs", "-o", f"mode=711,{DISK}", "tmpfs", str(home)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield home / "arena"
    finally:
        if mounted:
            subprocess.run(["umount", str(home)], check=False)


def pay(arena: Arena) -> Any:
    """Give what follows a checkout: the buyer pays at the stand-in."""

    def follow(deed: Deed) -> None:
        session = deed.answer.get("session_id")
        with contextlib.suppress(OSError):
            if session:
                stand_in_control(arena, "pay", session=session)

    return follow


def run(
    home: Path, *, people: int, only: str
) -> tuple[list[Survived], list[str], list[Compared], tuple[int, int], list[str]]:
    """Run everything; give what survived, what was not tried, the comparison, unknown answers and left, and violations."""
    market = {"MARKET_DATA_PROVIDER": "simulated", "FEED_WARM_UP_S": "0"}
    with running(home, "--no-demo", **market) as arena:
        operator, prober, *crowd_people = arena.people(
            {
                "olga": ("--role", "admin"), "prober": (), **{f"trader{n}": () for n in range(people)},
                **{f"bettor{n}": ("--grant", "100000") for n in range(people // 3)},
                **{f"late{n}": () for n in range(LATE)},
            }
        )  # fmt: skip
        crowd_people, late = crowd_people[:-LATE], crowd_people[-LATE:]
        traders, bettors = crowd_people[:people], crowd_people[people:]
        contest_id = open_contest(operator, [prober, *traders], title="Faults", lasts=timedelta(hours=4))
        markets, channel = market_ids(arena, contest_id), channel_of(traders[0], contest_id)
        package = operator.ask("GET", "/api/tokens/packages")[1]["packages"][0]["slug"]
        crowd = Crowd(arena)
        for number, person in enumerate(traders):
            crowd.add(person, [order(contest_id)], every_s=0.6)
            if number % 3 == 0:
                crowd.add(person, [purchase(package)], every_s=4, then=pay(arena))
            if number % 3 == 1:
                crowd.add(person, [message(channel)], every_s=4)
        for person in bettors:
            crowd.add(person, [bet(markets)], every_s=7)
        survived, untried = [], []
        for fault in FAULTS:
            if only not in fault.name:
                continue
            if why := fault.why_not(arena):
                untried.append(f"{fault.name}: {why}")
                continue
            survived.append(try_fault(arena, fault, crowd, prober, contest_id))
            say(f"{survived[-1].name}: back after {survived[-1].recovery_s:.1f} s")
        if only in "feed frozen across a contest's end":
            survived.append(end_without_a_feed(arena, operator, late))
        crowd.stop()
        unknown = crowd.resolve()
        with contextlib.suppress(AssertionError):
            until("every paid session is fulfilled", lambda: not _unfulfilled(crowd), patience_s=60)
        compared = compare(crowd, crowd_people, KINDS)
        proved = [arena.manage(*command) for command in (("check_invariants", "--json"), ("verify_ledger",))]
        violations = [each.stdout + each.stderr for each in proved if each.returncode]
    return survived, untried, compared, unknown, violations


def _unfulfilled(crowd: Crowd) -> list[Deed]:
    waiting = []
    for deed in crowd.of("purchase", Outcome.DONE):
        status, found = deed.person.ask("GET", f"/api/tokens/payments/{deed.answer['payment_id']}")
        if status != 200 or found["status"] in {"pending", "open", "created"}:
            waiting.append(deed)
    return waiting


def main() -> None:
    """Run, report, and fail when anything was lost, doubled, left unknown or broken."""
    parser = argparse.ArgumentParser(description="Break everything under a mixed load.")
    parser.add_argument("--only", default="", help="only faults whose name has this in it")
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--report", type=Path, help="also write what is found to this file, as Markdown")
    chosen = parser.parse_args()
    say(machine())
    with small_disk(Path(tempfile.mkdtemp(prefix="faults-"))) as home:
        survived, untried, compared, unknown, violations = run(home, people=chosen.people, only=chosen.only)
    say()
    head = ("fault", "back after s", "requests", "not answered", "answers of 500")
    rows = [(each.name, f"{each.recovery_s:.1f}", each.requests, each.unknown, each.server_errors) for each in survived]
    table(head, rows)
    say()
    kinds = ("acknowledged", "done", "refused", "lost", "doubled")
    counted = [(each.kind, each.done, each.refused, each.lost, each.doubled) for each in compared]
    table(kinds, counted)
    summary = [
        f"faults injected {len(survived)}, survived {len(survived)}, worst recovery {max(each.recovery_s for each in survived):.1f} s",
        f"answers unknown {unknown[0]}, still unknown after asking again {unknown[1]}",
        f"invariant violations {len(violations)}",
        *(f"not tried: {each}" for each in untried),
    ]
    say()
    for line in (*summary, *violations):
        say(line)
    if chosen.report:
        write_report(chosen.report, "Faults", f"`make faults`, {machine()}", [(head, rows), (kinds, counted)], summary)
    if unknown[1] or violations or any(each.lost or each.doubled for each in compared):
        sys.exit(1)


if __name__ == "__main__":
    main()
