"""Events of the payment provider: stored first, answered at once, worked on afterwards, as often as it takes.

An event says where to look; what is true is asked anew (`payments.payment_settle`). Rules: docs/rules/payments.md#events.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import F, Q

from tokens.models import Payment, StripeEvent
from tokens.payments.gateway import PaymentsOff, PaymentsUnavailable, ProviderEvent
from tokens.payments.stripe_gateway import gateway
from tokens.services import payments
from tradingarena.core.clock import database_now

log = logging.getLogger(__name__)

SESSIONS = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
    }
)
REVERSALS = frozenset(
    {
        "charge.refunded",
        "charge.refund.updated",
        "refund.created",
        "refund.updated",
        "refund.failed",
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.closed",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
    }
)
CLAIM = timedelta(seconds=60)
PATIENCE = timedelta(days=3)  # as long as the provider itself tries


def event_store(event: ProviderEvent, *, source: str = "webhook") -> bool:
    """Store an event; False when it is there already.

    Locks / Effects: one insert in a transaction of its own.
    """
    subject = event.subject
    is_session = subject.get("object") == "checkout.session"
    row = StripeEvent(
        id=event.id,
        type=event.type[:80],
        object_id=str(subject.get("id", ""))[:255],
        session_id=str(subject.get("id", ""))[:255] if is_session else "",
        livemode=event.livemode,
        created_at=event.created_at,
        source=source,
        payload=event.payload,
        next_try_at=database_now(),
    )
    return bool(StripeEvent.objects.bulk_create([row], ignore_conflicts=True)) and _is_new(row)


def _is_new(row: StripeEvent) -> bool:
    stored = StripeEvent.objects.values_list("received_at", flat=True).get(pk=row.pk)
    return bool(stored == row.received_at)


def event_process(event_id: str) -> str:
    """Do what follows from a stored event, unless that is done or under way elsewhere; say its status afterwards.

    Guarantees: safe in parallel and again; an event that cannot be worked on now is tried again for three days.
    Locks / Effects: a conditional update claims the event for a minute; then as `payments.payment_settle`.
    """
    waiting = StripeEvent.objects.filter(pk=event_id, status__in=_UNDONE)
    free = waiting.filter(Q(next_try_at=None) | Q(next_try_at__lte=database_now()))
    if not free.update(next_try_at=database_now() + CLAIM, attempts=F("attempts") + 1):
        return str(StripeEvent.objects.values_list("status", flat=True).get(pk=event_id))
    event = StripeEvent.objects.get(pk=event_id)
    try:
        status, effect = _apply(event)
    except (PaymentsUnavailable, PaymentsOff) as error:
        status, effect = StripeEvent.Status.FAILED, error.message
    except DatabaseError:
        log.exception("stripe_event_failed", extra={"event_id": event.pk, "type": event.type})
        status, effect = StripeEvent.Status.FAILED, "The database refused; see the log."
    return _note(event, status, effect)


def process_due(limit: int = 100) -> dict[str, int]:
    """Work on every stored event that is due; say how many ended as what."""
    counts: dict[str, int] = {}
    due = StripeEvent.objects.filter(status__in=_UNDONE).filter(
        Q(next_try_at=None) | Q(next_try_at__lte=database_now())
    )
    for event_id in due.order_by("received_at").values_list("pk", flat=True)[:limit]:
        status = event_process(event_id)
        counts[status] = counts.get(status, 0) + 1
    return counts


def poll(since: datetime) -> int:
    """Ask the provider for its events since a moment and store those that no webhook has brought; say how many.

    Raises: PaymentsOff, PaymentsUnavailable.
    """
    known = set(StripeEvent.objects.filter(created_at__gte=since).values_list("pk", flat=True))
    missed = [event for event in gateway().events_since(since) if event.id not in known]
    return sum(event_store(event, source="poll") for event in reversed(missed))


_UNDONE = (StripeEvent.Status.RECEIVED, StripeEvent.Status.FAILED)


def _apply(event: StripeEvent) -> tuple[str, str]:
    if event.type not in SESSIONS | REVERSALS:
        return StripeEvent.Status.IGNORED, "Nothing follows from events of this type."
    if event.livemode != gateway().livemode:
        log.error("stripe_event_of_other_mode", extra={"event_id": event.pk})
        return StripeEvent.Status.IGNORED, "From the other of live and test mode."
    subject: Mapping[str, Any] = event.payload["data"]["object"]
    payment = _payment_of(subject)
    if payment is None:
        if event.type in REVERSALS and event.received_at > database_now() - PATIENCE and _intent_of(subject):
            return StripeEvent.Status.FAILED, "Its payment is not known yet."
        return StripeEvent.Status.IGNORED, "No payment of ours."
    StripeEvent.objects.filter(pk=event.pk).update(payment_id=payment.pk)
    if event.type in SESSIONS and not payments.adopt_session(payment.pk, event.session_id):
        log.error("stripe_event_of_foreign_session", extra={"event_id": event.pk, "payment": str(payment.pk)})
        return StripeEvent.Status.IGNORED, "The payment has another checkout session."
    said = payments.payment_settle(payment.pk, deep=event.type in REVERSALS)
    return StripeEvent.Status.APPLIED, said or "Nothing was left to change."


def _payment_of(subject: Mapping[str, Any]) -> Payment | None:
    """Find the payment that an event's subject belongs to: by the ids it carries, or by the provider's payment."""
    metadata = subject.get("metadata") or {}
    for told in (subject.get("client_reference_id"), metadata.get("payment_id")):
        try:
            found = Payment.objects.filter(pk=UUID(str(told))).first()
        except ValueError:
            continue
        if found is not None:
            return found
    intent = _intent_of(subject)
    return Payment.objects.filter(payment_intent=intent).first() if intent else None


def _intent_of(subject: Mapping[str, Any]) -> str:
    intent = subject.get("payment_intent")
    return str(intent.get("id", "") if isinstance(intent, Mapping) else intent or "")


def _note(event: StripeEvent, status: str, effect: str) -> str:
    fields: dict[str, Any] = {"status": status, "effect": effect[:300]}
    if status == StripeEvent.Status.FAILED:
        fields["next_try_at"] = database_now() + min(
            timedelta(seconds=5) * 2 ** min(event.attempts, 10), timedelta(hours=1)
        )
        log.warning("stripe_event_later", extra={"event_id": event.pk, "type": event.type, "reason": effect})
    else:
        fields["processed_at"] = database_now()
    with transaction.atomic():
        StripeEvent.objects.filter(pk=event.pk, status__in=_UNDONE).update(**fields)
    return status
