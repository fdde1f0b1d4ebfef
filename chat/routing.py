"""The chat on the socket: joining channels, saying something, typing. The doors are the same as REST's.

Who may be in a channel is `selectors/access.py`'s. Messages: `broadcast.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from accounts.countries import country_of_scope
from chat import broadcast, messages
from chat.models import LONGEST_CLIENT_ID, Channel
from chat.selectors.access import channel_for, reading_refusals
from chat.services import posting, telling
from chat.services.posting import Draft
from tradingarena.core import frames, limits, realtime, rooms
from tradingarena.core.errors import DomainError, NotFound
from tradingarena.core.frames import optional, read_fields, text
from tradingarena.core.rooms import Asked, Caller, Grant, RoomKind

LONGEST_SENT = 2_000  # what is too long is refused by the rule of the chat, not by the form of the frame
TYPING_EVERY_S = 3


def join_channel(user: Any, payload: dict[str, Any]) -> Grant:
    """Let somebody hear a channel.

    Effects: what a process that is gone has committed and not told is told now.
    Raises: NotFound, and whatever keeps them from reading there.
    """
    channel = channel_for(user or AnonymousUser(), _asked_for(payload))
    telling.catch_up(channel)
    return _grant(channel)


def still_in_channel(asked: Sequence[Asked]) -> Sequence[Grant | DomainError]:
    """Answer the re-check of everybody who listens, with a handful of queries for all of them."""
    ids = [_asked_for(one.payload) for one in asked]
    known = Channel.objects.select_related("competition").in_bulk(set(ids))
    viewers = [one.user or AnonymousUser() for one in asked]
    questions = [(viewer, known[key]) for viewer, key in zip(viewers, ids, strict=True) if key in known]
    refusals = iter(reading_refusals(questions) if questions else ())
    answers: list[Grant | DomainError] = []
    for key in ids:
        refusal = next(refusals) if key in known else NotFound("There is no such channel.")
        answers.append(refusal or _grant(known[key]))
    return answers


def on_message(caller: Caller, payload: dict[str, Any]) -> Mapping[str, Any]:
    """Say something."""
    fields = read_fields(
        payload,
        channel_id=frames.uuid,
        text=text(LONGEST_SENT, shortest=0),
        client_id=text(LONGEST_CLIENT_ID),
        reply_to_id=optional(frames.uuid),
    )
    draft = Draft(fields["text"], fields["client_id"], fields["reply_to_id"])
    posted = posting.message_post(
        caller.user, fields["channel_id"], draft, country=country_of_scope({"headers": caller.headers})
    )
    return messages.posted(posted.message)


def on_typing(caller: Caller, payload: dict[str, Any]) -> None:
    """Let others see that somebody writes, at most once in three seconds; only where they may write."""
    channel_id: UUID = read_fields(payload, channel_id=frames.uuid)["channel_id"]
    limits.spend("chat.typing", caller.user.pk, limit=1, window_s=TYPING_EVERY_S)
    channel = posting.writable(caller.user, channel_id, country_of_scope({"headers": caller.headers}))
    realtime.publish_many([broadcast.typing(channel, caller.user)])


def _asked_for(payload: dict[str, Any]) -> UUID:
    asked: UUID = read_fields(payload, channel_id=frames.uuid)["channel_id"]
    return asked


def _grant(channel: Channel) -> Grant:
    return Grant(rooms=[messages.room_of(channel.pk)])


def connect() -> None:
    """Register what the socket serves."""
    rooms.register(
        RoomKind(
            namespace="chat",
            join="join_channel",
            leave="leave_channel",
            resolve=join_channel,
            recheck=still_in_channel,
        )
    )
    rooms.on_frame("chat", "message", on_message, scope="chat")
    rooms.on_frame("chat", "user_typing", on_typing, scope="chat")
