"""Who may moderate whom where, for how long, and what the record of a person suggests. Pure.

Rules: docs/rules/chat.md#moderation.
"""

from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final

from accounts.rules import roles


class Rank(IntEnum):
    """How far somebody's word reaches in a channel. A host stands above their own guests and nobody else."""

    GUEST = 0
    HOST = 1
    MODERATOR = 2
    ADMIN = 3


PRESETS: Final[dict[str, timedelta | None]] = {
    "10m": timedelta(minutes=10),
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "permanent": None,
}
REPEATED: Final = 3
REPEATED_WITHIN: Final = timedelta(days=30)
FIRST_SUGGESTION: Final = "1h"


def rank(role: str, *, hosts_here: bool) -> Rank:
    """Give somebody's rank in a channel from their role and whether the arena is theirs."""
    by_role = {roles.ADMIN: Rank.ADMIN, roles.MODERATOR: Rank.MODERATOR}.get(role, Rank.GUEST)
    return max(by_role, Rank.HOST if hosts_here else Rank.GUEST)


def may_moderate(actor: Rank, target: Rank, *, everywhere: bool) -> bool:
    """Tell whether one may moderate another: nobody an equal or a higher one, and a host in their own arena alone."""
    return actor > target and (actor >= Rank.MODERATOR or not everywhere)


def until(preset: str, now: datetime) -> datetime | None:
    """Give the end of a preset that begins now; None: until it is lifted."""
    length = PRESETS[preset]
    return None if length is None else now + length


def suggested(mutes_lately: int) -> str:
    """Suggest a preset to a moderator: three mutes within 30 days suggest a day.

    Example:
        >>> suggested(0), suggested(3)
        ('1h', '24h')
    """
    return "24h" if mutes_lately >= REPEATED else FIRST_SUGGESTION
