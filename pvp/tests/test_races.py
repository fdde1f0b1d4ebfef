"""Two people act in the same moment. Whoever comes first, the challenge ends in a state that is allowed, with every stake accounted for."""

from collections.abc import Callable
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from django.db import transaction

from accounts.models import User
from competitions.models import Competition, Entry
from pvp.models import Challenge, Stake
from pvp.services import conditions, life, offers
from pvp.tests.scene import TERMS, accept, agreed, balance, begun, books, dare, late, pay, play, rich
from tradingarena.core.clock import database_now
from tradingarena.core.errors import DomainError
from tradingarena.tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 20  # each a few ms on a quiet machine
OTHER = replace(TERMS, duration_s=600)


@pytest.fixture
def ann(db: None) -> User:
    """Rich enough for twenty rounds."""
    return rich("ann", 100_000)


@pytest.fixture
def ben(db: None) -> User:
    """As rich."""
    return rich("ben", 100_000)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds follow each other faster than people do."""
    monkeypatch.setattr(conditions, "NEW_AN_HOUR", 1_000)
    monkeypatch.setattr(conditions, "OPEN_CHALLENGES", 1_000)


def unexpected(outcomes: list[Any]) -> list[Any]:
    return [one for one in outcomes if isinstance(one, Exception) and not isinstance(one, DomainError)]


def rounds(
    make: Callable[[], Challenge], *acts: Callable[[Challenge], Any], count: int = ROUNDS
) -> list[tuple[Challenge, list[Any]]]:
    """Let all act at once on one challenge after the other; give where each ended and what each act came to."""
    ended = []
    for _ in range(count):
        challenge = make()
        outcomes = race([lambda act=act, one=challenge: act(one) for act in acts])
        assert unexpected(outcomes) == []
        challenge.refresh_from_db()
        ended.append((challenge, outcomes))
    assert books() == set()
    return ended


def test_without_the_lock_an_offer_is_accepted_and_replaced_at_once(
    ann: User, ben: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: both have judged the same state before either has changed it, and no rule stops either."""
    meet, moved = Barrier(2), life.move

    def meeting(*arguments: Any, **fields: Any) -> None:
        meet.wait(timeout=60)
        moved(*arguments, **fields)

    monkeypatch.setattr(life, "lock_row", lambda model, pk: model.objects.get(pk=pk))
    monkeypatch.setattr(life, "move", meeting)
    challenge = dare(ann, ben)
    outcomes = race(
        [
            lambda: accept(ben, challenge, version=1),
            lambda: offers.challenge_change(ann, challenge.pk, version=1, wanted=OTHER),
        ]
    )
    assert not [outcome for outcome in outcomes if isinstance(outcome, DomainError)]


def test_accepting_against_countering(ann: User, ben: User) -> None:
    for challenge, outcomes in rounds(
        lambda: dare(ann, ben),
        lambda one: accept(ben, one, version=1),
        lambda one: offers.challenge_change(ann, one.pk, version=1, wanted=OTHER),
    ):
        assert sum(isinstance(outcome, DomainError) for outcome in outcomes) == 1
        assert (challenge.status, challenge.version) in {("accepted", 1), ("proposed", 2)}
        if challenge.status == "accepted":
            assert challenge.agreed_digest == challenge.terms.get(version=1).digest


def test_both_paying_at_once_starts_one_contest(ann: User, ben: User) -> None:
    ended = rounds(lambda: agreed(ann, ben), lambda one: pay(ann, one), lambda one: pay(ben, one))
    assert {challenge.status for challenge, _ in ended} == {"active"}
    assert (Competition.objects.count(), Entry.objects.count()) == (ROUNDS, 2 * ROUNDS)


def test_one_side_paying_many_times_pays_once(ann: User, ben: User) -> None:
    rounds(lambda: agreed(ann, ben), *[lambda one: pay(ann, one)] * 4, count=5)
    assert balance(ann.pk) == 100_000 - 5 * TERMS.stake_tokens


def test_paying_against_cancelling(ann: User, ben: User) -> None:
    def half_paid() -> Challenge:
        challenge = agreed(ann, ben)
        pay(ann, challenge)
        return challenge

    ended = rounds(half_paid, lambda one: pay(ben, one), lambda one: offers.challenge_cancel(ann, one.pk))
    assert {challenge.status for challenge, _ in ended} <= {"active", "cancelled"}
    active = sum(challenge.status == "active" for challenge, _ in ended)
    assert balance(ann.pk) == balance(ben.pk) == 100_000 - active * TERMS.stake_tokens


def test_paying_against_expiring(ann: User, ben: User) -> None:
    """Both queue behind a lock until the deadline has passed: nothing is paid late, by the clock of the database."""

    def half_paid() -> Challenge:
        challenge = agreed(ann, ben)
        pay(ann, challenge)
        return challenge

    def hold_until_late(one: Challenge) -> None:
        with transaction.atomic():
            Challenge.objects.select_for_update().get(pk=one.pk)
            late(one)

    ended = rounds(half_paid, hold_until_late, lambda one: pay(ben, one), lambda one: life.challenge_look(one.pk))
    for challenge, _ in ended:
        life.challenge_look(challenge.pk)
        challenge.refresh_from_db()
        assert challenge.status in {"active", "expired"}
    active = sum(challenge.status == "active" for challenge, _ in ended)
    assert balance(ann.pk) == balance(ben.pk) == 100_000 - active * TERMS.stake_tokens
    assert books() == set()


def test_twenty_sweeps_settle_once(ann: User, ben: User, monkeypatch: pytest.MonkeyPatch) -> None:
    challenge = begun(ann, ben)
    look = life.challenge_look
    monkeypatch.setattr("pvp.receivers.life.challenge_look", lambda challenge_id: None)
    play(challenge, 2_000_00, 1_000_00)
    monkeypatch.setattr("pvp.receivers.life.challenge_look", look)
    race([life.sweep] * 20)
    challenge.refresh_from_db()
    assert (challenge.status, balance(ann.pk)) == ("completed", 100_000 + 90)
    assert set(Stake.objects.values_list("status", flat=True)) == {"played"}
    assert books() == set()


def test_both_ask_for_a_rematch_and_one_is_made(ann: User, ben: User) -> None:
    challenge = begun(ann, ben)
    play(challenge, 2_000_00, 1_000_00)
    asked = [lambda user=user: offers.challenge_rematch(user, challenge.pk) for user in (ann, ben) * 3]
    made = race(asked)
    assert unexpected(made) == []
    assert len({one.pk for one in made}) == challenge.rematches.count() == 1


def test_the_limit_of_open_challenges_holds(ann: User, ben: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "OPEN_CHALLENGES", 3)
    race([lambda: dare(ann, ben)] * 10)
    assert Challenge.objects.filter(status="proposed", expires_at__gt=database_now()).count() == 3
