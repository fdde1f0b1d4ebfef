"""How a challenge lives on by itself: deadlines, the start of its contest, the end. Every door and the sweep call the same `look`.

Offers are made in `offers.py`, stakes paid in `funding.py`, shared out in `settlement.py`. Rules: docs/rules/pvp.md#states.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import Q

from accounts import audit
from accounts.models import User
from competitions.models import Competition
from competitions.services import drafts, entries
from competitions.services.steps import Status as Contest
from pvp import broadcast
from pvp.models import Challenge, Stake, Terms
from pvp.rules import states
from pvp.rules.terms import digest
from pvp.selectors.challenges import NoSuchChallenge, pay_by, terms_of
from pvp.services import settlement, telling
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict, DomainError
from tradingarena.core.locks import lock_row, require_transaction

log = logging.getLogger(__name__)

START_DELAY = timedelta(seconds=15)  # between the second stake and the first quote that counts
OBJECTION_S = 60
TOO_LATE = {
    states.PROPOSED: "Nobody answered in time.",
    states.COUNTERED: "Nobody answered in time.",
    states.ACCEPTED: "Nobody paid in time.",
    states.FUNDING: "The second stake did not arrive in time.",
}


class ChallengeOver(Conflict):
    """Raised when a challenge is not, or no longer, where what is asked for is possible."""

    code, message = "challenge_over", "This challenge has moved on."


@contextmanager
def held(challenge_id: UUID) -> Iterator[Challenge]:
    """Open a door's transaction and hold the challenge, with everything that was due done first.

    Guarantees: a deadline that has passed has had its effect and is committed, whatever the door then does; deadlines are judged by the
        database's clock after the lock.
    Locks / Effects: the challenge's row until the block ends; before that as `challenge_look`.
    Raises: NoSuchChallenge. ChallengeOver `challenge_expired`: the deadline passed this very moment.
    """
    challenge_look(challenge_id)
    with transaction.atomic():
        challenge = lock_row(Challenge, challenge_id)
        if is_late(challenge):
            raise ChallengeOver("The deadline has just passed.", code="challenge_expired")
        yield challenge


def challenge_look(challenge_id: UUID) -> Challenge:
    """Do whatever is due of a challenge, once; doing it again changes nothing.

    Locks / Effects: opens its transaction; the challenge's row, then as `look`.
    Raises: NoSuchChallenge.
    """
    if not Challenge.objects.filter(pk=challenge_id).exists():
        raise NoSuchChallenge
    with transaction.atomic():
        challenge = lock_row(Challenge, challenge_id)
        look(challenge)
    return challenge


def is_late(challenge: Challenge) -> bool:
    """Tell whether the deadline of an open challenge has passed, by the database's clock."""
    return challenge.status in states.OPEN and database_now() >= pay_by(challenge)


def look(challenge: Challenge) -> None:
    """Let a challenge expire when its time is over, and follow its contest to the end.

    Locks / Effects: in the caller's transaction, which holds the challenge: as `close` and `settlement.settle`.
    """
    require_transaction()
    if is_late(challenge):
        close(None, challenge, states.EXPIRED, TOO_LATE[challenge.status])
    elif challenge.status == states.ACTIVE:
        assert challenge.competition_id is not None  # a constraint of the table
        contest = Competition.objects.get(pk=challenge.competition_id)
        if contest.status == Contest.COMPLETED:
            settled = settlement.settle(challenge, contest)
            move(None, challenge, states.COMPLETED, outcome=settled.outcome, winner_id=settled.winner_id)
            telling.completed(challenge, settled)
        elif contest.status == Contest.CANCELLED:
            close(None, challenge, states.CANCELLED, contest.cancel_reason or "The contest was cancelled.")


def move(actor: User | None, challenge: Challenge, to: str, *, reason: str = "", **fields: Any) -> None:
    """Take a challenge to its next state.

    Locks / Effects: in the caller's transaction, which holds the challenge: its row, an audit row; tells both parties' pages.
    Raises: ValueError: the table of states has no such step.
    """
    require_transaction()
    old = challenge.status
    if not states.may_follow(old, to):
        raise ValueError(f"a challenge does not go from {old} to {to}")
    if to in states.OVER:
        fields["closed_at"] = database_now()
    for name, value in ({"status": to, "reason": reason[:200]} | fields).items():
        setattr(challenge, name, value)
    challenge.save(update_fields=["status", "reason", *fields])
    audit.record(actor, f"challenge.{to}", challenge, old={"status": old}, new={"status": to}, reason=reason)
    broadcast.challenge_changed(challenge)


