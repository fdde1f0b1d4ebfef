"""What two people, or one against everybody, have made of their challenges. Rules: docs/rules/pvp.md#head-to-head."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Q

from accounts.models import User
from accounts.selectors.profiles import Viewer
from accounts.selectors.social import is_blocked
from pvp.models import Challenge
from pvp.rules import states

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Record:
    """Challenges that were played, from the first person's side; void ones do not count."""

    won: int
    tied: int
    lost: int

    @property
    def played(self) -> int:
        """Count them all."""
        return self.won + self.tied + self.lost


@dataclass(frozen=True, slots=True)
class Rival:
    """Somebody against whom a person has played, and how that stands."""

    user: User
    record: Record


def head_to_head(first: UUID, second: UUID) -> Record:
    """Give how two people stand against each other, from the first one's side."""
    found = Challenge.objects.filter(Q(challenger=first, invitee=second) | Q(challenger=second, invitee=first))
    return _record(found, first)


def record_of(user_id: UUID) -> Record:
    """Give how a person stands against everybody."""
    return _record(Challenge.objects.filter(Q(challenger=user_id) | Q(invitee=user_id)), user_id)


def rivals_of(user_id: UUID) -> list[Rival]:
    """List against whom a person has played most, with how it stands; at most 10."""
    played = Challenge.objects.filter(status=states.COMPLETED).exclude(outcome="void").select_related(None)
    tally: dict[UUID, list[int]] = {}
    mine = played.filter(Q(challenger=user_id) | Q(invitee=user_id))
    for challenger, invitee, winner in mine.values_list("challenger", "invitee", "winner"):
        other = invitee if challenger == user_id else challenger
        place = 1 if winner is None else (0 if winner == user_id else 2)
        tally.setdefault(other, [0, 0, 0])[place] += 1
    most = sorted(tally, key=lambda other: (-sum(tally[other]), str(other)))[:SHOWN]
    people = User.objects.in_bulk(most)
    return [Rival(people[other], Record(*tally[other])) for other in most]


def profile(viewer: Viewer, trader: User) -> dict[str, Any]:
    """Give what a trader's page shows of challenges, and how the viewer stands against them."""
    other = viewer.is_authenticated and viewer.pk != trader.pk
    return {
        "record": record_of(trader.pk),
        "rivals": rivals_of(trader.pk),
        "mine": head_to_head(viewer.pk, trader.pk) if other else None,  # type: ignore[arg-type]  # signed in
        "may_challenge": other and not is_blocked(viewer.pk, trader.pk),  # type: ignore[arg-type]
    }


def _record(challenges: "object", user_id: UUID) -> Record:
    told = challenges.filter(status=states.COMPLETED).aggregate(  # type: ignore[attr-defined]
        won=Count("id", filter=Q(winner=user_id)),
        tied=Count("id", filter=Q(outcome="tie")),
        lost=Count("id", filter=Q(outcome="won") & ~Q(winner=user_id)),
    )
    return Record(**told)
