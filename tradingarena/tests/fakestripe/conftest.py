"""A stand-in, the SDK's client for it, and a receiver of its webhooks, anew for each test."""

from collections.abc import Iterator

import pytest
import stripe as sdk

from tradingarena.localstack.fakestripe import FakeStripe
from tradingarena.tests.fakestripe.support import Receiver, client_of


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def stripe() -> Iterator[FakeStripe]:
    with FakeStripe() as running:
        yield running


@pytest.fixture
def telling(receiver: Receiver) -> Iterator[FakeStripe]:
    """A stand-in that delivers its webhooks to the receiver."""
    with FakeStripe(webhook_url=receiver.url, first_retry_s=0.02, longest_retry_s=0.1) as running:
        yield running


@pytest.fixture
def client(stripe: FakeStripe) -> sdk.StripeClient:
    return client_of(stripe)
