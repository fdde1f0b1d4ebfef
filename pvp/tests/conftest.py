"""What the tests of challenges share: people with tokens, a quiet market, limits that no other test has spent."""

import pytest

from accounts.models import User
from competitions.marketdata.bus import QuoteBus
from pvp.tests.scene import rich
from tokens.tests.payments.conftest import stripe
from tradingarena.tests.fresh import fresh_redis

__all__ = ["stripe"]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    fresh_redis()
    QuoteBus().clear()


@pytest.fixture
def ann(db: None) -> User:
    """Who dares."""
    return rich("ann")


@pytest.fixture
def ben(db: None) -> User:
    """Who is dared."""
    return rich("ben")


@pytest.fixture
def eve(db: None) -> User:
    """Whose business it is not."""
    return rich("eve")
