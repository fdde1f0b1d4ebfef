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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench import fault_poison
from bench.fault_kinds import FAULTS, Fault, frozen, stand_in_control
from bench.fault_relay import far_services
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
from tradingarena.localstack.fakepolygon import FakePolygon
from tradingarena.localstack.fakepolygon.tape import walk
from tradingarena.tests.flows.arena import Arena, Person, Unanswered, running, until

RECOVERS_WITHIN_S = 60.0
DISK = "size=3g"
LATE = 4
HOLE_S = 12.0
HOLES = {
    "the network to Redis swallows everything for 12 s": "Redis",
    "the network to PostgreSQL swallows everything for 12 s": "PostgreSQL",
}
POISON = "feed poisoned across a contest's end"
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


def end_poisoned(vendor: FakePolygon, arena: Arena, operator: Person, people: Sequence[Person]) -> Survived:
    """Let the vendor lie across a contest's end, while people trade in it; all must be judged, by honest prices."""
    contest_id = open_contest(operator, people, title="Feed poisoned", lasts=timedelta(seconds=20))
    path = f"/api/competitions/{contest_id}"
    ends = datetime.fromisoformat(operator.ask("GET", path)[1]["ends_at"])
    with fault_poison.poisoned(vendor):
        decided = [takes_and_decides(arena, person, contest_id) for person in people]
        fault_poison.until_past(ends, 5)
    healed = time.monotonic()
    until(
        "the contest is judged", lambda: operator.ask("GET", path)[1]["status"] == "settling",
        patience_s=RECOVERS_WITHIN_S,
    )  # fmt: skip
    recovery = time.monotonic() - healed
    results = operator.ask("GET", f"{path}/results")[1]
    if len(results["rankings"]) != len(people) or not any(decided):
        raise SystemExit(f"not everybody has traded and has a result: {decided}, {results}")
    kinds = fault_poison.refused_kinds(arena)
    say(f"lies that the feed has met: {', '.join(sorted(kinds))}")
    if len(kinds) < fault_poison.SEEN_AT_LEAST:
        raise SystemExit(f"the feed has hardly been lied to: {kinds}")
    if lies := fault_poison.dishonest(arena, contest_id):
        raise SystemExit(f"lies were taken for prices: {lies}")
    return Survived(POISON, recovery, len(people), decided.count(False), 0)


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


@dataclass
class Found:
    """What came of it: what survived, what was not tried, writes held against rows, unknown answers and left, violations."""

    survived: list[Survived] = field(default_factory=list)
    untried: list[str] = field(default_factory=list)
    fallen: list[str] = field(default_factory=list)
    compared: list[Compared] = field(default_factory=list)
    unknown: int = 0
    left: int = 0
    violations: list[str] = field(default_factory=list)

    def add(self, other: "Found") -> None:
        """Add what another arena went through."""
        self.survived += other.survived
        self.untried += other.untried
        self.fallen += other.fallen
        kinds = {each.kind: each for each in self.compared}
        self.compared = [each.plus(kinds.get(each.kind)) for each in other.compared]
        self.unknown, self.left = self.unknown + other.unknown, self.left + other.left
        self.violations += other.violations


@dataclass(frozen=True, slots=True)
class End:
    """What is done to a contest of its own across its end, beside the load."""

    name: str
    try_it: Callable[[Arena, Person, Sequence[Person]], Survived]
    why_not: Callable[[Arena], str] = lambda arena: ""


