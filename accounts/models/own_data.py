"""What people do with their data: copies of it that they ask for, and the wish to be forgotten. Rules: docs/privacy.md."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from tradingarena.core.models import UUIDModel


class DataExport(UUIDModel):
    """A copy of what we hold of somebody, made in the background and kept for a week."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        READY = "ready"
        EXPIRED = "expired"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="data_exports")
    status = models.CharField(max_length=7, choices=Status, default=Status.WAITING)
    requested_at = models.DateTimeField(auto_now_add=True, help_text="aware UTC")
    ready_at = models.DateTimeField(null=True, help_text="aware UTC")
    expires_at = models.DateTimeField(null=True, help_text="aware UTC; nothing can be downloaded after it")
    size_bytes = models.PositiveIntegerField(default=0)
    content = models.BinaryField(null=True, help_text="a ZIP of JSON files; null: not there yet, or no longer")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=Q(status="waiting"), name="export_waits_once"),
            models.CheckConstraint(
                condition=Q(status="ready", content__isnull=False, expires_at__isnull=False)
                | (~Q(status="ready") & Q(content__isnull=True)),
                name="export_ready_has_content",
            ),
        ]

    def __str__(self) -> str:
        return f"export of {self.user_id}, {self.status}"


class Deletion(UUIDModel):
    """Somebody wants to be forgotten. The row itself stays and says nothing but when."""

    class Status(models.TextChoices):
        PENDING = "pending", "pending: can still be taken back"
        CLOSING = "closing", "closing: shut out, and about to be forgotten"
        DONE = "done"
        WITHDRAWN = "withdrawn"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="deletions")
    status = models.CharField(max_length=9, choices=Status, default=Status.PENDING)
    requested_at = models.DateTimeField(auto_now_add=True, help_text="aware UTC")
    due_at = models.DateTimeField(help_text="aware UTC; not before")
    closed_at = models.DateTimeField(null=True, help_text="aware UTC; done or withdrawn")
    blocked_by = models.JSONField(default=list, help_text="what stood in the way when it was last due, in words")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["due_at"], name="deletion_due", condition=Q(status__in=["pending", "closing"])),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(status__in=["pending", "closing"]), name="deletion_open_once"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "closing"], closed_at__isnull=True)
                | Q(status__in=["done", "withdrawn"], closed_at__isnull=False),
                name="deletion_closed_when",
            ),
        ]

    def __str__(self) -> str:
        return f"deletion of {self.user_id}, {self.status}"
