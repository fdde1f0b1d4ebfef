"""Finding by looking what no event told us: lost webhooks, checkouts whose answer never came, refunds that were not sent.

Beat calls it, `manage.py reconcile_stripe` by hand. Rules: docs/rules/payments.md#reconciling.
"""

import logging
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Q, QuerySet

from tokens.models import Payment, Refund
from tokens.payments.gateway import PaymentsOff, PaymentsUnavailable
from tokens.payments.stripe_gateway import is_on
from tokens.services import payments, refunds, stripe_events
from tokens.services.payment_status import Status
from tradingarena.core.clock import database_now

log = logging.getLogger(__name__)

ANSWER_LOST_AFTER = timedelta(minutes=2)
LOOK_EVERY = timedelta(minutes=10)
PENDING_LOOK_EVERY = timedelta(hours=1)
EVENTS_BACK = timedelta(hours=24)
AT_ONCE = 200


@dataclass(slots=True)
class Reconciled:
    """What was found. `troubles` are for an operator."""

    events_missed: int = 0
    events: dict[str, int] = field(default_factory=dict)
    payments_changed: int = 0
    refunds: dict[str, int] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)


def settle_due() -> dict[str, dict[str, int]]:
    """Work on what is due now: stored events, refunds to be sent, checkouts whose end has passed. Cheap when there is nothing."""
    if not is_on():
        return {}
    counts = {"events": stripe_events.process_due(), "refunds": refunds.send_due()}
    over = Payment.objects.filter(status=Status.OPEN, expires_at__lt=database_now() - timedelta(seconds=5))
    waited = over.filter(Q(looked_at=None) | Q(looked_at__lt=database_now() - timedelta(minutes=1)))
    counts["expired"] = {"looked_at": _settle(waited.order_by("expires_at")[:AT_ONCE], Reconciled())}
    return counts


def reconcile() -> Reconciled:
    """Compare everything unsettled with the provider.

    Guarantees: changes only what `payment_settle` changes; safe in parallel and again.
    Raises: PaymentsOff.
    """
    if not is_on():
        raise PaymentsOff
    found = Reconciled()
    now = database_now()
    try:
        found.events_missed = stripe_events.poll(now - EVENTS_BACK)
    except PaymentsUnavailable as error:
        found.troubles.append(error.message)
        return found
    found.events = stripe_events.process_due()
    found.refunds = refunds.send_due()
    _find_lost_answers(found)
    looked = Q(looked_at=None) | Q(looked_at__lt=now - LOOK_EVERY)
    unsettled = Payment.objects.filter(
        looked, status__in=[Status.OPEN, Status.PROCESSING], created_at__lt=now - LOOK_EVERY
    )
    found.payments_changed += _settle(unsettled.order_by("created_at")[:AT_ONCE], found)
    pending = Refund.objects.filter(status=Refund.Status.PENDING, payment__reversals_as_of__lt=now - PENDING_LOOK_EVERY)
    found.payments_changed += _settle(
        Payment.objects.filter(refunds__in=pending).distinct()[:AT_ONCE], found, deep=True
    )
    quarantined = Payment.objects.filter(status=Status.QUARANTINED).count()
    if quarantined:
        found.troubles.append(f"{quarantined} payments are quarantined and wait for an operator.")
    return found


def _find_lost_answers(found: Reconciled) -> None:
    """Ask again for checkouts whose answer never came: the same question gives the session that was made, if one was."""
    before = database_now() - ANSWER_LOST_AFTER
    for payment in Payment.objects.filter(status=Status.CREATED, created_at__lt=before).order_by("created_at")[
        :AT_ONCE
    ]:
        try:
            payments.session_start(payment.pk)
            found.payments_changed += 1
        except PaymentsUnavailable as error:
            found.troubles.append(error.message)
            return


def _settle(which: QuerySet[Payment], found: Reconciled, *, deep: bool = False) -> int:
    changed = 0
    for payment in which:
        try:
            changed += bool(payments.payment_settle(payment.pk, deep=deep))
        except PaymentsUnavailable as error:
            log.warning("reconciler_without_provider", extra={"reason": error.message})
            found.troubles.append(error.message)
            break
    return changed
