"""The states of a contest: which step leads where, who may take it, and what each leaves behind."""

from datetime import timedelta

import pytest
from django.db import transaction

from accounts.models import AuditLog
from competitions.events import (
    CompetitionCancelled,
    CompetitionCompleted,
    CompetitionEnded,
    CompetitionOpened,
    CompetitionStarted,
)
from competitions.models import Amendment, Competition, Order, Payout
from competitions.services import lifecycle, prizes
from competitions.services.entries import entry_join, entry_withdraw
from competitions.services.lifecycle import advance, competition_transition, finish
from competitions.services.prizes import TooLate, disqualify, payout_move
from competitions.services.steps import OperatorsOnly, ReasonNeeded, TransitionRefused, lease_name
from competitions.services.terms import TermsRefused
from competitions.tests.lifecycle.world import contest, freeze, make_due, operator, person
from competitions.tests.money import charge
from tradingarena.core import events, leases
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict, NotFound
from tradingarena.core.ids import new_id

FACTS = {CompetitionOpened, CompetitionStarted, CompetitionEnded, CompetitionCompleted, CompetitionCancelled}
pytestmark = pytest.mark.django_db


@pytest.fixture
def heard(monkeypatch):
    """Collect what contests publish, which would be delivered on commit."""
    found = []
    monkeypatch.setattr(events, "publish", lambda event: found.append(event) if type(event) in FACTS else None)
    return found


@pytest.fixture
def duel():
    """A contest that two have joined and whose start has passed."""
    made = contest()
    entries = [entry_join(person(name), made.pk) for name in ("alice", "bob")]
    return make_due(made), *entries


def _status(competition: Competition) -> str:
    return Competition.objects.values_list("status", flat=True).get(pk=competition.pk)


def _running(duel):
    advance()
    assert _status(duel[0]) == "running"
    return duel


def _settling(duel):
    competition, alice, bob = _running(duel)
    freeze(alice, 10_100_000)
    freeze(bob, 10_200_000)
    with transaction.atomic():
        finish(competition.pk, database_now())
    return competition, alice, bob


def test_an_operator_opens_a_draft(heard):
    made = contest(open_now=False)
    assert competition_transition(operator(), made.pk, "open").status == "open"
    assert heard == [CompetitionOpened(made.pk)]
    row = AuditLog.objects.get(action="competition.open")
    assert (row.old, row.new, row.actor.username) == ({"status": "draft"}, {"status": "open"}, "oscar")


def test_a_draft_whose_start_has_passed_is_not_opened():
    made = make_due(contest(open_now=False))
    with pytest.raises(TermsRefused, match="in the future"):
        competition_transition(operator(), made.pk, "open")


def test_a_contest_starts_when_it_is_due_and_not_before(heard):
    made = contest()
    for name in ("alice", "bob"):
        entry_join(person(name), made.pk)
    assert advance()["running"] == 0
    make_due(made)
    assert advance()["running"] == 1
    assert advance()["running"] == 0
    assert [type(event) for event in heard][-1] is CompetitionStarted


def test_a_contest_with_too_few_entrants_is_cancelled_at_its_start(heard):
    made = contest()
    entry_join(person("alice"), made.pk)
    bob = person("bob")
    entry_join(bob, made.pk)
    entry_withdraw(bob, made.pk)
    make_due(made)
    assert advance()["cancelled"] == 1
    made.refresh_from_db()
    assert (made.status, made.cancel_reason) == ("cancelled", "Only 1 of at least 2 entrants had joined.")
    assert heard[-1] == CompetitionCancelled(made.pk, made.cancel_reason)


def test_a_contest_that_nobody_started_before_its_end_is_cancelled(duel):
    make_due(duel[0], started_s=3601)
    assert advance()["cancelled"] == 1


def test_the_end_writes_ranks_payouts_and_the_objection_window(duel, heard):
    competition, *_ = _settling(duel)
    competition.refresh_from_db()
    assert competition.status == "settling"
    assert timedelta(0) < competition.objection_ends_at - database_now() <= timedelta(seconds=600)
    assert [entry.rank for entry in competition.entries.order_by("number")] == [2, 1]
    assert isinstance(heard[-1], CompetitionEnded)


def test_the_end_comes_once(duel):
    competition, *_ = _settling(duel)
    with pytest.raises(TransitionRefused), transaction.atomic():
        finish(competition.pk, database_now())


def test_the_end_needs_every_final_equity(duel):
    competition, alice, _ = _running(duel)
    freeze(alice, 1)
    with pytest.raises(RuntimeError, match="no final equity"), transaction.atomic():
        finish(competition.pk, database_now())
    assert _status(competition) == "running"


def test_a_contest_is_completed_when_the_objection_window_is_over(duel, heard):
    competition, *_ = _settling(duel)
    assert advance()["completed"] == 0
    with pytest.raises(TransitionRefused):
        competition_transition(operator(), competition.pk, "completed")
    Competition.objects.filter(pk=competition.pk).update(objection_ends_at=database_now())
    assert advance()["completed"] == 1
    competition.refresh_from_db()
    assert competition.completed_at is not None
    assert heard[-1] == CompetitionCompleted(competition.pk, competition.completed_at)


