"""The payment provider as this program needs it: what is asked of it, and what it answers. No rows live here.

The one implementation is `stripe_gateway.py`; its stand-in speaks the same protocol over HTTP. Rules: docs/rules/payments.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from tradingarena.core.errors import Malformed, RuleRefusal, Unavailable


class PaymentsUnavailable(Unavailable):
    """Raised when the payment provider does not answer; nothing was charged by this request."""

    code, message = (
        "payments_unavailable",
        "The payment provider does not answer. Nothing was charged; try again shortly.",
    )


class PaymentsOff(RuleRefusal):
    """Raised when no payment provider is configured."""

    code, message = "payments_off", "Card payments are not set up on this site."


class ProviderRefused(Exception):
    """Raised when the provider understood and said no; `code` is its own."""

    def __init__(self, message: str, code: str = "") -> None:
        self.code = code
        super().__init__(message)


class SignatureRefused(Malformed):
    """Raised when an event is not signed by the provider, or its stamp is not of now."""

    code, message = "signature_refused", "This event is not signed by the payment provider, or its time is not now."


@dataclass(frozen=True, slots=True)
class NewSession:
    """A checkout to be opened. Units: US cents."""

    payment_id: UUID
    user_id: UUID
    purpose: str
    description: str
    amount_cents: int
    currency: str
    email: str
    success_url: str
    cancel_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """A checkout as the provider knows it now. Units: US cents."""

    id: str
    mode: str
    status: str  # open, complete, expired
    payment_status: str  # unpaid, paid, no_payment_required
    amount_cents: int | None
    currency: str
    client_reference_id: str
    metadata: Mapping[str, str]
    payment_intent: str | None
    intent_status: str  # empty when it was not asked for
    url: str
    expires_at: datetime
    livemode: bool
    card_fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class RefundState:
    """A refund as the provider knows it now. Units: US cents."""

    id: str
    amount_cents: int
    status: str  # pending, requires_action, succeeded, failed, canceled
    refund_id: str  # ours, when we asked for it


@dataclass(frozen=True, slots=True)
class DisputeState:
    """A dispute as the provider knows it now. Units: US cents."""

    id: str
    payment_intent: str
    amount_cents: int
    reason: str
    status: str  # warning_*, needs_response, under_review, won, lost


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """Something that the provider says has happened. What is true now is asked for, not read from here."""

    id: str
    type: str
    created_at: datetime
    livemode: bool
    subject: Mapping[str, Any]
    payload: Mapping[str, Any]


class Gateway(Protocol):
    """What the provider does for us. Every call has a bound of 10 s and is retried by the SDK.

    Raises, each method: PaymentsUnavailable: no answer. ProviderRefused: it said no.
    """

    livemode: bool

    def open_session(self, new: NewSession) -> Session:
        """Open a checkout; the same payment_id gives the same session again."""

    def session(self, session_id: str) -> Session:
        """Read a checkout as it is now."""

    def expire_session(self, session_id: str) -> Session:
        """Close an open checkout; one that is closed already is given as it is."""

    def refund(self, refund_id: UUID, payment_intent: str, amount_cents: int) -> RefundState:
        """Send money back; the same refund_id is the same refund."""

    def refunds_of(self, payment_intent: str) -> list[RefundState]:
        """List every refund of a payment, the oldest first."""

    def disputes_of(self, payment_intent: str) -> list[DisputeState]:
        """List every dispute of a payment, the oldest first."""

    def events_since(self, moment: datetime) -> Iterator[ProviderEvent]:
        """Give the events since a moment, the newest first."""

    def read_event(self, body: bytes, signature: str) -> ProviderEvent:
        """Verify a webhook's raw body.

        Raises: SignatureRefused.
        """
