"""What challenges hold of somebody: for their copy of it, what must be over before they can be forgotten, and what is forgotten then.

Rules: docs/privacy.md.
"""

from typing import Any
from uuid import UUID

from django.db.models import F, Q

from pvp.models import Challenge, Stake, Winnings
from pvp.rules import states


def challenges_of(user_id: UUID) -> dict[str, Any]:
    """Give a person's challenges, stakes and winnings, the oldest first."""
    mine = {"user": user_id}
    sides = {"from_username": F("challenger__username"), "to_username": F("invitee__username")}
    fields = ("id", "status", "version", "created_at")
    stakes = ("challenge_id", "amount_cents", "amount_tokens", "status")
    return {
        "challenges": list(_of(user_id).order_by("id").values(*fields, **sides)),
        "stakes": list(Stake.objects.filter(**mine).order_by("id").values(*stakes)),
        "winnings": list(
            Winnings.objects.filter(**mine).values("challenge_id", "amount_cents", "status", "created_at")
        ),
    }


def open_challenges(user_id: UUID) -> list[str]:
    """Say what of a person's challenges is not over."""
    found = []
    count = _of(user_id).filter(status__in=states.OPEN | {states.ACTIVE}).count()
    if count:
        found.append(f"You have {count} open {'challenge' if count == 1 else 'challenges'}: withdraw or play them.")
    if Winnings.objects.filter(user=user_id, status__in=["pending", "approved", "failed"]).exists():
        found.append("What you have won in a challenge is not paid out yet.")
    return found


def erase(user_id: UUID) -> None:
    """Forget the address that a person was invited by."""
    Challenge.objects.filter(invitee=user_id).update(invitee_email="")


def _of(user_id: UUID) -> Any:
    return Challenge.objects.filter(Q(challenger=user_id) | Q(invitee=user_id))
