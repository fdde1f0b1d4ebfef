"""Refunds and disputes as the provider tells of them, and the status and tokens that follow them. What we ask for is in `refunds.py`.

Rules: docs/rules/payments.md#refunds.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Sum

from accounts import audit
from tokens import ledger
from tokens.events import PaymentReversed
from tokens.ledger import House, Kind, house, wallet
from tokens.models import Dispute, Payment, Refund
from tokens.payments.gateway import DisputeState, RefundState
from tokens.services.payment_status import Status, move
from tradingarena.core import events
from tradingarena.core.clock import database_now
from tradingarena.core.ids import derived_id


def apply(
    payment: Payment, refunds: Sequence[RefundState], disputes: Sequence[DisputeState], *, asked_at: datetime
) -> list[str]:
    """Bring a payment's refunds and disputes to what the provider says, and let status and tokens follow.

    Shapes: what changed, in words.
    Guarantees: an answer that was asked for before one that is known already changes nothing.
    Locks / Effects: in the caller's transaction, which holds the payment's row: its refunds and disputes, then the wallet; audit rows;
        publishes PaymentReversed when something changed.
    """
    if payment.status not in {Status.PAID, Status.REFUNDED, Status.QUARANTINED}:
        return []
    if payment.reversals_as_of is not None and payment.reversals_as_of > asked_at:
        return []
    payment.reversals_as_of = asked_at
    payment.save(update_fields=["reversals_as_of"])
    said = [text for one in refunds if (text := _apply_refund(payment, one))]
    said += [text for one in disputes if (text := _apply_dispute(payment, one))]
    said += _follow(payment)
    if said:
        events.publish(PaymentReversed(payment.pk, payment.purpose, payment.reference_id, payment.user_id))
    return said


def _apply_refund(payment: Payment, state: RefundState) -> str:
    status = {
        "succeeded": Refund.Status.SUCCEEDED,
        "failed": Refund.Status.FAILED,
        "canceled": Refund.Status.CANCELLED,
    }.get(state.status, Refund.Status.PENDING)
    refund = payment.refunds.filter(provider_ref=state.id).first()
    if refund is None and state.refund_id:
        refund = payment.refunds.filter(pk=state.refund_id, provider_ref=None).first()
    if refund is None:
        cause, reason = f"provider:{state.id}"[:40], "Refunded by the payment provider"
        refund = Refund(payment=payment, cause=cause, reason=reason, amount_cents=state.amount_cents, status="")
    if refund.status == status and refund.provider_ref == state.id:
        return ""
    refund.status, refund.provider_ref = status, state.id
    refund.save()
    return f"Refund of {state.amount_cents} cents {status}."


def _apply_dispute(payment: Payment, state: DisputeState) -> str:
    if state.status.startswith("warning_"):  # an inquiry: no money has moved
        return ""
    status = {"won": Dispute.Status.WON, "lost": Dispute.Status.LOST}.get(state.status, Dispute.Status.OPEN)
    known = Dispute.objects.filter(pk=state.id).first()
    if known is not None and known.status == status:
        return ""
    fields = {"status": status, "provider_status": state.status, "amount_cents": state.amount_cents}
    closed_at = None if status == Dispute.Status.OPEN else database_now()
    values = {**fields, "payment": payment, "reason": state.reason[:60], "closed_at": closed_at}
    Dispute.objects.update_or_create(pk=state.id, defaults=values)
    old = {"status": known.status} if known else None
    audit.record(None, f"dispute.{status}", payment, old=old, new={**fields, "dispute": state.id})
    return f"Dispute over {state.amount_cents} cents {status}."


def _follow(payment: Payment) -> list[str]:
    """Let the payment's figures, its status and the buyer's tokens follow its refunds and disputes."""
    said = []
    going = payment.refunds.filter(status__in=[Refund.Status.PENDING, Refund.Status.SUCCEEDED])
    refunded = min(going.aggregate(cents=Sum("amount_cents"))["cents"] or 0, payment.amount_cents)
    if refunded != payment.refunded_cents:
        payment.refunded_cents = refunded
        payment.save(update_fields=["refunded_cents"])
    if payment.status == Status.QUARANTINED:  # nothing was delivered, so nothing is taken back
        return said
    whole = refunded == payment.amount_cents
    if whole != (payment.status == Status.REFUNDED):
        move(payment, Status.REFUNDED if whole else Status.PAID)
        said.append(f"Now {payment.status}.")
    if payment.purpose == Payment.Purpose.TOKENS:
        said += _follow_with_tokens(payment)
    return said


def tokens_to_take(payment: Payment) -> int:
    """Tell how many of a payment's tokens must have been taken back.

    Formula: all while a dispute is open or after it is lost; otherwise tokens * refunded // amount, rounded down.
        Source: docs/rules/payments.md#tokens-taken-back.
    """
    whole = payment.tokens + payment.bonus_tokens
    if payment.disputes.exclude(status=Dispute.Status.WON).exists():
        return whole
    return whole * payment.refunded_cents // payment.amount_cents


def _follow_with_tokens(payment: Payment) -> list[str]:
    missing = tokens_to_take(payment) - payment.taken_tokens
    if not missing:
        return []
    payment.takings += 1
    payment.taken_tokens += missing
    payment.save(update_fields=["takings", "taken_tokens"])
    transfer_id, reference = derived_id(payment.pk, f"taking {payment.takings}"), ("payment", payment.pk)
    price = f"${payment.amount_cents // 100:,}.{payment.amount_cents % 100:02d}"
    if missing > 0:
        reason = f"A payment of {price} was refunded or disputed"
        target = house(House.ISSUANCE)
        ledger.claw_back(payment.user_id, transfer_id, missing, target=target, reason=reason, reference=reference)
        return [f"Took {missing} tokens back."]
    reason = f"A payment of {price} stands again"
    given = {"source": house(House.ISSUANCE), "target": wallet(payment.user_id)}
    ledger.move(Kind.REFUND, transfer_id, -missing, **given, reason=reason, reference=reference)
    return [f"Gave {-missing} tokens again."]
