"""Where people talk, and who is there: channels, their parties, and how far each person has read.

Who may read and write in a channel is judged in `selectors/access.py`. Rules: docs/rules/chat.md#channels.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from tradingarena.core.models import UUIDModel


class Channel(UUIDModel):
    """One place to talk. Its id follows from what it belongs to, so that making it twice makes it once."""

    class Kind(models.TextChoices):
        GLOBAL = "global", "everybody"
        COMPETITION = "competition", "a contest's arena"
        PVP = "pvp", "the two of a challenge"
        DIRECT = "direct", "two people"

    kind = models.CharField(max_length=12, choices=Kind)
    competition = models.OneToOneField("competitions.Competition", models.PROTECT, null=True, related_name="+")
    subject_id = models.UUIDField(null=True, help_text="the challenge of a pvp channel")
    title = models.CharField(max_length=120)
    last_seq = models.BigIntegerField(default=0, help_text="number of the newest message or deletion")
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, help_text="aware UTC; read only from then on")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind"], condition=Q(kind="global"), name="chat_one_global"),
            models.UniqueConstraint(fields=["subject_id"], name="chat_channel_subject_once"),
            models.CheckConstraint(
                condition=Q(kind="competition", competition__isnull=False)
                | (Q(competition__isnull=True) & Q(kind__in=["global", "pvp", "direct"])),
                name="chat_channel_kind",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Membership(UUIDModel):
    """A person and a channel: whether they are a party to it (pvp, direct), and how far they have read."""

    channel = models.ForeignKey(Channel, models.PROTECT, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    party = models.BooleanField(default=False, help_text="whether the channel is theirs, and not only visited")
    read_seq = models.BigIntegerField(default=0, help_text="newest number they have seen")
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "user"], name="chat_membership_once")]
        indexes = [models.Index(fields=["user", "channel"], name="chat_member_user")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.channel_id}"
