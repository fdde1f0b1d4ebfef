"""The kernel's own tables and the bases that every app's models share. No domain lives here."""

from django.db import models

from tradingarena.core.ids import new_id


class UUIDModel(models.Model):
    """A row with a time-ordered opaque id."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)

    class Meta:
        abstract = True


class AppendOnlyModel(models.Model):
    """A row that is never changed: a trigger of the database refuses UPDATE, DELETE and TRUNCATE to everybody."""

    class Meta:
        abstract = True


class Lease(models.Model):
    """Who leads something of which there must be one. A paused old leader is fenced off by the epoch."""

    name = models.CharField(primary_key=True, max_length=80, help_text="what is led, such as feed or competition:<id>")
    holder = models.CharField(max_length=120, help_text="host, process id and a random part")
    epoch = models.BigIntegerField(default=1, help_text="grows by one with each new leader")
    expires_at = models.DateTimeField(help_text="aware UTC on the database's clock")
    note = models.JSONField(default=dict, blank=True, help_text="what the leader says of itself, for operators")

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="lease_expires")]

    def __str__(self) -> str:
        return f"{self.name} by {self.holder} (epoch {self.epoch})"


class IdempotentAnswer(models.Model):
    """The stored answer of one Idempotency-Key, replayed for a day."""

    user_id = models.UUIDField()
    endpoint = models.CharField(max_length=120)
    key = models.CharField(max_length=255)
    body_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True, help_text="null while the first request is still under way")
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user_id", "endpoint", "key"], name="idempotent_answer_once"),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint} {self.key}"