def test_a_contest_still_running_a_day_after_its_planned_end_is_void(duel):
    competition, *_ = _running(duel)
    start = database_now() - timedelta(hours=26)
    end = start + timedelta(hours=1)
    Competition.objects.filter(pk=competition.pk).update(
        starts_at=start, planned_ends_at=end, ends_at=end + timedelta(hours=24)
    )
    assert advance()["cancelled"] == 1
    competition.refresh_from_db()
    assert "24 hours" in competition.cancel_reason


def test_an_overdue_contest_without_an_engine_raises_an_alarm(duel, caplog):
    competition, *_ = _running(duel)
    make_due(competition, started_s=200, length_s=100)
    assert advance()["overdue"] == 1
    assert "competition_overdue_without_engine" in caplog.text
    leases.claim(lease_name(competition.pk), "engine", lease_ms=60_000)
    assert advance()["overdue"] == 0


def _pending(competition, entry):
    order = Order.objects.create(
        id=new_id(), entry=entry, competition=competition, seq=1, pair="EUR/USD", side="buy", type="limit",
        units=1000, price=1, status="working", accepted_at=database_now(),
    )  # fmt: skip
    change = Amendment.objects.create(
        entry=entry, competition=competition, seq=2, kind="cancel", order=order, accepted_at=database_now()
    )
    return order, change


def test_cancelling_a_running_contest_fences_its_engine_and_ends_its_orders(duel):
    competition, alice, _ = _running(duel)
    held = leases.claim(lease_name(competition.pk), "engine", lease_ms=60_000)
    order, change = _pending(competition, alice)
    competition_transition(operator(), competition.pk, "cancelled", "Wrong prices at the start.")
    order.refresh_from_db()
    change.refresh_from_db()
    assert (order.status, order.reason) == ("cancelled", "competition_cancelled")
    assert (change.status, change.reason) == ("rejected", "competition_cancelled")
    with pytest.raises(leases.LeaseLost), transaction.atomic():
        leases.prove(held)
    assert AuditLog.objects.get(action="competition.cancelled").reason == "Wrong prices at the start."


def test_cancelling_while_settling_takes_ranks_and_payouts_back(duel):
    charge(duel[0], 1000, prize_split_bps=[10_000])
    competition, *_ = _settling(duel)
    assert Payout.objects.get().amount_cents == 2000
    competition_transition(operator(), competition.pk, "cancelled", "The feed was wrong.")
    assert not Payout.objects.exists()
    assert not competition.entries.exclude(rank=None).exists()


def test_an_operator_says_why_when_cancelling():
    with pytest.raises(ReasonNeeded):
        competition_transition(operator(), contest().pk, "cancelled", "  ")


def test_nobody_else_takes_a_step():
    with pytest.raises(OperatorsOnly):
        competition_transition(person("alice"), contest().pk, "cancelled", "because")


@pytest.mark.parametrize("to", ["draft", "settling", "nowhere", ""])
def test_some_states_are_not_reached_by_hand(to):
    with pytest.raises(TransitionRefused):
        competition_transition(operator(), contest().pk, to)


@pytest.mark.parametrize("to", ["open", "running", "completed", "cancelled"])
def test_nothing_leads_out_of_cancelled_and_completed(to):
    made = contest()
    for final in ("cancelled", "completed"):
        Competition.objects.filter(pk=made.pk).update(status=final)
        with pytest.raises(TransitionRefused):
            competition_transition(operator(), made.pk, to, "because")


def test_an_unknown_contest_is_not_found():
    for to in ("open", "running", "completed", "cancelled"):
        with pytest.raises(NotFound):
            competition_transition(operator(), new_id(), to, "because")


def test_a_late_disqualification_makes_board_and_payouts_anew(duel):
    charge(duel[0], 1001, rake_bps=1000, prize_split_bps=[6000, 4000])
    _, alice, bob = _settling(duel)
    assert {payout.entry_id: payout.amount_cents for payout in Payout.objects.all()} == {bob.pk: 1082, alice.pk: 720}
    disqualify(operator(), bob.pk, "Two accounts.")
    disqualify(operator(), bob.pk, "Two accounts.")
    assert {payout.entry_id: (payout.amount_cents, payout.place) for payout in Payout.objects.all()} == {
        alice.pk: (1802, 1)
    }
    alice.refresh_from_db()
    bob.refresh_from_db()
    assert (alice.rank, bob.rank, bob.dq_reason) == (1, None, "Two accounts.")
    assert AuditLog.objects.filter(action="entry.disqualified").count() == 1


