"""Who asks over REST, and what a token or a session opens. docs/rules/accounts.md#api-tokens."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils.timezone import now
from rest_framework.test import APIClient

from accounts import permissions
from accounts.models import ApiToken, User
from accounts.rules import roles
from accounts.services import tokens
from accounts.tests.conftest import PASSWORD, Call

pytestmark = pytest.mark.django_db


def bearer(text: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=text)
    return client


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Bearer a b",
        "Bearer " + "x" * 5000,
        "bearer arena_",
        "Bearer \xff\xfe",
        "Bearer arena_\0",
    ],
)
def test_a_bad_token_is_401_and_never_an_error(header: str) -> None:
    answer = bearer(header).get("/api/me")
    assert answer.status_code == 401
    assert answer.json()["code"] == "token_invalid"
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["", "Basic YWxpY2U6eA==", "Token abc"])
def test_nobody_is_401(header: str) -> None:
    answer = bearer(header).get("/api/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def test_a_bad_token_is_refused_even_where_everybody_may_read(alice: User) -> None:
    assert bearer("Bearer nonsense").get("/api/users/alice").status_code == 401


def test_a_revoked_token_is_refused_from_the_next_request_on(alice: User) -> None:
    token, secret = tokens.token_create(alice.pk, name="bot", scopes=["read"])
    client = bearer(f"Bearer {secret}")
    assert client.get("/api/me").status_code == 200
    tokens.token_revoke(alice.pk, token.pk)
    assert client.get("/api/me").status_code == 401


def test_only_the_hash_of_a_token_is_stored(alice: User) -> None:
    token, secret = tokens.token_create(alice.pk, name="bot", scopes=["read"])
    row = ApiToken.objects.values().get(pk=token.pk)
    assert secret not in str(row)
    assert (row["prefix"], row["last_four"]) == (secret[:10], secret[-4:])
    assert len(secret) > 45


def test_the_last_use_is_noted_once_in_five_minutes(alice: User) -> None:
    token, secret = tokens.token_create(alice.pk, name="bot", scopes=["read"])
    assert ApiToken.objects.get(pk=token.pk).last_used_at is None
    tokens.token_recognise(secret)
    first = ApiToken.objects.get(pk=token.pk).last_used_at
    tokens.token_recognise(secret)
    assert ApiToken.objects.get(pk=token.pk).last_used_at == first
    old = now() - timedelta(minutes=6)
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=old)
    tokens.token_recognise(secret)
    later = ApiToken.objects.get(pk=token.pk).last_used_at
    assert later is not None
    assert later > old


def test_a_session_writes_only_with_its_csrf_token(alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    assert browser.get("/api/me").status_code == 200
    answer = browser.patch("/api/me", {"country": "FR"}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    token = browser.get("/settings").context["csrf_token"]
    answer = browser.patch(
        "/api/me", {"country": "FR"}, content_type="application/json", headers={"X-CSRFToken": str(token)}
    )
    assert answer.status_code == 200


def test_a_token_needs_no_csrf_token(alice: User) -> None:
    _, secret = tokens.token_create(alice.pk, name="bot", scopes=["trade"])
    client = APIClient(enforce_csrf_checks=True)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert client.patch("/api/me", {"country": "FR"}, format="json").status_code == 200


@pytest.mark.parametrize("scope", [scope for scope in roles.SCOPES if scope != "read"])
def test_reading_needs_the_scope_read(alice: User, by_token: Call, scope: str) -> None:
    answer = by_token(alice, scope).get("/api/me")
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


def test_writing_needs_a_scope_that_writes(alice: User, by_token: Call) -> None:
    answer = by_token(alice, "read").patch("/api/me", {"country": "FR"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


class View:
    """A view that says nothing."""

    allowed_methods = ("GET", "POST")


def test_a_view_that_names_no_scope_is_closed() -> None:
    with pytest.raises(ImproperlyConfigured):
        permissions.scopes_of(View(), "GET")


@pytest.mark.parametrize("scope", ["", (), "everything", ("read", "write"), {"GET": "read"}, {"POST": ""}])
def test_a_view_that_names_no_known_scope_for_its_method_is_closed(scope: Any) -> None:
    view = View()
    view.scope = scope  # type: ignore[attr-defined]
    with pytest.raises(ImproperlyConfigured):
        permissions.scopes_of(view, "POST")


class Asker:
    """A request as the permissions see it."""

    method = "POST"

    def __init__(self, user: User, token: ApiToken | None) -> None:
        self.user, self.auth = user, token


def allowed(permission: type[permissions.SignedInWithScope], user: User, token: ApiToken | None = None) -> bool:
    view = View()
    view.scope = "trade"  # type: ignore[attr-defined]
    return permission().has_permission(Asker(user, token), view)  # type: ignore[arg-type]


def test_operators_are_admins_and_moderators_are_not(alice: User, mona: User, oscar: User) -> None:
    assert [allowed(permissions.IsOperator, user) for user in (alice, mona, oscar)] == [False, False, True]
    assert [allowed(permissions.IsModerator, user) for user in (alice, mona, oscar)] == [False, True, True]


def test_an_operators_token_still_needs_the_scope(oscar: User) -> None:
    reads, _ = tokens.token_create(oscar.pk, name="a", scopes=["read"])
    trades, _ = tokens.token_create(oscar.pk, name="b", scopes=["trade"])
    assert not allowed(permissions.IsOperator, oscar, reads)
    assert allowed(permissions.IsOperator, oscar, trades)


def test_an_operators_session_needs_the_second_factor_where_required(oscar: User, mona: User, settings: Any) -> None:
    token, _ = tokens.token_create(oscar.pk, name="made by a command", scopes=["trade"], by_operator=True)
    settings.STAFF_MFA_REQUIRED = True
    assert not allowed(permissions.IsOperator, oscar)
    assert not allowed(permissions.IsModerator, mona)
    assert allowed(permissions.IsOperator, oscar, token)


def test_a_disabled_persons_session_is_nobodys(alice: User, oscar: User, by_session: Callable[[User], Client]) -> None:
    browser = by_session(alice)
    User.objects.filter(pk=alice.pk).update(banned_until=now() + timedelta(hours=1))
    assert browser.get("/api/me").status_code == 401


def test_signing_in_does_not_happen_over_rest(alice: User) -> None:
    answer = APIClient().post("/api/me", {"login": "alice", "password": PASSWORD}, format="json")
    assert answer.status_code in {401, 405}
