"""GET, POST and DELETE /api/me/api-tokens."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import ApiToken, User
from accounts.services import tokens
from accounts.tests.conftest import Call

PATH = "/api/me/api-tokens"
Browse = Callable[[User], Client]


def make(browser: Client, body: Any) -> Any:
    return browser.post(PATH, body, content_type="application/json")


def test_a_token_is_made_shown_once_and_works(alice: User, by_session: Browse) -> None:
    browser = by_session(alice)
    answer = make(browser, {"name": "my bot", "scopes": ["trade", "read"]})
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    body = answer.json()
    assert (body["name"], body["scopes"], body["last_used_at"]) == ("my bot", ["read", "trade"], None)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {body['secret']}")
    assert client.get("/api/me").json()["username"] == "alice"
    listed = browser.get(PATH).json()["results"]
    assert [row["id"] for row in listed] == [body["id"]]
    assert "secret" not in listed[0]
    assert "digest" not in listed[0]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x"},
        {"scopes": ["read"]},
        {"name": "", "scopes": ["read"]},
        {"name": "x" * 61, "scopes": ["read"]},
        {"name": 7, "scopes": ["read"]},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": "read"},
        {"name": "x", "scopes": ["admin"]},
        {"name": "x", "scopes": ["read", None]},
        {"name": "x", "scopes": [["read"]]},
        {"name": "x", "scopes": ["read"] * 5},
        {"name": "x", "scopes": ["read"], "user": "bob"},
    ],
)
def test_a_bad_request_makes_no_token(alice: User, by_session: Browse, body: Any) -> None:
    answer = make(by_session(alice), body)
    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert not ApiToken.objects.exists()


def test_a_token_makes_and_revokes_no_tokens(alice: User, by_token: Call) -> None:
    client = by_token(alice)
    own = ApiToken.objects.get()
    answers = [
        client.post(PATH, {"name": "more", "scopes": ["read"]}, format="json"),
        client.delete(PATH),
        client.delete(f"{PATH}/{own.pk}"),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, "session_required")}
    assert client.get(PATH).status_code == 200


def test_there_are_at_most_20(alice: User, by_session: Browse) -> None:
    for _ in range(tokens.MAX_TOKENS):
        tokens.token_create(alice.pk, name="bot", scopes=["read"])
    answer = make(by_session(alice), {"name": "one more", "scopes": ["read"]})
    assert (answer.status_code, answer.json()["code"]) == (422, "too_many_tokens")


def test_a_token_is_revoked_and_again_without_harm(alice: User, by_session: Browse) -> None:
    token, secret = tokens.token_create(alice.pk, name="bot", scopes=["read"])
    browser = by_session(alice)
    assert [browser.delete(f"{PATH}/{token.pk}").status_code for _ in range(2)] == [204, 204]
    assert tokens.token_recognise(secret) is None
    assert browser.get(PATH).json()["results"] == []


def test_all_are_revoked_at_once(alice: User, bob: User, by_session: Browse) -> None:
    secrets = [tokens.token_create(alice.pk, name="bot", scopes=["read"])[1] for _ in range(3)]
    _, others = tokens.token_create(bob.pk, name="bot", scopes=["read"])
    assert by_session(alice).delete(PATH).status_code == 204
    assert [tokens.token_recognise(secret) for secret in secrets] == [None] * 3
    assert tokens.token_recognise(others) is not None


def test_anothers_token_does_not_exist(alice: User, bob: User, by_session: Browse) -> None:
    token, secret = tokens.token_create(alice.pk, name="bot", scopes=["read"])
    browser = by_session(bob)
    assert browser.get(PATH).json()["results"] == []
    assert browser.delete(f"{PATH}/{token.pk}").status_code == 404
    assert browser.delete(f"{PATH}/{uuid4()}").status_code == 404
    assert browser.delete(f"{PATH}/1").status_code == 404
    assert tokens.token_recognise(secret) is not None


def test_the_list_comes_in_pages(alice: User, by_session: Browse) -> None:
    made = [str(tokens.token_create(alice.pk, name="bot", scopes=["read"])[0].pk) for _ in range(5)]
    browser = by_session(alice)
    first = browser.get(PATH, {"limit": 3}).json()
    second = browser.get(first["next"]).json()
    assert [row["id"] for row in first["results"] + second["results"]] == made[::-1]
    assert (first["previous"], second["next"]) == (None, None)


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=!!", "cursor=WyJuIiwgIngiXQ", "offset=3"])
def test_a_bad_query_is_400(alice: User, by_session: Browse, query: str) -> None:
    assert by_session(alice).get(f"{PATH}?{query}").status_code == 400
