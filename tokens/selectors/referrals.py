"""Reading referrals: whom somebody has brought, and what became of it. Rules: docs/rules/economy.md#referrals."""

from typing import TypedDict
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q, QuerySet, Sum

from tokens.models import BoardRow, Referral
from tokens.rules.economy import Period


class ReferralTotals(TypedDict):
    """What somebody's link has brought. Units: people, tokens."""

    waiting: int
    rewarded: int
    refused: int
    earned_tokens: int


def referrals_of(user_id: UUID) -> QuerySet[Referral]:
    """List whom a person has brought, the newest first, with their names."""
    return Referral.objects.filter(referrer=user_id).select_related("referee").order_by("-id")


def totals_of(user_id: UUID) -> ReferralTotals:
    """Sum up whom a person has brought."""
    status = Referral.Status
    found = Referral.objects.filter(referrer=user_id).aggregate(
        waiting=Count("id", filter=Q(status=status.WAITING)),
        rewarded=Count("id", filter=Q(status=status.REWARDED)),
        refused=Count("id", filter=Q(status=status.REFUSED)),
        earned_tokens=Sum("tokens"),
    )
    return ReferralTotals(**(found | {"earned_tokens": found["earned_tokens"] or 0}))


def bets_left(referee_ids: list[UUID]) -> dict[UUID, int]:
    """Tell how many settled bets friends still lack, for those who have any; what a contest would do is not counted."""
    rows = BoardRow.objects.filter(user__in=referee_ids, board="bettors", period=Period.ALL).values_list(
        "user", "items"
    )
    return {user_id: max(0, settings.REFERRAL_BETS - items) for user_id, items in rows}
