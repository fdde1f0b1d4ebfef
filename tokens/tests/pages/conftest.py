"""A browser, a shop that speaks to the payments stand-in, and somebody who buys."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from accounts.models import User
from accounts.services import people
from tokens.models import TokenPackage
from tradingarena.localstack.fakestripe import FakeStripe
from tradingarena.tests.browsing import browser, visit
from tradingarena.tests.live import Web, free_port, serving_tests

__all__ = ["browser", "visit"]


@pytest.fixture(scope="module")
def stripe(_ports: tuple[int, int]) -> Iterator[FakeStripe]:
    """The provider, whose events arrive at the shop."""
    webhook = f"http://127.0.0.1:{_ports[0]}/api/stripe/webhook"
    with FakeStripe(webhook_url=webhook, port=_ports[1], first_retry_s=0.2, longest_retry_s=0.5) as running:
        yield running


@pytest.fixture(scope="module")
def _ports() -> tuple[int, int]:
    return free_port(), free_port()


@pytest.fixture(scope="module")
def web(
    stripe: FakeStripe,
    _ports: tuple[int, int],
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Web]:
    """The shop, in its own process."""
    payments = {
        "STRIPE_SECRET_KEY": stripe.key,
        "STRIPE_WEBHOOK_SECRET": stripe.secrets[0],
        "STRIPE_API_BASE": stripe.url,
        "STRIPE_STAND_IN": "1",
    }
    log = tmp_path_factory.mktemp("shop") / "web.log"
    with serving_tests(log, django_db_blocker, port=_ports[0], **payments) as running:
        yield running


@pytest.fixture
def dana(transactional_db: None) -> User:
    """Somebody who may buy."""
    values = {"tokens": 1_000, "bonus_tokens": 100, "price_cents": 1_000, "active": True, "position": 3}
    TokenPackage.objects.update_or_create(slug="tokens-1000", defaults=values)
    return people.person_add("dana@example.com", "dana", confirmed=True)
