"""What the arena holds of somebody, for their copy of it. Rules: docs/privacy.md."""

from typing import Any
from uuid import UUID

from django.db.models import F

from arena.models import Admission


def admissions_of(user_id: UUID) -> Any:
    """Give the passes and invitations of a person, the oldest first."""
    contest = {"contest": F("listing__competition__title"), "slug": F("listing__competition__slug")}
    fields = ("kind", "paid_tokens", "admitted_at", "refunded_at")
    return Admission.objects.filter(user=user_id).order_by("id").values(*fields, **contest).iterator()
