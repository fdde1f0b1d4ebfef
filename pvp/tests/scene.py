"""Two people and what they do to each other in tests of challenges: short names for long ways."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction

from accounts.models import User
from competitions.models import Competition
from competitions.services import lifecycle
from competitions.tests.lifecycle.world import freeze, make_due, person
from pvp.models import Challenge, Stake
from pvp.rules.terms import Wanted
from pvp.services import funding, offers
from tokens.tests.ledger.book import balance, give
from tradingarena import invariants
from tradingarena.core.clock import database_now

__all__ = ["balance", "give", "person"]

SITE = "http://testserver"
TERMS = Wanted(
    stake_cents=0,
    stake_tokens=100,
    starting_balance_cents=100_000_00,
    pairs=("EUR/USD", "USD/JPY"),
    duration_s=1_800,
    starts_at=None,
    rake_bps=500,
    drawdown_rule="none",
    drawdown_limit_bps=0,
)
IN_CENTS = replace(TERMS, stake_cents=1_000, stake_tokens=0)


def rich(name: str, tokens: int = 1_000) -> User:
    """Add somebody with tokens."""
    user = person(name)
    give(user.pk, tokens)
    return user


def dare(challenger: User, invitee: User | str, wanted: Wanted = TERMS) -> Challenge:
    """Send a challenge."""
    return offers.challenge_create(
        challenger, to=invitee if isinstance(invitee, str) else invitee.username, wanted=wanted
    )


def accept(user: User, challenge: Challenge, version: int | None = None) -> Challenge:
    """Accept the terms on the table, or a version that is named."""
    return offers.challenge_answer(
        user, challenge.pk, accept=True, version=version or Challenge.objects.get(pk=challenge.pk).version
    )


def agreed(challenger: User, invitee: User, wanted: Wanted = TERMS) -> Challenge:
    """Come to terms."""
    return accept(invitee, dare(challenger, invitee, wanted))


def pay(user: User, challenge: Challenge, **options: Any) -> Stake:
    """Pay a stake."""
    return funding.stake_pay(user, challenge.pk, **{"key": uuid4().hex, "site_url": SITE, **options})


def begun(challenger: User, invitee: User, wanted: Wanted = TERMS) -> Challenge:
    """Come to terms and pay both stakes with tokens."""
    challenge = agreed(challenger, invitee, wanted)
    pay(challenger, challenge)
    pay(invitee, challenge)
    return Challenge.objects.get(pk=challenge.pk)


def play(challenge: Challenge, first_cents: int | None, second_cents: int | None, *, complete: bool = True) -> None:
    """Let the contest run and end with these equities; None is somebody who never traded."""
    assert challenge.competition_id is not None
    length_s = challenge.terms.get(version=challenge.version).duration_s
    contest = make_due(Competition.objects.get(pk=challenge.competition_id), length_s=length_s)
    lifecycle.advance()
    moment = database_now()
    for entry, cents in zip(contest.entries.order_by("number"), (first_cents, second_cents), strict=True):
        freeze(entry, 100_000_00 if cents is None else cents, fills=0 if cents is None else 1, last_fill_at=moment)
    with transaction.atomic():
        lifecycle.finish(contest.pk, moment)
    if complete:
        Competition.objects.filter(pk=contest.pk).update(objection_ends_at=database_now() - timedelta(seconds=1))
        lifecycle.advance()


def late(challenge: Challenge) -> None:
    """Let the deadline of an open challenge have passed."""
    past = database_now() - timedelta(seconds=1)
    Challenge.objects.filter(pk=challenge.pk).update(expires_at=past)
    Challenge.objects.filter(pk=challenge.pk, status="funding").update(funding_ends_at=past)


def books() -> set[str]:
    """Name what does not hold. Frozen equities without deals are this scene's own doing."""
    return {finding.check.name for finding in invariants.prove() if finding.violations} - {
        "cash",
        "cash_chain",
        "fill_counts",
    }


def state(challenge: Challenge) -> str:
    """Read where a challenge stands."""
    return str(Challenge.objects.get(pk=challenge.pk).status)
