"""Chat's tables: channels and who is in them, messages, and everything moderators do. Rules: docs/rules/chat.md."""

from chat.models.channels import Channel, Membership
from chat.models.messages import LONGEST_CLIENT_ID, Message, Refusal
from chat.models.moderation import Appeal, Case, Note, Report, Sanction

__all__ = [
    "LONGEST_CLIENT_ID",
    "Appeal",
    "Case",
    "Channel",
    "Membership",
    "Message",
    "Note",
    "Refusal",
    "Report",
    "Sanction",
]
