"""Settling markets: the oracle agrees through the database, once whatever happens, and nothing stays in escrow."""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone

from accounts.models import AuditLog
from betting.models import Bet, Market, Result, Settlement
from betting.services import settlement
from betting.services.refusals import AlreadyClosed
from betting.services.settlement import market_settle, market_void, settle_what_is_due
from betting.services.verification import verify
from betting.tests.rules.oracle import Told, outcome
from betting.tests.rules.worlds import START, random_market
from betting.tests.stage import FUNDS, Stage, books_hold, escrow_tokens, pays, set_up, settlements
from competitions.events import CompetitionCancelled
from competitions.models import Competition, Entry
from competitions.services import lifecycle, prizes
from competitions.services.entries import entry_join, entry_withdraw
from competitions.services.steps import OperatorsOnly, ReasonNeeded
from tokens.tests.ledger.book import balance
from tradingarena.core import events, redis_client
from tradingarena.core.errors import NotFound
from tradingarena.tests.live import ROOT, _test_database
from tradingarena.tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)
WON = 10_300_000  # + 3 %


@pytest.fixture
def stage() -> Stage:
    return set_up(bettors=("ben", "bea", "bob"))


def placed(stage: Stage) -> Market:
    """Place bets on three of tara's lines, so that one is won, one one-sided and one lost by most."""
    stage.bet("ben", "positive", 100)
    stage.bet("bea", "negative", 300)
    stage.bet("bob", "positive", 50)
    stage.bet("ben", "beat_5_pct", 200)
    stage.bet("bea", "miss_5_pct", 10)
    stage.bet("bob", "beat_2_pct", 70)
    return stage.market()


def test_a_market_pays_what_was_won_and_refunds_what_had_no_other_side(stage: Stage) -> None:
    market = placed(stage)
    stage.end(tara=WON)
    assert settle_what_is_due()["closed"] == 1
    market.refresh_from_db()
    assert (market.status, market.void_reason) == ("settled", "")
    # 450 on the sign: rake 22, 278 shared 2:1; 210 on 5 %: rake 10, bea takes 190; 2 %: one side
    assert pays(market) == [100 + 185, 0, 50 + 93, 0, 10 + 190, 70]
    found = settlements(market)
    assert {bps: (one.right_side, one.reason, one.rake_tokens) for bps, one in found.items()} == {
        0: ("above", "", 22), 200: ("", "one_sided", 0), 500: ("below", "", 10), 1_000: ("below", "", 0),
    }  # fmt: skip
    assert balance(stage.bettors["ben"].pk) == FUNDS - 300 + 285
    assert escrow_tokens(market.pk) == 0
    assert verify(market.pk) == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT kind FROM tokens_transfer WHERE reference_id = %s ORDER BY kind", [str(market.pk)])
        kinds = [kind for (kind,) in cursor.fetchall()]
    assert kinds == ["bet"] * 6 + ["payout"] * 3 + ["rake"] * 2 + ["refund"]
    books_hold()


@override_settings(BETS_PER_MINUTE=10**6, BETS_PER_HOUR=10**6)
def test_the_oracle_agrees_through_the_database() -> None:
    chance = random.Random(61127)
    for _ in range(24):
        stage = set_up(bettors=("ben", "bea", "bob"), max_stake_tokens=100_000)
        agree(stage, random_market(chance, most_bets=8))
    books_hold()


