"""What a person has forbidden themselves: which cap holds when, and which changes wait.

Lowering takes effect at once, raising after 24 hours; a pause is never shortened. Rules: docs/rules/accounts.md#self-limits.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

RAISE_AFTER = timedelta(hours=24)
LARGEST_CAP = 10**12
COOL_OFFS = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
EXCLUSIONS = {"6m": timedelta(days=183), "1y": timedelta(days=365), "5y": timedelta(days=1826)}


class Cap(NamedTuple):
    """A daily cap and the change that waits. Units: tokens; None is no cap; `next_from` None: nothing waits."""

    tokens: int | None = None
    next_tokens: int | None = None
    next_from: datetime | None = None


def cap_at(cap: Cap, now: datetime) -> Cap:
    """Give the cap as it holds at a moment: a change whose time has come has taken place.

    Source: docs/rules/accounts.md#self-limits.
    """
    if cap.next_from is not None and cap.next_from <= now:
        return Cap(cap.next_tokens)
    return cap


def change_cap(cap: Cap, wanted: int | None, now: datetime) -> Cap:
    """Set another cap: a lower one at once, a higher one (or none) 24 hours later.

    Guarantees: a change that waits is replaced; asking for what holds already ends the wait.
    Example:
        >>> change_cap(Cap(100), 50, datetime(2026, 1, 1)).tokens
        50
        >>> change_cap(Cap(100), None, datetime(2026, 1, 1)).tokens
        100
    """
    current = cap_at(cap, now)
    if wanted == current.tokens:
        return Cap(current.tokens)
    lower = wanted is not None and (current.tokens is None or wanted < current.tokens)
    if lower:
        return Cap(wanted)
    if current.next_from is not None and current.next_tokens == wanted:
        return current  # asked for already: the wait does not begin again
    return Cap(current.tokens, wanted, now + RAISE_AFTER)


def longer(until: datetime | None, span: timedelta, now: datetime) -> datetime:
    """Lengthen a pause; one that reaches further already stays as it is."""
    wanted = now + span
    return wanted if until is None or wanted > until else until
