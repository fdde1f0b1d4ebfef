"""Putting something before the moderators: reports, held messages, appeals, and cases of higher apps. How they end is `cases.py`'s.

Rules: docs/rules/chat.md#the-queue.
"""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import User
from chat.models import Appeal, Case, Message, Report, Sanction
from chat.selectors.access import channel_for
from tradingarena.core import limits
from tradingarena.core.errors import Conflict, NotFound, RuleRefusal

REPORTS, REPORTS_S = 20, 3_600


class OwnMessage(RuleRefusal):
    """Raised when somebody would report themselves."""

    code, message = "own_message", "This is your own message. You can delete it."


class AppealedBefore(Conflict):
    """Raised when a sanction is appealed a second time."""

    code, message = "appealed_before", "You have appealed against this. A sanction can be appealed once."


def case_open(
    kind: str,
    key: str,
    *,
    user_id: UUID | None = None,
    message: Message | None = None,
    sanction: Sanction | None = None,
    summary: str = "",
    evidence: dict[str, Any] | None = None,
) -> Case:
    """Put something before the moderators, or find the open case about it.

    Shapes: kind as Case.Kind; key names what it is about, such as `integrity:<id>`; of user_id (whom it concerns), message and sanction at
        least one is given; evidence is JSON-ready.
    Guarantees: one open case for a key, also under races.
    """
    subject = message or sanction
    concerned = user_id or (message.author_id if message else None) or (sanction.user_id if sanction else None)
    assert concerned is not None
    values = {
        "kind": kind,
        "user_id": concerned,
        "channel_id": subject.channel_id if subject else None,
        "message": message,
        "sanction": sanction,
        "summary": summary[:300],
        "evidence": evidence or {},
    }
    try:
        with transaction.atomic():
            found, _ = Case.objects.get_or_create(key=key, closed_at=None, defaults=values)
    except IntegrityError:  # another has opened it in between
        found = Case.objects.get(key=key, closed_at=None)
    return found


def message_report(reporter: User, channel_id: UUID, message_id: UUID, *, reason: str, note: str = "") -> Report:
    """Complain about a message; complaining again gives the same report.

    Raises: NotFound: no such message, or it is gone; OwnMessage; TooFast: 20 reports an hour.
    """
    channel = channel_for(reporter, channel_id)
    rows = Message.objects.select_related("author")
    message = rows.filter(pk=message_id, channel=channel, state=Message.State.SHOWN, deleted_at=None).first()
    if message is None or message.author is None:
        raise NotFound("There is no such message to report.")
    if message.author_id == reporter.pk:
        raise OwnMessage
    found = Report.objects.filter(message=message, reporter=reporter).first()
    if found is not None:
        return found
    limits.spend("chat.reports", reporter.pk, limit=REPORTS, window_s=REPORTS_S)
    with transaction.atomic():
        case = case_open("report", f"report:{message.pk}", message=message)
        report, _ = Report.objects.get_or_create(
            message=message, reporter=reporter, defaults={"case": case, "reason": reason, "note": note}
        )
    return report


def appeal(user: User, sanction_id: UUID, words: str) -> Appeal:
    """Say once why a sanction is wrong.

    Locks / Effects: a case in the queue; an audit row.
    Raises: NotFound: no such sanction of theirs. AppealedBefore.
    """
    sanctioned = (Sanction.Action.WARN, Sanction.Action.MUTE, Sanction.Action.BAN)
    sanction = Sanction.objects.filter(pk=sanction_id, user=user, action__in=sanctioned).first()
    if sanction is None:
        raise NotFound("There is no such decision about you.")
    if Appeal.objects.filter(sanction=sanction).exists():
        raise AppealedBefore
    try:
        with transaction.atomic():
            case = case_open("appeal", f"appeal:{sanction.pk}", sanction=sanction, message=sanction.message)
            made = Appeal.objects.create(sanction=sanction, case=case, text=words)
            audit.record(user, "chat.appealed", sanction)
    except IntegrityError:
        raise AppealedBefore from None
    return made
