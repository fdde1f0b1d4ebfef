"""Entering by card: a seat is held while the checkout is open, and becomes an entry when the payment has arrived.

Payments live their own life in `tokens`; what they tell arrives as events and is found again by `sweep`. Rules:
docs/rules/competitions.md#buy-ins.
"""

import logging
from dataclasses import dataclass
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import Q

from accounts import audit
from accounts.models import User
from competitions.models import BuyIn, Competition, Entry, Payout
from competitions.services import buy_ins, entries, prizes
from competitions.services.steps import Status, tell_room
from tokens.selectors import payments as standings
from tokens.selectors.payments import Standing
from tokens.services import payments, refunds
from tokens.services.payments import Wanted
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict, DomainError, NotFound
from tradingarena.core.ids import derived_id
from tradingarena.core.locks import lock_row, require_transaction

log = logging.getLogger(__name__)

PURPOSE = "buy_in"
CHARGED_BACK = "The buy-in was charged back."


class NoBuyIn(Conflict):
    """Raised when a seat is asked for where entering costs no money."""

    code, message = "no_buy_in", "This contest has no buy-in by card: join it without one."


@dataclass(frozen=True, slots=True)
class Seat:
    """A seat that is held, and where its checkout is."""

    buy_in: BuyIn
    payment: Standing


def seat_take(
    user: User, competition_id: UUID, *, key: str, site_url: str, invite_code: str = "", country: str = ""
) -> Seat:
    """Hold a seat in a contest with a buy-in and open its checkout, or find the one that is held already.

    Shapes: key is the request's own; the same person, contest and key is the same seat. site_url as `payments.Wanted` has it.
    Guarantees: held seats count towards the cap until the checkout has ended; one a person; judged like `entries.entry_join`.
    Locks / Effects: the contest's row; a buy-in, a payment, an audit row; then a call to the payment provider.
    Raises: NoBuyIn, what `entries.entry_join` raises, PaymentsOff. PaymentsUnavailable: the seat is held, and asking again goes on.
    """
    with transaction.atomic():
        competition = lock_row(Competition, competition_id)
        if competition.status == Status.DRAFT:
            raise NotFound
        if not competition.buy_in_cents:
            raise NoBuyIn
        buy_in_id = derived_id(user.pk, f"seat:{competition.pk}:{key}")
        buy_in = BuyIn.objects.filter(pk=buy_in_id).first() or _held(user, competition)
        if buy_in is None:
            entry = competition.entries.filter(user=user).first()
            entries.refuse_first(entries.refusals(user, competition, entry, database_now(), invite_code, country))
            buy_in = _hold(user, competition, buy_in_id, site_url)
    assert buy_in.payment_id is not None  # a seat by card has one
    payments.session_start(buy_in.payment_id)
    return Seat(buy_in, standings.standing(buy_in.payment_id))


def seat_of(user: User, competition: Competition) -> Seat | None:
    """Find the seat that is held for somebody; None when none is."""
    buy_in = _held(user, competition) if user.is_authenticated else None
    if buy_in is None or buy_in.payment_id is None:
        return None
    return Seat(buy_in, standings.standing(buy_in.payment_id))


def seat_leave(user: User, competition_id: UUID) -> None:
    """Give a held seat up; a payment that has arrived meanwhile makes it an entry all the same.

    Locks / Effects: a call to the payment provider; then as `payment_closed`.
    Raises: NotFound: none is held. PaymentsUnavailable.
    """
    buy_in = BuyIn.objects.filter(competition_id=competition_id, user=user, status=BuyIn.Status.HELD).first()
    if buy_in is None or buy_in.payment_id is None:
        raise NotFound("No seat is held for you in this contest.", code="no_seat")
    payments.payment_cancel(user.pk, buy_in.payment_id)
    payment_looked_at(buy_in.payment_id)


def _held(user: User, competition: Competition) -> BuyIn | None:
    return competition.buy_ins.filter(user_id=user.pk, status=BuyIn.Status.HELD).first()


