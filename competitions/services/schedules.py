"""Contests that come again: each start of a schedule becomes one contest, opened some hours before.

How a contest is drawn up from another is in `drafts.py`. Rules: docs/rules/competitions.md#schedules.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, transaction

from accounts import audit
from accounts.models import User
from competitions.models import Competition, Schedule, ScheduledContest
from competitions.services.drafts import competition_copy
from competitions.services.steps import require_operator
from tradingarena.core.clock import database_now
from tradingarena.core.errors import DomainError, RuleRefusal
from tradingarena.core.locks import lock_row

log = logging.getLogger(__name__)

FIELDS = ("model", "title", "weekdays", "starts_at", "ahead_h", "enabled")
DATE = "{date}"
LEAST_LEAD = timedelta(minutes=1)  # a start that is nearer, or was missed, is left out


class ScheduleRefused(RuleRefusal):
    """Raised when a schedule could make no contest."""

    code, message = "schedule_invalid", "This schedule does not hold."


def schedule_save(actor: User | None, schedule: Schedule) -> Schedule:
    """Keep a schedule as it stands on the object, new or changed.

    Locks / Effects: its row; an audit row with what has changed.
    Raises: OperatorsOnly, ScheduleRefused.
    """
    require_operator(actor)
    if schedule.model.kind == Competition.Kind.PVP:
        raise ScheduleRefused("A challenge's contest is no model for others.")
    if not schedule.weekdays or not set(schedule.weekdays) <= set(Schedule.Weekday.values):
        raise ScheduleRefused("A schedule names at least one day of the week, Monday (1) to Sunday (7).")
    with transaction.atomic():
        old = Schedule.objects.filter(pk=schedule.pk).first()
        schedule.last_trouble = ""
        schedule.save()
        audit.record(
            actor,
            "schedule.changed" if old else "schedule.created",
            schedule,
            old=_told(old) if old else {},
            new=_told(schedule),
        )
    return schedule


def starts_between(schedule: Schedule, after: datetime, until: datetime) -> Iterator[datetime]:
    """Give the starts of a schedule in a span of time, the earliest first.

    Shapes: aware UTC; `after` itself is left out, `until` is not.
    """
    day = after.astimezone(UTC).date()
    while True:
        start = datetime.combine(day, schedule.starts_at, UTC)
        if start > until:
            return
        if start > after and start.isoweekday() in schedule.weekdays:
            yield start
        day += timedelta(days=1)


def next_start(schedule: Schedule) -> datetime:
    """Give the next start that is not made yet."""
    now = database_now()
    made = set(schedule.made.filter(starts_at__gt=now).values_list("starts_at", flat=True))
    return next(
        start for start in starts_between(schedule, now + LEAST_LEAD, now + timedelta(days=400)) if start not in made
    )


def make_what_is_due() -> dict[str, int]:
    """Make every contest whose time has come. Beat does it each minute, and so may anybody else.

    Shapes: how many were made, how many could not be.
    Guarantees: one contest a start, also under races; one schedule's trouble holds up no other; it is logged once and shown.
    """
    counts = {"made": 0, "failed": 0}
    for schedule in Schedule.objects.filter(enabled=True).order_by("pk"):
        now = database_now()
        for start in starts_between(schedule, now + LEAST_LEAD, now + timedelta(hours=schedule.ahead_h)):
            if schedule.made.filter(starts_at=start).exists():
                continue
            try:
                counts["made"] += _make(schedule.pk, start)
            except (DomainError, DatabaseError) as trouble:
                counts["failed"] += 1
                _note(schedule, f"{start:%Y-%m-%d %H:%M}: {trouble}"[:300])
                break
    return counts


def _make(schedule_id: UUID, start: datetime) -> bool:
    with transaction.atomic():
        schedule = lock_row(Schedule, schedule_id)
        if not schedule.enabled or schedule.made.filter(starts_at=start).exists():
            return False
        title = schedule.title.replace(DATE, f"{start.day} {start:%b}")
        contest = competition_copy(None, schedule.model_id, starts_at=start, title=title, open_now=True)
        ScheduledContest.objects.create(schedule=schedule, starts_at=start, competition=contest)
        Schedule.objects.filter(pk=schedule_id).exclude(last_trouble="").update(last_trouble="")
    return True


def _note(schedule: Schedule, trouble: str) -> None:
    if Schedule.objects.filter(pk=schedule.pk).exclude(last_trouble=trouble).update(last_trouble=trouble):
        log.error("schedule_failed", extra={"schedule": str(schedule.pk), "reason": trouble})


def _told(schedule: Schedule) -> dict[str, Any]:
    told = {name: getattr(schedule, name) for name in FIELDS if name not in {"model", "starts_at"}}
    return told | {"model": str(schedule.model_id), "starts_at": f"{schedule.starts_at:%H:%M}"}