def agree(stage: Stage, told: Told) -> None:
    """Play a told market, settle it, and compare."""
    market = stage.market()
    Market.objects.filter(pk=market.pk).update(rake_bps=int(told.rake * 10_000))
    for place, (line, yes, stake, weight) in enumerate(told.bets):
        claims = (f"beat_{line}_pct", f"miss_{line}_pct") if line else ("positive", "negative")
        starts_at = timezone.now() - timedelta(seconds=1_000 - weight // 10)  # so that it weighs about what was told
        Market.objects.filter(pk=market.pk).update(starts_at=starts_at, locks_at=starts_at + timedelta(hours=1))
        stage.bet(("ben", "bea", "bob")[place % 3], claims[0 if yes else 1], stake)
    weights = Bet.objects.filter(market=market).order_by("placed_at").values_list("weight_bps", flat=True)
    told.bets = [(*bet[:3], weight) for bet, weight in zip(told.bets, weights, strict=True)]
    end(stage, told, "tara")
    assert market_settle(market.pk)
    expected = outcome(told)
    assert pays(market) == expected.pays, told
    assert sum(one.rake_tokens for one in settlements(market).values()) == sum(expected.rakes.values())
    assert sum(one.refunded_tokens for one in settlements(market).values()) == expected.refunded
    assert verify(market.pk) == []
    assert escrow_tokens(market.pk) == 0


def end(stage: Stage, told: Any, trader: str) -> None:
    lock = stage.market(trader).locks_at
    stage.end(
        "cancelled" if told.contest_cancelled else "completed", **{trader: told.final_cents if told.fills else None}
    )
    fields: dict[str, Any] = {"status": "withdrawn"} if told.withdrew else {}
    if told.out:
        at = lock - timedelta(seconds=1) if told.out == "before" else lock
        quote = None if told.out == "operator" else 7
        fields = {"status": "disqualified", "dq_reason": "drawdown_peak", "dq_at": at, "dq_quote_id": quote}
    Entry.objects.filter(pk=stage.traders[trader].pk).update(**fields)
    assert stage.contest.starting_balance_cents == START


@pytest.mark.parametrize(
    ("reason", "status", "fields"),
    [
        ("cancelled", "cancelled", {}),
        ("withdrawn", "open", {"status": "withdrawn"}),
        ("no_fills", "completed", {"fills_count": 0}),
        ("disqualified", "running", {"status": "disqualified", "dq_reason": "x", "dq_at": timezone.now()}),
        ("overdue", "settling", {}),
    ],
)
def test_what_does_not_count_is_given_back(stage: Stage, reason: str, status: str, fields: dict[str, Any]) -> None:
    market = placed(stage)
    stage.end(status, tara=WON)
    Entry.objects.filter(pk=stage.traders["tara"].pk).update(**fields)
    if reason == "overdue":
        assert settle_what_is_due()["closed"] == 0
        Competition.objects.update(
            ends_at=timezone.now() - timedelta(hours=24, seconds=1), starts_at=timezone.now() - timedelta(hours=25)
        )
    assert settle_what_is_due()["closed"] == 1
    market.refresh_from_db()
    assert (market.status, market.void_reason) == ("void", reason)
    assert pays(market) == [100, 300, 50, 200, 10, 70]
    assert {one.reason for one in settlements(market).values()} == {reason}
    assert balance(stage.bettors["ben"].pk) == FUNDS
    assert verify(market.pk) == []
    books_hold()


def test_a_late_disqualification_by_an_operator_turns_the_result_into_refunds(stage: Stage) -> None:
    market = placed(stage)
    stage.end("settling", tara=WON)
    assert settle_what_is_due()["settling"] == 1
    assert Market.objects.get().status == "settling"
    prizes.disqualify(stage.operator, stage.traders["tara"].pk, "Two accounts")
    market.refresh_from_db()
    assert (market.status, market.void_reason) == ("void", "disqualified")
    books_hold()


def test_events_settle_at_once_and_a_rejoined_trader_has_a_new_market(stage: Stage) -> None:
    stage.bet("ben")
    first = stage.market()
    tara = stage.traders["tara"].user
    entry_withdraw(tara, stage.contest.pk)
    first.refresh_from_db()
    assert (first.status, first.void_reason) == ("void", "withdrawn")
    entry_join(tara, stage.contest.pk)
    assert stage.market().pk != first.pk
    stage.bet("ben")
    with transaction.atomic():
        lifecycle.cancel(None, stage.contest.pk, "No more")
    assert stage.market().status == "void"
    assert balance(stage.bettors["ben"].pk) == FUNDS
    events.publish(CompetitionCancelled(stage.contest.pk, "told twice"))
    books_hold()


def test_an_operator_voids_with_a_reason_and_once(stage: Stage) -> None:
    market = placed(stage)
    with pytest.raises(OperatorsOnly):
        market_void(stage.bettors["ben"], market.pk, "Mine")
    with pytest.raises(ReasonNeeded):
        market_void(stage.operator, market.pk, " ")
    market_void(stage.operator, market.pk, "A bot ran wild")
    market.refresh_from_db()
    assert (market.void_reason, market.note) == ("operator", "A bot ran wild")
    audit = AuditLog.objects.get(action="market.void")
    assert (audit.actor, audit.reason) == (stage.operator, "A bot ran wild")
    with pytest.raises(AlreadyClosed):
        market_void(stage.operator, market.pk, "Again")
    assert balance(stage.bettors["bea"].pk) == FUNDS
    books_hold()


def test_twenty_at_once_settle_each_market_once() -> None:
    names = tuple(f"tom{number}" for number in range(6))
    stage = set_up(traders=names)
    for name in names:
        stage.bet("ben", trader=name, stake=10)
        stage.bet("bea", "negative", trader=name, stake=10)
    stage.end(**dict.fromkeys(names, WON))
    one = stage.market(names[-1]).pk
    outcomes = race([settle_what_is_due, lambda: market_settle(one)] * 10, lanes=20)
    assert [one for one in outcomes if isinstance(one, Exception)] == []
    assert sum(one if isinstance(one, bool) else one["closed"] for one in outcomes) == len(names)
    assert balance(stage.bettors["ben"].pk) == FUNDS + 9 * len(names)
    assert Result.objects.count() == 2 * len(names)
    books_hold()


STEPS = ("betting_result", "betting_settlement", "tokens_transfer", "accounts_auditlog")


@pytest.mark.processes
def test_a_settlement_that_is_killed_at_any_step_is_done_once(stage: Stage) -> None:
    """Freeze each table that a settlement writes, in the order of writing; kill the process that waits for it; the next one does it all."""
    market = placed(stage)
    stage.end(tara=WON)
    Market.objects.update(status="settling")
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tradingarena.settings.test",
        "DATABASE_URL": _test_database(os.environ["DATABASE_URL"]),
        "REDIS_URL": "unix:///nobody/listens/here.sock",
    }
    command = [sys.executable, "-W", "ignore", "manage.py", "settle_due", "--once"]
    for table in STEPS:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            _until_it_waits_for(table)
            process.send_signal(signal.SIGKILL)
            process.wait(60)
        _until_sessions_are_gone()
        assert (Settlement.objects.count(), Result.objects.count()) == (0, 0), table
        assert escrow_tokens(market.pk) == 730
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert '"closed": 1' in done.stdout
    assert pays(market) == [285, 0, 143, 0, 200, 70]
    assert market_settle(market.pk) is False
    books_hold()


