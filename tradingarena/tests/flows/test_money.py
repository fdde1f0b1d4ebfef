"""Three whole ways of value through the REST API and the socket, on real processes: sign-up to prize, purchase to settled bet,
challenge to rematch; and bets that are settled once when everything that settles them runs twice and is killed.

One arena and one contest serve all of them, and they go on at the same time.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from bench.fault_kinds import stand_in_control
from betting.rules.lines import Side, right_side
from betting.rules.parimutuel import Stake, settle_line
from tradingarena.tests.flows.api_people import listening, sign_up
from tradingarena.tests.flows.arena import ROOT, Arena, Person, running, until
from tradingarena.tests.flows.beside import database
from tradingarena.tests.live import free_port
from tradingarena.tests.postbox import Postbox, open_at

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

BUY_IN_CENTS = 500
REWARDS = [40, 10]
FOUND_AGAIN_WITHIN_S = 60.0
"""What docs/rules promise: what a killed process left is done within a minute of recovery."""


@dataclass(frozen=True)
class Stage:
    """A running arena with a post box, people who are there already, and a contest that begins in a while."""

    arena: Arena
    postbox: Postbox
    olga: Person
    people: dict[str, Person]
    contest: dict[str, Any]

    @property
    def path(self) -> str:
        """The contest's path."""
        return f"/api/competitions/{self.contest['id']}"

    def status(self, path: str = "") -> str:
        """Read where a contest stands."""
        return str(self.olga.ask("GET", path or self.path)[1]["status"])


def done(answer: tuple[int, Any]) -> Any:
    """Give the body of an answer that says yes."""
    assert answer[0] in {200, 201, 202}, answer
    return answer[1]


def new_contest(olga: Person, title: str, *, in_s: float, lasts_s: float, **terms: Any) -> dict[str, Any]:
    begins = datetime.now(UTC) + timedelta(seconds=in_s)
    body = {
        "title": title, "pairs": ["EUR/USD", "GBP/USD"], "starts_at": begins.isoformat(), "objection_s": 0,
        "ends_at": (begins + timedelta(seconds=lasts_s)).isoformat(), "open_now": True, **terms,
    }  # fmt: skip
    return dict(done(olga.ask("POST", "/api/competitions", body)))


def pay_at_the_provider(arena: Arena, checkout: dict[str, Any]) -> None:
    """Pay on the stand-in what a checkout asks for; the webhook then tells the arena."""
    session = checkout.get("session_id") or str(checkout["checkout_url"]).rpartition("/")[2]
    stand_in_control(arena, "pay", session=session)


def trade(person: Person, path: str, side: str = "buy", units: int = 20_000) -> dict[str, Any]:
    """Place a market order and wait until it is decided."""
    order = done(
        person.ask("POST", f"{path}/orders", {
            "id": str(uuid4()), "pair": "EUR/USD", "side": side, "type": "market", "units": units,
        })
    )  # fmt: skip
    where = f"{path}/orders/{order['id']}"
    until("the order is decided", lambda: person.ask("GET", where)[1]["status"] != "accepted")
    decided = dict(done(person.ask("GET", where)))
    assert decided["status"] == "filled", decided
    return decided


def balance(person: Person) -> int:
    return int(done(person.ask("GET", "/api/tokens/wallet"))["balance_tokens"])


# -- the three ways ------------------------------------------------------------------------------------------------------


