"""The life of a card payment: opened, checked out, paid once, refunded, disputed. What the provider says now is what counts.

Events, return pages and the reconciler all end in `payment_settle`, in whatever order and however often they come. How the provider
is asked is in `payments/`. Rules: docs/rules/payments.md.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from accounts.models import User
from accounts.rules.switches import Part
from accounts.selectors import switches
from tokens import ledger
from tokens.events import PaymentPaid
from tokens.ledger import House, Kind, Move, Posting, house, wallet
from tokens.models import Fulfilment, Payment
from tokens.payments.gateway import DisputeState, NewSession, PaymentsOff, ProviderRefused, RefundState, Session
from tokens.payments.stripe_gateway import gateway, is_on
from tokens.services import reversals
from tokens.services.payment_status import CLOSED, Status, find, move
from tradingarena.core import events
from tradingarena.core.clock import database_now
from tradingarena.core.errors import NotFound
from tradingarena.core.idempotency import KeyReused
from tradingarena.core.ids import derived_id
from tradingarena.core.locks import lock_row, require_transaction

log = logging.getLogger(__name__)

CHECKOUT_LIFE = timedelta(minutes=31)  # the provider's shortest is 30, by its own clock


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to pay for by card. Units: US cents, tokens. `site_url` is scheme and host under which they came."""

    purpose: str
    reference_id: str
    description: str
    amount_cents: int
    site_url: str
    return_path: str = ""
    tokens: int = 0
    bonus_tokens: int = 0


def payment_open(user: User, payment_id: UUID, wanted: Wanted) -> Payment:
    """Store a payment before anything is asked of the provider; the same id and wish give the same payment again.

    Guarantees: the checkout's end is fixed here, so that asking the provider again is the same question.
    Locks / Effects: in the caller's transaction: one insert. Follow with `session_start` when it has committed.
    Raises: PaymentsOff, PurchasesOff. KeyReused: the id stands for another wish. RuntimeError: no transaction is open.
    """
    require_transaction()
    if not is_on():
        raise PaymentsOff
    known = Payment.objects.filter(pk=payment_id).first()
    if known is not None:
        same = (known.user_id, known.purpose, known.reference_id) == (user.pk, wanted.purpose, wanted.reference_id)
        if not same:
            raise KeyReused
        return known
    switches.require_on(Part.PURCHASES)
    return Payment.objects.create(
        id=payment_id,
        user=user,
        purpose=wanted.purpose,
        reference_id=wanted.reference_id,
        description=wanted.description[:120],
        amount_cents=wanted.amount_cents,
        tokens=wanted.tokens,
        bonus_tokens=wanted.bonus_tokens,
        site_url=wanted.site_url,
        return_path=wanted.return_path,
        expires_at=(database_now() + CHECKOUT_LIFE).replace(microsecond=0),
    )


def session_start(payment_id: UUID) -> Payment:
    """Open the checkout of a stored payment, or find the one that is open; outside any transaction.

    Guarantees: however often and in however many places this is called, the provider makes one session.
    Locks / Effects: a call to the provider, then a conditional update.
    Raises: NotFound, PaymentsOff, PaymentsUnavailable: the payment stays as it was, and asking again goes on from there.
    """
    payment = find(payment_id)
    if payment.status != Status.CREATED:
        return payment
    back = f"{payment.site_url}/wallet/return?payment={payment.pk}"
    new = NewSession(
        payment_id=payment.pk,
        user_id=payment.user_id,
        purpose=payment.purpose,
        description=payment.description,
        amount_cents=payment.amount_cents,
        currency=payment.currency,
        email=payment.user.email,
        success_url=f"{back}&session_id={{CHECKOUT_SESSION_ID}}",
        cancel_url=f"{back}&left=1",
        expires_at=payment.expires_at,  # type: ignore[arg-type]  # set when it was opened
    )
    try:
        session = gateway().open_session(new)
    except ProviderRefused as refusal:
        log.error("checkout_refused", extra={"payment": str(payment.pk), "reason": str(refusal), "code": refusal.code})
        _close(payment.pk, Status.CANCELLED, f"The provider refused the checkout: {refusal}")
        return find(payment_id)
    waiting = Payment.objects.filter(pk=payment.pk, session_id=None)
    waiting.update(session_id=session.id)
    Payment.objects.filter(pk=payment.pk, status=Status.CREATED).update(status=Status.OPEN, checkout_url=session.url)
    payment = find(payment_id)
    if payment.status == Status.CANCELLED:  # somebody gave up while the provider was asked
        gateway().expire_session(session.id)
    return payment


