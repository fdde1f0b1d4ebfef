"""Paying stakes: with tokens into the challenge's escrow, or by card through a checkout that is held while it is open.

Payments live their own life in `tokens`; what they tell arrives as events and is found again by `sweep`. Rules:
docs/rules/pvp.md#stakes.
"""

import logging
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import Q

from accounts import audit, policy
from accounts.models import User
from competitions.models import Competition, Entry
from competitions.services import lifecycle, prizes
from pvp.models import Challenge, Stake, Terms, Winnings
from pvp.rules import states
from pvp.selectors.challenges import NoSuchChallenge, find, side_of, terms_of
from pvp.services import life, settlement
from pvp.services.life import ChallengeOver, held
from tokens.ledger import Kind
from tokens.selectors import payments as standings
from tokens.selectors.payments import Standing
from tokens.services import payments, refunds
from tokens.services.payments import Wanted
from tokens.services.spending import spend
from tradingarena.core.clock import database_now
from tradingarena.core.errors import DomainError
from tradingarena.core.ids import derived_id
from tradingarena.core.locks import lock_row

log = logging.getLogger(__name__)

PURPOSE = "stake"
HELD, PAID = Stake.Status.HELD, Stake.Status.PAID


def stake_pay(user: User, challenge_id: UUID, *, key: str, site_url: str, country: str = "") -> Stake:
    """Pay one's own stake: tokens at once, money through a checkout whose address the stake's payment has.

    Shapes: key is the request's own; the same person, challenge and key is the same stake. site_url as `payments.Wanted` has it.
    Guarantees: one stake a side counts; the second that arrives starts the contest.
    Locks / Effects: the challenge, then the wallet or a payment; an audit row; then a call to the payment provider.
    Raises: NoSuchChallenge. ChallengeOver: it is not to be paid for now. What `policy.require` and `spending.spend` raise, PaymentsOff.
        PaymentsUnavailable: the stake is held, and asking again goes on.
    """
    policy.require(user, policy.Action.STAKE, country)
    with held(challenge_id) as challenge:
        if side_of(user, challenge) is None:
            raise NoSuchChallenge
        stake_id = derived_id(user.pk, f"stake:{challenge.pk}:{key}")
        known = (
            challenge.stakes.filter(pk=stake_id).first()
            or challenge.stakes.filter(user=user, status__in=[HELD, PAID, Stake.Status.PLAYED]).first()
        )
        if known is None:
            if challenge.status not in states.PAYABLE:
                raise ChallengeOver(f"This challenge is {challenge.status}; no stake is paid now.", code="not_payable")
            terms = terms_of(challenge)
            pay = _with_tokens if terms.stake_tokens else _by_card
            known = pay(user, challenge, terms, stake_id, country if terms.stake_tokens else site_url)
    if known.payment_id is not None and known.status == HELD:
        payments.session_start(known.payment_id)
    return known


def _with_tokens(user: User, challenge: Challenge, terms: Terms, stake_id: UUID, country: str) -> Stake:
    spend(
        user,
        terms.stake_tokens,
        kind=Kind.PVP_STAKE,
        target=settlement.pot_of(challenge.pk),
        cause=derived_id(stake_id, "stake"),
        reason="Stake of a challenge",
        reference=(settlement.REFERENCE, challenge.pk),
        action=policy.Action.STAKE,
        country=country,
    )
    stake = Stake.objects.create(
        id=stake_id,
        challenge=challenge,
        user=user,
        amount_tokens=terms.stake_tokens,
        status=PAID,
        paid_at=database_now(),
    )
    audit.record(user, "stake.paid", stake, new={"status": "paid", "amount_tokens": terms.stake_tokens})
    life.stake_arrived(challenge, stake)
    return stake


def _by_card(user: User, challenge: Challenge, terms: Terms, stake_id: UUID, site_url: str) -> Stake:
    wanted = Wanted(
        purpose=PURPOSE,
        reference_id=str(challenge.pk),
        description=f"Stake: {challenge.challenger.username} against {challenge.invitee.username}",  # type: ignore[union-attr]
        amount_cents=terms.stake_cents,
        site_url=site_url,
        return_path=f"/pvp/{challenge.pk}",
    )
    payment = payments.payment_open(user, derived_id(stake_id, "payment"), wanted)
    stake = Stake.objects.create(
        id=stake_id, challenge=challenge, user=user, payment_id=payment.pk, amount_cents=terms.stake_cents
    )
    audit.record(user, "stake.held", stake, new={"challenge": str(challenge.pk), "payment": str(payment.pk)})
    return stake


def stake_confirm(user: User, challenge_id: UUID) -> Challenge:
    """Look at one's own card payment now, as the return page does, and let the challenge follow. It never credits by itself.

    Locks / Effects: a call to the payment provider; then as `payment_looked_at`.
    Raises: NoSuchChallenge, PaymentsOff, PaymentsUnavailable.
    """
    challenge = find(user, challenge_id)
    own = challenge.stakes.filter(user=user, payment__isnull=False).order_by("-id").first()
    if own is not None and own.payment_id is not None and own.status in {HELD, Stake.Status.RELEASED}:
        payments.payment_settle(own.payment_id)
        payment_looked_at(own.payment_id)
    life.challenge_look(challenge_id)
    return find(user, challenge_id)


# -- what payments tell -------------------------------------------------------------------------------------------------


