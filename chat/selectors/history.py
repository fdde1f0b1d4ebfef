"""What was said in a channel, in its one order: pages of rows, and what lies between two numbers.

Who may ask is `access.py`'s. Rules: docs/rules/chat.md#history.
"""

from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from chat.models import Channel, Message
from chat.rules.pace import STEADY, STEADY_S, Said
from tradingarena.core.errors import NotFound
from tradingarena.core.statements import fetch


def lines(channel: Channel) -> QuerySet[Message]:
    """Select a channel's lines, with authors and what they answer, in no order of their own."""
    answered = Prefetch("reply_to", Message.objects.select_related("author"))
    return _shown(channel.pk).prefetch_related(answered)


def line(channel: Channel, message_id: UUID) -> Message:
    """Find one line of a channel.

    Raises: NotFound.
    """
    found = lines(channel).filter(pk=message_id).first()
    if found is None:
        raise NotFound("There is no such message.")
    return found


def around(message: Message, *, before: int = 6, after: int = 4) -> list[Message]:
    """Give a message with what was said before and after it, oldest first; deleted texts included, for moderators alone."""
    if message.seq is None:
        earlier = _shown(message.channel_id).filter(created_at__lt=message.created_at).order_by("-seq")[:before]
        return [*reversed(earlier), message]
    rows = _shown(message.channel_id)
    earlier = rows.filter(seq__lt=message.seq).order_by("-seq")[:before]
    return [*reversed(earlier), *rows.filter(seq__gte=message.seq).order_by("seq")[: after + 1]]


def between(channel_id: UUID, after: int, until: int) -> QuerySet[Message]:
    """Select what happened in a channel between two numbers (after < number <= until): lines said, and lines deleted."""
    within = Q(seq__gt=after, seq__lte=until) | Q(deleted_seq__gt=after, deleted_seq__lte=until)
    return _shown(channel_id).filter(within)


def lately(author_id: UUID, client_id: str) -> tuple[datetime, bool, list[Said]]:
    """Read what judging a message needs, with one quick statement: the database's clock, whether the client_id has been used, and what
    the author said within the last minute, the newest first, at most 20."""
    ((now, used, texts, times),) = fetch(_LATELY, [author_id, client_id, author_id, STEADY_S, STEADY])
    return now, used, [Said(text, at) for text, at in zip(texts, times, strict=True)]


_LATELY = """
    SELECT clock_timestamp(), EXISTS (SELECT FROM chat_message WHERE author_id = %s AND client_id = %s),
        coalesce(array_agg(said.text), ARRAY[]::text[]), coalesce(array_agg(said.created_at), ARRAY[]::timestamptz[])
    FROM (
        SELECT coalesce(nullif(original, ''), text)::text AS text, created_at FROM chat_message
        WHERE author_id = %s AND created_at > clock_timestamp() - make_interval(secs => %s)
        ORDER BY created_at DESC LIMIT %s
    ) AS said
"""


def _shown(channel_id: UUID) -> QuerySet[Message]:
    rows = Message.objects.filter(channel=channel_id, state=Message.State.SHOWN)
    return rows.select_related("author", "channel__competition")
