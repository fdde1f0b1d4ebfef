"""Ways to speak to the API in tests: as a program, as a page, as a stranger; and the form that every problem has."""

from typing import Any

from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from accounts.rules import roles
from accounts.services import tokens


def by_token(user: User, *scopes: str) -> APIClient:
    """Speak to the API as a program with a token of these scopes (all of them when none is named)."""
    _, secret = tokens.token_create(user.pk, name="test", scopes=scopes or roles.SCOPES, by_operator=True)
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def by_session(user: User) -> Client:
    """Speak to the API as a page: a session, with CSRF checked."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    return client


def anonymous() -> APIClient:
    """Speak to the API as a stranger."""
    return APIClient(raise_request_exception=False)


def problem_of(response: Any, status: int, code: str) -> dict[str, Any]:
    """Assert that an answer is this problem, in the form that all problems have, and give it."""
    assert response.status_code == status, (response.status_code, response.content[:500])
    assert response["Content-Type"] == "application/problem+json", response["Content-Type"]
    body: dict[str, Any] = response.json()
    assert set(body) == {"type", "title", "status", "code", "detail", "errors", "request_id"}, body
    assert (body["status"], body["code"]) == (status, code), body
    assert body["request_id"] == response["X-Request-Id"]
    assert body["type"] == f"/api/docs/errors#{code}"
    return body
