"""Switching a part of the site off everywhere, and on again. What is under way goes on as its rules say.

Who asks before doing something is every door of that part. Rules: docs/rules/accounts.md#switches.
"""

from django.db import IntegrityError, transaction

from accounts import audit, broadcast, selectors
from accounts.models import Halt, User
from accounts.rules.switches import Part
from accounts.selectors.switches import look_again, switched_off
from tradingarena.core import realtime
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict, Forbidden, RuleRefusal
from tradingarena.core.locks import lock_row


class SwitchesForOperators(Forbidden):
    """Raised when somebody who is no operator would throw a switch."""

    code, message = "operators_only", "Only operators do this."


class SwitchReasonNeeded(RuleRefusal):
    """Raised when an operator throws a switch and does not say why."""

    code, message = "reason_needed", "Say why: everybody is shown the reason, and it is kept."


class SwitchedAlready(Conflict):
    """Raised when the switch is where it would be put."""

    code, message = "switched_already", "Somebody has done that already."


def switch_off(actor: User, part: Part, reason: str) -> Halt:
    """Switch a part off, everywhere, within 5 s.

    Shapes: reason is shown to everybody.
    Locks / Effects: one row, an audit row; tells every open page.
    Raises: SwitchesForOperators, SwitchReasonNeeded, SwitchedAlready.
    """
    words = _require(actor, reason)
    try:
        with transaction.atomic():
            halt = Halt.objects.create(part=part, reason=words, began_by=actor)
            audit.record(
                actor, "switch.off", ("accounts.switch", part.value), old={"on": True}, new={"on": False}, reason=words
            )
            transaction.on_commit(_tell)
    except IntegrityError:
        raise SwitchedAlready from None
    return halt


def switch_on(actor: User, part: Part, reason: str) -> Halt:
    """Switch a part on again.

    Locks / Effects: the row of what is switched off; an audit row; tells every open page.
    Raises: SwitchesForOperators, SwitchReasonNeeded, SwitchedAlready.
    """
    words = _require(actor, reason)
    with transaction.atomic():
        found = Halt.objects.filter(part=part, ended_at=None).first()
        halt = found and lock_row(Halt, found.pk)
        if halt is None or halt.ended_at is not None:
            raise SwitchedAlready
        halt.ended_by, halt.ended_at = actor, database_now()
        halt.save(update_fields=["ended_by", "ended_at"])
        audit.record(
            actor, "switch.on", ("accounts.switch", part.value), old={"on": False}, new={"on": True}, reason=words
        )
        transaction.on_commit(_tell)
    return halt


def _tell() -> None:
    look_again()
    realtime.publish_many([broadcast.switches(switched_off())])


def _require(actor: User, reason: str) -> str:
    if not selectors.acts_as_operator(actor):
        raise SwitchesForOperators
    if not reason.strip():
        raise SwitchReasonNeeded
    return reason.strip()[:200]
