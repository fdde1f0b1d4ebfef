"""Mail: queued in the transaction of its cause, sent by a worker, tried again until the provider has it, and logged.

What is mailed to whom is decided in `notices.py`; words are in `rules/letters.py`. Rules: docs/rules/notices.md#mail.
"""

import logging
import smtplib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from anymail.exceptions import AnymailInvalidAddress, AnymailRecipientsRefused, AnymailRequestsAPIError
from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db.models import F, Q
from django.urls import reverse

from accounts.events import MailQueued
from accounts.models import Mail, MailStop, MailTemplate
from accounts.rules import letters
from accounts.rules.notices import KINDS
from accounts.selectors.notices import stopped
from tradingarena.core import events
from tradingarena.core.clock import database_now
from tradingarena.core.errors import NotFound

log = logging.getLogger(__name__)

CLAIM = timedelta(minutes=5)  # after which another worker takes a mail over whose worker died
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=15), timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(days=3)
STOP_SALT = "mail-stop"
ACCOUNT = "account"  # sign-in codes, password links: what allauth writes
Status = Mail.Status
# once told, these are not taken back by a slower word
_RANK = {Status.SENT: 0, Status.DELIVERED: 1, Status.BOUNCED: 2, Status.COMPLAINED: 3}


@dataclass(frozen=True, slots=True)
class Recipient:
    """To whom a mail goes: user_id is None for somebody without an account."""

    address: str
    user_id: UUID | None = None
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail in its final words."""

    subject: str
    text: str
    html: str


# -- queueing -----------------------------------------------------------------------------------------------------------


def queue(kind: str, recipients: Sequence[Recipient], *, cause: str, url: str = "") -> int:
    """Queue a mail to each recipient who wants it; say how many.

    Shapes: url is a path of this site.
    Guarantees: once for each address, kind and cause. Nothing is queued when the template is disabled.
    Locks / Effects: in the caller's transaction, if there is one: inserts; a worker is told on commit.
    """
    template = template_of(kind)
    if not recipients or not template.enabled:
        return 0
    unwanted = stopped(kind, [one.address for one in recipients])
    now = database_now()
    rows = [
        row_of(kind, cause, one, write(template, one, kind=kind, url=url), now)
        for one in recipients
        if one.address not in unwanted
    ]
    Mail.objects.bulk_create(rows, ignore_conflicts=True)
    events.publish(MailQueued())
    return len(rows)


def row_of(kind: str, cause: str, one: Recipient, letter: Letter, now: Any) -> Mail:
    """Make the row of a mail that is to be sent."""
    return Mail(
        kind=kind,
        cause=cause,
        user_id=one.user_id,
        address=one.address,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        next_try_at=now,
    )


def queue_account_mail(address: str, subject: str, text: str, html: str = "", user_id: UUID | None = None) -> None:
    """Queue what sign-up, sign-in and resets say. It may hold a code: its text is erased once it has gone out.

    Locks / Effects: an insert; a worker is told on commit.
    """
    Mail.objects.create(
        kind=ACCOUNT,
        cause=str(uuid4()),
        user_id=user_id,
        address=address,
        subject=" ".join(subject.split())[:200],
        text=text,
        html=html,
        secret=True,
        next_try_at=database_now(),
    )
    events.publish(MailQueued())


def template_of(kind: str) -> MailTemplate:
    """Give the words of a kind as operators have left them, or its first ones."""
    first = KINDS[kind]
    return MailTemplate.objects.filter(kind=kind).first() or MailTemplate(
        kind=kind, subject=first.subject, body=first.body, enabled=first.mailed
    )


def write(template: MailTemplate, recipient: Recipient, *, kind: str, url: str = "") -> Letter:
    """Put a mail into its final words, with the way to stop it."""
    stop = settings.SITE_URL + reverse("accounts:unsubscribe", args=[stop_token(recipient.address, kind)])
    fixed = KINDS[kind].fixed
    values = {**recipient.values, "url": f"{settings.SITE_URL}{url}" if url else settings.SITE_URL}
    foot = "" if fixed else "\n\nTo stop mails like this one: {{ unsubscribe_url }}"
    body, values = template.body.strip() + foot, values | {"unsubscribe_url": stop}
    subject = letters.tidy(letters.fill(template.subject, values))
    return Letter(subject, letters.fill(body, values), letters.as_html(body, values))


# -- sending ------------------------------------------------------------------------------------------------------------


def deliver_due(limit: int = 200) -> dict[str, int]:
    """Send the mails that are due. While the provider does not answer they wait and are tried again.

    Shapes: how many were sent, refused, and are to be tried again.
    Guarantees: safe in parallel: one worker has a mail at a time. A worker that dies between the provider's answer and our row leaves
        one mail in doubt, which is sent again after five minutes with the same Message-ID.
    Locks / Effects: conditional updates; calls to the provider outside any transaction.
    """
    counts = {"sent": 0, "refused": 0, "later": 0}
    now = database_now()
    due = Mail.objects.filter(status__in=[Status.QUEUED, Status.SENDING], next_try_at__lte=now).order_by("next_try_at")
    connection = get_connection()
    try:
        for mail in due[:limit]:
            claim = Mail.objects.filter(pk=mail.pk, status=mail.status, next_try_at=mail.next_try_at)
            if not claim.update(status=Status.SENDING, next_try_at=database_now() + CLAIM, attempts=F("attempts") + 1):
                continue  # another worker got there first
            outcome = _send(mail, connection)
            counts[outcome] += 1
            if outcome == "later":
                break  # the provider is away: the others wait for the next round instead of a timeout each
    finally:
        connection.close()
    return counts


def _send(mail: Mail, connection: Any) -> str:
    message = _message(mail, connection)
    try:
        message.send()
    except Exception as error:  # whatever a backend raises: the mail is tried again, or put aside
        if _is_final(error) or mail.created_at < database_now() - GIVE_UP_AFTER:
            _note(mail, Status.FAILED, error)
            return "refused"
        wait = min(FIRST_WAIT * 2 ** min(mail.attempts, 10), LONGEST_WAIT)
        Mail.objects.filter(pk=mail.pk, status=Status.SENDING).update(
            status=Status.QUEUED, next_try_at=database_now() + wait, note=_words(error)
        )
        log.warning("mail_not_sent", extra={"mail": str(mail.pk), "reason": type(error).__name__})
        _drop(connection)
        return "later"
    told = getattr(message, "anymail_status", None)
    message_id = (getattr(told, "message_id", None) or message.extra_headers["Message-ID"])[:255]
    done: dict[str, Any] = {"message_id": message_id, "sent_at": database_now(), "note": ""}
    if mail.secret:
        done |= {"text": "", "html": ""}
    Mail.objects.filter(pk=mail.pk).update(**done)
    # the provider's own news of it may have been quicker
    Mail.objects.filter(pk=mail.pk, status=Status.SENDING).update(status=Status.SENT)
    return "sent"


def _message(mail: Mail, connection: Any) -> EmailMultiAlternatives:
    domain = settings.DEFAULT_FROM_EMAIL.rsplit("@", 1)[-1].rstrip("> ") or "localhost"
    headers = {"Message-ID": f"<{mail.pk}@{domain}>", "Auto-Submitted": "auto-generated"}
    if mail.kind != ACCOUNT and not KINDS[mail.kind].fixed:
        stop = settings.SITE_URL + reverse("accounts:unsubscribe", args=[stop_token(mail.address, mail.kind)])
        headers |= {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    message = EmailMultiAlternatives(
        mail.subject, mail.text, None, [mail.address], headers=headers, connection=connection
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    message.metadata = {"mail_id": str(mail.pk)}  # type: ignore[attr-defined]  # anymail's: comes back with its news
    return message


def _is_final(error: Exception) -> bool:
    """Tell whether trying again could not help: the address, or the mail itself, is refused."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(500 <= code < 600 for code, _ in error.recipients.values())
    if isinstance(error, AnymailInvalidAddress | AnymailRecipientsRefused | UnicodeError | ValueError):
        return True
    return isinstance(error, AnymailRequestsAPIError) and error.status_code in {400, 404, 413, 422}