def payment_settle(payment_id: UUID, *, deep: bool = False) -> str:
    """Bring a payment to where the provider says it is, and do what follows from that once.

    Shapes: what changed, in words; empty when nothing did. `deep` asks for refunds and disputes too.
    Guarantees: credits once per payment and per session; amount, currency, mode, user and kind of key must be the payment's own,
        or it is quarantined. The order of events, and how many there are, changes nothing.
    Locks / Effects: calls to the provider outside any transaction; then the payment's row, the wallet, an audit row for each change
        of status; publishes PaymentPaid, PaymentClosed, PaymentReversed.
    Raises: NotFound, PaymentsOff, PaymentsUnavailable.
    """
    payment = find(payment_id)
    if payment.session_id is None:
        return ""
    provider, asked_at = gateway(), database_now()
    try:
        session = provider.session(payment.session_id)
    except ProviderRefused as refusal:
        log.error("session_unknown", extra={"payment": str(payment.pk), "reason": str(refusal)})
        return ""
    refunds: list[RefundState] | None = None
    disputes: list[DisputeState] | None = None
    if deep and session.payment_intent:
        refunds = provider.refunds_of(session.payment_intent)
        disputes = provider.disputes_of(session.payment_intent)
    with transaction.atomic():
        payment = lock_row(Payment, payment_id)
        said = _apply_session(payment, session, livemode=provider.livemode)
        if refunds is not None and disputes is not None:
            said += reversals.apply(payment, refunds, disputes, asked_at=asked_at)
        Payment.objects.filter(pk=payment.pk).update(looked_at=database_now())
    return " ".join(said)[:300]


def payment_cancel(user_id: UUID, payment_id: UUID) -> Payment:
    """Give a checkout up before it is paid; one that has been paid meanwhile stays paid.

    Locks / Effects: a call to the provider, then as `payment_settle`.
    Raises: NotFound: it does not exist, or is another's. PaymentsUnavailable.
    """
    payment = find(payment_id)
    if payment.user_id != user_id:
        raise NotFound("There is no such payment.")
    if payment.status == Status.CREATED:
        _close(payment.pk, Status.CANCELLED, "Given up before the checkout was opened.")
    elif payment.status == Status.OPEN and payment.session_id:
        gateway().expire_session(payment.session_id)
        payment_settle(payment.pk)
    return find(payment_id)


def adopt_session(payment_id: UUID, session_id: str) -> bool:
    """Note the session that an event names for a payment whose own call has not come back yet; False when it has another.

    Guarantees: a webhook may arrive before the answer that would have told us of the session.
    """
    Payment.objects.filter(pk=payment_id, session_id=None).update(session_id=session_id)
    return Payment.objects.filter(pk=payment_id, session_id=session_id).exists()


# -- what the session says ----------------------------------------------------------------------------------------------


def _apply_session(payment: Payment, session: Session, *, livemode: bool) -> list[str]:
    if payment.status in {Status.PAID, Status.REFUNDED, Status.QUARANTINED}:
        return []
    wrong = _mismatch(payment, session, livemode=livemode)
    if wrong:
        details = {"payment_intent": session.payment_intent, "note": f"The provider's checkout differs: {wrong}."}
        move(payment, Status.QUARANTINED, **details)
        log.error("payment_quarantined", extra={"payment": str(payment.pk), "differs": wrong})
        return [f"Quarantined: {wrong}."]
    if session.payment_status in {"paid", "no_payment_required"} and session.status == "complete":
        return [_fulfil(payment, session)]
    if session.status == "complete":
        failed = session.intent_status in {"requires_payment_method", "canceled"}
        wanted, note = (Status.FAILED, "The bank did not pay.") if failed else (Status.PROCESSING, "")
    elif session.status == "expired":
        wanted, note = Status.EXPIRED, "Not paid in time."
    else:
        wanted, note = Status.OPEN, ""
    if payment.status == wanted or (payment.status in CLOSED and wanted == Status.OPEN):
        return []
    move(payment, wanted, note=note)
    return [f"Now {payment.status}."]


def _mismatch(payment: Payment, session: Session, *, livemode: bool) -> str:
    told = {
        "mode": (session.mode, "payment"),
        "amount": (session.amount_cents, payment.amount_cents),
        "currency": (session.currency, payment.currency),
        "payment": (session.client_reference_id, str(payment.pk)),
        "user": (session.metadata.get("user_id"), str(payment.user_id)),
        "session": (session.id, payment.session_id),
        "live mode": (session.livemode, livemode),
    }
    return ", ".join(f"{name} {found} instead of {agreed}" for name, (found, agreed) in told.items() if found != agreed)


def _fulfil(payment: Payment, session: Session) -> str:
    transfer_id = None
    said = "Paid."
    if payment.purpose == Payment.Purpose.TOKENS:
        transfer_id = derived_id(payment.pk, "purchase")
        ledger.transfer_many(Kind.PURCHASE, [_purchase(payment, transfer_id)], reference_type="payment")
        said = f"Paid; credited {payment.tokens + payment.bonus_tokens} tokens."
    Fulfilment.objects.create(payment=payment, session_id=session.id, transfer_id=transfer_id)
    details = {"payment_intent": session.payment_intent, "card_fingerprint": session.card_fingerprint}
    move(payment, Status.PAID, paid_at=database_now(), **details)
    events.publish(PaymentPaid(payment.pk, payment.purpose, payment.reference_id, payment.user_id))
    return said


def _purchase(payment: Payment, transfer_id: UUID) -> Posting:
    sold, given = payment.tokens, payment.bonus_tokens
    moves = [Move(house(House.ISSUANCE), -sold), Move(wallet(payment.user_id), sold + given)]
    if given:
        moves.append(Move(house(House.PROMOTIONS), -given))
    bonus = f" and {given:,} bonus tokens" if given else ""
    return Posting(transfer_id, moves, f"Bought {sold:,} tokens{bonus}", str(payment.pk))


def _close(payment_id: UUID, status: str, note: str) -> None:
    with transaction.atomic():
        payment = lock_row(Payment, payment_id)
        if payment.status == Status.CREATED:
            move(payment, status, note=note)
