"""Cases of what looks unfair: opened by whoever sees a signal, decided by moderators. Nothing here punishes.

What is seen is each app's own business. Rules: docs/rules/accounts.md#integrity.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.models import IntegrityCase, IntegrityLook, User
from accounts.selectors import acts_as_staff
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict, Forbidden, RuleRefusal
from tradingarena.core.locks import lock_row


class ModeratorsOnly(Forbidden):
    """Raised when somebody who is no moderator would decide a case."""

    code, message = "moderators_only", "Only moderators do this."


class CaseDecided(Conflict):
    """Raised when a case has been decided in the meantime."""

    code, message = "case_decided", "This case has been decided already."


class NoteNeeded(RuleRefusal):
    """Raised when a moderator decides a case and does not say why."""

    code, message = "note_needed", "Say why: the note is kept with the case."


def case_open(
    kind: str, cause: str, people: Sequence[UUID], *, summary: str, evidence: dict[str, Any], url: str = ""
) -> bool:
    """Put something that looks unfair before the moderators; False when it was put there before.

    Shapes: cause names what it was seen on, such as two ids; people: the one whom it is about first; evidence is JSON-ready and holds
        what can be checked, never an address or a card.
    Guarantees: one case for each kind and cause, also under races; a decided one stays decided.
    Locks / Effects: one insert.
    """
    case = IntegrityCase(kind=kind, cause=cause, people=list(people), summary=summary[:300], evidence=evidence, url=url)
    made = IntegrityCase.objects.bulk_create([case], ignore_conflicts=True)
    return IntegrityCase.objects.filter(pk__in=[one.pk for one in made]).exists()


def looked(kind: str, cause: str) -> None:
    """Note that something has been looked at, so that it is not looked at again.

    Locks / Effects: one insert; doing it again changes nothing.
    """
    IntegrityLook.objects.bulk_create([IntegrityLook(kind=kind, cause=cause)], ignore_conflicts=True)


def case_decide(actor: User, case_id: UUID, status: str, note: str) -> IntegrityCase:
    """Close a case: confirmed or dismissed, with a note. What follows from it is done elsewhere, by hand.

    Locks / Effects: the case's row; an audit row.
    Raises: ModeratorsOnly, NotFound, NoteNeeded, CaseDecided.
    """
    if not acts_as_staff(actor):
        raise ModeratorsOnly
    if not note.strip():
        raise NoteNeeded
    with transaction.atomic():
        case = lock_row(IntegrityCase, case_id)
        if case.status != IntegrityCase.Status.OPEN:
            raise CaseDecided
        case.status, case.note = IntegrityCase.Status(status), note.strip()[:500]
        case.decided_by, case.decided_at = actor, database_now()
        case.save(update_fields=["status", "note", "decided_by", "decided_at"])
        audit.record(
            actor,
            f"integrity.{case.status}",
            case,
            old={"status": "open"},
            new={"status": case.status},
            reason=case.note,
        )
    return case
