"""Giving numbers to what happens in a channel, and telling its room in that order. What it says is `broadcast.py`'s.

A number is given in the transaction that writes the row and is gone with it, so committed numbers have no gaps, and whoever tells one first
tells what others have not told yet. Rules: docs/realtime.md#numbered-facts.
"""

import logging
from collections.abc import Sequence
from uuid import UUID

import orjson
from django.db import connection, transaction

from chat import broadcast, messages
from chat.models import Channel, Message
from chat.selectors import history
from tradingarena.core import realtime
from tradingarena.core.errors import Conflict
from tradingarena.core.locks import require_transaction
from tradingarena.core.realtime import Numbered
from tradingarena.core.statements import fetch
from tradingarena.core.wire import KEPT_FACTS

log = logging.getLogger(__name__)


class Archived(Conflict):
    """Raised when something would be said where nothing more is said."""

    code, message = "channel_archived", "This chat is over; it can still be read."


def next_number(channel_id: UUID, *, also_archived: bool = False) -> int:
    """Take the next number of a channel.

    Locks / Effects: the channel's row until the transaction ends: nobody else gets a number before. It is the last lock of all.
    Raises: Archived. RuntimeError: no transaction is open.
    """
    require_transaction()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE chat_channel SET last_seq = last_seq + 1 WHERE id = %s AND (archived_at IS NULL OR %s) RETURNING last_seq",
            [channel_id, also_archived],
        )
        row = cursor.fetchone()
    if row is None:
        raise Archived
    number: int = row[0]
    return number


def write(message: Message) -> None:
    """Store a new line with its channel's next number, in one statement: it stands on the path of every message.

    Locks / Effects: as `next_number`; sets the line's number.
    Raises: Archived. RuntimeError: no transaction is open.
    """
    require_transaction()
    row = fetch(
        _WRITE,
        (
            message.channel_id, message.pk, message.author_id, message.kind, message.text, message.original, message.reply_to_id,
            message.mentions, orjson.dumps(message.data).decode(), message.client_id, message.created_at,
        ),
    )  # fmt: skip
    if not row:
        raise Archived
    message.seq = row[0][0]
    message._state.adding = False


_WRITE = """
    WITH next AS (
        UPDATE chat_channel SET last_seq = last_seq + 1 WHERE id = %s AND archived_at IS NULL RETURNING id, last_seq
    )
    INSERT INTO chat_message (
        id, channel_id, seq, author_id, kind, state, text, original, reply_to_id, mentions, data, client_id, created_at, deleted_reason
    )
    SELECT %s, next.id, next.last_seq, %s, %s, 'shown', %s, %s, %s, %s::uuid[], %s::jsonb, %s, %s, '' FROM next
    RETURNING seq
"""


def tell_on_commit(fact: Numbered, channel_id: UUID) -> None:
    """Tell a channel's room what has happened, once it is committed."""
    transaction.on_commit(lambda: _tell(channel_id, [fact]), robust=True)


def catch_up(channel: Channel) -> bool:
    """Tell a room what it has not heard though it is committed, such as after a kill; say whether there was anything.

    Guarantees: nothing is told twice. Far behind, or a room that knows nothing: the newest facts, and its readers fetch the rest.
    """
    told = realtime.current_seq(messages.room_of(channel.pk))
    behind = channel.last_seq - int(told["seq"])
    if behind <= 0 or not told["epoch"]:
        return False
    _tell(channel.pk, facts(channel.pk, channel.last_seq - min(behind, KEPT_FACTS), channel.last_seq))
    return True


def catch_up_all() -> int:
    """Do so for every channel in which something was said lately; say how many were behind. Beat does this."""
    lately = Message.objects.raw(
        "SELECT DISTINCT ON (channel_id) id, channel_id FROM chat_message WHERE created_at > clock_timestamp() - interval '10 minutes' "
        "OR deleted_at > clock_timestamp() - interval '10 minutes' ORDER BY channel_id, id"
    )
    return sum(catch_up(channel) for channel in Channel.objects.filter(pk__in={row.channel_id for row in lately}))


def facts(channel_id: UUID, after: int, until: int) -> list[Numbered]:
    """Make the facts of a channel between two numbers (after < number <= until) from its rows, in order, as they stand now."""
    found: list[Numbered] = []
    for row in history.between(channel_id, after, until):
        if row.seq is not None and after < row.seq <= until:
            found.append(broadcast.message(row))
        if row.deleted_seq is not None and after < row.deleted_seq <= until:
            found.append(broadcast.message_deleted(row))
    return sorted(found, key=lambda fact: fact.seq)


def _tell(channel_id: UUID, told: Sequence[Numbered]) -> None:
    realtime.publish_history(messages.room_of(channel_id), told, lambda after, until: facts(channel_id, after, until))
