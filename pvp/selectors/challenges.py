"""Finding challenges and telling whose they are: only the two parties know of one, and whoever holds an invitation's link.

Rules: docs/rules/pvp.md#who-sees-what.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from accounts import selectors
from accounts.models import User
from pvp.models import Challenge, Stake, Terms
from pvp.rules import states
from pvp.rules.terms import changed
from tokens.selectors import payments
from tokens.selectors.references import Link
from tradingarena.core.errors import NotFound

Person = User | AnonymousUser
CHALLENGER, INVITEE = SIDES = ("challenger", "invitee")
MOST_WAITING = 3
BOXES = ("open", "active", "over")
_BOX_STATES = {"open": states.OPEN, "active": frozenset({states.ACTIVE}), "over": states.OVER}


class NoSuchChallenge(NotFound):
    """Raised when there is no such challenge, or it is none of the asker's business."""

    code, message = "challenge_unknown", "There is no such challenge."


@dataclass(frozen=True, slots=True)
class Sight:
    """A challenge as one of its parties sees it.

    Shapes: changed names the terms that differ from the version before; stakes are those that count, by user; `checkout_url` leads to
        the party's own open checkout, empty when there is none.
    """

    challenge: Challenge
    side: str
    terms: Terms
    before: Terms | None
    changed: list[str]
    stakes: dict[UUID, Stake]
    checkout_url: str

    @property
    def your_turn(self) -> bool:
        """Tell whether the party is the one to answer or to pay."""
        challenge = self.challenge
        if challenge.status in states.OFFERED:
            return accepted_version(challenge, self.side) != challenge.version
        return challenge.status in states.PAYABLE and not self.own_paid

    @property
    def own_paid(self) -> bool:
        """Tell whether the party's own stake has arrived."""
        me = self.challenge.challenger_id if self.side == CHALLENGER else self.challenge.invitee_id
        stake = self.stakes.get(me) if me else None
        return stake is not None and stake.status in {Stake.Status.PAID, Stake.Status.PLAYED}

    @property
    def pay_by(self) -> datetime | None:
        """Tell until when the next thing has to happen; None once the contest stands."""
        return pay_by(self.challenge) if self.challenge.status in states.OPEN else None


def pay_by(challenge: Challenge) -> datetime:
    """Tell until when a challenge that is open waits: for an answer, a first stake, a second one."""
    if challenge.status == states.FUNDING:
        assert challenge.funding_ends_at is not None  # a constraint of the table
        return challenge.funding_ends_at
    return challenge.expires_at


def accepted_version(challenge: Challenge, side: str) -> int | None:
    """Give the version of the terms that a side has accepted last; None: none that still counts."""
    return challenge.challenger_version if side == CHALLENGER else challenge.invitee_version


def side_of(user: Person, challenge: Challenge) -> str | None:
    """Tell which side somebody is on; None: neither. An invitation to an address is its confirmed owner's."""
    if not isinstance(user, User):
        return None
    if user.pk == challenge.challenger_id:
        return CHALLENGER
    if challenge.invitee_id is not None:
        return INVITEE if user.pk == challenge.invitee_id else None
    if challenge.invitee_email == user.email and selectors.email_confirmed(user):
        return INVITEE
    return None


def find(user: Person, challenge_id: UUID) -> Challenge:
    """Find a challenge that somebody is a party of.

    Raises: NoSuchChallenge: also for a challenge between others.
    """
    found = _with_people().filter(pk=challenge_id).first()
    if found is None or side_of(user, found) is None:
        raise NoSuchChallenge
    return found


def invitation(code: str) -> Challenge:
    """Find the challenge that an invitation's link leads to, while nobody has taken it up.

    Raises: NoSuchChallenge.
    """
    found = _with_people().filter(invite_code=code, invitee=None, status__in=states.OFFERED).first()
    if found is None:
        raise NoSuchChallenge("This invitation has been taken up already, or is over.", code="invitation_over")
    return found


def of_person(user: User, box: str = "") -> QuerySet[Challenge]:
    """List somebody's challenges, the newest first.

    Shapes: box is one of BOXES, or empty for all.
    """
    mine = Q(challenger=user) | Q(invitee=user)
    if selectors.email_confirmed(user):
        mine |= Q(invitee=None, invitee_email=user.email)
    found = _with_people().filter(mine)
    if box:
        found = found.filter(status__in=_BOX_STATES[box])
    return found.order_by("-id")


def waiting(user: User) -> list[Sight]:
    """Give the challenges that somebody should look at now: what waits for them first, then what is on; at most 3."""
    live = of_person(user).filter(status__in=states.OPEN | {states.ACTIVE})[:20]
    return sorted(sights(user, list(live)), key=lambda one: not one.your_turn)[:MOST_WAITING]


def terms_of(challenge: Challenge) -> Terms:
    """Give the terms that are on the table."""
    return challenge.terms.get(version=challenge.version)


def sights(user: User, challenges: list[Challenge]) -> list[Sight]:
    """See several challenges as one of their parties, with a fixed number of queries.

    Shapes: in their order; all are the party's own.
    """
    ids = [one.pk for one in challenges]
    terms: dict[tuple[UUID, int], Terms] = {}
    for row in Terms.objects.filter(challenge__in=ids).select_related("proposed_by"):
        terms[row.challenge_id, row.version] = row
    stakes: dict[UUID, dict[UUID, Stake]] = {}
    for stake in Stake.objects.filter(challenge__in=ids).exclude(status=Stake.Status.RELEASED).order_by("id"):
        stakes.setdefault(stake.challenge_id, {})[stake.user_id] = stake
    own_held = [
        stake.payment_id
        for by_user in stakes.values()
        if (stake := by_user.get(user.pk)) and stake.status == Stake.Status.HELD and stake.payment_id
    ]
    checkouts = payments.standings(own_held) if own_held else {}
    return [_sight(user, one, terms, stakes.get(one.pk, {}), checkouts) for one in challenges]


def sight(user: User, challenge: Challenge) -> Sight:
    """See one challenge as one of its parties."""
    return sights(user, [challenge])[0]


def _sight(
    user: User,
    challenge: Challenge,
    terms: dict[tuple[UUID, int], Terms],
    stakes: dict[UUID, Stake],
    checkouts: dict[UUID, payments.Standing],
) -> Sight:
    now, before = terms[challenge.pk, challenge.version], terms.get((challenge.pk, challenge.version - 1))
    own = stakes.get(user.pk)
    standing = checkouts.get(own.payment_id) if own is not None and own.payment_id else None
    return Sight(
        challenge,
        side=CHALLENGER if user.pk == challenge.challenger_id else INVITEE,
        terms=now,
        before=before,
        changed=changed(before.wanted, now.wanted) if before is not None else [],
        stakes=stakes,
        checkout_url=standing.checkout_url if standing is not None and standing.can_be_paid else "",
    )


def links(pks: Any) -> dict[str, Link]:
    """Name challenges for statements of tokens."""
    found = Challenge.objects.filter(pk__in=list(pks)).select_related("challenger", "invitee")
    return {str(one.pk): Link(f"Challenge: {one.challenger} against {one.invitee}", f"/pvp/{one.pk}") for one in found}


def _with_people() -> QuerySet[Challenge]:
    return Challenge.objects.select_related("challenger", "invitee", "competition", "winner")
