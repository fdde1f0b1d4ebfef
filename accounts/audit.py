"""The one writer of the audit log. Every change of a status and every action of staff passes here, in its transaction.

Rules: docs/rules/accounts.md#audit-log.
"""

from typing import Any
from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.core import context
from django.core.exceptions import PermissionDenied
from django.db.models import Model

from accounts.models import AuditLog, User
from tradingarena.core.logs import current_request_id

Subject = Model | tuple[str, object]


def record(
    actor: User | UUID | None,
    action: str,
    subject: Subject,
    *,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
    reason: str = "",
) -> AuditLog:
    """Write down what was done, by whom, to what.

    Shapes: actor None is the system itself; subject is a row, or ("app.model", id); old and new are JSON-ready and hold
        only the fields that changed, and never a secret or a password.
    Guarantees: the row commits or vanishes with the change it tells of; the database lets nobody change it later.
    Locks / Effects: one insert; takes the request's id and the actor's address from the request under way, if any.
    Example:
        audit.record(actor, "competition.cancelled", competition, old={"status": "open"}, new={"status": "cancelled"})
    """
    object_type, object_id = subject if isinstance(subject, tuple) else (subject._meta.label_lower, subject.pk)
    return AuditLog.objects.create(
        actor_id=actor.pk if isinstance(actor, User) else actor,
        action=action,
        object_type=object_type,
        object_id=str(object_id),
        old=old,
        new=new,
        reason=reason,
        request_id=current_request_id.get(),
        address=_address(),
    )


def _address() -> str | None:
    """Find where the request under way comes from; forwarded addresses count only from configured proxies."""
    request = context.request
    if request is None:
        return None
    try:
        return get_adapter(request).get_client_ip(request)
    except PermissionDenied:  # a unix socket has no address
        return None
