"""Reading the audit log: who did what, when, to what. Only operators do. Nothing here writes."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from accounts.models import AuditLog, User
from accounts.selectors import acts_as_operator
from tradingarena.core.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows of the log; an empty text is any. `action` and `object_type` are beginnings, such as "challenge."."""

    actor: str = ""
    action: str = ""
    object_type: str = ""
    object_id: str = ""
    request_id: str = ""
    by_staff: bool = False
    start: datetime | None = None
    end: datetime | None = None


def require_reader(user: User) -> None:
    """Let operators read the log.

    Raises: Forbidden.
    """
    if not acts_as_operator(user):
        raise Forbidden("Only operators read the audit log.", code="operators_only")


def rows(reader: User, which: Filter) -> QuerySet[AuditLog]:
    """List the rows that match, the newest first.

    Raises: Forbidden: the reader is no operator.
    """
    require_reader(reader)
    found = AuditLog.objects.select_related("actor").order_by("-id")
    if which.actor == "system":
        found = found.filter(actor=None)
    elif which.actor:
        found = found.filter(actor__username__lower=which.actor.lower())
    if which.by_staff:
        found = found.filter(actor__role__in=["moderator", "admin"])
    if which.action:
        found = found.filter(action__startswith=which.action)
    if which.object_type:
        found = found.filter(object_type__startswith=which.object_type)
    if which.object_id:
        found = found.filter(Q(object_id=which.object_id))
    if which.request_id:
        found = found.filter(request_id=which.request_id)
    if which.start:
        found = found.filter(at__gte=which.start)
    if which.end:
        found = found.filter(at__lt=which.end)
    return found


def families() -> list[str]:
    """Name what the log speaks of: the first words of its actions, in alphabetical order."""
    names = AuditLog.objects.order_by().values_list("action", flat=True).distinct()
    return sorted({name.partition(".")[0] for name in names})
