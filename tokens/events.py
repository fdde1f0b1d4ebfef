"""Facts about payments for whoever stands above: ids and primitives, published when they have been committed.

Each has a sweep on the other side that finds what was missed. Rules: docs/rules/payments.md.
"""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class PaymentPaid:
    """A card payment has arrived. What was bought, when it is not tokens, is for the app that sold it to deliver."""

    payment_id: UUID
    purpose: str
    reference_id: str
    user_id: UUID


@dataclass(frozen=True, slots=True)
class PaymentClosed:
    """A checkout can no longer be paid: expired, cancelled, failed or quarantined."""

    payment_id: UUID
    purpose: str
    reference_id: str
    user_id: UUID
    status: str


@dataclass(frozen=True, slots=True)
class PaymentReversed:
    """Money of a payment has gone back, or come again: refunds and disputes as they stand now are on the payment."""

    payment_id: UUID
    purpose: str
    reference_id: str
    user_id: UUID


@dataclass(frozen=True, slots=True)
class RefundsRequested:
    """Refunds wait to be sent to the provider."""
