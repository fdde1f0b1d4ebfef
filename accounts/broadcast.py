"""Everything that accounts tell over the socket. Each person's own room `user.<id>` hears it."""

from datetime import UTC

from accounts.models import Notification
from tradingarena.core.realtime import Fact


def notification(row: Notification) -> Fact:
    """Something the person wants to know."""
    at = row.created_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data = {"notification_id": str(row.pk), "kind": row.kind, "text": row.text, "url": row.url, "at": at}
    return Fact(f"user.{row.user_id}", "notification", data)
