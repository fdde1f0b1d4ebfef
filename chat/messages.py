"""The payloads of the chat: what a line looks like outside, the same over REST and in rooms. Who may read it is decided elsewhere.

Of a deleted message nothing is left but that it was there. Schemas: docs/asyncapi.yaml and docs/openapi.yaml.
"""

from typing import Any, TypedDict
from uuid import UUID

from accounts.rules import roles
from chat.models import Channel, Message, Sanction
from competitions.messages import when

HOUSE = "Trading Arena"
BADGES = {roles.MODERATOR: "moderator", roles.ADMIN: "admin"}


class MessageRow(TypedDict):
    channel_id: str
    message_id: str
    number: int
    kind: str
    user_id: str | None
    username: str
    badge: str
    text: str
    masked: bool
    reply_to_id: str | None
    mentions: list[str]
    data: dict[str, Any]
    client_id: str
    timestamp: str | None
    deleted: bool


def room_of(channel_id: UUID | str) -> str:
    """Name the room of a channel."""
    return f"chat.{channel_id}"


def badge_of(row: Message) -> str:
    """Say as what a line's author speaks: admin, moderator, host, bot, or nothing of these. The channel must be loaded for hosts."""
    if row.author is None:
        return ""
    contest = row.channel.competition if row.channel.competition_id else None
    if row.author.role in BADGES:
        return BADGES[row.author.role]
    if contest is not None and contest.host_id == row.author_id:
        return "host"
    return "bot" if row.author.is_bot else ""


def message(row: Message) -> MessageRow:
    """Show a line, or the tombstone that it has become. The author and the channel's contest are loaded."""
    gone = row.deleted_at is not None
    assert row.seq is not None
    return {
        "channel_id": str(row.channel_id),
        "message_id": str(row.pk),
        "number": row.seq,
        "kind": row.kind,
        "user_id": str(row.author_id) if row.author_id else None,
        "username": row.author.username if row.author else HOUSE,
        "badge": badge_of(row),
        "text": "" if gone else row.text,
        "masked": bool(row.original) and not gone,
        "reply_to_id": str(row.reply_to_id) if row.reply_to_id else None,
        "mentions": [] if gone else [str(one) for one in row.mentions],
        "data": {} if gone else row.data,
        "client_id": row.client_id if row.author_id else "",
        "timestamp": when(row.created_at),
        "deleted": gone,
    }


def posted(row: Message) -> dict[str, Any]:
    """Tell a sender what became of a message; its place is null while a moderator has to look at it."""
    return {
        "message_id": str(row.pk),
        "number": row.seq,
        "state": row.state,
        "client_id": row.client_id,
        "text": "" if row.deleted_at else row.text,
        "timestamp": when(row.created_at),
    }


def deletion(row: Message) -> dict[str, Any]:
    """Say that a message is gone."""
    return {
        "channel_id": str(row.channel_id),
        "message_id": str(row.pk),
        "by_author": row.deleted_by_id == row.author_id,
    }


def reply_preview(row: Message | None) -> dict[str, Any] | None:
    """Show what a message answers, as it is at the moment of reading."""
    if row is None:
        return None
    gone = row.deleted_at is not None
    return {
        "message_id": str(row.pk),
        "username": row.author.username if row.author else HOUSE,
        "text": "" if gone else row.text,
        "deleted": gone,
    }


def sanction(row: Sanction) -> dict[str, Any]:
    """Show a sanction to whom it concerns: who, why, where, until when."""
    return {
        "sanction_id": str(row.pk),
        "action": row.action,
        "channel_id": str(row.channel_id) if row.channel_id else None,
        "channel": row.channel.title if row.channel else "",
        "reason": row.reason,
        "until": when(row.until),
        "by": row.actor.username if row.actor else HOUSE,
        "at": when(row.at),
    }


def channel(row: Channel, *, title: str, unread: int, read_number: int) -> dict[str, Any]:
    """Show a channel in somebody's list."""
    return {
        "channel_id": str(row.pk),
        "kind": row.kind,
        "title": title,
        "competition_id": str(row.competition_id) if row.competition_id else None,
        "archived": row.archived_at is not None,
        "last_number": row.last_seq,
        "read_number": read_number,
        "unread": unread,
    }
