"""A buyer with a token of the API, and what the tests ask about the payment: short names for long ways."""

from typing import Any
from uuid import UUID, uuid4

from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import tokens as keys
from tokens.models import Payment, StripeEvent, Transfer
from tokens.tests.ledger.book import balance
from tradingarena.localstack.fakestripe import FakeStripe

PACKAGE_TOKENS, PRICE_CENTS = 1_100, 1_000  # see conftest.package


class Shop:
    """Somebody who buys tokens over REST."""

    def __init__(self, stripe: FakeStripe, buyer: User) -> None:
        self.stripe, self.buyer, self.client = stripe, buyer, APIClient()
        _, secret = keys.token_create(buyer.pk, name="shop", scopes=["read", "bet"], by_operator=True)
        self.client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")

    def checkout(self, *, key: str = "", package: str = "tokens-1000") -> Any:
        """Ask for a checkout; give the answer as it came."""
        headers = {"Idempotency-Key": key or str(uuid4())}
        return self.client.post("/api/tokens/checkout", {"package": package}, format="json", headers=headers)

    def begin(self) -> Payment:
        """Begin a checkout; give the payment."""
        answer = self.checkout()
        assert answer.status_code == 201, answer.content
        return Payment.objects.get(pk=answer.json()["payment_id"])

    def buy(self) -> Payment:
        """Buy a package and wait for its events."""
        payment = self.begin()
        self.stripe.pay(payment.session_id)
        self.settle()
        return self.look(payment)

    def settle(self) -> None:
        """Wait until everything the provider wanted to tell has been told."""
        assert self.stripe.wait_delivered(20)

    def look(self, payment: Payment) -> Payment:
        """Read a payment again."""
        return Payment.objects.get(pk=payment.pk)

    def confirm(self, payment: Payment) -> Any:
        """Come back to the return page, as a program does."""
        return self.client.post("/api/tokens/confirm", {"payment_id": str(payment.pk)}, format="json")

    @property
    def balance(self) -> int:
        """Read the buyer's tokens."""
        return balance(self.buyer.pk)


def purchases(user_id: UUID) -> int:
    """Count the purchases on somebody's wallet."""
    return Transfer.objects.filter(kind="purchase", legs__account__owner_id=user_id).count()


def effects() -> dict[str, str]:
    """Give the effect of every stored event, by type."""
    return dict(StripeEvent.objects.values_list("type", "effect"))
