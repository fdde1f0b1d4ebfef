"""Stripe through its own SDK. What its answers mean for rows is decided in `services/`.

Traps of the SDK that are met here: retries and time-outs are off unless asked for, objects are no dicts, and a stamp far in the
future passes its signature check. Rules: docs/rules/payments.md.
"""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import stripe
from django.conf import settings

from tokens.payments.gateway import (
    DisputeState,
    Gateway,
    NewSession,
    PaymentsOff,
    PaymentsUnavailable,
    ProviderEvent,
    ProviderRefused,
    RefundState,
    Session,
    SignatureRefused,
)

TIMEOUT_S = 10
RETRIES = 2
TOLERANCE_S = 300
PAGE = 100
Answer = TypeVar("Answer")


def gateway() -> Gateway:
    """Give the configured provider.

    Raises: PaymentsOff: none is configured.
    """
    if not settings.STRIPE_SECRET_KEY:
        raise PaymentsOff
    secrets = tuple(part.strip() for part in settings.STRIPE_WEBHOOK_SECRET.split(",") if part.strip())
    return _gateway(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, secrets)


def is_on() -> bool:
    """Tell whether cards can be paid with here at all."""
    return bool(settings.STRIPE_SECRET_KEY)


@lru_cache(maxsize=4)
def _gateway(key: str, base: str, secrets: tuple[str, ...]) -> "StripeGateway":
    return StripeGateway(key, base, secrets)


class StripeGateway:
    """Stripe, or whatever speaks its protocol at `base`."""

    def __init__(self, key: str, base: str = "", webhook_secrets: tuple[str, ...] = ()) -> None:
        self.livemode = "_live_" in key
        self._secrets = webhook_secrets
        where: dict[str, Any] = {"base_addresses": {"api": base}} if base else {}
        self._client = stripe.StripeClient(
            key, max_network_retries=RETRIES, http_client=stripe.RequestsClient(timeout=TIMEOUT_S), **where
        )

    def open_session(self, new: NewSession) -> Session:
        metadata = {"payment_id": str(new.payment_id), "user_id": str(new.user_id), "purpose": new.purpose}
        item = {
            "currency": new.currency,
            "unit_amount": new.amount_cents,
            "product_data": {"name": new.description},
        }
        params: Any = {
            "mode": "payment",
            "line_items": [{"quantity": 1, "price_data": item}],
            "success_url": new.success_url,
            "cancel_url": new.cancel_url,
            "client_reference_id": str(new.payment_id),
            "customer_email": new.email,
            "metadata": metadata,
            "payment_intent_data": {"metadata": metadata},
            "expires_at": int(new.expires_at.timestamp()),
        }
        options: Any = {"idempotency_key": f"payment-{new.payment_id}"}
        return _session(_ask(lambda: self._client.v1.checkout.sessions.create(params, options)))

    def session(self, session_id: str) -> Session:
        params: Any = {"expand": ["payment_intent.latest_charge"]}
        return _session(_ask(lambda: self._client.v1.checkout.sessions.retrieve(session_id, params)))

    def expire_session(self, session_id: str) -> Session:
        try:
            return _session(_ask(lambda: self._client.v1.checkout.sessions.expire(session_id)))
        except ProviderRefused:  # paid or expired meanwhile
            return self.session(session_id)

    def refund(self, refund_id: UUID, payment_intent: str, amount_cents: int) -> RefundState:
        params: Any = {
            "payment_intent": payment_intent,
            "amount": amount_cents,
            "metadata": {"refund_id": str(refund_id)},
        }
        options: Any = {"idempotency_key": f"refund-{refund_id}"}
        return _refund(_ask(lambda: self._client.v1.refunds.create(params, options)))

    def refunds_of(self, payment_intent: str) -> list[RefundState]:
        params: Any = {"payment_intent": payment_intent, "limit": PAGE}
        found = _ask(lambda: list(self._client.v1.refunds.list(params).auto_paging_iter()))
        return [_refund(one) for one in reversed(found)]

    def disputes_of(self, payment_intent: str) -> list[DisputeState]:
        params: Any = {"payment_intent": payment_intent, "limit": PAGE}
        found = _ask(lambda: list(self._client.v1.disputes.list(params).auto_paging_iter()))
        return [
            DisputeState(one.id, _id_of(one.payment_intent) or "", one.amount, one.reason or "", one.status)
            for one in reversed(found)
        ]

    def events_since(self, moment: datetime) -> Iterator[ProviderEvent]:
        params: Any = {"created": {"gte": int(moment.timestamp())}, "limit": PAGE}
        for one in _ask(lambda: list(self._client.v1.events.list(params).auto_paging_iter())):
            yield _event(one.to_dict())

    def read_event(self, body: bytes, signature: str) -> ProviderEvent:
        for secret in self._secrets:
            try:
                stripe.WebhookSignature.verify_header(body.decode(), signature, secret, TOLERANCE_S)
            except (stripe.SignatureVerificationError, ValueError):  # not UTF-8 is a ValueError too
                continue
            _refuse_the_future(signature)
            try:
                return _event(json.loads(body))
            except (ValueError, KeyError, TypeError, AttributeError):
                raise SignatureRefused("This is signed, and no event.", code="event_unreadable") from None
        raise SignatureRefused