def _hold(user: User, competition: Competition, buy_in_id: UUID, site_url: str) -> BuyIn:
    wanted = Wanted(
        purpose=PURPOSE,
        reference_id=str(competition.pk),
        description=f"Buy-in: {competition.title}",
        amount_cents=competition.buy_in_cents,
        site_url=site_url,
        return_path=f"/competitions/{competition.slug}",
    )
    payment = payments.payment_open(user, derived_id(buy_in_id, "payment"), wanted)
    buy_in = BuyIn.objects.create(
        id=buy_in_id,
        competition=competition,
        user=user,
        payment_id=payment.pk,
        amount_cents=competition.buy_in_cents,
        held_until=payment.expires_at,
    )
    audit.record(user, "buy_in.held", buy_in, new={"competition": str(competition.pk), "payment": str(payment.pk)})
    tell_room(competition)
    return buy_in


# -- what payments tell -------------------------------------------------------------------------------------------------


def payment_looked_at(payment_id: UUID) -> str:
    """Let a buy-in follow its payment: paid, never paid, given back, charged back. Doing it again changes nothing.

    Shapes: the buy-in's status afterwards; empty when the payment is for none.
    Locks / Effects: the contest's row, the buy-in, its entry; refunds, ranks and payouts as far as they follow; audit rows.
    """
    found = BuyIn.objects.filter(payment_id=payment_id).first()
    if found is None:
        return ""
    with transaction.atomic():
        competition = lock_row(Competition, found.competition_id)
        buy_in = BuyIn.objects.select_related("entry", "user").get(pk=found.pk)
        payment = standings.standing(payment_id)
        if payment.paid and buy_in.paid_at is None:
            _arrived(competition, buy_in, payment)
        elif not payment.paid and not payment.can_be_paid and buy_in.status == BuyIn.Status.HELD:
            buy_ins.close(buy_in, BuyIn.Status.RELEASED, f"The checkout is over: {payment.status}.")
            tell_room(competition)
        if buy_in.status in {BuyIn.Status.PAID, BuyIn.Status.CHARGED_BACK}:
            _reversed(competition, buy_in, payment)
    return str(buy_in.status)


def _arrived(competition: Competition, buy_in: BuyIn, payment: Standing) -> None:
    """Make the entry that has been paid for; where there is none any more, the money goes back."""
    own_seat = buy_in.status == BuyIn.Status.HELD
    buy_in.paid_at = database_now()
    buy_in.save(update_fields=["paid_at"])
    entry = competition.entries.filter(user_id=buy_in.user_id).first()
    refusal = entries.closed(competition, entry, database_now(), own_seat=own_seat)
    if refusal is not None:
        refunds.refund_request(payment.payment_id, cause="no_entry", reason=f"No entry was possible: {refusal.message}")
        buy_ins.close(buy_in, BuyIn.Status.RETURNED, refusal.message)
        return
    buy_in.entry = entries.enter(competition, entry, buy_in.user)
    buy_in.status = BuyIn.Status.PAID
    buy_in.save(update_fields=["entry", "status"])
    new = {"amount_cents": buy_in.amount_cents, "entry": str(buy_in.entry.pk)}
    audit.record(None, "buy_in.paid", buy_in, old={"status": "held"}, new={"status": "paid", **new})


def _reversed(competition: Competition, buy_in: BuyIn, payment: Standing) -> None:
    """Let entry, ranks and payouts follow a payment that was given or taken back."""
    require_transaction()
    taken = payment.disputed or payment.lost
    if buy_in.disputed != payment.disputed:
        buy_in.disputed = payment.disputed
        buy_in.save(update_fields=["disputed"])
    if payment.returned and buy_in.status == BuyIn.Status.PAID:
        _leave_contest(competition, buy_in, BuyIn.Status.RETURNED, "The payment was refunded.", gone=True)
    elif taken and buy_in.status == BuyIn.Status.PAID:
        _leave_contest(competition, buy_in, BuyIn.Status.CHARGED_BACK, CHARGED_BACK, gone=payment.lost)
    elif buy_in.status == BuyIn.Status.CHARGED_BACK and not taken and not payment.returned:
        _come_back(competition, buy_in, payment)