def test_with_nobody_left_the_pool_is_not_paid_out(duel):
    charge(duel[0], 1001, rake_bps=1000, prize_split_bps=[6000, 4000])
    _, alice, bob = _settling(duel)
    for entry in (alice, bob):
        disqualify(operator(), entry.pk, "Collusion.")
    assert not Payout.objects.exists()


def test_a_running_contest_leaves_the_disqualification_to_the_engine(duel):
    _, alice, _ = _running(duel)
    for _ in range(2):
        disqualify(operator(), alice.pk, "Two accounts.")
    asked = Amendment.objects.get(kind="disqualify")
    assert (asked.entry_id, asked.note, asked.status) == (alice.pk, "Two accounts.", "accepted")
    alice.refresh_from_db()
    assert alice.status == "active"


def test_what_was_asked_of_the_engine_too_late_for_it_is_done_at_the_end(duel):
    competition, alice, bob = _running(duel)
    disqualify(operator(), bob.pk, "Two accounts.")
    freeze(alice, 10_100_000)
    freeze(bob, 10_200_000)
    with transaction.atomic():
        finish(competition.pk, database_now())
    alice.refresh_from_db()
    bob.refresh_from_db()
    assert (alice.rank, bob.rank, bob.status, bob.dq_reason) == (1, None, "disqualified", "Two accounts.")
    assert Amendment.objects.get().status == "applied"


def test_after_completion_nobody_is_disqualified(duel):
    competition, alice, _ = _settling(duel)
    Competition.objects.filter(pk=competition.pk).update(status="completed")
    with pytest.raises(TooLate):
        disqualify(operator(), alice.pk, "Too late.")


def test_payouts_are_approved_after_completion_and_then_paid(duel):
    charge(duel[0], 1000, prize_split_bps=[10_000])
    competition, *_ = _settling(duel)
    payout = Payout.objects.get()
    with pytest.raises(Conflict, match="objection window"):
        payout_move(operator(), payout.pk, "approved")
    Competition.objects.filter(pk=competition.pk).update(status="completed")
    with pytest.raises(prizes.PayoutDecided):
        payout_move(operator(), payout.pk, "paid")
    for to in ("approved", "failed", "approved", "paid"):
        assert payout_move(operator(), payout.pk, to).status == to
    with pytest.raises(prizes.PayoutDecided):
        payout_move(operator(), payout.pk, "failed")


def test_one_failing_contest_holds_up_no_other(duel, monkeypatch):
    other = contest(title="Other")
    for name in ("carol", "dave"):
        entry_join(person(name), other.pk)
    make_due(other)
    plain = lifecycle._start

    def start(actor, competition_id, now):
        if competition_id == duel[0].pk:
            from django.db import OperationalError

            raise OperationalError("lock timeout")
        return plain(actor, competition_id, now)

    monkeypatch.setattr(lifecycle, "_start", start)
    counts = advance()
    assert (counts["failed"], counts["running"]) == (1, 1)
    assert (_status(duel[0]), _status(other)) == ("open", "running")


def test_the_end_moves_by_an_outage_and_at_most_a_day_beyond_the_planned_one(duel):
    competition, *_ = _running(duel)
    planned = competition.planned_ends_at
    for asked, becomes in [(-1, 0), (30, 30), (10, 30), (24 * 60 + 1, 24 * 60)]:
        with transaction.atomic():
            moved = lifecycle.move_end(competition.pk, planned + timedelta(minutes=asked))
        assert moved.ends_at == planned + timedelta(minutes=becomes)
    assert AuditLog.objects.filter(action="competition.end_moved").count() == 2


def test_the_end_of_a_contest_that_does_not_run_stays():
    with pytest.raises(TransitionRefused), transaction.atomic():
        lifecycle.move_end(contest().pk, database_now())


def test_a_running_contest_is_closed_early_once_with_notice_and_reason(duel):
    competition, *_ = _running(duel)
    planned = competition.planned_ends_at
    before = database_now()
    closed = lifecycle.close_early(operator(), competition.pk, "The venue closes")
    assert timedelta(0) < closed.ends_at - before <= timedelta(seconds=60)
    again = lifecycle.close_early(operator(), competition.pk, "The venue closes")
    assert (again.ends_at, again.planned_ends_at) == (closed.ends_at, planned)
    row = AuditLog.objects.get(action="competition.closed_early")
    assert (row.actor, row.reason, row.old["ends_at"]) == (operator(), "The venue closes", planned.isoformat())


def test_closing_early_is_refused_to_others_without_a_reason_and_when_nothing_runs(duel):
    with pytest.raises(TransitionRefused, match="open"):
        lifecycle.close_early(operator(), duel[0].pk, "Why not")
    competition, *_ = _running(duel)
    with pytest.raises(OperatorsOnly):
        lifecycle.close_early(person("mallory"), competition.pk, "Mine")
    with pytest.raises(ReasonNeeded):
        lifecycle.close_early(operator(), competition.pk, " ")
    competition.refresh_from_db()
    assert competition.ends_at == competition.planned_ends_at
