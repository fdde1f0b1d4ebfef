"""The cast of the account tests: a fixed few, each with a part, and one who may see nothing of the others."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from accounts.rules import roles
from accounts.services import people, tokens
from accounts.services.mail import deliver_due
from tradingarena.tests.fresh import fresh_redis

PASSWORD = "a-long-quiet-river-47"
Call = Callable[..., APIClient]


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    """Let no test run into the limits that another one has spent."""
    from django.core.cache import cache

    cache.clear()
    fresh_redis()


@pytest.fixture
def alice(db: Any) -> User:
    """A confirmed trader."""
    return people.person_add("alice@example.com", "alice", password=PASSWORD, confirmed=True)


@pytest.fixture
def bob(db: Any) -> User:
    """Another confirmed trader; what is Alice's is none of his business."""
    return people.person_add("bob@example.com", "bob", password=PASSWORD, confirmed=True)


@pytest.fixture
def mona(db: Any) -> User:
    """A moderator."""
    return people.person_add("mona@example.com", "mona", password=PASSWORD, confirmed=True, role=roles.MODERATOR)


@pytest.fixture
def oscar(db: Any) -> User:
    """An admin."""
    return people.person_add("oscar@example.com", "oscar", password=PASSWORD, confirmed=True, role=roles.ADMIN)


@pytest.fixture
def by_token() -> Call:
    """Speak to the REST API as a program with a token of these scopes."""

    def call(user: User, *scopes: str) -> APIClient:
        _, secret = tokens.token_create(user.pk, name="test", scopes=scopes or roles.SCOPES, by_operator=True)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        return client

    return call


@pytest.fixture
def by_session() -> Callable[[User], Client]:
    """Browse as a signed-in person."""

    def call(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return call


def code_in_last_mail() -> str:
    """Read the code of the last mail that has gone out."""
    found = re.search(r"^([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})$", mail.outbox[-1].body, re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[1]


@pytest.fixture
def mailed_code() -> Callable[[], str]:
    """Send what waits, as a worker does, and read the code of the last mail."""

    def read() -> str:
        deliver_due()
        return code_in_last_mail()

    return read