def _leave_contest(competition: Competition, buy_in: BuyIn, status: str, reason: str, *, gone: bool) -> None:
    """Take out of a contest whose buy-in is gone. While an objection is only open, a contest under way goes on without a payout."""
    entry = buy_in.entry
    if competition.status == Status.OPEN and entry is not None and entry.status == Entry.Status.ACTIVE:
        entries.withdraw(None, competition, entry)
        buy_ins.close(buy_in, status, reason)
    elif competition.status in {Status.RUNNING, Status.SETTLING} and gone and entry is not None:
        buy_ins.close(buy_in, status, reason)
        prizes.disqualify(None, entry.pk, reason)
    elif competition.status == Status.COMPLETED and gone:
        # what others have won stands: the house bears the loss, and nothing more is paid to whoever took it back
        _stop_payout(buy_in, reason)


def _stop_payout(buy_in: BuyIn, reason: str) -> None:
    unpaid = Payout.objects.filter(entry_id=buy_in.entry_id, amount_cents__gt=0)
    for payout in unpaid.filter(status__in=[Payout.Status.PENDING, Payout.Status.APPROVED]):
        if Payout.objects.filter(pk=payout.pk, status=payout.status).update(status=Payout.Status.FAILED, note=reason):
            audit.record(
                None, "payout.failed", payout, old={"status": payout.status}, new={"status": "failed"}, reason=reason
            )


def _come_back(competition: Competition, buy_in: BuyIn, payment: Standing) -> None:
    """Give the seat again to whose objection was withdrawn while the contest still takes entries; otherwise the money goes back."""
    if entries.closed(competition, buy_in.entry, database_now()) is None:
        buy_in.entry = entries.enter(competition, buy_in.entry, buy_in.user)
        buy_in.status, buy_in.closed_at, buy_in.reason = BuyIn.Status.PAID, None, ""
        buy_in.save(update_fields=["entry", "status", "closed_at", "reason"])
        audit.record(None, "buy_in.paid", buy_in, old={"status": "charged_back"}, new={"status": "paid"})
    elif buy_in.entry is None or buy_in.entry.status == Entry.Status.WITHDRAWN:
        refunds.refund_request(payment.payment_id, cause="no_entry", reason="The contest went on without you.")
        buy_ins.close(buy_in, BuyIn.Status.RETURNED, "The contest went on without them.")


# -- what is due --------------------------------------------------------------------------------------------------------


def sweep(limit: int = 500) -> int:
    """Find buy-ins whose payment has moved on without its event having been heard, and let them follow; say how many.

    Guarantees: safe in parallel and again; one that fails holds up no other.
    """
    by_card = BuyIn.objects.filter(payment__isnull=False).order_by("created_at")
    arrived = Q(paid_at=None, payment__status__in=standings.PAID)
    never = Q(status=BuyIn.Status.HELD) & ~Q(payment__status__in=standings.UNPAID | standings.PAID)
    gone = Q(status=BuyIn.Status.PAID) & (
        Q(payment__status="refunded")
        | Q(payment__disputes__status="lost")
        | Q(disputed=False, payment__disputes__status="open")
    )
    over = Q(competition__status__in=[Status.COMPLETED, Status.CANCELLED])
    moved = [
        one
        for one in (arrived, never, gone & ~over)
        for one in by_card.filter(one).values_list("payment_id", flat=True)[:limit]
    ]
    unwanted = by_card.filter(status=BuyIn.Status.RELEASED, payment__status__in=["created", "open"])
    for payment_id in unwanted.values_list("payment_id", flat=True)[:limit]:
        _close_checkout(payment_id)
    return sum(_follow(payment_id) for payment_id in dict.fromkeys(moved))


def _follow(payment_id: UUID) -> bool:
    try:
        return bool(payment_looked_at(payment_id))
    except (DomainError, DatabaseError):
        log.exception("buy_in_not_followed", extra={"payment": str(payment_id)})
        return False


def _close_checkout(payment_id: UUID) -> None:
    """Close the checkout of a seat that nobody can have any more, such as one of a cancelled contest."""
    buy_in = BuyIn.objects.get(payment_id=payment_id)
    try:
        payments.payment_cancel(buy_in.user_id, payment_id)
    except DomainError as refusal:
        log.warning("checkout_not_closed", extra={"payment": str(payment_id), "reason": refusal.message})
