"""Who brought whom, and when both are rewarded for it. Decided once, and never for two accounts of one person.

What it takes is in docs/rules/economy.md#referrals; how much somebody has played is read from the leaderboards.
"""

import logging
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from accounts import selectors
from accounts.models import User
from tokens import ledger
from tokens.ledger import House, Kind, Move, Posting, house, wallet
from tokens.models import Payment, Referral, ReferralCode
from tradingarena.core.clock import database_now
from tradingarena.core.ids import derived_id, new_token
from tradingarena.core.locks import lock_row

log = logging.getLogger(__name__)

REFERRED_BY = "referred_by"  # where a visitor's session keeps the code of the link
CODE_BYTES = 6
DECIDE_WITHIN = timedelta(days=90)  # shorter than sightings are kept
A_STEP = 200

# Who waits and has played enough, or has waited too long.
_DUE = """
    SELECT referral.id FROM tokens_referral AS referral WHERE referral.status = 'waiting' AND (
        referral.created_at < clock_timestamp() - %s::interval
        OR EXISTS (SELECT FROM tokens_boardrow AS played WHERE played.user_id = referral.referee_id AND played.period = 'all'
            AND (played.board = 'bettors' AND played.items >= %s OR played.board = 'traders' AND played.items >= 1)))
    ORDER BY referral.id LIMIT %s
"""


def referral_code(user: User) -> str:
    """Give the code of a person's link, made the first time it is asked for."""
    found = ReferralCode.objects.filter(user=user).first()
    if found is None:
        try:
            with transaction.atomic():
                found = ReferralCode.objects.create(user=user, code=new_token(CODE_BYTES))
        except IntegrityError:  # somebody has just made it
            found = ReferralCode.objects.get(user=user)
    return found.code


def referral_note(referee: User, code: str) -> Referral | None:
    """Remember by whose link somebody has signed up; None when the code is nobody's.

    Guarantees: a person is brought by one other person, once, and not after they have signed up.
    Locks / Effects: an insert.
    """
    referrer_id = code_owner(code)
    if referrer_id is None or referrer_id == referee.pk:
        return None
    with transaction.atomic():
        made, _ = Referral.objects.get_or_create(referee=referee, defaults={"referrer_id": referrer_id})
    return made


def code_owner(code: str) -> UUID | None:
    """Tell whose code this is; None: nobody's, or that of an account that is shut."""
    if not 1 <= len(code) <= 16 or not code.isascii() or not code.isprintable():
        return None
    found = ReferralCode.objects.filter(code=code, user__is_active=True).values_list("user", flat=True).first()
    return UUID(str(found)) if found else None


def decide_due() -> int:
    """Decide the referrals whose friend has played enough or whose time is over; give their number.

    Guarantees: safe at any time and any number of times at once.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [DECIDE_WITHIN, settings.REFERRAL_BETS, A_STEP])
        due = [row[0] for row in cursor.fetchall()]
    return sum(referral_decide(pk) for pk in due)


def referral_decide(referral_id: UUID) -> bool:
    """Reward both people of a referral that is due, or refuse it; False when it was decided before.

    Locks / Effects: the referral's row, then both wallets; two transfers from promotions, which commit together with the decision.
    Raises: NotFound.
    """
    with transaction.atomic():
        found = lock_row(Referral, referral_id)
        if found.status != Referral.Status.WAITING:
            return False
        found.decided_at = database_now()
        reason = _refusal(found)
        if reason is None:
            found.status, found.tokens = Referral.Status.REWARDED, settings.REFERRAL_TOKENS
            _reward(found)
        else:
            found.status, found.reason = Referral.Status.REFUSED, reason
        found.save(update_fields=["status", "reason", "tokens", "decided_at"])
    log.info("referral_decided", extra={"referral": str(found.pk), "status": found.status, "why": found.reason})
    return True


def _refusal(referral: Referral) -> Referral.Reason | None:
    """Say why nobody is rewarded; what tells of one person behind both accounts comes first."""
    both = (referral.referrer_id, referral.referee_id)
    shared = selectors.seen_together(*both)
    if "device" in shared:
        return Referral.Reason.SAME_DEVICE
    if "address" in shared:
        return Referral.Reason.SAME_ADDRESS
    paid = Payment.objects.exclude(card_fingerprint="")
    if paid.filter(
        user=referral.referee_id, card_fingerprint__in=paid.filter(user=referral.referrer_id).values("card_fingerprint")
    ).exists():
        return Referral.Reason.SAME_CARD
    if not all(person.may_sign_in() for person in User.objects.filter(pk__in=both)):
        return Referral.Reason.DISABLED
    assert referral.decided_at is not None
    if referral.created_at < referral.decided_at - DECIDE_WITHIN:
        return Referral.Reason.TOO_LATE
    return None


def _reward(referral: Referral) -> None:
    words = {referral.referrer_id: "You brought a friend", referral.referee_id: "A friend brought you"}
    postings = [
        Posting(
            derived_id(referral.pk, f"referral {user_id}"),
            [Move(house(House.PROMOTIONS), -referral.tokens), Move(wallet(user_id), referral.tokens)],
            reason,
            str(referral.pk),
        )
        for user_id, reason in words.items()
    ]
    ledger.transfer_many(Kind.REWARD, postings, reference_type="referral")