def _refuse_the_future(signature: str) -> None:
    stamps = [part.strip().removeprefix("t=") for part in signature.split(",") if part.strip().startswith("t=")]
    if any(not stamp.isdigit() or int(stamp) > time.time() + TOLERANCE_S for stamp in stamps):
        raise SignatureRefused


def _ask(call: Callable[[], Answer]) -> Answer:
    try:
        return call()
    except (
        stripe.APIConnectionError,
        stripe.RateLimitError,
        stripe.AuthenticationError,
        stripe.PermissionError,
    ) as error:
        raise PaymentsUnavailable from error
    except stripe.IdempotencyError as error:
        raise ProviderRefused(str(error), "idempotency_error") from error
    except stripe.InvalidRequestError as error:
        raise ProviderRefused(str(error), error.code or "") from error
    except stripe.StripeError as error:
        raise PaymentsUnavailable from error


def _session(one: Any) -> Session:
    intent = one.payment_intent
    return Session(
        id=one.id,
        mode=one.mode,
        status=one.status or "",
        payment_status=one.payment_status,
        amount_cents=one.amount_total,
        currency=(one.currency or "").lower(),
        client_reference_id=one.client_reference_id or "",
        metadata={} if one.metadata is None else one.metadata.to_dict(),
        payment_intent=_id_of(intent),
        intent_status="" if intent is None or isinstance(intent, str) else intent.status,
        url=one.url or "",
        expires_at=datetime.fromtimestamp(one.expires_at, UTC),
        livemode=bool(one.livemode),
        card_fingerprint=_fingerprint(intent),
    )


def _fingerprint(intent: Any) -> str:
    """Find what is the same for the same card; empty when it was not asked for, or nothing was paid by card."""
    found = intent
    for name in ("latest_charge", "payment_method_details", "card", "fingerprint"):
        if found is None or isinstance(found, str):
            return ""
        found = found[name] if name in found else None  # noqa: SIM401  the SDK's objects have no get()
    return str(found or "")[:64]


def _refund(one: Any) -> RefundState:
    ours = one.metadata["refund_id"] if one.metadata and "refund_id" in one.metadata else ""
    return RefundState(one.id, one.amount, one.status or "pending", ours)


def _event(payload: Any) -> ProviderEvent:
    return ProviderEvent(
        id=str(payload["id"]),
        type=str(payload["type"]),
        created_at=datetime.fromtimestamp(int(payload["created"]), UTC),
        livemode=bool(payload.get("livemode")),
        subject=dict(payload["data"]["object"]),
        payload=payload,
    )


def _id_of(one: Any) -> str | None:
    return one if one is None or isinstance(one, str) else str(one.id)
