"""Daring somebody and coming to terms: sending, changing, accepting, declining, cancelling, taking an invitation up, playing again.

Stakes are paid in `funding.py`; deadlines are `life.py`'s. Rules: docs/rules/pvp.md#offers.
"""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from accounts import audit, policy
from accounts.models import User
from pvp import broadcast
from pvp.models import Challenge, Terms
from pvp.rules import states
from pvp.rules.terms import Wanted, changed, digest
from pvp.selectors.challenges import (
    CHALLENGER,
    INVITEE,
    NoSuchChallenge,
    accepted_version,
    invitation,
    side_of,
    terms_of,
)
from pvp.services import life, telling
from pvp.services.conditions import SelfChallenge, find_invitee, require_room, require_taken, require_terms
from pvp.services.life import ChallengeOver, held
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict
from tradingarena.core.locks import lock_row

ANSWER_WITHIN = timedelta(hours=72)


class TermsStale(Conflict):
    """Raised when somebody answers to terms that are not on the table any more."""

    code, message = "terms_stale", "The terms have changed in the meantime. Look at them again."


class NotYourTurn(Conflict):
    """Raised when somebody would answer their own offer."""

    code, message = "not_your_turn", "These are your own terms; the other side is to answer them."


def challenge_create(user: User, *, to: str, wanted: Wanted, country: str = "") -> Challenge:
    """Dare somebody, by name or by e-mail address.

    Shapes: to with an @ is an address, otherwise a name. Whether an address belongs to an account is told to nobody.
    Guarantees: the terms hold; at most 20 open challenges and 10 new ones an hour a person, also under races.
    Locks / Effects: the person's turn; a challenge, its terms, an audit row; tells the invitee.
    Raises: what `policy.require` raises, NotFound, SelfChallenge, TooManyOpen, TooFast, TermsRefused, PaymentsOff.
    """
    policy.require(user, policy.Action.STAKE, country)
    require_terms(wanted)
    invitee, address = find_invitee(user, to)
    with transaction.atomic():
        require_room(user)
        return _send(user, invitee, address, wanted)


def challenge_change(user: User, challenge_id: UUID, *, version: int, wanted: Wanted, country: str = "") -> Challenge:
    """Put other terms on the table, as either side may until both have accepted the same ones.

    Shapes: version is the one that the person saw. Equal terms change nothing.
    Guarantees: the other side's acceptance is cleared; what was offered before stays on record.
    Locks / Effects: the challenge; new terms, an audit row; tells the other side.
    Raises: NoSuchChallenge, ChallengeOver, TermsStale, TermsRefused, PaymentsOff, what `policy.require` raises.
    """
    policy.require(user, policy.Action.STAKE, country)
    require_terms(wanted)
    with held(challenge_id) as challenge:
        side = _take_side(user, challenge)
        _require_offered(challenge)
        _require_version(challenge, version)
        if not changed(terms_of(challenge).wanted, wanted):
            return challenge
        number = challenge.version + 1
        _write_terms(challenge, number, user, wanted)
        mine, theirs = (number, None) if side == CHALLENGER else (None, number)
        life.move(
            user,
            challenge,
            states.PROPOSED if side == CHALLENGER else states.COUNTERED,
            version=number,
            challenger_version=mine,
            invitee_version=theirs,
            expires_at=database_now() + ANSWER_WITHIN,
        )
        telling.countered(challenge, user)
    return challenge


def challenge_answer(
    user: User, challenge_id: UUID, *, accept: bool, version: int, reason: str = "", country: str = ""
) -> Challenge:
    """Accept the terms on the table, or decline the challenge with a reason.

    Guarantees: what is accepted is the version that was named; accepting again what one has accepted changes nothing.
    Locks / Effects: the challenge; an audit row; tells the other side.
    Raises: NoSuchChallenge, ChallengeOver, TermsStale, NotYourTurn, TermsRefused (its fixed start has come too near), what
        `policy.require` raises (accepting).
    """
    if accept:
        policy.require(user, policy.Action.STAKE, country)
    with held(challenge_id) as challenge:
        side = _take_side(user, challenge)
        if accept and challenge.status in states.PAYABLE and accepted_version(challenge, side) == version:
            return challenge
        _require_offered(challenge)
        if not accept:
            if side == CHALLENGER and challenge.status == states.PROPOSED:
                raise NotYourTurn("Nobody declines their own challenge; cancel it.")
            life.close(user, challenge, states.DECLINED, reason.strip() or "Declined.")
            return challenge
        _require_version(challenge, version)
        if accepted_version(challenge, side) == version:
            raise NotYourTurn
        _agree(user, challenge)
    return challenge


def _agree(user: User, challenge: Challenge) -> None:
    terms = terms_of(challenge)
    require_terms(terms.wanted)
    pay_within = database_now() + ANSWER_WITHIN
    life.move(
        user,
        challenge,
        states.ACCEPTED,
        challenger_version=challenge.version,
        invitee_version=challenge.version,
        agreed_digest=terms.digest,
        expires_at=min(pay_within, terms.starts_at) if terms.starts_at else pay_within,
    )
    telling.accepted(challenge, user)


