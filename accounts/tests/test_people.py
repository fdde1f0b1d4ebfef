"""Adding people, and what operators do to accounts. docs/rules/accounts.md#roles."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils.timezone import now

from accounts import selectors
from accounts.events import AccessChanged, UserJoined
from accounts.models import AuditLog, User
from accounts.rules import roles
from accounts.services import people, tokens
from accounts.tests.conftest import PASSWORD
from tradingarena.core import events, realtime
from tradingarena.core.errors import Forbidden


@pytest.fixture
def revoked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, int]]:
    """Note whose sockets are ordered to end."""
    orders: list[tuple[Any, int]] = []
    monkeypatch.setattr(realtime, "revoke_user", lambda user_id, code=4401: orders.append((user_id, code)))
    return orders


@pytest.fixture
def second_factor_required(settings: Any) -> None:
    settings.STAFF_MFA_REQUIRED = True


def test_a_new_person_is_stored_with_everything_at_once(db: None, django_capture_on_commit_callbacks: Any) -> None:
    heard: list[UserJoined] = []
    events.on(UserJoined, heard.append)
    with django_capture_on_commit_callbacks(execute=True):
        user = people.person_add(" Zoe@Example.COM ", "Zoe", confirmed=True, country="FR")
    events._listeners[UserJoined].remove(heard.append)
    user.refresh_from_db()
    assert (user.email, user.username, user.country, user.role) == ("zoe@example.com", "Zoe", "FR", roles.USER)
    assert user.age_confirmed_at
    assert user.terms_accepted_at
    assert selectors.email_confirmed(user)
    assert heard == [UserJoined(user.pk)]


def test_a_person_without_a_password_cannot_sign_in_with_one(db: None) -> None:
    user = people.person_add("bot@example.com", "robo", is_bot=True)
    assert not user.has_usable_password()


@pytest.mark.parametrize(
    "email", ["", "nobody", "a@b", "a b@example.com", "a@example.com\n", "x" * 300 + "@example.com"]
)
def test_it_refuses_what_is_no_address(db: None, email: str) -> None:
    if email.strip() != email:
        assert people.check_email(email) == email.strip()
        return
    with pytest.raises(people.EmailRefused):
        people.person_add(email, "zoe")


def test_it_refuses_an_address_that_somebody_has_in_any_case(alice: User) -> None:
    with pytest.raises(people.PersonExists):
        people.person_add("ALICE@example.com", "alice2")


@pytest.mark.parametrize("country", ["fr", "FRA", "XX", "€€"])
def test_it_refuses_what_is_no_country(alice: User, country: str) -> None:
    with pytest.raises(people.CountryUnknown):
        people.profile_update(alice.pk, people.Profile(country=country))


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd"])
def test_it_refuses_what_is_no_time_zone(alice: User, zone: str) -> None:
    with pytest.raises(people.TimezoneUnknown):
        people.profile_update(alice.pk, people.Profile(timezone=zone))


def test_a_profile_change_is_written_down_and_an_empty_one_is_not(alice: User) -> None:
    people.profile_update(alice.pk, people.Profile(country="FR"))
    people.profile_update(alice.pk, people.Profile(country="FR"))
    people.profile_update(alice.pk, people.Profile())
    rows = AuditLog.objects.filter(action="user.profile_changed")
    assert [(row.old, row.new) for row in rows] == [({"country": ""}, {"country": "FR"})]


def test_a_disabled_person_is_out_at_once(
    alice: User,
    oscar: User,
    revoked: list[Any],
    by_session: Callable[[User], Client],
    django_capture_on_commit_callbacks: Any,
) -> None:
    browser = by_session(alice)
    browser.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    _, secret = tokens.token_create(alice.pk, name="bot", scopes=["read"])
    with django_capture_on_commit_callbacks(execute=True):
        people.person_disable(oscar, alice.pk, reason="chip-dumping")
    assert browser.get("/settings").status_code == 302
    assert tokens.token_recognise(secret) is None
    assert revoked == [(alice.pk, 4403)]
    assert set(selectors.shut_out([alice.pk, oscar.pk])) == {alice.pk}
    row = AuditLog.objects.get(action="user.disabled")
    assert (row.actor, row.old, row.new, row.reason) == (
        oscar,
        {"is_active": True},
        {"is_active": False},
        "chip-dumping",
    )


def test_an_enabled_person_is_in_again(alice: User, oscar: User) -> None:
    _, secret = tokens.token_create(alice.pk, name="bot", scopes=["read"])
    people.person_disable(oscar, alice.pk, reason="mistake")
    people.person_enable(oscar, alice.pk, reason="it was a mistake")
    assert tokens.token_recognise(secret) is not None
    assert not selectors.shut_out([alice.pk])


def test_a_ban_shuts_out_until_its_time(alice: User, mona: User, revoked: list[Any]) -> None:
    _, secret = tokens.token_create(alice.pk, name="bot", scopes=["read"])
    people.person_ban(mona, alice.pk, until=now() + timedelta(hours=1), reason="abuse")
    assert tokens.token_recognise(secret) is None
    assert set(selectors.shut_out([alice.pk])) == {alice.pk}
    User.objects.filter(pk=alice.pk).update(banned_until=now() - timedelta(seconds=1))
    assert tokens.token_recognise(secret) is not None


def test_a_ban_deletes_the_sessions(alice: User, mona: User) -> None:
    browser = Client()
    browser.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    assert UserSession.objects.filter(user=alice).count() == 1
    people.person_ban(mona, alice.pk, until=now() + timedelta(hours=1), reason="abuse")
    assert not UserSession.objects.filter(user=alice).exists()
    assert browser.get("/settings").status_code == 302


@pytest.mark.parametrize("reason", ["", "   "])
def test_staff_say_why(alice: User, oscar: User, reason: str) -> None:
    with pytest.raises(people.ReasonNeeded):
        people.person_disable(oscar, alice.pk, reason=reason)
    with pytest.raises(people.ReasonNeeded):
        people.person_set_role(oscar, alice.pk, role=roles.MODERATOR, reason=reason)


def test_nobody_decides_over_an_equal_or_higher_role(alice: User, bob: User, mona: User, oscar: User) -> None:
    oskar = people.person_add("oskar@example.com", "oskar", role=roles.ADMIN)
    for actor, target in [(alice, bob), (mona, mona), (mona, oscar), (oscar, oskar), (oscar, oscar)]:
        with pytest.raises(Forbidden):
            people.person_disable(actor, target.pk, reason="because")
        target.refresh_from_db()
        assert target.is_active


def test_roles_are_given_by_another_admin(alice: User, bob: User, mona: User, oscar: User) -> None:
    for actor, target in [(alice, alice), (alice, bob), (mona, alice), (oscar, oscar)]:
        with pytest.raises(Forbidden):
            people.person_set_role(actor, target.pk, role=roles.MODERATOR, reason="because")
    assert people.person_set_role(oscar, alice.pk, role=roles.MODERATOR, reason="helps well").role == roles.MODERATOR
    row = AuditLog.objects.get(action="user.role_changed")
    assert (row.old, row.new) == ({"role": "user"}, {"role": "moderator"})


def test_there_is_no_other_role(alice: User, oscar: User) -> None:
    with pytest.raises(people.RuleRefusal, match="no such role"):
        people.person_set_role(oscar, alice.pk, role="owner", reason="because")


@pytest.mark.usefixtures("second_factor_required")
def test_staff_without_a_second_factor_have_no_powers_where_it_is_required(
    alice: User, mona: User, oscar: User
) -> None:
    with pytest.raises(Forbidden):
        people.person_disable(mona, alice.pk, reason="because")
    with pytest.raises(Forbidden):
        people.person_set_role(oscar, alice.pk, role=roles.ADMIN, reason="because")
    with pytest.raises(tokens.SecondFactorNeeded):
        tokens.token_create(oscar.pk, name="mine", scopes=["read"])


@pytest.mark.usefixtures("second_factor_required")
def test_staff_with_a_second_factor_have_them(alice: User, mona: User) -> None:
    Authenticator.objects.create(user=mona, type=Authenticator.Type.TOTP, data={})
    assert not people.person_disable(mona, alice.pk, reason="because").is_active


@pytest.mark.usefixtures("second_factor_required")
def test_recovery_codes_alone_are_no_second_factor(mona: User) -> None:
    Authenticator.objects.create(user=mona, type=Authenticator.Type.RECOVERY_CODES, data={})
    assert not selectors.acts_as_staff(mona)


def test_terms_are_accepted_with_the_moment_and_the_age_only_once(alice: User, settings: Any) -> None:
    settings.TERMS_VERSION = "2030-01"
    first = alice.age_confirmed_at
    user = people.terms_accept(alice.pk, of_age=True)
    assert (user.terms_version, user.age_confirmed_at) == ("2030-01", first)
    assert user.terms_accepted_at
    assert alice.terms_accepted_at
    assert user.terms_accepted_at > alice.terms_accepted_at


def test_confirming_a_person_twice_is_confirming_once(db: None) -> None:
    user = people.person_add("late@example.com", "late")
    people.person_confirm(user.pk)
    people.person_confirm(user.pk)
    assert EmailAddress.objects.filter(user=user, verified=True, primary=True).count() == 1
    assert AuditLog.objects.filter(action="user.confirmed").count() == 1


def test_a_changed_password_ends_the_sockets(
    alice: User, revoked: list[Any], by_session: Callable[[User], Client], django_capture_on_commit_callbacks: Any
) -> None:
    browser = by_session(alice)
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(
            "/accounts/password/change/",
            {"oldpassword": PASSWORD, "password1": "another-quiet-river-48", "password2": "another-quiet-river-48"},
        )
    alice.refresh_from_db()
    assert alice.check_password("another-quiet-river-48")
    assert (alice.pk, 4401) in revoked
    assert browser.get("/settings").status_code == 302


def test_signing_out_ends_the_sockets_of_the_session(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    monkeypatch.setattr(realtime, "revoke_session", ended.append)
    browser = Client()
    browser.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    key = browser.session.session_key
    browser.post("/accounts/logout/")
    assert ended == [key]
    assert not UserSession.objects.filter(user=alice).exists()


def test_ending_the_other_sessions_ends_their_sockets(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    monkeypatch.setattr(realtime, "revoke_session", ended.append)
    here, there = Client(), Client()
    for browser in (here, there):
        browser.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    away = there.session.session_key
    here.post("/accounts/sessions/")
    assert ended == [away]
    assert there.get("/settings").status_code == 302
    assert here.get("/settings").status_code == 200


def test_access_events_close_with_4403_only_for_those_shut_out(alice: User, revoked: list[Any]) -> None:
    from accounts.receivers import end_streams

    for reason in ("disabled", "banned", "role_changed", "api_token_revoked"):
        end_streams(AccessChanged(alice.pk, reason))
    assert [code for _, code in revoked] == [4403, 4403, 4401, 4401]
