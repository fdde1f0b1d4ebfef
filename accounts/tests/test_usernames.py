"""Changing a name: how often, to what, and what becomes of the old one. docs/rules/accounts.md#usernames."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from accounts import selectors
from accounts.events import UsernameChanged
from accounts.models import AuditLog, User, UsernameHistory
from accounts.services import people, usernames
from tradingarena.core import events
from tradingarena.core.errors import NotFound


def changed_ago(user: User, **ago: float) -> None:
    """Put the person's last change of name into the past."""
    User.objects.filter(pk=user.pk).update(username_changed_at=now() - timedelta(**ago))


def given_up_ago(user: User, **ago: float) -> None:
    """Put the day on which the person gave up the last name into the past."""
    moment = now() - timedelta(**ago)
    UsernameHistory.objects.filter(user=user).update(changed_at=moment, reserved_until=moment + timedelta(days=180))


@pytest.fixture
def blocker() -> Iterator[list[str]]:
    """Let a higher app refuse changes while the list says why."""
    reasons: list[str] = []

    def block(_: Any) -> str | None:
        return reasons[0] if reasons else None

    usernames.add_blocker(block)
    yield reasons
    usernames._blockers.remove(block)


def test_a_name_is_changed_and_the_old_one_leads_to_the_person(alice: User) -> None:
    usernames.username_change(alice.pk, "wonder")
    alice.refresh_from_db()
    assert alice.username == "wonder"
    assert selectors.user_by_name("wonder") == selectors.NamedUser(alice, moved=False)
    assert selectors.user_by_name("Alice") == selectors.NamedUser(alice, moved=True)
    row = AuditLog.objects.get(action="user.renamed")
    assert (row.actor, row.old, row.new) == (alice, {"username": "alice"}, {"username": "wonder"})


def test_higher_apps_hear_of_it_once_it_is_committed(alice: User, django_capture_on_commit_callbacks: Any) -> None:
    heard: list[UsernameChanged] = []
    events.on(UsernameChanged, heard.append)
    with django_capture_on_commit_callbacks(execute=True):
        usernames.username_change(alice.pk, "wonder")
    events._listeners[UsernameChanged].remove(heard.append)
    assert heard == [UsernameChanged(alice.pk, "alice", "wonder")]


def test_it_refuses_a_second_change_within_30_days(alice: User) -> None:
    usernames.username_change(alice.pk, "wonder")
    changed_ago(alice, days=29, hours=23)
    with pytest.raises(usernames.ChangedTooRecently) as refusal:
        usernames.username_change(alice.pk, "wonder2")
    assert "every 30 days" in refusal.value.message


def test_it_allows_the_next_change_after_30_days(alice: User) -> None:
    usernames.username_change(alice.pk, "wonder")
    changed_ago(alice, days=30, seconds=1)
    assert usernames.username_change(alice.pk, "wonder2").username == "wonder2"


def test_a_change_of_case_alone_is_free_once(alice: User) -> None:
    usernames.username_change(alice.pk, "ALICE")
    assert usernames.username_change(alice.pk, "wonder").username == "wonder"
    changed_ago(alice, days=31)
    usernames.username_change(alice.pk, "WONDER")
    with pytest.raises(usernames.ChangedTooRecently):
        usernames.username_change(alice.pk, "Wonder")
    assert UsernameHistory.objects.filter(user=alice).count() == 1


def test_a_change_of_case_is_free_even_right_after_a_change(alice: User) -> None:
    usernames.username_change(alice.pk, "wonder")
    assert usernames.username_change(alice.pk, "Wonder").username == "Wonder"


def test_the_same_name_again_changes_nothing(alice: User) -> None:
    usernames.username_change(alice.pk, "alice")
    alice.refresh_from_db()
    assert alice.username_changed_at is None
    assert not AuditLog.objects.filter(action="user.renamed").exists()


@pytest.mark.parametrize("name", ["alice", "ALICE", "a1ice", "aIice"])
def test_nobody_takes_a_name_that_looks_like_anothers(alice: User, bob: User, name: str) -> None:
    with pytest.raises(usernames.NameTaken):
        usernames.username_change(bob.pk, name)


def test_a_person_may_take_a_look_alike_of_the_own_name(alice: User) -> None:
    assert usernames.username_change(alice.pk, "a1ice").username == "a1ice"


@pytest.mark.parametrize(
    ("name", "code"), [("ab", "username_length"), ("a b", "username_characters"), ("adm1n", "username_reserved")]
)
def test_it_says_which_rule_refuses_a_name(alice: User, name: str, code: str) -> None:
    with pytest.raises(usernames.NameRefused) as refusal:
        usernames.username_change(alice.pk, name)
    assert refusal.value.code == code


def test_a_former_name_is_reserved_for_180_days(alice: User, bob: User) -> None:
    usernames.username_change(alice.pk, "wonder")
    given_up_ago(alice, days=179, hours=23)
    with pytest.raises(usernames.NameTaken):
        usernames.username_change(bob.pk, "alice")
    with pytest.raises(usernames.NameTaken):
        people.person_add("eve@example.com", "A1ice")
    given_up_ago(alice, days=180, seconds=1)
    assert usernames.username_change(bob.pk, "alice").username == "alice"
    assert selectors.user_by_name("alice").user == bob


def test_its_former_owner_may_take_it_back(alice: User) -> None:
    usernames.username_change(alice.pk, "wonder")
    changed_ago(alice, days=31)
    assert usernames.username_change(alice.pk, "alice").username == "alice"


def test_a_former_name_leads_nowhere_after_180_days(alice: User) -> None:
    usernames.username_change(alice.pk, "wonder")
    given_up_ago(alice, days=181)
    with pytest.raises(NotFound):
        selectors.user_by_name("alice")


def test_the_database_itself_refuses_a_former_name_to_others(alice: User) -> None:
    usernames.username_change(alice.pk, "wonder")
    with pytest.raises(IntegrityError, match="reserved for its former owner"), transaction.atomic():
        User.objects.create_user("eve@example.com", "alice")


@pytest.mark.parametrize("name", ["ab", "a b c", "x" * 21, "zoë"])
def test_the_database_itself_refuses_an_impossible_name(alice: User, name: str) -> None:
    with pytest.raises(Exception, match=r"user_name_shape|too long"), transaction.atomic():
        User.objects.filter(pk=alice.pk).update(username=name)


def test_it_waits_while_a_higher_app_says_why(alice: User, blocker: list[str]) -> None:
    blocker.append("You are in a live competition.")
    with pytest.raises(usernames.NotNow, match="live competition"):
        usernames.username_change(alice.pk, "wonder")
    blocker.clear()
    assert usernames.username_change(alice.pk, "wonder").username == "wonder"


def test_a_change_of_case_does_not_wait(alice: User, blocker: list[str]) -> None:
    blocker.append("You are in a live competition.")
    assert usernames.username_change(alice.pk, "Alice").username == "Alice"


@pytest.mark.parametrize("name", ["", "nobody-here", "a\0b", "x" * 5000, "аlice"])
def test_a_name_that_nobody_has_is_not_found(alice: User, name: str) -> None:
    with pytest.raises(NotFound):
        selectors.user_by_name(name)
