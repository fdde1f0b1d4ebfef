"""One step of a contest's life and what every step shares: conditional update, audit row, word to the room.

Which steps there are is in `lifecycle.py`, how a contest is drawn up in `drafts.py`. Rules:
docs/rules/competitions.md#states.
"""

from typing import Any
from uuid import UUID

from accounts import audit
from accounts.models import User
from accounts.rules import roles
from competitions import broadcast, messages
from competitions.engine.instruments import INSTRUMENTS
from competitions.events import CompetitionOpened
from competitions.marketdata import bus
from competitions.models import Competition, Entry
from competitions.services import terms
from tradingarena.core import events, realtime
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict, Forbidden, RuleRefusal, Unavailable

Status = Competition.Status


class OperatorsOnly(Forbidden):
    """Raised when somebody who is no operator would change a contest."""

    code, message = "operators_only", "Only operators do this."


class RulesFrozen(Conflict):
    """Raised when rules would change after the first entrant has joined."""

    code, message = "rules_frozen", "Somebody has joined: the rules of this contest do not change any more."


class TransitionRefused(Conflict):
    """Raised when a contest cannot go from where it is to where it is asked to."""

    code, message = "transition_refused", "This contest cannot go there."


class ReasonNeeded(RuleRefusal):
    """Raised when an operator cancels or disqualifies and says no reason."""

    code, message = "reason_needed", "Say why: the reason is shown to those concerned, and kept in the audit log."


def lease_name(competition_id: UUID) -> str:
    """Name the lease under which an engine runs a contest."""
    return f"competition:{competition_id}"


def require_operator(actor: User | None) -> None:
    """Let operators and the system itself (None) pass.

    Raises: OperatorsOnly.
    """
    if actor is not None and not (actor.role == roles.ADMIN and actor.may_sign_in()):
        raise OperatorsOnly


def fed_pairs() -> frozenset[str]:
    """Name the pairs of which quotes arrive; before the first quote, and while Redis is away, all are taken as fed."""
    try:
        return frozenset(bus.newest()) or frozenset(INSTRUMENTS)
    except Unavailable:
        return frozenset(INSTRUMENTS)


def move(actor: User | None, competition: Competition, to: str, *, reason: str = "", **fields: Any) -> bool:
    """Change the status where it is still what was read: of several callers one succeeds.

    Locks / Effects: in the caller's transaction: the contest's row, an audit row; tells the arena room on commit.
    """
    old = competition.status
    if not Competition.objects.filter(pk=competition.pk, status=old).update(status=to, **fields):
        return False
    competition.status = to
    for name, value in fields.items():
        setattr(competition, name, value)
    audit.record(actor, f"competition.{to}", competition, old={"status": old}, new={"status": str(to)}, reason=reason)
    tell_room(competition, reason)
    return True


def open_for_entries(actor: User | None, competition: Competition) -> bool:
    """Open a draft, if its terms still hold; False when it is no draft.

    Locks / Effects: in the caller's transaction, as `move`; publishes CompetitionOpened.
    Raises: terms.TermsRefused.
    """
    if competition.status != Status.DRAFT:
        return False
    found = terms.problems(competition, fed=fed_pairs(), now=database_now())
    if found:
        raise terms.TermsRefused(found)
    events.publish(CompetitionOpened(competition.pk))
    return move(actor, competition, Status.OPEN)


def tell_room(competition: Competition, reason: str = "") -> None:
    """Tell the arena room where a contest stands, once it has committed."""
    entrants = competition.entries.exclude(status=Entry.Status.WITHDRAWN).count()
    realtime.publish_on_commit(
        broadcast.competition(competition.pk, messages.competition(competition, entrants=entrants, reason=reason))
    )


def wake_engine() -> None:
    """Tell the engine that something waits; without Redis it finds it within a quarter of a second by looking."""
    try:
        bus.QuoteBus().wake()
    except Unavailable:
        return