def _drop(connection: Any) -> None:
    try:
        connection.close()
    except Exception:  # every backend breaks in its own way, and what is closed here has failed already
        log.debug("mail_connection_was_gone")


def _note(mail: Mail, status: str, error: Exception) -> None:
    Mail.objects.filter(pk=mail.pk).update(status=status, note=_words(error), status_at=database_now())
    log.error("mail_refused", extra={"mail": str(mail.pk), "reason": type(error).__name__})


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".replace("\0", "")[:300]


def status_told(message_id: str, mail_id: str, status: str, note: str = "") -> bool:
    """Note what the provider says of a mail; False when it is none of ours.

    Guarantees: news may come twice, late, and before our own row knows the provider's id: the worst that was told stays.
    Locks / Effects: conditional updates; an address that bounces for good or complains gets no more mail.
    """
    known = Q(message_id=message_id) if message_id else Q(pk__in=[])
    with suppress(ValueError):
        known |= Q(pk=UUID(mail_id))
    mail = Mail.objects.filter(known).first()
    if mail is None:
        return False
    lower = [Status.SENDING, *(one for one, rank in _RANK.items() if rank < _RANK[Status(status)])]
    Mail.objects.filter(pk=mail.pk, status__in=lower).update(status=status, status_at=database_now(), note=note[:300])
    if status == Status.COMPLAINED:
        MailStop.objects.get_or_create(address=mail.address, kind="")
    return True


# -- stopping -----------------------------------------------------------------------------------------------------------


def stop_token(address: str, kind: str) -> str:
    """Make the token by which the owner of an address stops a kind of mail, without signing in."""
    return signing.Signer(salt=STOP_SALT).sign_object([address, kind])


def read_stop_token(token: str) -> tuple[str, str]:
    """Read whose mail of which kind a token stops.

    Raises: NotFound: it is none of ours.
    """
    try:
        address, kind = signing.Signer(salt=STOP_SALT).unsign_object(token)
    except (signing.BadSignature, ValueError):
        raise NotFound("This link is not complete.") from None
    return address, kind


def stop(token: str, *, everything: bool = False) -> None:
    """Send an address no more mails of a kind, or none but what its account's safety needs. Doing it again changes nothing.

    Raises: NotFound.
    """
    address, kind = read_stop_token(token)
    MailStop.objects.get_or_create(address=address, kind="" if everything else kind)
