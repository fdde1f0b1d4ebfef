"""What operators do to wallets by hand: an adjustment needs a reason and a second person. The ledger writes it."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from tradingarena.core.models import UUIDModel


class Adjustment(UUIDModel):
    """Tokens that an operator wants to give or take, until another one has decided."""

    class Status(models.TextChoices):
        PENDING = "pending"
        APPROVED = "approved"
        REJECTED = "rejected"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="token_adjustments")
    amount_tokens = models.BigIntegerField(help_text="signed: positive is given")
    reason = models.CharField(max_length=200, help_text="shown on the statement")
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(amount_tokens=0), name="adjustment_moves_something"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("requested_by")), name="adjustment_two_people"
            ),
            models.CheckConstraint(
                condition=Q(status="pending", decided_by__isnull=True)
                | (~Q(status="pending") & Q(decided_by__isnull=False)),
                name="adjustment_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "approved", "rejected"]), name="adjustment_status_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_tokens:+d} for {self.user}"
