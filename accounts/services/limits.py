"""What people forbid themselves: a daily cap, a pause, an exclusion. Nobody else sets it, and nobody shortens it.

Rules: docs/rules/accounts.md#self-limits.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.models import SelfLimits
from accounts.rules import limits
from accounts.rules.limits import Cap
from tradingarena.core.clock import database_now
from tradingarena.core.errors import RuleRefusal
from tradingarena.core.locks import lock_row


class LimitRefused(RuleRefusal):
    """Raised when a limit is asked for that does not exist."""

    code, message = "limit_refused", "There is no such limit."


def limits_set(user_id: UUID, wanted: Mapping[str, Any]) -> None:
    """Set several limits, all or none: some of `daily_cap_tokens`, `cool_off`, `self_exclusion`.

    Locks / Effects: as the three below, in one transaction.
    Raises: LimitRefused.
    """
    with transaction.atomic():
        if "daily_cap_tokens" in wanted:
            daily_cap_set(user_id, wanted["daily_cap_tokens"])
        if "cool_off" in wanted:
            cool_off_begin(user_id, wanted["cool_off"])
        if "self_exclusion" in wanted:
            exclusion_begin(user_id, wanted["self_exclusion"])


def daily_cap_set(user_id: UUID, tokens: int | None) -> SelfLimits:
    """Cap what a person may spend in a UTC day: lowering at once, raising or removing after 24 hours.

    Units: tokens; None: no cap.
    Locks / Effects: the person's limits; an audit row when something changed.
    Raises: LimitRefused: not between 0 and 10**12.
    """
    if tokens is not None and not 0 <= tokens <= limits.LARGEST_CAP:
        raise LimitRefused(f"A cap is between 0 and {limits.LARGEST_CAP:,} tokens.")

    def change(row: SelfLimits, now: datetime) -> dict[str, Any]:
        cap = limits.change_cap(Cap(row.daily_cap_tokens, row.next_daily_cap_tokens, row.next_cap_from), tokens, now)
        return dict(zip(("daily_cap_tokens", "next_daily_cap_tokens", "next_cap_from"), cap, strict=True))

    return _change(user_id, change)


def cool_off_begin(user_id: UUID, length: str) -> SelfLimits:
    """Begin a pause from purchases, paid entries, bets and stakes, at once.

    Shapes: length is one of `rules.limits.COOL_OFFS`.
    Guarantees: it cannot be ended early, only lengthened.
    Locks / Effects: the person's limits; an audit row when something changed.
    Raises: LimitRefused: no such length.
    """
    return _pause(user_id, "cool_off_until", limits.COOL_OFFS.get(length))


def exclusion_begin(user_id: UUID, length: str) -> SelfLimits:
    """Exclude oneself from purchases, paid entries, bets and stakes, at once.

    Shapes: length is one of `rules.limits.EXCLUSIONS`.
    Guarantees: it cannot be ended early, only lengthened, by nobody.
    Locks / Effects: the person's limits; an audit row when something changed.
    Raises: LimitRefused: no such length.
    """
    return _pause(user_id, "excluded_until", limits.EXCLUSIONS.get(length))


def _pause(user_id: UUID, field: str, span: timedelta | None) -> SelfLimits:
    if span is None:
        raise LimitRefused
    return _change(user_id, lambda row, now: {field: limits.longer(getattr(row, field), span, now)})


def _change(user_id: UUID, change: Any) -> SelfLimits:
    with transaction.atomic():
        SelfLimits.objects.get_or_create(user_id=user_id)
        row = lock_row(SelfLimits, user_id)
        new = change(row, database_now())
        old = {name: getattr(row, name) for name, value in new.items() if getattr(row, name) != value}
        if old:
            for name, value in new.items():
                setattr(row, name, value)
            row.save()
            told = {name: _plain(new[name]) for name in old}
            audit.record(
                user_id, "limits.changed", row, old={name: _plain(value) for name, value in old.items()}, new=told
            )
    return row


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