def sign_up_to_prize(stage: Stage) -> None:
    alice, bob = sign_up(stage.arena, stage.postbox, "alice"), sign_up(stage.arena, stage.postbox, "bobby")
    for person in (alice, bob):
        seat = done(person.ask("POST", f"{stage.path}/join", {}))
        assert seat["amount_cents"] == BUY_IN_CENTS
        pay_at_the_provider(stage.arena, seat)
    until("both seats are entries", lambda: stage.olga.ask("GET", stage.path)[1]["entrants"] == 2)
    with listening(alice) as ear:
        ear.send(type="join_room", id="room", competition_id=stage.contest["id"])
        until("the contest runs", lambda: stage.status() == "running")
        order = trade(alice, stage.path)
        trade(bob, stage.path, "sell", 1_000)
        ear.hear("order_update", id=order["id"], status="filled")
        ear.hear("competition_update", status="completed")
    results = done(alice.ask("GET", f"{stage.path}/results"))
    first, second = results["rankings"]
    assert results["prize_pool_cents"] == 2 * BUY_IN_CENTS
    assert {first["rank"], second["rank"]} == {1, 2}
    assert first["final_equity_cents"] >= second["final_equity_cents"]
    assert (first["prize_cents"], first["payout_status"]) == (2 * BUY_IN_CENTS, "pending")
    assert [first["reward_tokens"], second["reward_tokens"]] == REWARDS
    by_name = {"alice": alice, "bobby": bob}
    for row, tokens in zip((first, second), REWARDS, strict=True):
        person = by_name[row["username"]]
        _until_it_holds(person, tokens)


def _until_it_holds(person: Person, tokens: int) -> None:
    until(f"{person.name} has {tokens} tokens", lambda: balance(person) == tokens)


def purchase_to_settled_bet(stage: Stage) -> None:
    carol, dora = stage.people["carol"], stage.people["dora"]
    with listening(carol) as ear:
        package = done(carol.ask("GET", "/api/tokens/packages"))["packages"][0]
        for person in (carol, dora):
            pay_at_the_provider(
                stage.arena, done(person.ask("POST", "/api/tokens/checkout", {"package": package["slug"]}))
            )
        bought = package["tokens"] + package["bonus_tokens"]
        ear.hear("wallet_update", balance_tokens=bought)
        until("the webhook has come for both", lambda: [balance(carol), balance(dora)] == [bought, bought])
        where = f"/api/betting/markets/{stage.contest['id']}"
        found = until("there is a market on a trader", lambda: done(carol.ask("GET", where))["markets"])
        market_id = found[0]["market_id"]
        ear.send(type="join_market", id="market", market_id=market_id)
        for person, side, stake in ((carol, "positive", 30), (dora, "negative", 50), (carol, "beat_2_pct", 10)):
            wish = {"id": str(uuid4()), "market_id": market_id, "outcome": side, "stake_tokens": stake}
            assert done(person.ask("POST", "/api/betting/bets", wish))["id"] == wish["id"]
            assert done(person.ask("POST", "/api/betting/bets", wish))["id"] == wish["id"]  # twice is once
        assert balance(carol) == bought - 40
        ear.hear("odds_update", market_id=market_id)
        ear.hear("market_settled", market_id=market_id)
    receipt = done(carol.ask("GET", f"/api/betting/settlements/{market_id}"))
    pays = recomputed(receipt)
    assert receipt["staked_tokens"] == 90 == receipt["paid_tokens"] + receipt["rake_tokens"]
    own = [bet for line in receipt["lines"] for bet in line["bets"] if bet["own"]]
    assert balance(carol) == bought - 40 + sum(pays[bet["bet_id"]] for bet in own)
    proved = stage.arena.manage("verify_settlement", market_id)
    assert proved.returncode == 0, proved.stderr


def recomputed(receipt: dict[str, Any]) -> dict[str, int]:
    """Compute every payout of a receipt again from what anybody can read, and hold it against what was paid."""
    pays: dict[str, int] = {}
    for line in receipt["lines"]:
        if not line["bets"]:
            continue
        right = None
        if line["reason"] is None:
            right = right_side(line["final_equity_cents"], line["starting_balance_cents"], line["threshold_bps"])
        stakes = [Stake(Side(bet["side"]), bet["stake_tokens"], bet["weight_bps"]) for bet in line["bets"]]
        plan = settle_line(stakes, right, rake_bps=line["rake_bps"])
        assert [bet["pay_tokens"] for bet in line["bets"]] == plan.pays
        assert line["rake_tokens"] == plan.rake_tokens
        pays |= {bet["bet_id"]: pay for bet, pay in zip(line["bets"], plan.pays, strict=True)}
    return pays