def payment_looked_at(payment_id: UUID) -> str:
    """Let a stake follow its payment: paid, never paid, given back, charged back. Doing it again changes nothing.

    Shapes: the stake's status afterwards; empty when the payment is for none.
    Locks / Effects: the challenge, the stake; refunds, the start of the contest, a cancellation or a disqualification as they follow.
    """
    found = Stake.objects.filter(payment_id=payment_id).first()
    if found is None:
        return ""
    life.challenge_look(found.challenge_id)
    with transaction.atomic():
        challenge = lock_row(Challenge, found.challenge_id)
        life.look(challenge)  # a deadline that has passed while we waited for the lock comes first
        stake = Stake.objects.select_related("user").get(pk=found.pk)
        payment = standings.standing(payment_id)
        if payment.paid and stake.paid_at is None:
            _arrived(challenge, stake, payment)
        elif not payment.paid and not payment.can_be_paid and stake.status == HELD:
            settlement.close(stake, Stake.Status.RELEASED, f"The checkout is over: {payment.status}.")
        _reversed(challenge, stake, payment)
    return str(stake.status)


def _arrived(challenge: Challenge, stake: Stake, payment: Standing) -> None:
    """Count a stake that has arrived; where none is wanted any more, the money goes back."""
    stake.paid_at = database_now()
    stake.save(update_fields=["paid_at"])
    again = challenge.stakes.filter(user_id=stake.user_id, status=PAID).exclude(pk=stake.pk).exists()
    if challenge.status not in states.PAYABLE or again:
        refunds.refund_request(
            payment.payment_id, cause=settlement.REFUND_CAUSE, reason=f"The challenge was {challenge.status}."
        )
        settlement.close(stake, Stake.Status.RETURNED, f"It arrived when the challenge was {challenge.status}.")
        return
    challenge.stakes.filter(user_id=stake.user_id, status=HELD).exclude(pk=stake.pk).update(
        status=Stake.Status.RELEASED, closed_at=database_now(), reason="Another checkout was paid."
    )
    old, stake.status = stake.status, PAID
    stake.closed_at, stake.reason = None, ""
    stake.save(update_fields=["status", "closed_at", "reason"])
    audit.record(None, "stake.paid", stake, old={"status": old}, new={"status": "paid"})
    life.stake_arrived(challenge, stake)


def _reversed(challenge: Challenge, stake: Stake, payment: Standing) -> None:
    """Follow a payment that was given or taken back: before the start the challenge is off, afterwards who took it is out."""
    objected = payment.disputed or payment.lost
    if stake.disputed != objected and stake.paid_at is not None:
        stake.disputed = objected
        stake.save(update_fields=["disputed"])
    if stake.status == Stake.Status.PLAYED and payment.lost:
        _stop_winnings(challenge, stake)
    if stake.status != PAID or not (payment.returned or objected):
        return
    contest = Competition.objects.filter(pk=challenge.competition_id).first()
    started = contest is not None and contest.status != Competition.Status.OPEN
    if payment.returned or not started:
        gone = Stake.Status.RETURNED if payment.returned else Stake.Status.CHARGED_BACK
        settlement.close(stake, gone, "The payment was taken back.")
        if contest is not None:
            lifecycle.cancel(None, contest.pk, "A stake was taken back.")
        life.close(None, challenge, states.CANCELLED, "A stake was taken back.")
    elif payment.lost and contest is not None:
        entry = Entry.objects.get(competition=contest, user_id=stake.user_id)
        if entry.status == Entry.Status.ACTIVE:
            prizes.disqualify(None, entry.pk, "The stake was charged back.")


def _stop_winnings(challenge: Challenge, stake: Stake) -> None:
    waiting = Winnings.objects.filter(challenge=challenge, user_id=stake.user_id, status__in=["pending", "approved"])
    for winnings in waiting:
        reason = "The stake was charged back."
        if Winnings.objects.filter(pk=winnings.pk, status=winnings.status).update(status="failed", note=reason):
            change = {"old": {"status": winnings.status}, "new": {"status": "failed"}}
            audit.record(None, "winnings.failed", winnings, **change, reason=reason)


# -- what is due --------------------------------------------------------------------------------------------------------


def sweep(limit: int = 500) -> int:
    """Find stakes whose payment has moved on without its event having been heard, and let them follow; say how many.

    Guarantees: safe in parallel and again; one that fails holds up no other.
    """
    by_card = Stake.objects.filter(payment__isnull=False).order_by("created_at")
    arrived = Q(paid_at=None, payment__status__in=standings.PAID)
    never = Q(status=HELD) & ~Q(payment__status__in=standings.UNPAID | standings.PAID)
    gone = Q(status=PAID) & (
        Q(payment__status="refunded") | Q(disputed=False, payment__disputes__status__in=["open", "lost"])
    )
    moved = by_card.filter(arrived | never | gone).distinct().values_list("payment_id", flat=True)[:limit]
    unwanted = by_card.filter(status=Stake.Status.RELEASED, payment__status__in=["created", "open"])
    for payment_id, user_id in unwanted.values_list("payment_id", "user_id")[:limit]:
        _close_checkout(user_id, payment_id)
    return sum(_follow(payment_id) for payment_id in list(moved))


def _follow(payment_id: UUID | None) -> bool:
    assert payment_id is not None  # by card
    try:
        return bool(payment_looked_at(payment_id))
    except (DomainError, DatabaseError):
        log.exception("stake_not_followed", extra={"payment": str(payment_id)})
        return False


def _close_checkout(user_id: UUID, payment_id: UUID | None) -> None:
    """Close the checkout of a stake that nobody wants any more, so that it cannot be paid by mistake."""
    assert payment_id is not None  # by card
    try:
        payments.payment_cancel(user_id, payment_id)
    except DomainError as refusal:
        log.warning("checkout_not_closed", extra={"payment": str(payment_id), "reason": refusal.message})
