"""What people have earned by contests: each badge once, with the contest that earned it."""

from django.conf import settings
from django.db import models

from tradingarena.core.models import UUIDModel


class Award(UUIDModel):
    """One badge of one person."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="awards", db_index=False)
    badge = models.CharField(max_length=20, help_text="one of competitions.engine.badges.BADGES")
    competition = models.ForeignKey("competitions.Competition", models.PROTECT, related_name="awards")
    awarded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["user", "badge"], name="award_once")]

    def __str__(self) -> str:
        return f"{self.badge} of {self.user_id}"