def challenge_to_rematch(stage: Stage) -> None:
    eric, fay = stage.people["eric"], stage.people["fay"]
    terms = {"stake_tokens": 50, "pairs": ["EUR/USD"], "duration_s": 300}
    with listening(eric) as ear:
        made = done(eric.ask("POST", "/api/pvp/challenges", {"invitee": "fay", "terms": terms}))
        path = f"/api/pvp/challenges/{made['id']}"
        assert made["status"] == "proposed"
        done(fay.ask("POST", f"{path}/accept", {"accept": True, "version": 1}))
        ear.hear("challenge_update", challenge_id=made["id"], version=1)
        for person in (eric, fay):
            assert done(person.ask("POST", f"{path}/checkout", {}))["amount_tokens"] == 50
        ear.hear("challenge_update", challenge_id=made["id"], status="active")
        contest_id = done(eric.ask("GET", path))["competition_id"]
        contest = f"/api/competitions/{contest_id}"
        until("the match runs", lambda: done(eric.ask("GET", contest))["status"] == "running")
        trade(eric, contest, "buy", 1_000)
        for side in ("buy", "sell", "buy", "sell"):  # fay pays spreads
            trade(fay, contest, side, 500_000)
        end_soon(stage.arena, contest_id)
        ear.hear("challenge_update", challenge_id=made["id"], status="completed")
    result = done(fay.ask("GET", path))
    pot, rake = 100, 100 * result["terms"]["rake_bps"] // 10_000
    assert (result["outcome"], result["winner"]) != (None, None)
    assert [balance(eric), balance(fay)] == [1_000 - 50 + pot - rake, 1_000 - 50]
    again = done(fay.ask("POST", f"{path}/rematch", {}))
    assert (again["rematch_of"], again["status"], again["challenger"]["username"]) == (made["id"], "proposed", "fay")
    assert again["head_to_head"] == {"won": 0, "tied": 0, "lost": 1}


def end_soon(arena: Arena, contest_id: str) -> None:
    """Let a match that would last minutes end now: its engine dies, and the next one reads the new end."""
    with database(arena) as db:
        db.execute(
            "UPDATE competitions_competition SET objection_s = 0, ends_at = clock_timestamp() + interval '3 seconds' WHERE id = %s",
            [contest_id],
        )
    arena.kill("engine")


# -- the tests -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    port = free_port()
    market = {"MARKET_DATA_PROVIDER": "simulated", "FEED_WARM_UP_S": "0", "EMAIL_URL": f"smtp://127.0.0.1:{port}"}
    with open_at(port) as postbox, running(tmp_path_factory.mktemp("money") / "state", "--no-demo", **market) as arena:
        rich = ("--grant", "1000")
        people = arena.people(
            {"olga": ("--role", "admin"), "carol": (), "dora": (), "eric": rich, "fay": rich, "gus": rich, "hana": rich,
             "ivan": (), "jane": ()}
        )  # fmt: skip
        terms = {"buy_in_cents": BUY_IN_CENTS, "rake_bps": 0, "prize_split_bps": [10_000], "reward_tokens": REWARDS}
        contest = new_contest(people[0], "Money", in_s=14, lasts_s=20, **terms)
        yield Stage(arena, postbox, people[0], {person.name: person for person in people}, contest)


@pytest.fixture(scope="module")
def ways(stage: Stage) -> Iterator[dict[str, "Future[None]"]]:
    """Walk all three ways at once."""
    walked: tuple[Callable[[Stage], None], ...] = (sign_up_to_prize, purchase_to_settled_bet, challenge_to_rematch)
    with ThreadPoolExecutor(len(walked)) as pool:
        yield {way.__name__: pool.submit(way, stage) for way in walked}


def test_from_sign_up_to_the_prize(ways: dict[str, "Future[None]"]) -> None:
    ways["sign_up_to_prize"].result()


def test_from_the_purchase_to_the_settled_bet(ways: dict[str, "Future[None]"]) -> None:
    ways["purchase_to_settled_bet"].result()


