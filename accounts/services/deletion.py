"""Forgetting somebody: what stands in the way, two weeks to think again, and then everything that names them is gone.

The ledger, the fills and every result stay as they are, under an id that leads to nobody. Each app says what would be left open
(`add_blocker`) and what of its own names people (`add_eraser`). Rules: docs/privacy.md#deleting-your-account.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.events import AccessChanged, PersonForgotten
from accounts.models import Deletion, User
from accounts.rules import roles
from accounts.services import notices, people
from tradingarena.core import events
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict, NotFound, RuleRefusal
from tradingarena.core.locks import lock_row

log = logging.getLogger(__name__)

GRACE = timedelta(days=14)
SETTLE = timedelta(minutes=2)  # longer than any request that began before the account was shut
TRY_AGAIN = timedelta(days=1)
A_STEP = 50

Blocker = Callable[[UUID], Iterable[str]]
Eraser = Callable[[UUID], None]
_blockers: list[Blocker] = []
_erasers: list[Eraser] = []


class DeletionBlocked(RuleRefusal):
    """Raised when something of the account's is still open."""

    code, message = "deletion_blocked", "Something of yours is still open."


class DeletionPending(Conflict):
    """Raised when a deletion has been asked for before."""

    code, message = "deletion_pending", "Your account is to be deleted already."


def add_blocker(blocker: Blocker) -> None:
    """Say what of an app's must be over first: user id -> sentences, none when nothing is. Apps do so in ready()."""
    if blocker not in _blockers:
        _blockers.append(blocker)


def add_eraser(eraser: Eraser) -> None:
    """Forget what an app holds that names a person, within the deletion's transaction. Apps do so in ready()."""
    if eraser not in _erasers:
        _erasers.append(eraser)


def blocked_by(user: User) -> list[str]:
    """Say in sentences what stands in the way of somebody's deletion."""
    reasons = [] if user.role == roles.USER else ["You are staff: another admin takes your role back first."]
    return reasons + [reason for blocker in _blockers for reason in blocker(user.pk)]


def pending_deletion(user_id: UUID) -> Deletion | None:
    """Find the deletion that somebody has asked for and that is not over."""
    return Deletion.objects.filter(user=user_id, status__in=["pending", "closing"]).first()


def deletion_request(user: User) -> Deletion:
    """Ask to be forgotten in two weeks.

    Locks / Effects: the user's row; an insert, an audit row, a notice and a mail.
    Raises: DeletionBlocked: with every reason as `reasons`. DeletionPending.
    """
    reasons = blocked_by(user)
    if reasons:
        raise DeletionBlocked(" ".join(reasons), reasons=reasons)
    with transaction.atomic():
        lock_row(User, user.pk)
        if pending_deletion(user.pk):
            raise DeletionPending
        asked = Deletion.objects.create(user=user, due_at=database_now() + GRACE)
        audit.record(user, "user.deletion_requested", user)
        due = f"{asked.due_at:%-d %B %Y}"
        notices.tell("deletion_requested", [user.pk], cause=asked.pk, url="/settings/data", values={"due": due})
    return asked


def deletion_withdraw(user: User) -> Deletion:
    """Take it back while there is time.

    Locks / Effects: the deletion's row; an audit row.
    Raises: NotFound: nothing is pending, or it is being carried out.
    """
    with transaction.atomic():
        found = pending_deletion(user.pk)
        held = lock_row(Deletion, found.pk) if found else None
        if held is None or held.status != Deletion.Status.PENDING:
            raise NotFound("No deletion of your account is pending.")
        held.status, held.closed_at = Deletion.Status.WITHDRAWN, database_now()
        held.save(update_fields=["status", "closed_at"])
        audit.record(user, "user.deletion_withdrawn", user)
    return held


def carry_out_due() -> dict[str, int]:
    """Take every step that is due: shut accounts, and forget those that have been shut for a while. Safe at any time."""
    counts = {"shut": 0, "forgotten": 0, "put_off": 0}
    due = Deletion.objects.filter(status__in=["pending", "closing"], due_at__lte=database_now()).order_by("due_at")
    for pk in list(due.values_list("pk", flat=True)[:A_STEP]):
        step = deletion_step(pk)
        if step:
            counts[step] += 1
    return counts


def deletion_step(deletion_id: UUID) -> str:
    """Take the next step of one deletion: shut the account; then, when nothing that was under way is open, forget its person.

    Shapes: "shut", "forgotten", "put_off" (something is open: the account works again, and it is tried again in a day) or "" (not due).
    Guarantees: forgotten once, with everything or not at all; a bet or a purchase that was under way when the account was shut is seen.
    Locks / Effects: the deletion's row, then what the erasers lock, then the user's row; an audit row; publishes AccessChanged or
        PersonForgotten.
    """
    with transaction.atomic():
        held = lock_row(Deletion, deletion_id)
        now = database_now()
        if held.due_at > now or held.closed_at is not None:
            return ""
        user = User.objects.get(pk=held.user_id)
        held.blocked_by = blocked_by(user)
        if held.blocked_by:
            return _put_off(held, user)
        if held.status == Deletion.Status.PENDING:
            return _shut(held, user)
        _forget(user)
        held.status, held.closed_at = Deletion.Status.DONE, now
        held.save()
        log.info("person_forgotten", extra={"user": str(user.pk)})
    return "forgotten"


def _put_off(held: Deletion, user: User) -> str:
    held.status, held.due_at = Deletion.Status.PENDING, database_now() + TRY_AGAIN
    held.save()
    User.objects.filter(pk=user.pk).update(is_active=True)
    return "put_off"


def _shut(held: Deletion, user: User) -> str:
    held.status, held.due_at = Deletion.Status.CLOSING, database_now() + SETTLE
    held.save()
    User.objects.filter(pk=user.pk).update(is_active=False)
    people.sessions_end(user)
    events.publish(AccessChanged(user.pk, "disabled"))
    return "shut"


def _forget(user: User) -> None:
    for eraser in _erasers:
        eraser(user.pk)
    events.publish(PersonForgotten(user.pk))
