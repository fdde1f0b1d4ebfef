"""Everything the chat's rooms can hear, a function a message. Who may hear a room is `selectors/access.py`'s.

Facts of a channel carry the numbers of their rows (`services/telling.py`). Schemas: docs/asyncapi.yaml.
"""

from typing import Any

from accounts.models import User
from chat import messages
from chat.models import Channel, Message, Sanction
from tradingarena.core.realtime import Fact, Latest, Numbered


def message(row: Message) -> Numbered:
    """A line was said."""
    assert row.seq is not None
    return Numbered(messages.room_of(row.channel_id), "message", messages.message(row), row.seq)


def message_deleted(row: Message) -> Numbered:
    """A line is gone; whoever catches up from now on finds its tombstone in its place."""
    assert row.deleted_seq is not None
    assert row.seq is not None
    tombstone = (row.seq, "message", messages.message(row))
    return Numbered(
        messages.room_of(row.channel_id), "message_deleted", messages.deletion(row), row.deleted_seq, tombstone
    )


def typing(channel: Channel, user: User) -> Latest:
    """Somebody writes; worthless a moment later."""
    data: dict[str, Any] = {"channel_id": str(channel.pk), "user_id": str(user.pk), "username": user.username}
    return Latest(messages.room_of(channel.pk), "user_typing", data, key=str(user.pk), keep_s=0)


def sanction(row: Sanction) -> Fact:
    """Tell somebody what was decided about them."""
    return Fact(f"user.{row.user_id}", "sanction", messages.sanction(row))
