"""Lines of the arena itself: a contest begins, the lead changes, somebody closes a large trade, a bet is settled.

Higher apps say theirs through `announce`. Which facts there are is in `receivers.py`. Rules: docs/rules/chat.md#lines-of-the-arena.
"""

from typing import Any
from uuid import UUID

from django.db import transaction

from chat import broadcast
from chat.models import Channel, Message
from chat.services import telling
from tradingarena.core.locks import queue_for


def announce(channel_id: UUID, key: str, text: str, data: dict[str, Any] | None = None) -> Message | None:
    """Say something as the arena in a channel, once for a key; None when the channel does not exist. A late fact is told in
    a channel that is archived as well.

    Shapes: key names the fact, at most 64 characters, such as `bets:<market>`; text at most 300; data is JSON-ready and has a `fact`.
    Guarantees: the same key again says nothing and gives the line that is there, also under races.
    Locks / Effects: the key's turn, then the channel's row; the room is told on commit.
    """
    with transaction.atomic():
        queue_for("chat-line", f"{channel_id}:{key}")
        found = Message.objects.filter(channel=channel_id, author=None, client_id=key).first()
        channel = Channel.objects.select_related("competition").filter(pk=channel_id).first()
        if found is not None or channel is None:
            return found
        line = Message(channel=channel, kind=Message.Kind.SYSTEM, text=text[:300], data=data or {}, client_id=key[:64])
        line.seq = telling.next_number(channel_id, also_archived=True)
        line.save(force_insert=True)
        line.refresh_from_db(fields=["created_at"])
        telling.tell_on_commit(broadcast.message(line), channel_id)
    return line