def broken(arena: Arena, faults: Sequence[Fault], end: End, *, people: int, only: str) -> Found:
    """Let people use an arena while one fault after another is injected; then prove it."""
    found = Found()
    operator, prober, *crowd_people = arena.people(
        {
            "olga": ("--role", "admin"), "prober": (), **{f"trader{n}": () for n in range(people)},
            **{f"bettor{n}": ("--grant", "100000") for n in range(people // 3)},
            **{f"late{n}": () for n in range(LATE)},
        }
    )  # fmt: skip
    crowd_people, late = crowd_people[:-LATE], crowd_people[-LATE:]
    contest_id = open_contest(operator, [prober, *crowd_people[:people]], title="Faults", lasts=timedelta(hours=4))
    crowd = busy_crowd(arena, operator, crowd_people[:people], crowd_people[people:], contest_id)
    for fault in faults:
        if only not in fault.name:
            continue
        if why := fault.why_not(arena):
            found.untried.append(f"{fault.name}: {why}")
            continue
        found.survived.append(try_fault(arena, fault, crowd, prober, contest_id))
        say(f"{found.survived[-1].name}: back after {found.survived[-1].recovery_s:.1f} s")
    if only in end.name:
        if why := end.why_not(arena):
            found.untried.append(f"{end.name}: {why}")
        else:
            try:
                found.survived.append(end.try_it(arena, operator, late))
                say(f"{end.name}: judged after {found.survived[-1].recovery_s:.1f} s")
            except (SystemExit, AssertionError) as failure:  # told, and the rest is counted all the same
                found.fallen.append(f"{end.name}: {str(failure)[:200]}")
                say(found.fallen[-1])
    crowd.stop()
    found.unknown, found.left = crowd.resolve()
    with contextlib.suppress(AssertionError):
        until("every paid session is fulfilled", lambda: not _unfulfilled(crowd), patience_s=60)
    found.compared = compare(crowd, crowd_people, KINDS)
    proved = [arena.manage(*command) for command in (("check_invariants", "--json"), ("verify_ledger",))]
    found.violations = [each.stdout + each.stderr for each in proved if each.returncode]
    return found


def busy_crowd(
    arena: Arena, operator: Person, traders: Sequence[Person], bettors: Sequence[Person], contest_id: str
) -> Crowd:
    """Let everybody trade, buy, talk and bet from now on."""
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
    return crowd


def run(home: Path, *, people: int, only: str) -> Found:
    """Break an arena on one machine, then one whose services and quotes come over a network; give what both went through."""
    found = Found()
    cut = End("feed frozen across a contest's end", end_without_a_feed)
    if any(only in name for name in (*(each.name for each in FAULTS), cut.name)):
        with running(home, "--no-demo", MARKET_DATA_PROVIDER="simulated", FEED_WARM_UP_S="0") as arena:
            found.add(broken(arena, FAULTS, cut, people=people, only=only))
    if not any(only in name for name in (*HOLES, POISON)):
        return found
    closed = fault_poison.why_not()
    with FakePolygon(source=walk(1)) as vendor, far_services(home.parent / "far") as (urls, relays):
        market = {"MARKET_DATA_PROVIDER": "simulated"} if closed else {
            "MARKET_DATA_PROVIDER": "polygon", "POLYGON_API_KEY": vendor.key, "POLYGON_WS_URL": vendor.url,
            "POLYGON_REST_URL": vendor.rest_url,
        }  # fmt: skip
        holes = [
            Fault(name, HOLE_S, lambda arena, each=relays[part]: each.hole())  # type: ignore[misc]
            for name, part in HOLES.items()
        ]
        lies = End(POISON, lambda *rest: end_poisoned(vendor, *rest), fault_poison.why_not)
        with running(home.parent / "apart", "--no-demo", FEED_WARM_UP_S="0", **market, **urls) as arena:
            found.add(broken(arena, holes, lies, people=people, only=only))
    return found


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
        found = run(home, people=chosen.people, only=chosen.only)
    say()
    head = ("fault", "back after s", "requests", "not answered", "answers of 500")
    rows = [
        (each.name, f"{each.recovery_s:.1f}", each.requests, each.unknown, each.server_errors)
        for each in found.survived
    ]
    table(head, rows)
    say()
    kinds = ("acknowledged", "done", "refused", "lost", "doubled")
    counted = [(each.kind, each.done, each.refused, each.lost, each.doubled) for each in found.compared]
    table(kinds, counted)
    worst_s = max((each.recovery_s for each in found.survived), default=0.0)
    summary = [
        f"faults injected {len(found.survived) + len(found.fallen)}, survived {len(found.survived)}, worst recovery {worst_s:.1f} s",
        f"answers unknown {found.unknown}, still unknown after asking again {found.left}",
        f"invariant violations {len(found.violations)}",
        *(f"not survived: {each}" for each in found.fallen),
        *(f"not tried: {each}" for each in found.untried),
    ]
    say()
    for line in (*summary, *found.violations):
        say(line)
    if chosen.report:
        write_report(chosen.report, "Faults", f"`make faults`, {machine()}", [(head, rows), (kinds, counted)], summary)
    if (
        not found.survived
        or found.fallen
        or found.left
        or found.violations
        or any(each.lost or each.doubled for each in found.compared)
    ):
        sys.exit(1)


if __name__ == "__main__":
    main()
