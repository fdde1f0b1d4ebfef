"""What was said, and what was refused. Messages are numbered per channel in the transaction that writes them.

Rules: docs/rules/chat.md#messages.
"""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from chat.models.channels import Channel
from tradingarena.core.clock import ClockTimestamp
from tradingarena.core.models import UUIDModel

LONGEST_TEXT = 300
LONGEST_CLIENT_ID = 64


class Message(UUIDModel):
    """One line of a channel: of a person, of a tip, or of the arena itself. Never removed; a deletion leaves a tombstone."""

    class Kind(models.TextChoices):
        TEXT = "text"
        TIP = "tip"
        SYSTEM = "system"

    class State(models.TextChoices):
        SHOWN = "shown"
        HELD = "held", "held for review"
        DECLINED = "declined", "declined in review"

    channel = models.ForeignKey(Channel, models.PROTECT, related_name="messages")
    seq = models.BigIntegerField(null=True, help_text="its place in the channel; null while held or declined")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.TEXT)
    state = models.CharField(max_length=8, choices=State, default=State.SHOWN)
    text = models.CharField(max_length=LONGEST_TEXT, help_text="as everybody reads it")
    original = models.CharField(
        max_length=LONGEST_TEXT, blank=True, help_text="before words were masked; moderators only"
    )
    reply_to = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    mentions = ArrayField(models.UUIDField(), default=list, blank=True, help_text="people who were named")
    data = models.JSONField(default=dict, blank=True, help_text="facts of a tip or of a line of the arena")
    client_id = models.CharField(
        max_length=LONGEST_CLIENT_ID, help_text="the sender's own id of it: sent again, it is the same"
    )
    created_at = models.DateTimeField(db_default=ClockTimestamp(), help_text="aware UTC, the database's clock")

    deleted_at = models.DateTimeField(null=True, help_text="aware UTC")
    deleted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    deleted_reason = models.CharField(max_length=200, blank=True)
    deleted_seq = models.BigIntegerField(null=True, help_text="the deletion's own place in the channel")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "seq"], name="chat_message_place"),
            models.UniqueConstraint(fields=["channel", "deleted_seq"], name="chat_deletion_place"),
            models.UniqueConstraint(
                fields=["author", "client_id"], condition=Q(author__isnull=False), name="chat_message_once"
            ),
            models.UniqueConstraint(
                fields=["channel", "client_id"], condition=Q(author__isnull=True), name="chat_line_once"
            ),
            models.CheckConstraint(
                condition=Q(state="shown", seq__isnull=False) | (~Q(state="shown") & Q(seq__isnull=True)),
                name="chat_message_shown_has_a_place",
            ),
            models.CheckConstraint(
                condition=Q(deleted_at__isnull=True, deleted_seq__isnull=True)
                | Q(deleted_at__isnull=False, deleted_seq__gt=F("seq")),
                name="chat_deletion_comes_later",
            ),
        ]
        indexes = [models.Index(fields=["author", "-created_at"], name="chat_author_recent")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Refusal(models.Model):
    """A message that a rule refused; several within a minute mute by themselves."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+")
    rule = models.CharField(max_length=20)
    at = models.DateTimeField(db_default=ClockTimestamp(), help_text="aware UTC, the database's clock")

    class Meta:
        indexes = [models.Index(fields=["user", "-at"], name="chat_refusal_recent")]

    def __str__(self) -> str:
        return f"{self.rule} for {self.user_id}"
