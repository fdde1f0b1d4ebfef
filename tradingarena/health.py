"""How the arena does, in figures: what the operations page shows and /metrics tells. It reads, and is never the truth.

Rules: docs/operations.md#the-operations-page.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import redis
from django.conf import settings
from django.db import connection
from django.db.models import Count, Min, Q

from accounts.models import Halt, IntegrityCase, Mail
from accounts.rules.switches import Part
from chat.models import Case
from competitions.models import Order
from tradingarena.core import processes, redis_client
from tradingarena.core.clock import database_now
from tradingarena.core.models import Lease
from tradingarena.settings.env import redis_url

BROKER_DB = 1


@dataclass(frozen=True)
class Books:
    """What the last proof found. Units: seconds; None: no proof yet."""

    violations: int
    broken: tuple[str, ...]
    age_s: float | None


@dataclass(frozen=True)
class Health:
    """Everything an operator asks first. Units: seconds, numbers of rows; None: not known, or nothing waits."""

    at: datetime
    undecided: int
    undecided_age_s: float | None
    beat_age_s: float | None
    books: Books
    mail_waiting: int
    mail_age_s: float | None
    mail_failed: int
    tasks_waiting: int | None
    sockets: list[processes.Process] | None
    cases_open: int
    reports_open: int
    halts: dict[Part, Halt]


def health() -> Health:
    """Read all of it: eight queries, two questions to Redis.

    Raises: DatabaseError.
    """
    now = database_now()
    undecided = Order.objects.filter(status=Order.Status.ACCEPTED).aggregate(n=Count("pk"), since=Min("accepted_at"))
    waiting = Q(status__in=[Mail.Status.QUEUED, Mail.Status.SENDING])
    mails = Mail.objects.aggregate(
        n=Count("pk", filter=waiting),
        since=Min("created_at", filter=waiting),
        failed=Count("pk", filter=Q(status__in=[Mail.Status.FAILED, Mail.Status.BOUNCED])),
    )
    return Health(
        at=now,
        undecided=undecided["n"],
        undecided_age_s=_age_s(now, undecided["since"]),
        beat_age_s=_beat_age_s(),
        books=_books(now),
        mail_waiting=mails["n"],
        mail_age_s=_age_s(now, mails["since"]),
        mail_failed=mails["failed"],
        tasks_waiting=_tasks_waiting(),
        sockets=_sockets(),
        cases_open=IntegrityCase.objects.filter(status=IntegrityCase.Status.OPEN).count(),
        reports_open=Case.objects.filter(outcome="").count(),
        halts={Part(halt.part): halt for halt in Halt.objects.filter(ended_at=None).select_related("began_by")},
    )


def _age_s(now: datetime, since: datetime | None) -> float | None:
    return max(0.0, (now - since).total_seconds()) if since else None


def _beat_age_s() -> float | None:
    """Tell how long ago beat and a worker last swept: their lease runs out at a fixed time after it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM clock_timestamp() - expires_at)::float8 + 45 FROM core_lease WHERE name = 'beat'"
        )
        row = cursor.fetchone()
    return max(0.0, row[0]) if row else None


def _books(now: datetime) -> Books:
    note: dict[str, Any] = Lease.objects.filter(name="invariants").values_list("note", flat=True).first() or {}
    at = datetime.fromisoformat(note["at"]) if "at" in note else None
    return Books(note.get("violations", 0), tuple(note.get("broken", ())), _age_s(now, at))


def _tasks_waiting() -> int | None:
    """Count what lies in the queue; it has a database of its own beside what is live."""
    broker = redis.Redis.from_url(
        redis_url(settings.REDIS_LIVE_URL, BROKER_DB),
        socket_timeout=settings.REDIS_TIMEOUT_S,
        socket_connect_timeout=settings.REDIS_TIMEOUT_S,
    )
    try:
        return int(broker.llen(f"{settings.KEY_PREFIX}{settings.CELERY_TASK_DEFAULT_QUEUE}"))  # type: ignore[arg-type]  # not a coroutine here
    except redis_client.DOWN:
        return None
    finally:
        broker.close()


def _sockets() -> list[processes.Process] | None:
    try:
        return processes.told()
    except redis_client.DOWN:
        return None