def test_from_the_challenge_to_the_rematch(ways: dict[str, "Future[None]"]) -> None:
    ways["challenge_to_rematch"].result()


def test_bets_are_settled_once_by_two_of_everything_and_again_found_after_a_kill(
    stage: Stage, ways: dict[str, "Future[None]"]
) -> None:
    """Two beats and two workers settle at once; both workers are killed in the middle; whoever comes next does it, once."""
    for way in ways.values():
        way.exception()  # their contest is over
    gus, hana, ivan, jane = (stage.people[name] for name in ("gus", "hana", "ivan", "jane"))
    contest = new_contest(stage.olga, "Killed", in_s=4, lasts_s=10)
    path, where = f"/api/competitions/{contest['id']}", f"/api/betting/markets/{contest['id']}"
    for trader in (ivan, jane):
        done(trader.ask("POST", f"{path}/join", {}))
    markets = until("there is a market on each trader", lambda: _both(done(gus.ask("GET", where))["markets"]))
    for market in markets:
        for bettor, side in ((gus, "positive"), (hana, "negative")):
            wish = {"id": str(uuid4()), "market_id": market["market_id"], "outcome": side, "stake_tokens": 100}
            done(bettor.ask("POST", "/api/betting/bets", wish))
    with database(stage.arena) as db, second_worker_and_beat(stage.arena) as second:
        until("the contest runs", lambda: stage.status(path) == "running")
        for trader in (ivan, jane):
            trade(trader, path, units=1_000)
        with db.transaction():
            db.execute("LOCK TABLE betting_settlement IN SHARE ROW EXCLUSIVE MODE")
            until("settling waits in the middle", lambda: db.execute(WAITING).fetchone() != (0,))
            stage.arena.kill("worker")
            os.killpg(second[0].pid, signal.SIGKILL)
            assert db.execute(CLOSED, [contest["id"]]).fetchone() == (0,)
        healed = time.monotonic()
        with second_worker_and_beat(stage.arena):
            until("both markets are settled", lambda: db.execute(CLOSED, [contest["id"]]).fetchone() == (2,))
            assert time.monotonic() - healed < FOUND_AGAIN_WITHIN_S
        assert db.execute(ONCE, [contest["id"]]).fetchone() == (4, 4, 4)
    for market in markets:
        recomputed(done(gus.ask("GET", f"/api/betting/settlements/{market['market_id']}")))
    proved = stage.arena.manage("check_invariants", "--json")
    assert proved.returncode == 0, proved.stdout


def _both(markets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return markets if len(markets) == 2 else []


WAITING = "SELECT count(*) FROM pg_locks WHERE relation = 'betting_settlement'::regclass AND NOT granted"
CLOSED = "SELECT count(*) FROM betting_market WHERE competition_id = %s AND status = 'settled'"
# bets, their results, and how many bets these results are of
ONCE = """
    SELECT count(DISTINCT bet.id), count(result.bet_id), count(DISTINCT result.bet_id)
    FROM betting_bet AS bet JOIN betting_market AS market ON market.id = bet.market_id
    LEFT JOIN betting_result AS result ON result.bet_id = bet.id WHERE market.competition_id = %s
"""


@contextmanager
def second_worker_and_beat(arena: Arena) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Run another worker and another beat beside the arena's own."""
    celery = [sys.executable, "-m", "celery", "-A", "tradingarena"]
    commands = (
        [*celery, "worker", "--loglevel", "WARNING", "--concurrency", "1", "--hostname", f"{uuid4()}@second"],
        [*celery, "beat", "--loglevel", "WARNING", "--schedule", str(arena.state / "second-beat"), "--pidfile="],
    )
    with (arena.state / "second.log").open("ab") as log:
        started = [
            subprocess.Popen(
                command, cwd=ROOT, env=arena.services_environment(), stdout=log, stderr=log, start_new_session=True
            )
            for command in commands
        ]
    try:
        yield started
    finally:
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
