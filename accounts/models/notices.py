"""What people are told on the site, and by which channels they want to hear of what."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from tradingarena.core.models import UUIDModel


class Notification(UUIDModel):
    """Something a person wants to know, told once for each cause."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications", db_index=False)
    kind = models.CharField(max_length=30, help_text="one of accounts.rules.notices.KINDS")
    cause = models.CharField(max_length=80, help_text="the id of what happened; once for each person and kind")
    text = models.CharField(max_length=300)
    url = models.CharField(max_length=300, blank=True, help_text="a path of this site")
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, help_text="aware UTC; null: unread")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["user", "-id"], name="notification_list"),
            models.Index(fields=["cause", "kind"], name="notification_cause"),
            models.Index(fields=["user"], name="notification_unread", condition=Q(read_at=None)),
        ]
        constraints = [models.UniqueConstraint(fields=["user", "kind", "cause"], name="notification_once")]

    def __str__(self) -> str:
        return self.text


class NoticeChoice(models.Model):
    """That a person wants to hear of a kind otherwise than is usual."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notice_choices", db_index=False)
    kind = models.CharField(max_length=30)
    site = models.BooleanField()
    email = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="notice_choice_once")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.user_id}"
