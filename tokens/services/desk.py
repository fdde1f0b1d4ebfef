"""What operators do to wallets by hand: adjustments that two people decide, freezing, grants by command.

History itself nobody edits: every one of these is a transfer or a mark with a reason. Rules: docs/rules/tokens.md#by-hand.
"""

from uuid import UUID

from django.db import transaction

from accounts import audit, selectors
from accounts.models import User
from tokens import ledger
from tokens.ledger import House, Kind, house, wallet
from tokens.models import Adjustment
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict, Forbidden, RuleRefusal
from tradingarena.core.ids import derived_id, new_id
from tradingarena.core.locks import lock_row

LARGEST_ADJUSTMENT = 10_000_000


class ReasonNeeded(RuleRefusal):
    """Raised when an operator touches a wallet and says no reason."""

    code, message = "reason_needed", "Say why: the reason is shown on the statement and kept in the audit log."


class AdjustmentRefused(RuleRefusal):
    """Raised when an adjustment cannot be asked for or carried out."""

    code, message = "adjustment_refused", "This adjustment is not possible."


class AdjustmentDecided(Conflict):
    """Raised when an adjustment has been decided in the meantime."""

    code, message = "adjustment_decided", "This adjustment has been decided already."


class SecondPersonNeeded(Forbidden):
    """Raised when somebody would approve what they have asked for themselves."""

    code, message = "second_person_needed", "Another operator decides this: nobody approves their own adjustment."


def adjustment_request(actor: User, user_id: UUID, amount_tokens: int, reason: str) -> Adjustment:
    """Ask for tokens to be given to a wallet or taken from it; another operator decides.

    Units: tokens, signed: positive is given; at most 10,000,000.
    Locks / Effects: an insert, an audit row; no token moves.
    Raises: Forbidden: the actor is no operator. ReasonNeeded, AdjustmentRefused, NotFound: there is no such person.
    """
    _require_operator(actor)
    reason = _words(reason)
    if not amount_tokens or abs(amount_tokens) > LARGEST_ADJUSTMENT:
        raise AdjustmentRefused(f"An adjustment moves 1 to {LARGEST_ADJUSTMENT:,} tokens.")
    user = selectors.user_by_id(user_id)
    with transaction.atomic():
        asked = Adjustment.objects.create(user=user, amount_tokens=amount_tokens, reason=reason, requested_by=actor)
        audit.record(
            actor, "adjustment.requested", asked, new={"user": str(user.pk), "tokens": amount_tokens}, reason=reason
        )
    return asked


def adjustment_decide(actor: User, adjustment_id: UUID, *, approve: bool, reason: str = "") -> Adjustment:
    """Approve an adjustment, which moves the tokens, or reject it, with a reason.

    Guarantees: decided once, by somebody else than who asked; the tokens move with the decision or not at all.
    Locks / Effects: the adjustment's row, then the wallet; a transfer; an audit row.
    Raises: Forbidden, SecondPersonNeeded, AdjustmentDecided, ReasonNeeded (a rejection), NotFound. AdjustmentRefused: the wallet
        holds less than would be taken.
    """
    _require_operator(actor)
    if not approve and not reason.strip():
        raise ReasonNeeded
    with transaction.atomic():
        asked = lock_row(Adjustment, adjustment_id)
        if asked.status != Adjustment.Status.PENDING:
            raise AdjustmentDecided
        if asked.requested_by_id == actor.pk:
            raise SecondPersonNeeded
        if approve:
            _carry_out(actor, asked)
        asked.status = Adjustment.Status.APPROVED if approve else Adjustment.Status.REJECTED
        asked.decided_by, asked.decided_at = actor, database_now()
        asked.save(update_fields=["status", "decided_by", "decided_at"])
        audit.record(
            actor,
            f"adjustment.{asked.status}",
            asked,
            old={"status": "pending"},
            new={"status": asked.status},
            reason=reason,
        )
    return asked


def _carry_out(actor: User, asked: Adjustment) -> None:
    own, counterpart = wallet(asked.user_id), house(House.ADJUSTMENTS)
    source, target = (counterpart, own) if asked.amount_tokens > 0 else (own, counterpart)
    try:
        ledger.move(
            Kind.ADJUSTMENT,
            derived_id(asked.pk, "adjustment"),
            abs(asked.amount_tokens),
            source=source,
            target=target,
            reason=asked.reason,
            reference=("adjustment", asked.pk),
            actor_id=actor.pk,
        )
    except ledger.InsufficientTokens as refusal:
        raise AdjustmentRefused("The wallet holds less than would be taken.", **refusal.data) from None


def wallet_freeze(actor: User, user_id: UUID, reason: str) -> bool:
    """Freeze a wallet's spending; False when it was frozen already.

    Locks / Effects: the wallet's row; an audit row when something changed.
    Raises: Forbidden, ReasonNeeded, NotFound: there is no such person.
    """
    _require_operator(actor)
    reason = _words(reason)
    return _set_frozen(actor, user_id, reason, "wallet.frozen")


def wallet_thaw(actor: User, user_id: UUID, reason: str) -> bool:
    """Let a frozen wallet spend again; False when it was not frozen.

    Locks / Effects: the wallet's row; an audit row when something changed.
    Raises: Forbidden, ReasonNeeded, NotFound: there is no such person.
    """
    _require_operator(actor)
    return _set_frozen(actor, user_id, None, "wallet.thawed", said=_words(reason))


def _set_frozen(actor: User, user_id: UUID, reason: str | None, action: str, said: str = "") -> bool:
    user = selectors.user_by_id(user_id)
    with transaction.atomic():
        changed = ledger.wallet_set_frozen(user.pk, reason)
        if changed:
            audit.record(actor, action, user, reason=reason or said)
    return changed


def tokens_grant(user_id: UUID, amount_tokens: int, *, reason: str = "A grant of the house") -> int:
    """Give promotional tokens on an operator's command; give the balance afterwards.

    Units: tokens, 1 to 10,000,000.
    Locks / Effects: the wallet's row; a transfer; an audit row by the system.
    Raises: AdjustmentRefused: not an amount that can be granted.
    """
    if not 1 <= amount_tokens <= LARGEST_ADJUSTMENT:
        raise AdjustmentRefused(f"A grant is 1 to {LARGEST_ADJUSTMENT:,} tokens.")
    grant_id = new_id()
    with transaction.atomic():
        posted = ledger.move(
            Kind.REWARD,
            grant_id,
            amount_tokens,
            source=house(House.PROMOTIONS),
            target=wallet(user_id),
            reason=_words(reason),
        )
        audit.record(
            None, "tokens.granted", ("accounts.user", user_id), new={"tokens": amount_tokens, "transfer": str(grant_id)}
        )
    return posted.of(user_id).balance_tokens


def _require_operator(actor: User) -> None:
    if not selectors.acts_as_operator(actor):
        raise Forbidden("Only operators do this.", code="operators_only")


def _words(reason: str) -> str:
    said = " ".join(reason.split())[:200]
    if not said or not said.isprintable():
        raise ReasonNeeded
    return said
