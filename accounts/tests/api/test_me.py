"""GET and PATCH /api/me, POST /api/me/username."""

from typing import Any

import pytest

from accounts.models import User
from accounts.tests.conftest import Call

BAD_BODIES: list[tuple[Any, int]] = [
    (b"{", 400),
    (b"[]", 400),
    (b"null", 400),
    (b'"text"', 400),
    (b'{"country": 1}', 400),
    (b'{"country": null}', 400),
    (b'{"country": ["FR"]}', 400),
    (b'{"country": "FRA"}', 400),
    (b'{"country": "F\\u0000"}', 400),
    (b'{"country": "\\ud800"}', 400),
    (b'{"country": "fr"}', 422),
    (b'{"country": "XX"}', 422),
    (b'{"timezone": ""}', 400),
    (b'{"timezone": "Mars/Olympus"}', 422),
    (b'{"accept_terms": "yes"}', 400),
    (b'{"accept_terms": 1}', 400),
    (b'{"role": "admin"}', 400),
    (b'{"username": "other"}', 400),
    (b'{"email": "other@example.com"}', 400),
    (b'{"country": "FR", "country": "DE"}', 400),
    (b'{"a":' * 40 + b"1" + b"}" * 40, 400),
    (b'{"country": "' + b"x" * 70_000 + b'"}', 413),
    (b"\xff\xfe", 400),
]


def test_one_reads_oneself(alice: User, by_token: Call) -> None:
    body = by_token(alice, "read").get("/api/me").json()
    assert body["id"] == str(alice.pk)
    assert body["email"] == "alice@example.com"
    assert body["email_confirmed"] is body["age_confirmed"] is True
    assert (body["role"], body["timezone"], body["username_change_from"]) == ("user", "UTC", None)
    assert body["joined_at"].endswith("Z")
    assert "password" not in body


def test_one_changes_only_what_one_sends(alice: User, by_token: Call) -> None:
    client = by_token(alice)
    assert client.patch("/api/me", {"country": "FR"}, format="json").json()["country"] == "FR"
    body = client.patch("/api/me", {"timezone": "Europe/Paris"}, format="json").json()
    assert (body["country"], body["timezone"]) == ("FR", "Europe/Paris")
    assert client.patch("/api/me", {"country": ""}, format="json").json()["country"] == ""
    assert client.patch("/api/me", {}, format="json").status_code == 200


def test_one_accepts_the_current_terms(alice: User, by_token: Call, settings: Any) -> None:
    settings.TERMS_VERSION = "2030-01"
    client = by_token(alice)
    assert client.patch("/api/me", {"accept_terms": False}, format="json").json()["terms_version"] == "2026-11"
    assert client.patch("/api/me", {"accept_terms": True}, format="json").json()["terms_version"] == "2030-01"


@pytest.mark.parametrize(("body", "status"), BAD_BODIES)
def test_a_bad_body_gets_a_clear_error_and_changes_nothing(
    alice: User, by_token: Call, body: bytes, status: int
) -> None:
    answer = by_token(alice).patch("/api/me", body, content_type="application/json")
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]
    before = User.objects.get(pk=alice.pk)
    assert (before.country, before.timezone, before.role, before.username) == ("", "UTC", "user", "alice")


def test_a_form_is_not_taken(alice: User, by_token: Call) -> None:
    answer = by_token(alice).patch("/api/me", "country=FR", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 415


def test_one_takes_another_name(alice: User, by_token: Call) -> None:
    body = by_token(alice).post("/api/me/username", {"username": "wonder"}, format="json").json()
    assert body["username"] == "wonder"
    assert body["username_change_from"] is not None


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("ab", 422, "username_length"),
        ("x" * 21, 422, "username_length"),
        (" wonder", 422, "username_characters"),
        ("won der", 422, "username_characters"),
        ("wönder", 422, "username_characters"),
        ("moderator", 422, "username_reserved"),
        ("M0derat0r", 422, "username_reserved"),
        ("bob", 409, "username_taken"),
        ("B0B", 409, "username_taken"),
    ],
)
def test_it_says_which_rule_refuses_a_name(
    alice: User, bob: User, by_token: Call, name: str, status: int, code: str
) -> None:
    answer = by_token(alice).post("/api/me/username", {"username": name}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_second_change_is_refused_with_the_day_it_is_possible(alice: User, by_token: Call) -> None:
    client = by_token(alice)
    client.post("/api/me/username", {"username": "wonder"}, format="json")
    answer = client.post("/api/me/username", {"username": "wonder2"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "username_changed_recently")
    assert "20" in answer.json()["detail"]
