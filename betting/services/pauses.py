"""Stopping bets and going on: on one contest, or everywhere. What has been staked is untouched.

Rules: docs/rules/bet-behind.md#placing.
"""

from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import User
from betting.models import Pause
from competitions.models import Competition
from competitions.services.steps import ReasonNeeded, require_operator
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict, NotFound
from tradingarena.core.locks import lock_row


class PausedAlready(Conflict):
    """Raised when what would be paused is paused."""

    code, message = "paused_already", "Betting is paused here already."


def pause_begin(actor: User, competition_id: UUID | None, reason: str) -> Pause:
    """Take no more bets on a contest, or (None) on any.

    Shapes: reason is shown to whoever would bet.
    Locks / Effects: one row, an audit row. Bets that were judged before it commits are taken.
    Raises: OperatorsOnly, ReasonNeeded, NotFound, PausedAlready.
    """
    require_operator(actor)
    if not reason.strip():
        raise ReasonNeeded
    if competition_id is not None and not Competition.objects.filter(pk=competition_id).exists():
        raise NotFound("There is no such contest.")
    try:
        with transaction.atomic():
            pause = Pause.objects.create(competition_id=competition_id, reason=reason.strip()[:200], began_by=actor)
            where = str(competition_id) if competition_id else "everywhere"
            audit.record(actor, "betting.paused", pause, new={"where": where}, reason=pause.reason)
    except IntegrityError:
        raise PausedAlready from None
    return pause


def pause_end(actor: User, pause_id: UUID) -> Pause:
    """Let bets be taken again; doing it again changes nothing.

    Locks / Effects: the row, an audit row.
    Raises: OperatorsOnly, NotFound.
    """
    require_operator(actor)
    with transaction.atomic():
        pause = lock_row(Pause, pause_id)
        if pause.ended_at is None:
            pause.ended_at, pause.ended_by = database_now(), actor
            pause.save(update_fields=["ended_at", "ended_by"])
            audit.record(actor, "betting.resumed", pause, reason=pause.reason)
    return pause
