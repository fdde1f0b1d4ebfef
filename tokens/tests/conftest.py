"""The cast of the token tests: buyers, operators, packages, and limits that no other test has spent."""

from typing import Any

import pytest

from accounts.models import User
from accounts.rules import roles
from accounts.services import people
from tokens.models import TokenPackage
from tradingarena.tests.fresh import fresh_redis


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    fresh_redis()


@pytest.fixture
def ann(db: Any) -> User:
    """A confirmed adult."""
    return people.person_add("ann@example.com", "ann", confirmed=True)


@pytest.fixture
def ben(db: Any) -> User:
    """Another; what is Ann's is none of his business."""
    return people.person_add("ben@example.com", "ben", confirmed=True)


@pytest.fixture
def olga(db: Any) -> User:
    """An operator."""
    return people.person_add("olga@example.com", "olga", confirmed=True, role=roles.ADMIN)


@pytest.fixture
def otto(db: Any) -> User:
    """A second operator."""
    return people.person_add("otto@example.com", "otto", confirmed=True, role=roles.ADMIN)


@pytest.fixture
def mona(db: Any) -> User:
    """A moderator: she sees no money."""
    return people.person_add("mona@example.com", "mona", confirmed=True, role=roles.MODERATOR)


@pytest.fixture
def package(db: Any) -> TokenPackage:
    """A package that is sold: 1,000 tokens and 100 more for $10."""
    values = {"tokens": 1_000, "bonus_tokens": 100, "price_cents": 1_000, "active": True}
    found, _ = TokenPackage.objects.update_or_create(slug="tokens-1000", defaults=values)
    return found
