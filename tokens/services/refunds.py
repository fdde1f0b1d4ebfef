"""Refunds that we ask for: once for each cause, never more than was paid, sent to the provider until it has answered.

What the provider tells of them is applied in `reversals.py`. Rules: docs/rules/payments.md#refunds.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet, Sum

from accounts import audit, selectors
from accounts.models import User
from tokens.events import RefundsRequested
from tokens.models import Payment, Refund
from tokens.payments.gateway import PaymentsOff, PaymentsUnavailable, ProviderRefused
from tokens.payments.stripe_gateway import gateway
from tokens.services import reversals
from tradingarena.core import events
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Forbidden, RuleRefusal
from tradingarena.core.locks import lock_row, lock_rows, require_transaction

log = logging.getLogger(__name__)

GOING = (Refund.Status.REQUESTED, Refund.Status.PENDING, Refund.Status.SUCCEEDED)
CLAIM = timedelta(seconds=60)
LONGEST_WAIT = timedelta(hours=1)


def refund_request(
    payment_id: UUID, *, cause: str, reason: str, amount_cents: int | None = None, actor: User | None = None
) -> Refund | None:
    """Ask for money to go back to the card it came from: all that has not gone yet, or an amount of it.

    Shapes: cause is a code, once for each payment; the refund, or None when there is nothing to give back.
    Units: US cents.
    Guarantees: the same cause again is the same refund; never more than was paid; sent when this has committed, and tried again until
        the provider has answered.
    Locks / Effects: in the caller's transaction: the payment's row, an insert, an audit row.
    Raises: NotFound. RuntimeError: no transaction is open.
    """
    require_transaction()
    payment = lock_row(Payment, payment_id)
    known = payment.refunds.filter(cause=cause).first()
    if known is not None:
        return known
    left = payment.amount_cents - _going(payment.refunds.all())
    amount = min(left, amount_cents or left)
    if amount <= 0 or payment.payment_intent is None:
        return None
    refund = Refund.objects.create(
        payment=payment, cause=cause, reason=reason[:200], amount_cents=amount, actor=actor, next_try_at=database_now()
    )
    events.publish(RefundsRequested())
    new = {"payment": str(payment.pk), "amount_cents": amount, "cause": cause}
    audit.record(actor, "refund.requested", refund, new=new, reason=reason)
    return refund


def refund_many(payment_ids: Sequence[UUID], *, cause: str, reason: str) -> int:
    """Ask for what is left of many payments to go back, with a fixed number of statements; say how many go.

    Guarantees: as `refund_request`, whose audit rows the caller's one row stands for.
    Locks / Effects: in the caller's transaction: the payments' rows by primary key, inserts.
    Raises: RuntimeError: no transaction is open.
    """
    require_transaction()
    if not payment_ids:
        return 0
    held = lock_rows(Payment, payment_ids)
    theirs = Refund.objects.filter(payment_id__in=held)
    asked = set(theirs.filter(cause=cause).values_list("payment_id", flat=True))
    going = dict(theirs.filter(status__in=GOING).values_list("payment_id").annotate(n=Sum("amount_cents")))
    moment = database_now()
    due = [
        Refund(payment=one, cause=cause, reason=reason[:200], amount_cents=left, next_try_at=moment)
        for one in held.values()
        if one.pk not in asked and one.payment_intent and (left := one.amount_cents - going.get(one.pk, 0)) > 0
    ]
    Refund.objects.bulk_create(due, batch_size=1_000)
    events.publish(RefundsRequested())
    return len(due)


def payment_refund(actor: User, payment_id: UUID, reason: str) -> Refund:
    """Refund what is left of a payment, on an operator's word; what was bought with it is taken back when it goes.

    Locks / Effects: as `refund_request`.
    Raises: Forbidden, RuleRefusal `reason_needed`, `nothing_to_refund`, NotFound.
    """
    if not selectors.acts_as_operator(actor):
        raise Forbidden("Only operators do this.", code="operators_only")
    if not reason.strip():
        raise RuleRefusal("Say why: the buyer sees it, and the audit log keeps it.", code="reason_needed")
    with transaction.atomic():
        cause = f"operator:{Refund.objects.filter(payment_id=payment_id).count() + 1}"
        refund = refund_request(payment_id, cause=cause, reason=reason.strip(), actor=actor)
        if refund is None:
            raise RuleRefusal("Nothing of this payment is left to refund.", code="nothing_to_refund")
    return refund


def send_due(limit: int = 50) -> dict[str, int]:
    """Send the refunds that are due to the provider; what it does not answer is tried again later.

    Shapes: how many were sent, refused, and are to be tried again.
    Guarantees: safe in parallel; the provider makes one refund of each, however often it is asked.
    Locks / Effects: conditional updates; calls to the provider outside any transaction.
    """
    counts = {"sent": 0, "refused": 0, "later": 0}
    due = Refund.objects.filter(status=Refund.Status.REQUESTED, next_try_at__lte=database_now())
    for refund in due.select_related("payment").order_by("next_try_at")[:limit]:
        claim = Refund.objects.filter(pk=refund.pk, status=Refund.Status.REQUESTED, next_try_at=refund.next_try_at)
        if claim.update(next_try_at=database_now() + CLAIM, attempts=F("attempts") + 1):
            counts[_send(refund)] += 1
    return counts


def _send(refund: Refund) -> str:
    assert refund.payment.payment_intent is not None  # asked for in refund_request
    asked_at = database_now()
    try:
        state = gateway().refund(refund.pk, refund.payment.payment_intent, refund.amount_cents)
    except (PaymentsUnavailable, PaymentsOff) as error:
        wait = min(timedelta(seconds=15) * 2 ** min(refund.attempts, 8), LONGEST_WAIT)
        Refund.objects.filter(pk=refund.pk, status=Refund.Status.REQUESTED).update(next_try_at=database_now() + wait)
        log.warning("refund_not_sent", extra={"refund": str(refund.pk), "reason": error.message})
        return "later"
    except ProviderRefused as refusal:
        log.error("refund_refused", extra={"refund": str(refund.pk), "reason": str(refusal), "code": refusal.code})
        with transaction.atomic():
            moved = Refund.objects.filter(pk=refund.pk, status=Refund.Status.REQUESTED)
            if moved.update(status=Refund.Status.FAILED):
                audit.record(None, "refund.refused", refund, reason=str(refusal)[:500])
        return "refused"
    with transaction.atomic():
        payment = lock_row(Payment, refund.payment_id)
        reversals.apply(payment, [state], [], asked_at=asked_at)
    return "sent"


def _going(refunds: QuerySet[Refund]) -> int:
    return refunds.filter(status__in=GOING).aggregate(n=Sum("amount_cents"))["n"] or 0
