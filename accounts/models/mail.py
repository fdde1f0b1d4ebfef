"""Mails: how they are worded, every one that was sent or is to be, and addresses that want none.

How they are sent is in `services/mail.py`. Rules: docs/rules/notices.md#mail.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from tradingarena.core.models import UUIDModel


class MailTemplate(models.Model):
    """How a kind of mail is worded: text with {{ variables }} and no logic."""

    kind = models.CharField(primary_key=True, max_length=30)
    subject = models.CharField(max_length=150)
    body = models.TextField(max_length=4000, help_text="plain text; a blank line begins a paragraph")
    enabled = models.BooleanField(default=True, help_text="whether this mail is sent at all")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["kind"]

    def __str__(self) -> str:
        return self.kind


class Mail(UUIDModel):
    """One mail: queued in the transaction of its cause, sent later, and what the provider says of it."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        SENDING = "sending"
        SENT = "sent", "sent: the provider has it"
        DELIVERED = "delivered"
        BOUNCED = "bounced"
        COMPLAINED = "complained", "complained: marked as spam"
        FAILED = "failed", "failed: the provider does not take it"

    kind = models.CharField(max_length=30)
    cause = models.CharField(max_length=80, help_text="the id of what happened; once for each address and kind")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="mails")
    address = models.EmailField(help_text="private")
    subject = models.CharField(max_length=200)
    text = models.TextField(help_text="as it is sent; emptied afterwards when it held a secret")
    html = models.TextField(blank=True)
    secret = models.BooleanField(default=False, help_text="holds a code or a link that signs somebody in")
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(help_text="aware UTC")
    message_id = models.CharField(max_length=255, blank=True, help_text="the provider's id")
    note = models.CharField(max_length=300, blank=True, help_text="what went wrong last")
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    status_at = models.DateTimeField(null=True, help_text="when the provider last told of it")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["next_try_at"], name="mail_due", condition=Q(status__in=["queued", "sending"])),
            models.Index(fields=["message_id"], name="mail_by_message_id", condition=~Q(message_id="")),
            models.Index(fields=["address", "-id"], name="mail_of_address"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["kind", "cause", "address"], name="mail_once"),
            models.CheckConstraint(
                condition=Q(
                    status__in=["queued", "sending", "sent", "delivered", "bounced", "complained", "failed"],
                ),
                name="mail_status_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.address}"


class MailStop(models.Model):
    """That an address wants no mail of a kind, or none at all (an empty kind), but what its account's safety needs."""

    address = models.EmailField()
    kind = models.CharField(max_length=30, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["address", "kind"], name="mail_stop_once")]

    def __str__(self) -> str:
        return f"{self.kind or 'no mail'} to {self.address}"
