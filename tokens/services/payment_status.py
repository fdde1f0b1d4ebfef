"""Finding a payment and setting its status, with its audit row and the word to whoever sold it.

Which status is due is decided in `payments.py` and `reversals.py`. Rules: docs/rules/payments.md#states.
"""

from uuid import UUID

from accounts import audit
from tokens.events import PaymentClosed
from tokens.models import Payment
from tradingarena.core import events
from tradingarena.core.clock import database_now
from tradingarena.core.errors import NotFound

Status = Payment.Status
CLOSED = frozenset({Status.FAILED, Status.EXPIRED, Status.CANCELLED})


def find(payment_id: UUID) -> Payment:
    """Find a payment with its buyer.

    Raises: NotFound.
    """
    payment = Payment.objects.select_related("user").filter(pk=payment_id).first()
    if payment is None:
        raise NotFound("There is no such payment.")
    return payment


def move(payment: Payment, status: str, **fields: object) -> None:
    """Set a payment's status and other fields.

    Locks / Effects: in the caller's transaction, which holds the payment's row; an audit row; publishes PaymentClosed when it can no
        longer be paid.
    """
    old, payment.status = payment.status, status
    if "note" in fields:
        fields["note"] = str(fields["note"])[:300]
    over = status in CLOSED or status == Status.QUARANTINED
    if over:
        fields["closed_at"] = database_now()
    for name, value in fields.items():
        setattr(payment, name, value)
    payment.save(update_fields=["status", *fields])
    change = {"old": {"status": old}, "new": {"status": str(status)}}
    audit.record(None, f"payment.{status}", payment, **change, reason=payment.note if "note" in fields else "")
    if over:
        events.publish(PaymentClosed(payment.pk, payment.purpose, payment.reference_id, payment.user_id, str(status)))
