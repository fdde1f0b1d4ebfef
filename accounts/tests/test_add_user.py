"""`manage.py add_user`: creates a person or finds one, and prints JSON."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from accounts import selectors
from accounts.models import AuditLog, User

pytestmark = pytest.mark.django_db


def add_user(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("add_user", *arguments, stdout=out)
    printed: dict[str, Any] = json.loads(out.getvalue())
    return printed


def test_it_creates_a_person_and_prints_who(db: Any) -> None:
    printed = add_user("Zoe@Example.com", "--username", "zoe", "--role", "admin", "--confirmed")
    user = User.objects.get(username="zoe")
    assert printed == {
        "id": str(user.pk),
        "email": "zoe@example.com",
        "username": "zoe",
        "role": "admin",
        "created": True,
    }
    assert selectors.email_confirmed(user)
    assert user.age_confirmed_at
    assert user.terms_version


def test_without_confirmed_nothing_is_confirmed() -> None:
    add_user("zoe@example.com")
    user = User.objects.get()
    assert not selectors.email_confirmed(user)
    assert (user.age_confirmed_at, user.terms_version) == (None, "")


def test_its_token_works() -> None:
    printed = add_user("zoe@example.com", "--confirmed", "--api-token", "read,trade")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {printed['api_token']}")
    assert client.get("/api/me").json()["id"] == printed["id"]
    assert printed["scopes"] == ["read", "trade"]


@pytest.mark.parametrize("text", ["all", "read,trade,bet,chat", "read trade bet chat", "chat, bet, trade, read"])
def test_scopes_are_written_in_any_way(text: str) -> None:
    assert add_user("zoe@example.com", "--api-token", text)["scopes"] == ["read", "trade", "bet", "chat"]


def test_it_finds_an_existing_person_and_makes_a_fresh_token(alice: User) -> None:
    first = add_user("ALICE@example.com", "--api-token", "read")
    second = add_user("alice@example.com", "--api-token", "read")
    assert first["id"] == second["id"] == str(alice.pk)
    assert (first["created"], first["username"]) == (False, "alice")
    assert first["api_token"] != second["api_token"]


def test_a_found_person_gets_the_role_name_and_confirmation_asked_for() -> None:
    add_user("zoe@example.com", "--username", "zoe")
    printed = add_user("zoe@example.com", "--username", "zora", "--role", "moderator", "--confirmed")
    assert (printed["username"], printed["role"], printed["created"]) == ("zora", "moderator", False)
    assert selectors.email_confirmed(User.objects.get())
    assert AuditLog.objects.filter(action="user.role_changed", actor=None).exists()


def test_a_found_person_keeps_what_is_not_asked_for(oscar: User) -> None:
    assert add_user("oscar@example.com")["role"] == "admin"


@pytest.mark.parametrize("address", ["zoe@example.com", "zo+e.x@example.com", "admin@example.com", "x@example.com"])
def test_it_makes_a_name_that_is_free(alice: User, address: str) -> None:
    name = add_user(address)["username"]
    assert 3 <= len(name) <= 20
    assert add_user("alice@elsewhere.example")["username"] != "alice"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nobody"], "e-mail"),
        (["zoe@example.com", "--username", "ab"], "3 to 20"),
        (["zoe@example.com", "--username", "moderator"], "reserved"),
        (["zoe@example.com", "--username", "ALICE"], "taken"),
        (["zoe@example.com", "--role", "owner"], "invalid choice"),
        (["zoe@example.com", "--grant", "0"], "--grant takes"),
        (["zoe@example.com", "--grant", "-5"], "--grant takes"),
        (["zoe@example.com", "--grant", "many"], "invalid int"),
        (["zoe@example.com", "--api-token", ""], "--api-token"),
        (["zoe@example.com", "--api-token", "read,write"], "--api-token"),
        (["zoe@example.com", "--what"], "unrecognized"),
        ([], "required"),
    ],
)
def test_a_bad_argument_gets_a_clear_error_and_adds_nobody(alice: User, arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        add_user(*arguments)
    assert User.objects.count() == 1


def test_it_prints_no_password() -> None:
    assert "password" not in json.dumps(add_user("zoe@example.com"))


def test_it_grants_promotional_tokens_through_the_ledger() -> None:
    assert add_user("zoe@example.com", "--grant", "500")["balance_tokens"] == 500
    assert add_user("zoe@example.com", "--grant", "20")["balance_tokens"] == 520
    assert AuditLog.objects.filter(action="tokens.granted").count() == 2