def close(actor: User | None, challenge: Challenge, to: str, reason: str) -> None:
    """End a challenge without a result: every stake that was paid goes back once, and none can be paid any more.

    Locks / Effects: in the caller's transaction, which holds the challenge: stakes, wallets, refunds, audit rows.
    """
    settlement.give_back(challenge, reason=reason)
    move(actor, challenge, to, reason=reason)
    telling.closed(actor, challenge)


def stake_arrived(challenge: Challenge, stake: Stake) -> None:
    """Go on when a stake is there: the first opens the funding window, the second starts the contest.

    Guarantees: of two that arrive at once, one is the second.
    Locks / Effects: in the caller's transaction, which holds the challenge: its row; a contest with both as its entries.
    """
    require_transaction()
    terms = terms_of(challenge)
    if challenge.status == states.ACCEPTED:
        window = database_now() + settlement.FUNDING_WINDOW
        ends_at = min(window, terms.starts_at) if terms.starts_at else window
        move(stake.user, challenge, states.FUNDING, funding_ends_at=ends_at)
        telling.stake_paid(challenge, stake)
    paid = challenge.stakes.filter(status=Stake.Status.PAID).count()
    if paid == 2:
        _start(challenge, terms)


def _start(challenge: Challenge, terms: Terms) -> None:
    """Make the contest that both have agreed on, with both in it; where its terms do not hold any more, all stakes go back."""
    if digest(terms.wanted) != challenge.agreed_digest:
        raise RuntimeError(f"the terms of challenge {challenge.pk} are not those that were accepted")
    starts_at = terms.starts_at or database_now() + START_DELAY
    assert challenge.invitee is not None  # whoever accepted
    try:
        with transaction.atomic():
            contest = drafts.competition_create(
                None,
                open_now=True,
                kind=Competition.Kind.PVP,
                title=f"{challenge.challenger.username} against {challenge.invitee.username}",
                starts_at=starts_at,
                ends_at=starts_at + timedelta(seconds=terms.duration_s),
                pairs=list(terms.pairs),
                starting_balance_cents=terms.starting_balance_cents,
                drawdown_rule=terms.drawdown_rule,
                drawdown_limit_bps=terms.drawdown_limit_bps,
                min_entries=2,
                max_entries=2,
                objection_s=OBJECTION_S,
            )
            for user in (challenge.challenger, challenge.invitee):
                entries.enter(contest, None, user)
    except DomainError as refusal:
        log.warning("challenge_not_started", extra={"challenge": str(challenge.pk), "reason": refusal.message})
        close(None, challenge, states.CANCELLED, f"The contest could not start: {refusal.message}")
        return
    move(None, challenge, states.ACTIVE, competition_id=contest.pk)
    telling.started(challenge)


# -- what is due --------------------------------------------------------------------------------------------------------


def sweep(limit: int = 500) -> int:
    """Look at every challenge of which something is due that no event has told of; say at how many.

    Guarantees: safe in parallel and again; one that fails holds up no other.
    """
    moment = database_now()
    late = Q(status__in=states.OPEN - {states.FUNDING}, expires_at__lte=moment)
    unfunded = Q(status=states.FUNDING, funding_ends_at__lte=moment)
    played = Q(status=states.ACTIVE, competition__status__in=[Contest.COMPLETED, Contest.CANCELLED])
    due = Challenge.objects.filter(late | unfunded | played).order_by("id")
    return sum(_look_safely(pk) for pk in due.values_list("pk", flat=True)[:limit])


def _look_safely(challenge_id: UUID) -> bool:
    try:
        challenge_look(challenge_id)
    except (DomainError, DatabaseError):
        log.exception("challenge_not_looked_at", extra={"challenge": str(challenge_id)})
        return False
    return True
