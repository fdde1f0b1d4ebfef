"""GET /api/users/{username} and POST /api/ws-ticket."""

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from rest_framework.test import APIClient

from accounts import selectors
from accounts.models import ApiToken, User
from accounts.rules import roles
from accounts.services import tokens, usernames
from accounts.tests.conftest import Call
from tradingarena.core import redis_client, tickets

PUBLIC = {"id", "username", "role", "country", "is_bot", "joined_at"}


def test_everybody_reads_a_public_profile_and_nothing_private(alice: User) -> None:
    answer = APIClient().get("/api/users/alice")
    assert answer.status_code == 200
    assert set(answer.json()) == PUBLIC
    assert "example.com" not in answer.content.decode()


@pytest.mark.parametrize("name", ["ALICE", "Alice"])
def test_another_spelling_leads_to_the_right_one(alice: User, name: str) -> None:
    answer = APIClient().get(f"/api/users/{name}")
    assert (answer.status_code, answer["Location"]) == (301, "/api/users/alice")


def test_a_former_name_leads_to_todays(alice: User) -> None:
    usernames.username_change(alice.pk, "wonder")
    answer = APIClient().get("/api/users/alice")
    assert (answer.status_code, answer["Location"]) == (301, "/api/users/wonder")
    assert answer.json() == {"username": "wonder", "url": "/api/users/wonder"}


@pytest.mark.parametrize("name", ["nobody", "a", "x" * 500, "%00", "a%0Ab", "%D0%B0lice", "%ED%A0%80", "..", "a1ice"])
def test_a_name_that_nobody_has_is_404(alice: User, name: str) -> None:
    assert APIClient().get(f"/api/users/{name}").status_code == 404


def test_others_cannot_change_a_profile(alice: User, bob: User, by_token: Call) -> None:
    for method in ("post", "put", "patch", "delete"):
        assert getattr(by_token(bob), method)("/api/users/alice", {"country": "FR"}, format="json").status_code == 405


def redeem(ticket: str) -> tickets.Ticket:
    async def once() -> tickets.Ticket:
        try:
            return await tickets.redeem(ticket)
        finally:
            await redis_client.close_async_clients()

    return async_to_sync(once)()


def test_a_ticket_may_do_what_its_token_may_and_ends_with_it(alice: User, by_token: Call) -> None:
    answer = by_token(alice, "read", "chat").post("/api/ws-ticket")
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    ticket = redeem(answer.json()["ticket"])
    token = ApiToken.objects.get()
    assert (ticket.user_id, ticket.scopes) == (alice.pk, frozenset({"read", "chat"}))
    assert ticket.credential == f"token:{token.pk}"
    assert selectors.valid_tokens([str(token.pk)]) == {str(token.pk)}
    tokens.token_revoke(alice.pk, token.pk)
    assert selectors.valid_tokens([str(token.pk)]) == set()


def test_a_session_gets_a_ticket_for_everything(alice: User, by_session: Callable[[User], Client]) -> None:
    ticket = redeem(by_session(alice).post("/api/ws-ticket").json()["ticket"])
    assert ticket.scopes == frozenset(roles.SCOPES)


def test_nobody_gets_no_ticket(db: Any) -> None:
    assert APIClient().post("/api/ws-ticket").status_code == 401


def test_a_ticket_needs_the_scope_read(alice: User, by_token: Call) -> None:
    assert by_token(alice, "trade").post("/api/ws-ticket").status_code == 403
