"""Suspicions with their evidence, for moderators to look at: never a punishment by themselves."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from tradingarena.core.models import UUIDModel


class IntegrityCase(UUIDModel):
    """Something that looks unfair, about some people, with what was seen. A moderator closes it with a note."""

    class Status(models.TextChoices):
        OPEN = "open"
        CONFIRMED = "confirmed", "confirmed: it was unfair"
        DISMISSED = "dismissed", "dismissed: there is nothing in it"

    kind = models.CharField(max_length=40, help_text="which signal, such as bet_shared_device")
    cause = models.CharField(max_length=120, help_text="what it was seen on; one case for each kind and cause")
    people = ArrayField(models.UUIDField(), help_text="ids of those concerned, the one whom it is about first")
    summary = models.CharField(max_length=300, help_text="in a sentence, for the queue")
    evidence = models.JSONField(default=dict, help_text="ids and figures that a moderator can check")
    url = models.CharField(max_length=300, blank=True, help_text="a path of this site where it can be seen")
    status = models.CharField(max_length=9, choices=Status, default=Status.OPEN)
    opened_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=500, blank=True, help_text="why it was decided so")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["status", "-opened_at"], name="integrity_queue")]
        constraints = [
            models.UniqueConstraint(fields=["kind", "cause"], name="integrity_case_once"),
            models.CheckConstraint(
                condition=Q(status__in=["open", "confirmed", "dismissed"]), name="integrity_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status="open", decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(status="open") & Q(decided_by__isnull=False, decided_at__isnull=False) & ~Q(note="")),
                name="integrity_decided_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.summary}"


class IntegrityLook(models.Model):
    """Something has been looked at for what is unfair, so that no sweep looks again."""

    kind = models.CharField(max_length=40, help_text="what was looked for")
    cause = models.CharField(max_length=64, help_text="where, such as a contest's id")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "cause"], name="integrity_look_once")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.cause}"