def _until_it_waits_for(table: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE relation = %s::regclass AND NOT granted", [table])
            if cursor.fetchone() != (0,):
                return
        assert time.monotonic() < deadline, f"nobody came to {table}"
        time.sleep(0.05)


def _until_sessions_are_gone() -> None:
    """Wait until PostgreSQL has noticed that the killed process is gone, and has rolled back."""
    deadline = time.monotonic() + 60
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND state <> 'idle' AND backend_type = 'client backend'"
            )
            if cursor.fetchone() == (0,):
                return
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_redis_away_a_market_is_settled_all_the_same(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    market = placed(stage)
    stage.end(tara=WON)

    def gone(*_: Any, **__: Any) -> Any:
        raise redis_client.DOWN[0]("gone") if isinstance(redis_client.DOWN, tuple) else redis_client.DOWN("gone")

    monkeypatch.setattr(redis_client, "expect", gone)
    assert settle_what_is_due()["closed"] == 1
    assert pays(market)[0] == 285


def test_a_market_that_fails_holds_up_no_other(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    other = set_up(traders=("tom",), bettors=("bill",))
    bad, good = placed(stage), other.market("tom")
    stage.end(tara=WON)
    other.end(tom=WON)
    plan = settlement._plan
    monkeypatch.setattr(
        settlement, "_plan", lambda line, *rest: 1 / 0 if line.market_id == bad.pk else plan(line, *rest)
    )
    counts = settle_what_is_due()
    assert (counts["closed"], counts["failed"], counts["followed_up"]) == (1, 1, 1)
    assert Market.objects.get(pk=good.pk).status == "settled"
    with pytest.raises(CommandError, match="1 markets could not"):
        call_command("settle_due", once=True)
    monkeypatch.undo()
    call_command("settle_due", once=True)
    assert Market.objects.get(pk=bad.pk).status == "settled"


def test_verification_finds_what_was_tampered_with(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    market = placed(stage)
    with pytest.raises(NotFound):
        verify(market.pk)
    stage.end(tara=WON)
    settle_what_is_due()
    call_command("verify_settlement")
    assert "1 markets prove" in capsys.readouterr().out
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE betting_result DISABLE TRIGGER betting_result_keep")
        cursor.execute("UPDATE betting_result SET pay_tokens = pay_tokens + 1 WHERE pay_tokens = 285")
        cursor.execute("ALTER TABLE betting_result ENABLE TRIGGER betting_result_keep")
    (fault,) = verify(market.pk)
    assert "should receive 285, its result is 286" in fault
    with pytest.raises(CommandError, match="1 of 1 markets do not prove"):
        call_command("verify_settlement", str(market.pk))
    with pytest.raises(AssertionError):
        books_hold()


def test_bets_settlements_and_results_cannot_be_changed(stage: Stage) -> None:
    placed(stage)
    stage.end(tara=WON)
    settle_what_is_due()
    for table, column in (("bet", "stake_tokens"), ("settlement", "rake_tokens"), ("result", "pay_tokens")):
        for statement in (
            f"UPDATE betting_{table} SET {column} = 1",
            f"DELETE FROM betting_{table}",
            f"TRUNCATE betting_{table} CASCADE",
        ):
            with pytest.raises(Exception, match="betting_"), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
