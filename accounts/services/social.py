"""Following and blocking. What a follower is told is decided where it happens. Rules: docs/rules/social.md."""

from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.models import Block, Follow, User
from accounts.selectors.social import is_blocked
from tradingarena.core.errors import Conflict, RuleRefusal
from tradingarena.core.locks import queue_for

FOLLOW_LIMIT = 400
BLOCK_LIMIT = 1_000


class NotOneself(RuleRefusal):
    """Raised when somebody would follow or block themselves."""

    code, message = "not_oneself", "This is you."


class FollowLimit(RuleRefusal):
    """Raised when a person follows as many as one may."""

    code, message = "follow_limit", f"You follow {FOLLOW_LIMIT} people. Let go of one first."


class BlockLimit(RuleRefusal):
    """Raised when a person blocks as many as one may."""

    code, message = "block_limit", f"You block {BLOCK_LIMIT} people."


class Blocked(Conflict):
    """Raised when one of two people has blocked the other; it is not told which."""

    code, message, status = "not_possible", "This is not possible between you two.", 422


def follow(user: User, other: User) -> bool:
    """Follow somebody; False when one did so already.

    Guarantees: at most 400, also under races.
    Locks / Effects: the person's turn; one row.
    Raises: NotOneself, FollowLimit, Blocked.
    """
    if user.pk == other.pk:
        raise NotOneself
    with transaction.atomic():
        queue_for("follows", user.pk)
        if Follow.objects.filter(follower=user, followed=other).exists():
            return False
        if is_blocked(user.pk, other.pk):
            raise Blocked
        if Follow.objects.filter(follower=user).count() >= FOLLOW_LIMIT:
            raise FollowLimit
        Follow.objects.create(follower=user, followed=other)
    return True


def unfollow(user: User, other: User) -> None:
    """Follow somebody no more. Doing it again changes nothing."""
    Follow.objects.filter(follower=user, followed=other).delete()


def block(user: User, other: User) -> bool:
    """Hear nothing of somebody any more: no challenges, no mentions, no messages, and nobody of the two follows the other.

    Shapes: False when it was so already.
    Locks / Effects: the person's turn; one row; follows between the two.
    Raises: NotOneself, BlockLimit.
    """
    if user.pk == other.pk:
        raise NotOneself
    with transaction.atomic():
        queue_for("blocks", user.pk)
        if Block.objects.filter(blocker=user, blocked=other).exists():
            return False
        if Block.objects.filter(blocker=user).count() >= BLOCK_LIMIT:
            raise BlockLimit
        Block.objects.create(blocker=user, blocked=other)
        Follow.objects.filter(Q(follower=user, followed=other) | Q(follower=other, followed=user)).delete()
    return True


def unblock(user: User, other: User) -> None:
    """Let somebody be heard again. Doing it again changes nothing."""
    Block.objects.filter(blocker=user, blocked=other).delete()


def require_unblocked(first: UUID, second: UUID) -> None:
    """Refuse what two people do together when one has blocked the other.

    Raises: Blocked.
    """
    if is_blocked(first, second):
        raise Blocked
