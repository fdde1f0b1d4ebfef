"""Everything that accounts tell over the socket. Each person's own room `user.<id>` hears it, and everybody what is switched off."""

from collections.abc import Mapping
from datetime import UTC

from accounts.models import Notification
from accounts.rules.switches import CONSEQUENCES, Part, sentence
from tradingarena.core.realtime import Fact, Latest
from tradingarena.core.wire import SITE_ROOM

SWITCHES_KEPT_S = 15


def notification(row: Notification) -> Fact:
    """Something the person wants to know."""
    at = row.created_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data = {"notification_id": str(row.pk), "kind": row.kind, "text": row.text, "url": row.url, "at": at}
    return Fact(f"user.{row.user_id}", "notification", data)


def switches(off: Mapping[Part, str]) -> Latest:
    """What is switched off from now on, all of it. Kept for those who are just connecting; a page that is loaded later has it already."""
    parts = [
        {"part": part.value, "said": sentence(part, reason), "meaning": CONSEQUENCES[part]}
        for part, reason in off.items()
    ]
    return Latest(SITE_ROOM, "switches", {"off": parts}, keep_s=SWITCHES_KEPT_S)
