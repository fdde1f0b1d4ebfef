"""What operators have switched off everywhere. Rules: docs/rules/accounts.md#switches."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.rules.switches import LABELS, Part
from tradingarena.core.models import UUIDModel

CHOICES = [(part.value, label) for part, label in LABELS.items()]


class Halt(UUIDModel):
    """A part of the site is switched off until somebody ends this. Ended ones stay as history."""

    part = models.CharField(max_length=12, choices=CHOICES)
    reason = models.CharField(max_length=200, help_text="shown to everybody")
    began_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    began_at = models.DateTimeField(auto_now_add=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["part"], name="halt_once", condition=Q(ended_at__isnull=True)),
            models.CheckConstraint(condition=Q(part__in=list(Part)), name="halt_part_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="halt_has_reason"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="halt_ended_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"halt of {self.part}"
