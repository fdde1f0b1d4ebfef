"""Payments as rows, for the tests of apps that sell something and do not care how the money came."""

from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from accounts.models import User
from tokens.models import Fulfilment, Payment


def arrived(
    user: User, amount_cents: int, *, purpose: str = "buy_in", reference_id: object = "x", **fields: Any
) -> UUID:
    """Store a payment that has arrived; give its id."""
    token = uuid4().hex
    values = {
        "purpose": purpose,
        "reference_id": str(reference_id),
        "description": "A test payment",
        "amount_cents": amount_cents,
        "status": Payment.Status.PAID,
        "session_id": f"cs_test_{token}",
        "payment_intent": f"pi_{token}",
        "site_url": "http://testserver",
        "paid_at": timezone.now(),
    }
    payment = Payment.objects.create(user=user, **(values | fields))
    Fulfilment.objects.create(payment=payment, session_id=values["session_id"])
    return payment.pk
