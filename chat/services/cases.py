"""How a case of the queue ends: one decision, with what follows from it, by somebody who stands above the person it concerns.

Rules: docs/rules/chat.md#the-queue.
"""

from contextlib import suppress
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.models import User
from chat.events import AppealDecided
from chat.models import Case, Message
from chat.rules.decisions import DECISIONS, PUNISHMENTS
from chat.services import posting, sanctions
from tradingarena.core import events
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict, NotFound, RuleRefusal
from tradingarena.core.locks import lock_row

Kind, Outcome = Case.Kind, Case.Outcome
_OUTCOMES = {
    "dismiss": Outcome.DISMISSED,
    "delete": Outcome.DELETED,
    "approve": Outcome.APPROVED,
    "decline": Outcome.DECLINED,
    "lift": Outcome.LIFTED,
    "uphold": Outcome.UPHELD,
}


class CaseClosed(Conflict):
    """Raised when somebody else has decided in the meantime."""

    code, message = "case_closed", "This has been decided already."


class NoSuchDecision(RuleRefusal):
    """Raised when a decision does not fit the kind of case."""

    code, message = "no_such_decision", "This decision does not fit this case."


def case_decide(
    actor: User, case_id: UUID, decision: str, *, reason: str = "", preset: str = "", everywhere: bool = False
) -> Case:
    """Decide a case, and do what follows from it.

    Shapes: decision as DECISIONS for its kind; reason is needed for warn, mute and ban, which delete the message of a report as well and
        decline a held one; preset as for `sanction_impose`; everywhere: beyond the channel, for moderators of the site.
    Guarantees: of several moderators one decides; nobody decides about an equal.
    Locks / Effects: the case's row, then as the doors it calls; an audit row.
    Raises: NotFound, CaseClosed, NoSuchDecision, NotYours, ReasonMissing.
    """
    with transaction.atomic():
        if not Case.objects.filter(pk=case_id).exists():
            raise NotFound("There is no such case.")
        case = lock_row(Case, case_id)
        channel = sanctions.find_channel(case.channel_id)
        sanctions.require_authority(actor, case.user, None if everywhere else channel)
        if case.closed_at is not None:
            raise CaseClosed
        if decision not in DECISIONS[case.kind]:
            raise NoSuchDecision
        _carry_out(actor, case, decision, reason, preset, everywhere)
        case.closed_at, case.closed_by = database_now(), actor
        case.outcome = _OUTCOMES.get(decision, Outcome.SANCTIONED)
        case.save(update_fields=["closed_at", "closed_by", "outcome"])
        audit.record(
            actor, "chat.case_decided", case, old={"outcome": ""}, new={"outcome": case.outcome}, reason=reason
        )
    return case


def _carry_out(actor: User, case: Case, decision: str, reason: str, preset: str, everywhere: bool) -> None:
    message = case.message
    if decision in PUNISHMENTS:
        sanctions.sanction_impose(
            actor, case.user_id, decision, channel_id=None if everywhere else case.channel_id, reason=reason, preset=preset, message=message
        )  # fmt: skip
    if case.kind == Kind.REVIEW and message is not None:
        _review(message, shown=decision == "approve")
    elif case.kind == Kind.REPORT and message is not None and decision != "dismiss" and message.seq is not None:
        sanctions.message_delete(actor, message.channel_id, message.pk, reason=reason)
    elif case.kind == Kind.APPEAL:
        _answer_appeal(actor, case, reason, lifted=decision == "lift")


def _review(message: Message, *, shown: bool) -> None:
    held = lock_row(Message, message.pk)
    if held.state != Message.State.HELD:
        return
    if shown:
        posting.show(Message.objects.select_related("author", "channel__competition").get(pk=held.pk))
    else:
        held.state = Message.State.DECLINED
        held.save(update_fields=["state"])


def _answer_appeal(actor: User, case: Case, reason: str, *, lifted: bool) -> None:
    sanction = case.sanction
    assert sanction is not None
    opposite = {"mute": "unmute", "ban": "unban"}.get(sanction.action)
    if lifted and opposite:
        with suppress(sanctions.NothingToLift):  # it may have ended by itself
            sanctions.sanction_impose(
                actor, sanction.user_id, opposite, channel_id=sanction.channel_id, reason=reason or "Appeal granted."
            )
    events.publish(AppealDecided(sanction.pk, sanction.user_id, lifted))
