"""The arena's rooms on the socket: one join opens the board, the tape, the quotes and, for an entrant, their own account.

Who may know of a contest and how much of it they see is `selectors/visibility.py`'s. Messages: `broadcast.py`.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from competitions import messages
from competitions.models import Competition, Entry
from competitions.selectors import room
from competitions.selectors.competitions import entry_of, find, may_know
from competitions.selectors.visibility import require_watching, watching_refusals
from competitions.services import presence
from tradingarena.core import frames, rooms
from tradingarena.core.errors import DomainError, NotFound
from tradingarena.core.rooms import Asked, Grant, RoomKind


def join_arena(user: Any, payload: dict[str, Any]) -> Grant:
    """Say which rooms a join_room opens.

    Raises: NotFound: no such contest, or none that this person may know of. DomainError: they may not watch it.
    """
    viewer = user or AnonymousUser()
    competition = find(viewer, _asked_for(payload))
    entry = entry_of(viewer, competition)
    if entry is None:
        require_watching(viewer, competition)
    return _grant(competition, entry)


def still_in_arena(asked: Sequence[Asked]) -> Sequence[Grant | DomainError]:
    """Answer the re-check of everybody who watches, with a handful of queries for all of them."""
    ids = [_asked_for(one.payload) for one in asked]
    known = Competition.objects.in_bulk(set(ids))
    viewers = [one.user or AnonymousUser() for one in asked]
    entries = {
        (entry.competition_id, entry.user_id): entry
        for entry in Entry.objects.filter(competition__in=known, user__in={one.user.pk for one in asked if one.user})
        if entry.status != Entry.Status.WITHDRAWN
    }
    watched = [(viewer, known[key]) for viewer, key in zip(viewers, ids, strict=True) if key in known]
    refusals = iter(watching_refusals(watched))
    answers: list[Grant | DomainError] = []
    for viewer, key in zip(viewers, ids, strict=True):
        refusal = next(refusals) if key in known else NotFound("There is no such contest.")
        if refusal is None and not may_know(viewer, known[key]):
            refusal = NotFound("There is no such contest.")
        answers.append(refusal or _grant(known[key], entries.get((key, viewer.pk))))
    return answers


def _asked_for(payload: dict[str, Any]) -> UUID:
    asked: UUID = frames.read_fields(payload, competition_id=frames.uuid)["competition_id"]
    return asked


def _grant(competition: Competition, entry: Entry | None) -> Grant:
    quotes = (messages.quotes_room(pair) for pair in competition.pairs)
    return Grant(rooms=[*room.rooms_of(competition, entry), *quotes])


def connect() -> None:
    """Register what the socket serves."""
    rooms.register(
        RoomKind(
            namespace="arena",
            join="join_room",
            leave="leave_room",
            resolve=join_arena,
            recheck=still_in_arena,
            present=presence.confirm,
        )
    )
