"""The life of a contest: draft, open, running, settling, completed, or cancelled. Every step is one conditional update.

The step from running to settling is the engine's, which calls `finish` in its own transaction. Drawing up and
changing is in `drafts.py`, ranks and payouts in `prizes.py`, joining in `entries.py`. Rules:
docs/rules/competitions.md#states.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, models, transaction
from django.db.models.functions import Coalesce

from accounts import audit
from accounts.models import User
from competitions.events import (
    CompetitionCancelled,
    CompetitionClosing,
    CompetitionCompleted,
    CompetitionEnded,
    CompetitionStarted,
)
from competitions.models import Amendment, Competition, Entry, Order, Payout
from competitions.services import buy_ins, prizes
from competitions.services.drafts import competition_create, competition_update
from competitions.services.prizes import disqualify
from competitions.services.steps import (
    ReasonNeeded,
    Status,
    TransitionRefused,
    lease_name,
    move,
    open_for_entries,
    require_operator,
    tell_room,
)
from tradingarena.core import events, leases
from tradingarena.core.clock import database_now
from tradingarena.core.locks import lock_row, require_transaction
from tradingarena.core.models import Lease

__all__ = [
    "advance",
    "cancel",
    "close_early",
    "competition_create",
    "competition_transition",
    "competition_update",
    "disqualify",
    "finish",
    "move_end",
]

log = logging.getLogger(__name__)

VOID_AFTER = timedelta(hours=24)
OVERDUE_AFTER = timedelta(seconds=60)
CLOSE_NOTICE = timedelta(
    seconds=10
)  # traders see it coming, and the engine reads of it before it has decided later quotes


def competition_transition(actor: User | None, competition_id: UUID, to: str, reason: str = "") -> Competition:
    """Take a contest one step further, if it is where that step begins and the step is due.

    Shapes: to is open, running, completed or cancelled; actor None is the system.
    Guarantees: of simultaneous callers one takes the step, the others are refused.
    Locks / Effects: the contest's row; an audit row; publishes the step's event.
    Raises: OperatorsOnly, NotFound, TransitionRefused, ReasonNeeded (an operator's cancellation), terms.TermsRefused
        (open).
    """
    require_operator(actor)
    steps: dict[str, Callable[[], bool]] = {
        Status.OPEN: lambda: open_for_entries(actor, lock_row(Competition, competition_id)),
        Status.RUNNING: lambda: _start(actor, competition_id, None) == Status.RUNNING,
        Status.COMPLETED: lambda: _complete(actor, competition_id, None),
        Status.CANCELLED: lambda: cancel(actor, competition_id, reason),
    }
    if to not in steps:
        raise TransitionRefused(f"Nobody takes a contest to {to!r} by hand.")
    if to == Status.CANCELLED and actor is not None and not reason.strip():
        raise ReasonNeeded
    with transaction.atomic():
        done = steps[to]()
    competition = Competition.objects.get(pk=competition_id)
    if not done:
        raise TransitionRefused(
            f"This contest is {competition.status}; it cannot become {to} now.", status=competition.status
        )
    return competition


def _start(actor: User | None, competition_id: UUID, now: datetime | None) -> str | None:
    """Start or cancel a contest that is due; say what it became, or None when it was not due."""
    competition = lock_row(Competition, competition_id)
    moment = now or database_now()
    if competition.status != Status.OPEN or competition.starts_at > moment:
        return None
    entrants = competition.entries.filter(status=Entry.Status.ACTIVE).count()
    if entrants < competition.min_entries:
        cancel(None, competition_id, f"Only {entrants} of at least {competition.min_entries} entrants had joined.")
        return Status.CANCELLED
    if competition.ends_at <= moment:
        cancel(None, competition_id, "It could not be started in time.")
        return Status.CANCELLED
    events.publish(CompetitionStarted(competition.pk, moment))
    move(actor, competition, Status.RUNNING)
    return Status.RUNNING


def finish(competition_id: UUID, at: datetime) -> None:
    """End a running contest whose entries the engine has just frozen: ranks, payouts, the objection window.

    Shapes: at is the end on the contest's clock; every entry on the board has its final equity.
    Guarantees: once per contest; commits or vanishes with the engine's own writes.
    Locks / Effects: in the caller's transaction: the contest's row, its entries' ranks, payouts, an audit row;
        publishes CompetitionEnded.
    Raises: TransitionRefused: it does not run. RuntimeError: no transaction, or an entry without a final equity.
    """
    require_transaction()
    competition = lock_row(Competition, competition_id)
    if competition.status != Status.RUNNING:
        raise TransitionRefused(f"This contest is {competition.status}; it cannot end now.")
    window = timedelta(seconds=competition.objection_s)
    move(None, competition, Status.SETTLING, objection_ends_at=database_now() + window)
    prizes.carry_out_pending(competition)
    prizes.results_write(competition)
    events.publish(CompetitionEnded(competition.pk, at))


def move_end(competition_id: UUID, ends_at: datetime) -> Competition:
    """Move the end of a running contest because no quotes arrived across it: at most to 24 hours after the planned end.

    Shapes: the contest with the end that now holds; an earlier end than today's moves nothing.
    Locks / Effects: in the caller's transaction: the contest's row, an audit row; tells the arena room.
    Raises: NotFound. TransitionRefused: it does not run.
    """
    require_transaction()
    competition = lock_row(Competition, competition_id)
    if competition.status != Status.RUNNING:
        raise TransitionRefused(f"This contest is {competition.status}; its end does not move.")
    latest = (competition.planned_ends_at or competition.ends_at) + VOID_AFTER
    moved = min(ends_at, latest)
    if moved > competition.ends_at:
        old, competition.ends_at = competition.ends_at, moved
        competition.save(update_fields=["ends_at"])
        reason = "No quotes arrived across the end: it moves by the length of the outage."
        change = {"old": {"ends_at": old.isoformat()}, "new": {"ends_at": moved.isoformat()}}
        audit.record(None, "competition.end_moved", competition, **change, reason=reason)
        tell_room(competition, reason)
    return competition


def close_early(actor: User | None, competition_id: UUID, reason: str) -> Competition:
    """Let a running contest end in ten seconds, as it would have ended: positions closed, ranks, prizes, bets settled.

    Shapes: reason is shown in the arena and kept in the audit log; the contest with the end that now holds.
    Guarantees: the engine ends it, by the contest's clock; a second call, or one within the last ten seconds, moves nothing. The end as
        first announced stays on record (`planned_ends_at`).
    Locks / Effects: the contest's row; an audit row; publishes CompetitionClosing; tells the arena room.
    Raises: OperatorsOnly, ReasonNeeded, NotFound. TransitionRefused: it does not run.
    """
    require_operator(actor)
    if not reason.strip():
        raise ReasonNeeded
    with transaction.atomic():
        competition = lock_row(Competition, competition_id)
        if competition.status != Status.RUNNING:
            raise TransitionRefused(
                f"This contest is {competition.status}: only one that runs is closed early.", status=competition.status
            )
        ends_at = database_now() + CLOSE_NOTICE
        if ends_at < competition.ends_at:
            old, competition.ends_at = competition.ends_at, ends_at
            competition.save(update_fields=["ends_at"])
            change = {"old": {"ends_at": old.isoformat()}, "new": {"ends_at": ends_at.isoformat()}}
            audit.record(actor, "competition.closed_early", competition, **change, reason=reason)
            events.publish(CompetitionClosing(competition.pk, ends_at))
            tell_room(competition, reason)
    return competition


def _complete(actor: User | None, competition_id: UUID, now: datetime | None) -> bool:
    competition = lock_row(Competition, competition_id)
    moment = now or database_now()
    if (
        competition.status != Status.SETTLING
        or competition.objection_ends_at is None
        or competition.objection_ends_at > moment
    ):
        return False
    prizes.pay_out_tokens(competition)
    events.publish(CompetitionCompleted(competition.pk, moment))
    return move(actor, competition, Status.COMPLETED, completed_at=moment)


def cancel(actor: User | None, competition_id: UUID, reason: str) -> bool:
    """Cancel a contest that is not completed; False when it is over already.

    Guarantees: no engine writes to it any more; undecided orders are cancelled, ranks and payouts taken back.
        Positions of a contest that ran stay as they stood, as evidence. What was paid goes back: tokens at once, money
        to the cards.
    Locks / Effects: in the caller's transaction: the engine's lease (fenced), then the contest's row, then payments and
        wallets; an audit row; publishes CompetitionCancelled.
    """
    require_transaction()
    leases.fence(lease_name(competition_id))
    competition = lock_row(Competition, competition_id)
    if competition.status in {Status.COMPLETED, Status.CANCELLED}:
        return False
    moment = database_now()
    Order.objects.filter(competition=competition, status__in=[Order.Status.ACCEPTED, Order.Status.WORKING]).update(
        status=Order.Status.CANCELLED, reason="competition_cancelled", decided_at=moment
    )
    Amendment.objects.filter(competition=competition, status=Amendment.Status.ACCEPTED).update(
        status=Amendment.Status.REJECTED, reason="competition_cancelled", decided_at=moment
    )
    Payout.objects.filter(competition=competition).delete()
    buy_ins.give_all_back(competition, cause="cancelled", reason=f"{competition.title} was cancelled")
    competition.entries.exclude(rank=None).update(rank=None)
    events.publish(CompetitionCancelled(competition.pk, reason))
    return move(actor, competition, Status.CANCELLED, reason=reason, cancel_reason=reason[:200])


# -- what is due -------------------------------------------------------------------------------------------------------


def advance(now: datetime | None = None) -> dict[str, int]:
    """Take every step that is due: start, complete, void. Beat calls this every few seconds, and so may anybody else.

    Shapes: how many contests became running, completed and cancelled, how many are overdue, how many steps failed.
    Units: now is aware UTC; None is the database's clock, read again under each contest's lock.
    Guarantees: safe in parallel with itself, the engine and every door; one contest's failure holds up no other.
    """
    moment = now or database_now()
    counts = {"running": 0, "completed": 0, "cancelled": 0, "overdue": 0, "failed": 0}

    def each(due: models.QuerySet[Competition], step: Callable[[UUID], str | None]) -> None:
        for competition_id in due.values_list("pk", flat=True):
            try:
                with transaction.atomic():
                    became = step(competition_id)
            except DatabaseError:
                log.exception("competition_step_failed", extra={"competition": str(competition_id)})
                became = "failed"
            if became:
                counts[became] += 1

    contests = Competition.objects.order_by("starts_at")
    running = contests.filter(status=Status.RUNNING).annotate(planned=Coalesce("planned_ends_at", "ends_at"))
    each(contests.filter(status=Status.OPEN, starts_at__lte=moment), lambda pk: _start(None, pk, now))
    each(
        contests.filter(status=Status.SETTLING, objection_ends_at__lte=moment),
        lambda pk: "completed" if _complete(None, pk, now) else None,
    )
    each(running.filter(planned__lte=moment - VOID_AFTER), _void)
    for competition_id in running.filter(ends_at__lte=moment - OVERDUE_AFTER).values_list("pk", flat=True):
        if not _has_engine(competition_id):
            counts["overdue"] += 1
            log.error("competition_overdue_without_engine", extra={"competition": str(competition_id)})
    return counts


def due_within(span: timedelta) -> list[datetime]:
    """List the moments in the coming span of time at which a step will be due, the earliest first, at most 20."""
    now = database_now()
    starts = Competition.objects.filter(status=Status.OPEN, starts_at__gt=now, starts_at__lte=now + span)
    ends = Competition.objects.filter(
        status=Status.SETTLING, objection_ends_at__gt=now, objection_ends_at__lte=now + span
    )
    moments = {*starts.values_list("starts_at", flat=True), *ends.values_list("objection_ends_at", flat=True)}
    return sorted(moments)[:20]


def _void(competition_id: UUID) -> str | None:
    reason = "The market data was down across its end for more than 24 hours."
    return "cancelled" if cancel(None, competition_id, reason) else None


def _has_engine(competition_id: UUID) -> bool:
    return Lease.objects.filter(name=lease_name(competition_id), expires_at__gt=database_now()).exists()
