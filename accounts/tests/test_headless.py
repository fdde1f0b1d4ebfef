"""Signing up and in as JSON under /_allauth/: the same rules as the pages."""

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User
from accounts.services.mail import deliver_due

pytestmark = pytest.mark.django_db

SIGN_UP = "/_allauth/browser/v1/auth/signup"
PASSWORD = "correct horse battery 9"


def wish(**changes: object) -> dict[str, object]:
    return {
        "email": "carol@example.com", "username": "carol", "password": PASSWORD, "of_age": True, "terms": True, **changes,
    }  # fmt: skip


def test_it_makes_an_account_that_still_has_to_be_confirmed(client: Client) -> None:
    answer = client.post(SIGN_UP, wish(), content_type="application/json")
    assert answer.status_code == 401
    assert "verify_email" in {flow["id"] for flow in answer.json()["data"]["flows"] if flow.get("is_pending")}
    assert User.objects.get().age_confirmed_at is not None
    deliver_due()
    assert mail.outbox[0].to == ["carol@example.com"]


@pytest.mark.parametrize("missing", ["of_age", "terms"])
def test_it_refuses_who_is_not_of_age_or_does_not_accept_the_terms(client: Client, missing: str) -> None:
    answer = client.post(SIGN_UP, wish(**{missing: False}), content_type="application/json")
    assert answer.status_code == 400
    assert not User.objects.exists()


def test_it_does_not_offer_tokens_to_apps(client: Client) -> None:
    assert client.post("/_allauth/app/v1/auth/login", {}, content_type="application/json").status_code == 404
