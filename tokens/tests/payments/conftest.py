"""Payments through the vendor's own SDK over real HTTP: a stand-in that speaks its protocol, and this program listening to its webhooks."""

from collections.abc import Iterator
from typing import Any

import pytest

from tokens.tests.payments.shop import Shop
from tradingarena.localstack.fakestripe import FakeStripe


@pytest.fixture
def stripe(live_server: Any, settings: Any) -> Iterator[FakeStripe]:
    """The provider, whose events arrive at this very program."""
    webhook = f"{live_server.url}/api/stripe/webhook"
    with FakeStripe(webhook_url=webhook, first_retry_s=0.2, longest_retry_s=0.5) as running:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = running.key, running.secrets[0]
        settings.STRIPE_API_BASE, settings.STRIPE_STAND_IN = running.url, True
        yield running
        running.heal()


@pytest.fixture
def shop(stripe: FakeStripe, ann: Any, package: Any) -> Shop:
    """Ann, who buys."""
    return Shop(stripe, ann)
