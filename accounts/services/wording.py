"""What operators do with mail: word it, look at it, try it on themselves, send again what failed.

How mail is queued and sent is in `mail.py`. Rules: docs/rules/notices.md#templates.
"""

from uuid import UUID, uuid4

from django.db import transaction

from accounts import audit
from accounts.events import MailQueued
from accounts.models import Mail, MailTemplate, User
from accounts.rules import letters
from accounts.rules.notices import KINDS, Kind, variables
from accounts.selectors import acts_as_operator
from accounts.services.mail import Letter, Recipient, row_of, template_of, write
from tradingarena.core import events
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Forbidden, NotFound, RuleRefusal


class TemplateRefused(RuleRefusal):
    """Raised when a mail's words name variables that it does not have, or try more than variables."""

    code, message = "template_refused", "These words do not hold."


def template_save(actor: User, kind: str, *, subject: str, body: str, enabled: bool) -> MailTemplate:
    """Change how a kind of mail is worded, or switch it off.

    Locks / Effects: one row; an audit row with old and new.
    Raises: Forbidden, NotFound, TemplateRefused.
    """
    require_words(actor, kind, subject, body)
    with transaction.atomic():
        before = template_of(kind)
        values = {"subject": " ".join(subject.split()), "body": body.replace("\r\n", "\n").strip(), "enabled": enabled}
        old = {name: getattr(before, name) for name in values}
        changed = [name for name in values if old[name] != values[name]]
        template, _ = MailTemplate.objects.update_or_create(kind=kind, defaults=values)
        if changed:
            audit.record(
                actor,
                "mail_template.changed",
                template,
                old={name: old[name] for name in changed},
                new={name: values[name] for name in changed},
            )
    return template


def require_words(actor: User, kind: str, subject: str, body: str) -> Kind:
    """Refuse whoever is no operator, and words that do not hold.

    Raises: Forbidden, NotFound, TemplateRefused.
    """
    if not acts_as_operator(actor):
        raise Forbidden("Only operators do this.", code="operators_only")
    known = KINDS.get(kind)
    if known is None or not known.mailed:
        raise NotFound("There is no such mail.")
    found = [*letters.problems(subject, variables(known)), *letters.problems(body, variables(known))]
    if not subject.strip() or not body.strip():
        found.append("A mail has a subject and a text.")
    if found:
        raise TemplateRefused(" ".join(found))
    return known


def preview(actor: User, kind: str, subject: str, body: str) -> Letter:
    """Show how a mail would read, with sample values.

    Raises: as `require_words`.
    """
    known = require_words(actor, kind, subject, body)
    template = MailTemplate(kind=kind, subject=subject, body=body.replace("\r\n", "\n"))
    return write(
        template, Recipient(actor.email, actor.pk, {**known.sample, "name": actor.username}), kind=kind, url="/"
    )


def test_send(actor: User, kind: str) -> Mail:
    """Send an operator the mail as it is worded now, with sample values.

    Locks / Effects: one queued mail; an audit row.
    Raises: as `require_words`.
    """
    template = template_of(kind)
    letter = preview(actor, kind, template.subject, template.body)
    recipient = Recipient(actor.email, actor.pk)
    with transaction.atomic():
        mail = row_of(kind, f"test:{uuid4()}", recipient, letter, database_now())
        mail.save(force_insert=True)
        audit.record(actor, "mail_template.tested", ("accounts.mailtemplate", kind))
        events.publish(MailQueued())
    return mail


def resend(actor: User, mail_id: UUID) -> Mail:
    """Try a mail again that the provider did not take, on an operator's word.

    Raises: Forbidden, NotFound. RuleRefusal `mail_not_failed`, `mail_erased`.
    """
    if not acts_as_operator(actor):
        raise Forbidden("Only operators do this.", code="operators_only")
    mail = Mail.objects.filter(pk=mail_id).first()
    if mail is None:
        raise NotFound("There is no such mail.")
    if not mail.text:
        raise RuleRefusal("Its text held a secret and is erased.", code="mail_erased")
    with transaction.atomic():
        failed = Mail.objects.filter(pk=mail_id, status=Mail.Status.FAILED)
        if not failed.update(status=Mail.Status.QUEUED, next_try_at=database_now()):
            raise RuleRefusal("Only mails that failed are tried again.", code="mail_not_failed")
        audit.record(actor, "mail.resent", mail)
        events.publish(MailQueued())
    return mail


def seed_templates() -> None:
    """Store the first words of every mail that is not there yet, for the admin site."""
    first = [MailTemplate(kind=one.name, subject=one.subject, body=one.body) for one in KINDS.values() if one.mailed]
    MailTemplate.objects.bulk_create(first, ignore_conflicts=True)
