"""Steps taken by many at once are taken once."""

from functools import partial
from unittest.mock import patch

import pytest
from django.db import transaction

from accounts.models import AuditLog
from competitions.models import Competition, Payout
from competitions.services import drafts, lifecycle
from competitions.services.entries import entry_join, entry_withdraw
from competitions.services.lifecycle import advance, competition_transition, finish
from competitions.services.prizes import disqualify
from competitions.services.steps import RulesFrozen, TransitionRefused
from competitions.tests.lifecycle.world import contest, freeze, make_due, operator, person
from competitions.tests.money import charge
from tradingarena.core.clock import database_now
from tradingarena.tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)


def _steps(competition: Competition) -> list[str]:
    rows = AuditLog.objects.filter(object_id=str(competition.pk)).order_by("id")
    return [row.action.removeprefix("competition.") for row in rows if row.action.startswith("competition.")]


def test_twenty_at_once_take_each_due_step_once():
    people = [person(name) for name in ("alice", "bob")]
    starting = [contest(title=f"Start {number}") for number in range(5)]
    for competition in starting:
        for user in people:
            entry_join(user, competition.pk)
        make_due(competition)
    counts = race([advance] * 20)
    assert sum(found["running"] for found in counts) == 5
    for competition in starting:
        assert _steps(competition) == ["created", "open", "running"]
        for entry in competition.entries.all():
            freeze(entry, 10_000_000 + entry.number)
        with transaction.atomic():
            finish(competition.pk, database_now())
        Competition.objects.filter(pk=competition.pk).update(objection_ends_at=database_now())
    counts = race([advance] * 20)
    assert sum(found["completed"] for found in counts) == 5
    assert all(
        _steps(competition) == ["created", "open", "running", "settling", "completed"] for competition in starting
    )


def _start_or_withdraw() -> str:
    """Race the start of a contest of two against the withdrawal of one; say what came of it."""
    Competition.objects.all().update(status="cancelled")
    competition = contest()
    alice, bob = (person(f"p{competition.pk.hex[-8:]}{n}") for n in "ab")
    for user in (alice, bob):
        entry_join(user, competition.pk)
    Competition.objects.filter(pk=competition.pk).update(starts_at=database_now())
    race([advance, partial(entry_withdraw, alice, competition.pk)])
    competition.refresh_from_db()
    active = competition.entries.filter(status="active").count()
    return f"{competition.status} with {active}"


def test_a_withdrawal_at_the_start_never_leaves_a_contest_running_with_too_few():
    outcomes = {_start_or_withdraw() for _ in range(20)}
    assert outcomes <= {"running with 2", "cancelled with 1"}


def test_an_operators_cancellation_and_the_end_exclude_each_other():
    outcomes = set()
    for _ in range(10):
        competition = contest()
        users = [person(f"p{competition.pk.hex[-8:]}{n}") for n in "ab"]
        entries = [entry_join(user, competition.pk) for user in users]
        make_due(competition)
        advance()
        for entry in entries:
            freeze(entry, 10_000_000)

        def end(pk=competition.pk):
            with transaction.atomic():
                finish(pk, database_now())

        results = race([end, partial(competition_transition, operator(), competition.pk, "cancelled", "Wrong.")])
        steps = _steps(competition)
        competition.refresh_from_db()
        assert competition.status == "cancelled"  # an operator may cancel while settling too
        assert steps[3:] in (["cancelled"], ["settling", "cancelled"])
        if steps[3:] == ["cancelled"]:
            assert isinstance(results[0], TransitionRefused)
        outcomes.add(len(steps))
    assert outcomes


def test_a_change_of_rules_and_the_first_entry_exclude_each_other():
    def round_(number: int) -> tuple[bool, int]:
        competition = contest(title=f"Round {number}")
        user = person(f"racer{number}")
        results = race(
            [
                partial(drafts.competition_update, operator(), competition.pk, leverage=99),
                partial(entry_join, user, competition.pk),
            ]
        )
        rows = AuditLog.objects.filter(action__in=["competition.changed", "entry.joined"]).order_by("-id")[:2]
        joined_before_change = [row.action for row in rows] == ["competition.changed", "entry.joined"]
        if isinstance(results[0], Exception):
            assert isinstance(results[0], RulesFrozen)
        return joined_before_change, competition.entries.count()

    assert {round_(number) for number in range(20)} == {(False, 1)}


def test_disqualifications_at_once_leave_one_right_board():
    competition = contest(min_entries=2, buy_in_cents=0)
    users = [person(f"trader{number}") for number in range(6)]
    entries = [entry_join(user, competition.pk) for user in users]
    charge(competition, 1000, prize_split_bps=[5000, 3000, 2000])
    make_due(competition)
    advance()
    for entry in entries:
        freeze(entry, 10_000_000 - entry.number)
    with transaction.atomic():
        finish(competition.pk, database_now())
    results = race([partial(disqualify, operator(), entry.pk, "Linked accounts.") for entry in entries[:3]])
    assert not [found for found in results if isinstance(found, Exception)]
    assert [entry.rank for entry in competition.entries.order_by("number")] == [None, None, None, 1, 2, 3]
    assert sorted(Payout.objects.values_list("place", "amount_cents")) == [(1, 3000), (2, 1800), (3, 1200)]


def test_without_the_conditional_update_one_step_is_taken_more_than_once():
    """The control: take the lock and the condition away, and the race shows."""
    seen = 0
    for number in range(20):
        competition = contest(title=f"Control {number}")
        for name in "ab":
            entry_join(person(f"c{number}{name}x"), competition.pk)
        make_due(competition)
        with (
            patch.object(lifecycle, "lock_row", lambda model, pk: model.objects.get(pk=pk)),
            patch.object(lifecycle, "move", _move_without_condition),
        ):
            counts = race([advance] * 6)
        seen = max(seen, sum(found["running"] for found in counts if isinstance(found, dict)))
        if seen > 1:
            break
    assert seen > 1


def _move_without_condition(actor, competition, to, *, reason="", **fields):
    Competition.objects.filter(pk=competition.pk).update(status=to, **fields)
    return True
