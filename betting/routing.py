"""The room of a contest's markets on the socket. Who may be in it is whoever may watch the contest. Messages: `broadcast.py`."""

from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from betting.messages import bets_room
from betting.selectors import markets
from tradingarena.core import frames, rooms
from tradingarena.core.errors import Malformed
from tradingarena.core.rooms import Grant, RoomKind


def join_market(user: Any, payload: dict[str, Any]) -> Grant:
    """Say which room a join_market opens: that of the contest, or of the contest that a market belongs to.

    Raises: Malformed: not exactly one of the two is named. NotFound. DomainError: they may not watch the contest.
    """
    viewer = user or AnonymousUser()
    named = {"competition_id", "market_id"} & set(payload)
    if len(named) != 1:
        raise Malformed("Name a market_id or a competition_id.")
    (name,) = named
    asked: UUID = frames.read_fields(payload, **{name: frames.uuid})[name]
    if name == "market_id":
        asked = markets.market_of(viewer, asked).competition_id
    else:
        markets.contest_of(viewer, asked)
    return Grant(rooms=[bets_room(asked)])


def connect() -> None:
    """Register what the socket serves."""
    rooms.register(RoomKind(namespace="betting", join="join_market", leave="leave_market", resolve=join_market))
