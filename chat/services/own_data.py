"""What the chat holds of somebody, for their copy of it. What was said stays: history is never edited. Rules: docs/privacy.md."""

from typing import Any
from uuid import UUID

from django.db.models import F

from chat.models import Message, Sanction


def chat_of(user_id: UUID) -> dict[str, Any]:
    """Give what somebody has written, and what moderators have done about it, the oldest first."""
    said = ("channel_id", "kind", "text", "created_at", "deleted_at", "deleted_reason")
    return {
        "messages": list(
            Message.objects.filter(author=user_id).order_by("id").values(*said, channel_kind=F("channel__kind"))
        ),
        "sanctions": list(
            Sanction.objects.filter(user=user_id).order_by("id").values("action", "reason", "until", "at")
        ),
    }
