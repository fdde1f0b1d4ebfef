"""Marking one's own account as run by a program. Rules: docs/rules/accounts.md#bots."""

from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.models import User
from accounts.rules import roles
from tradingarena.core.errors import RuleRefusal
from tradingarena.core.locks import lock_row


class StaffAreNoBots(RuleRefusal):
    """Raised when staff would mark their own account as a bot."""

    code, message = (
        "staff_are_no_bots",
        "An account of staff cannot be marked as a bot. Make another one for the program.",
    )


def bot_declare(user_id: UUID) -> User:
    """Mark an account as run by a program, for good: everybody sees it, and contests for bots alone let it in.

    Locks / Effects: the user's row; an audit row when something changed.
    Raises: StaffAreNoBots, NotFound.
    """
    with transaction.atomic():
        user = lock_row(User, user_id)
        if user.role != roles.USER:
            raise StaffAreNoBots
        if not user.is_bot:
            user.is_bot = True
            user.save(update_fields=["is_bot"])
            audit.record(user, "user.bot_declared", user, old={"is_bot": False}, new={"is_bot": True})
    return user
