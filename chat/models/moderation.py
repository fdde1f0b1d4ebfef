"""What moderators see and do: sanctions that are never edited, reports, appeals, one queue of cases, notes on people.

What holds now is judged in `selectors/sanctions.py`. Rules: docs/rules/chat.md#moderation.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from chat.models.channels import Channel
from chat.models.messages import Message
from tradingarena.core.clock import ClockTimestamp
from tradingarena.core.models import AppendOnlyModel, UUIDModel

LONGEST_REASON = 200
LONGEST_APPEAL = 1_000


class Sanction(UUIDModel, AppendOnlyModel):
    """One step of moderation against one person. Rows are never changed: lifting is another row."""

    class Action(models.TextChoices):
        WARN = "warn"
        MUTE = "mute"
        BAN = "ban"
        UNMUTE = "unmute"
        UNBAN = "unban"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    action = models.CharField(max_length=8, choices=Action)
    channel = models.ForeignKey(Channel, models.PROTECT, null=True, related_name="+", help_text="null: everywhere")
    reason = models.CharField(max_length=LONGEST_REASON)
    until = models.DateTimeField(null=True, help_text="aware UTC; null: until it is lifted")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", help_text="null: the arena itself"
    )
    message = models.ForeignKey(Message, models.PROTECT, null=True, related_name="+", help_text="what it was about")
    at = models.DateTimeField(db_default=ClockTimestamp(), help_text="aware UTC, the database's clock")

    class Meta:
        indexes = [models.Index(fields=["user", "-at"], name="chat_sanction_user")]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="chat_sanction_has_a_reason"),
            models.CheckConstraint(
                condition=Q(action__in=["mute", "ban"]) | Q(until__isnull=True, action__in=["warn", "unmute", "unban"]),
                name="chat_sanction_shape",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} of {self.user_id}"


class Case(UUIDModel):
    """Something of the chat that waits for a moderator: a reported message, a held one, an appeal."""

    class Kind(models.TextChoices):
        REPORT = "report", "reported message"
        REVIEW = "review", "held message"
        APPEAL = "appeal", "appeal"

    class Outcome(models.TextChoices):
        DISMISSED = "dismissed", "nothing wrong"
        DELETED = "deleted", "message deleted"
        SANCTIONED = "sanctioned", "sanctioned"
        APPROVED = "approved", "message shown"
        DECLINED = "declined", "message not shown"
        LIFTED = "lifted", "sanction lifted"
        UPHELD = "upheld", "sanction stands"

    kind = models.CharField(max_length=10, choices=Kind)
    key = models.CharField(max_length=80, help_text="what it is about: one open case for each")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", help_text="whom it concerns")
    channel = models.ForeignKey(Channel, models.PROTECT, null=True, related_name="+")
    message = models.ForeignKey(Message, models.PROTECT, null=True, related_name="+")
    sanction = models.ForeignKey(Sanction, models.PROTECT, null=True, related_name="+")
    summary = models.CharField(max_length=300, blank=True)
    evidence = models.JSONField(default=dict, blank=True)
    opened_at = models.DateTimeField(db_default=ClockTimestamp(), help_text="aware UTC")
    closed_at = models.DateTimeField(null=True, help_text="aware UTC")
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=Q(closed_at__isnull=True), name="chat_case_open_once"),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, outcome="") | (Q(closed_at__isnull=False) & ~Q(outcome="")),
                name="chat_case_closed_has_an_outcome",
            ),
        ]
        indexes = [models.Index(fields=["closed_at", "opened_at"], name="chat_case_queue")]

    def __str__(self) -> str:
        return f"{self.kind} about {self.user_id}"


class Report(UUIDModel):
    """One person's complaint about one message."""

    class Reason(models.TextChoices):
        ABUSE = "abuse", "insult or hate"
        SPAM = "spam", "spam or advertising"
        SCAM = "scam", "fraud"
        PRIVATE = "private", "private data"
        OTHER = "other", "something else"

    case = models.ForeignKey(Case, models.PROTECT, related_name="reports")
    message = models.ForeignKey(Message, models.PROTECT, related_name="+")
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=8, choices=Reason)
    note = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(db_default=ClockTimestamp(), help_text="aware UTC")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "reporter"], name="chat_report_once")]

    def __str__(self) -> str:
        return f"{self.reason} by {self.reporter_id}"


class Appeal(UUIDModel):
    """What a sanctioned person says against a sanction, once."""

    sanction = models.OneToOneField(Sanction, models.PROTECT, related_name="appeal")
    case = models.OneToOneField(Case, models.PROTECT, related_name="appeal")
    text = models.CharField(max_length=LONGEST_APPEAL)
    at = models.DateTimeField(db_default=ClockTimestamp(), help_text="aware UTC")

    def __str__(self) -> str:
        return f"appeal against {self.sanction_id}"


class Note(AppendOnlyModel):
    """What a moderator wants the others to know about somebody."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    text = models.CharField(max_length=500)
    at = models.DateTimeField(db_default=ClockTimestamp(), help_text="aware UTC")

    def __str__(self) -> str:
        return f"note on {self.user_id}"
