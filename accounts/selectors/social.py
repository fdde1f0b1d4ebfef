"""Reading who follows and blocks whom. Nothing here writes. Rules: docs/rules/social.md."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import Block, Follow, User


def is_blocked(first: UUID, second: UUID) -> bool:
    """Tell whether either of two people has blocked the other."""
    either = Q(blocker=first, blocked=second) | Q(blocker=second, blocked=first)
    return Block.objects.filter(either).exists()


def blocked_by(user_id: UUID, others: Collection[UUID] | None = None) -> set[UUID]:
    """Tell whom somebody has blocked, of these others or of all."""
    rows = Block.objects.filter(blocker=user_id)
    if others is not None:
        rows = rows.filter(blocked__in=others)
    return set(rows.values_list("blocked_id", flat=True))


def followers_of(user_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Give the followers of each of these people who have any, with one query."""
    found: dict[UUID, list[UUID]] = {}
    rows = Follow.objects.filter(followed__in=user_ids).order_by("id")
    for followed, follower in rows.values_list("followed_id", "follower_id"):
        found.setdefault(followed, []).append(follower)
    return found


def follows(follower: User, followed: User) -> bool:
    """Tell whether somebody follows another."""
    return Follow.objects.filter(follower=follower.pk, followed=followed.pk).exists()


def follows_of(user: User) -> QuerySet[Follow]:
    """List whom somebody follows, the latest first."""
    return Follow.objects.filter(follower=user).select_related("followed").order_by("-id")


def blocks_of(user: User) -> QuerySet[Block]:
    """List whom somebody has blocked, the latest first."""
    return Block.objects.filter(blocker=user).select_related("blocked").order_by("-id")


def followers_count(user: User) -> int:
    """Count who follows somebody."""
    return Follow.objects.filter(followed=user).count()