def challenge_cancel(user: User, challenge_id: UUID) -> Challenge:
    """Call a challenge off before its contest stands: every stake that was paid goes back.

    Guarantees: doing it again changes nothing.
    Locks / Effects: the challenge; stakes, wallets, refunds; audit rows; tells the other side.
    Raises: NoSuchChallenge. ChallengeOver: the contest stands, or it is over otherwise. NotYourTurn: the invitee of an offer declines it.
    """
    with held(challenge_id) as challenge:
        side = _take_side(user, challenge)
        if challenge.status == states.CANCELLED:
            return challenge
        if challenge.status not in states.OPEN:
            raise ChallengeOver(f"This challenge is {challenge.status}; it cannot be cancelled any more.")
        if side == INVITEE and challenge.status in states.OFFERED:
            raise NotYourTurn("Decline the challenge; cancelling it is the challenger's.")
        life.close(user, challenge, states.CANCELLED, f"{user.username} called it off.")
    return challenge


def challenge_rematch(user: User, challenge_id: UUID, *, country: str = "") -> Challenge:
    """Dare the same person again with the same terms, to start when both have paid.

    Guarantees: one open rematch a challenge: of two who ask at once, one sends it and the other finds it.
    Locks / Effects: the played challenge, then the person's turn; as `challenge_create`.
    Raises: NoSuchChallenge. ChallengeOver `not_completed`: it was not played to its end. What `challenge_create` raises.
    """
    policy.require(user, policy.Action.STAKE, country)
    with transaction.atomic():
        played = Challenge.objects.filter(pk=challenge_id).first()
        if played is None or side_of(user, played) is None:
            raise NoSuchChallenge
        played = lock_row(Challenge, challenge_id)
        if played.status != states.COMPLETED or played.invitee is None:
            raise ChallengeOver("Only a challenge that was played to its end has a rematch.", code="not_completed")
        known = played.rematches.filter(status__in=states.OPEN).first()
        if known is not None:
            return known
        wanted = replace(terms_of(played).wanted, starts_at=None)
        require_terms(wanted)
        other = played.invitee if user.pk == played.challenger_id else played.challenger
        require_taken(user, other)
        require_room(user)
        return _send(user, other, "", wanted, rematch_of=played)


def invitation_take(user: User, code: str) -> Challenge:
    """Make the challenge that an invitation's link leads to one's own, so that it can be answered.

    Guarantees: of several who hold the link, one takes it up; a party who follows it again is led to the challenge.
    Locks / Effects: the challenge; an audit row.
    Raises: NoSuchChallenge, SelfChallenge, ChallengeOver.
    """
    known = Challenge.objects.filter(invite_code=code, invitee=user).first()
    if known is not None:
        return known
    found = invitation(code)
    with held(found.pk) as challenge:
        if challenge.challenger_id == user.pk:
            raise SelfChallenge("This is your own invitation.")
        _require_offered(challenge)
        if challenge.invitee_id is None:
            require_taken(challenge.challenger, user)
            _bind(user, challenge)
        elif challenge.invitee_id != user.pk:
            raise NoSuchChallenge
    return challenge


# -- how it is written --------------------------------------------------------------------------------------------------


def _send(
    user: User, invitee: User | None, address: str, wanted: Wanted, *, rematch_of: Challenge | None = None
) -> Challenge:
    challenge = Challenge.objects.create(
        challenger=user,
        invitee=invitee,
        invitee_email=address,
        challenger_version=1,
        expires_at=database_now() + ANSWER_WITHIN,
        rematch_of=rematch_of,
    )
    terms = _write_terms(challenge, 1, user, wanted)
    new = {"invitee": str(invitee.pk) if invitee else "an address", "terms": terms.digest}
    audit.record(user, "challenge.sent", challenge, new=new)
    broadcast.challenge_changed(challenge)
    telling.received(challenge)
    return challenge


def _write_terms(challenge: Challenge, version: int, user: User, wanted: Wanted) -> Terms:
    values = {name: getattr(wanted, name) for name in Wanted.__slots__} | {"pairs": list(wanted.pairs)}
    return Terms.objects.create(challenge=challenge, version=version, proposed_by=user, digest=digest(wanted), **values)


def _take_side(user: User, challenge: Challenge) -> str:
    """Find which side somebody is on; who was invited by address and acts is the invitee from now on."""
    side = side_of(user, challenge)
    if side is None:
        raise NoSuchChallenge
    if side == INVITEE and challenge.invitee_id is None:
        _bind(user, challenge)
    return side


def _bind(user: User, challenge: Challenge) -> None:
    challenge.invitee = user
    challenge.save(update_fields=["invitee"])
    audit.record(user, "challenge.taken_up", challenge, new={"invitee": str(user.pk)})


def _require_offered(challenge: Challenge) -> None:
    if challenge.status not in states.OFFERED:
        code = "already_agreed" if challenge.status in states.AGREED else "challenge_over"
        raise ChallengeOver(f"This challenge is {challenge.status}; its terms do not change any more.", code=code)


def _require_version(challenge: Challenge, version: int) -> None:
    if version != challenge.version:
        raise TermsStale(version=challenge.version)
