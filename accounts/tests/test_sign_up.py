"""Sign-up in the browser, from the form to the confirmed address. docs/rules/accounts.md#sign-up-and-sign-in."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from accounts import selectors
from accounts.models import AuditLog, User
from accounts.services import usernames
from accounts.services.mail import deliver_due
from accounts.tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def form(**changes: str) -> dict[str, str]:
    """A sign-up form filled in well, and what a test changes of it; an empty text leaves a box unticked."""
    filled = {
        "email": "zoe@example.com",
        "username": "zoe",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "country": "FR",
        "of_age": "on",
        "terms": "on",
    }
    return {name: value for name, value in (filled | changes).items() if value}


def sign_up(browser: Client, **changes: str) -> Any:
    return browser.post("/accounts/signup/", form(**changes))


def test_a_stranger_signs_up_confirms_the_address_and_is_in(
    client: Client, mailed_code: Callable[[], str], settings: Any
) -> None:
    answer = sign_up(client)
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/confirm-email/")
    deliver_due()
    assert mail.outbox[-1].to == ["zoe@example.com"]
    answer = client.post("/accounts/confirm-email/", {"code": mailed_code()})
    assert answer.status_code == 302
    user = User.objects.get(username="zoe")
    assert (user.email, user.country, user.terms_version) == ("zoe@example.com", "FR", settings.TERMS_VERSION)
    assert user.age_confirmed_at
    assert user.terms_accepted_at
    assert selectors.email_confirmed(user)
    assert client.get("/settings").context["user"] == user


def test_nobody_is_in_before_the_address_is_confirmed(client: Client) -> None:
    sign_up(client)
    assert client.get("/settings").status_code == 302
    assert not selectors.email_confirmed(User.objects.get(username="zoe"))


def test_a_wrong_code_confirms_nothing(client: Client, mailed_code: Callable[[], str]) -> None:
    sign_up(client)
    code = mailed_code()
    wrong = code[:-1] + ("A" if code[-1] != "A" else "B")
    assert client.post("/accounts/confirm-email/", {"code": wrong}).status_code == 200
    assert not selectors.email_confirmed(User.objects.get(username="zoe"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"of_age": ""}, "of_age"),
        ({"terms": ""}, "terms"),
        ({"country": "Atlantis"}, "country"),
        ({"email": "nobody"}, "email"),
        ({"email": ""}, "email"),
        ({"username": "ab"}, "username"),
        ({"username": "x" * 21}, "username"),
        ({"username": "two words"}, "username"),
        ({"username": "Adm1n"}, "username"),
        ({"username": "zo\0e"}, "username"),
        ({"username": ""}, "username"),
        ({"password1": "short", "password2": "short"}, "password1"),
        ({"password1": "1234567890", "password2": "1234567890"}, "password1"),
        ({"password2": "something-else-9"}, "password2"),
    ],
)
def test_it_says_what_is_wrong_and_stores_nobody(client: Client, changes: dict[str, str], field: str) -> None:
    answer = sign_up(client, **changes)
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["alice", "ALICE", "a1ice"])
def test_it_refuses_a_name_that_is_taken_or_looks_like_one(client: Client, alice: User, name: str) -> None:
    assert sign_up(client, username=name).context["form"].errors["username"] == [usernames.NameTaken.message]


def test_it_refuses_a_name_that_was_just_given_up(client: Client, alice: User) -> None:
    usernames.username_change(alice.pk, "wonder")
    assert "username" in sign_up(client, username="Alice").context["form"].errors


def test_it_does_not_tell_that_an_address_has_an_account(client: Client, alice: User) -> None:
    answer = sign_up(client, email="Alice@example.com")
    fresh = Client()
    assert (answer.status_code, answer["Location"]) == (302, sign_up(fresh)["Location"])
    assert User.objects.filter(email="alice@example.com").count() == 1
    deliver_due()
    assert mail.outbox[0].to == ["alice@example.com"]
    assert "already" in mail.outbox[0].subject.lower() + mail.outbox[0].body.lower()


def test_a_name_taken_between_the_look_and_the_insert_is_a_clear_refusal(
    client: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usernames, "check_free", lambda name: None)
    answer = sign_up(client, username="ALICE")
    assert answer.status_code == 409
    assert "just been taken" in answer.content.decode()
    assert User.objects.count() == 1


@pytest.mark.parametrize("extra", ["role", "is_active", "is_bot", "is_superuser", "id"])
def test_a_form_cannot_set_what_is_not_in_it(client: Client, extra: str) -> None:
    client.post("/accounts/signup/", form() | {extra: "admin"})
    user = User.objects.get(username="zoe")
    assert (user.role, user.is_active, user.is_bot, user.is_superuser) == ("user", True, False, False)


def test_a_sign_up_without_a_csrf_token_is_refused() -> None:
    assert sign_up(Client(enforce_csrf_checks=True)).status_code == 403
    assert not User.objects.exists()


def test_signing_up_writes_no_secret_into_the_audit_log(client: Client) -> None:
    sign_up(client)
    assert PASSWORD not in str(list(AuditLog.objects.values()))
