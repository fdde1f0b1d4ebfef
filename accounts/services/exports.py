"""A copy of everything we hold of somebody: a ZIP of JSON files, made in the background, theirs alone, and gone after a week.

Each app says what it holds (`register`). Rules: docs/privacy.md#a-copy-of-your-data.
"""

import io
import zipfile
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import IntegrityError, transaction

from accounts.events import ExportRequested
from accounts.models import DataExport, User
from accounts.services import notices
from tradingarena.core import events
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict, NotFound
from tradingarena.core.locks import lock_row

KEPT = timedelta(days=7)
ONE_EACH = timedelta(hours=24)
MOST_ROWS = 200_000  # of one file; who has more finds them in the API's lists

Section = Callable[[UUID], Any]
_sections: dict[str, Section] = {}


class ExportMade(Conflict):
    """Raised when somebody has a copy that is being made, or is not a day old."""

    code, message = "export_made", "You have a copy that is less than a day old, or one that is being made."


def register(name: str, section: Section) -> None:
    """Say what an app holds of a person: user id -> a JSON-ready object, or rows. It becomes `<name>.json`. Apps do so in ready()."""
    _sections[name] = section


def sections() -> list[str]:
    """Name the files of a copy."""
    return sorted(_sections)


def export_request(user: User) -> DataExport:
    """Ask for a copy of one's data.

    Locks / Effects: an insert; publishes ExportRequested.
    Raises: ExportMade.
    """
    recent = DataExport.objects.filter(user=user, requested_at__gt=database_now() - ONE_EACH)
    if recent.exclude(status=DataExport.Status.EXPIRED).exists():
        raise ExportMade
    try:
        with transaction.atomic():
            asked = DataExport.objects.create(user=user)
            events.publish(ExportRequested(asked.pk))
    except IntegrityError:
        raise ExportMade from None
    return asked


def export_build(export_id: UUID) -> bool:
    """Make a copy that was asked for; False when it was made before.

    Guarantees: of any number at once one makes it. What is in it was read within one transaction.
    Locks / Effects: the export's row; a notice and a mail.
    """
    with transaction.atomic():
        asked = lock_row(DataExport, export_id)
        if asked.status != DataExport.Status.WAITING:
            return False
        asked.content = _zip(asked.user_id)
        asked.size_bytes = len(asked.content)
        asked.status, asked.ready_at = DataExport.Status.READY, database_now()
        asked.expires_at = asked.ready_at + KEPT
        asked.save()
        until = f"{asked.expires_at:%-d %B %Y, %H:%M} UTC"
        notices.tell("export_ready", [asked.user_id], cause=asked.pk, url="/settings/data", values={"until": until})
    return True


def export_content(user_id: UUID, export_id: UUID) -> bytes:
    """Give one's own copy.

    Raises: NotFound: it is another's, not made yet, or its week is over.
    """
    found = DataExport.objects.filter(pk=export_id, user=user_id, expires_at__gt=database_now()).first()
    if found is None or found.content is None:
        raise NotFound("There is no such copy, or its week is over. Ask for a new one.")
    return bytes(found.content)


def tend() -> int:
    """Make what waits, throw away what has expired; give the number made. Safe at any time."""
    DataExport.objects.filter(status=DataExport.Status.READY, expires_at__lte=database_now()).update(
        status=DataExport.Status.EXPIRED, content=None
    )
    waiting = DataExport.objects.filter(status=DataExport.Status.WAITING).order_by("id").values_list("pk", flat=True)
    return sum(export_build(pk) for pk in list(waiting[:20]))


def _zip(user_id: UUID) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, section in sorted(_sections.items()):
            held = section(user_id)
            if not isinstance(held, dict):
                held = _some(held)
            text = orjson.dumps(held, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
            archive.writestr(f"{name}.json", text)
    return packed.getvalue()


def _some(rows: Iterable[Any]) -> list[Any]:
    return [row for _, row in zip(range(MOST_ROWS), rows, strict=False)]
