"""The register of room kinds and client frames: apps fill it in AppConfig.ready(), core/consumers.py serves it.

Whether somebody may be in a room is the app's own code, asked at the join and again every few seconds. How frames travel
is none of its business. Rules: docs/realtime.md#rooms.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tradingarena.core.errors import DomainError
from tradingarena.core.frames import LONGEST_NAME

Payload = dict[str, Any]
SYSTEM_TYPES = frozenset({"auth", "ping"})
ALL_SCOPES = frozenset({"read", "trade", "bet", "chat"})


@dataclass(frozen=True, slots=True)
class FirstFrame:
    """A frame without a sequence number that only the joiner gets, right after the ack."""

    type: str
    room: str
    data: Any


@dataclass(frozen=True, slots=True)
class Grant:
    """What a join gives: the rooms to hear, the first of which a frame's `since` refers to, and what the ack tells beside them."""

    rooms: Sequence[str]
    first_frames: Sequence[FirstFrame] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a re-check: may this person (None: anonymous) still have what this join gave?"""

    user: Any
    payload: Payload


Resolve = Callable[[Any, Payload], Grant]
Recheck = Callable[[Sequence[Asked]], Sequence[Grant | DomainError]]
Present = Callable[[Mapping[str, Collection[str]]], None]


@dataclass(frozen=True, slots=True)
class RoomKind:
    """One kind of room of one namespace.

    `resolve(user_or_None, payload)` is synchronous and may use the database; it validates the payload strictly (`frames.read_fields`)
    and raises a DomainError to refuse. `recheck` answers many questions with few queries, in their order; without it `resolve` is asked
    once per distinct question. `present` is told every 10 s (and soon after a change) who of this process is in which first room:
    room -> viewer ids, a user's id or a random one; no viewers: an empty collection, once.
    """

    namespace: str
    join: str
    leave: str
    resolve: Resolve
    recheck: Recheck | None = None
    present: Present | None = None
    scope: str = "read"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who has sent a frame, from where."""

    user: Any
    scopes: frozenset[str]
    address: str
    headers: Sequence[tuple[bytes, bytes]]
    socket_id: str


Handler = Callable[[Caller, Payload], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class FrameKind:
    """A client frame that is no join. `handle` is synchronous, may use the database, and returns what the ack tells."""

    namespace: str
    type: str
    handle: Handler
    scope: str
    signed_in: bool


PersonCheck = Callable[[Collection[UUID]], Mapping[UUID, DomainError]]
CredentialCheck = Callable[[Collection[str]], Collection[str]]

_joins: dict[str, RoomKind] = {}
_leaves: dict[str, RoomKind] = {}
_frames: dict[str, FrameKind] = {}
_person_checks: list[PersonCheck] = []
_credential_checks: dict[str, CredentialCheck] = {}


def register(kind: RoomKind) -> None:
    """Add a room kind.

    Raises: ValueError: one of its frame types is taken.
    """
    _claim(kind.join, kind.namespace)
    _claim(kind.leave, kind.namespace)
    _joins[kind.join] = kind
    _leaves[kind.leave] = kind


def on_frame(namespace: str, type: str, handle: Handler, *, scope: str, signed_in: bool = True) -> None:
    """Add a client frame: `handle(caller, payload)` validates, does, and returns what the ack tells (or None).

    Guarantees: called outside the event loop, one frame of a socket at a time, in order; `signed_in` refuses strangers before.
    Raises: ValueError: the type is taken.
    """
    _claim(type, namespace)
    _frames[type] = FrameKind(namespace, type, handle, scope, signed_in)


def add_person_check(check: PersonCheck) -> None:
    """Add a rule that ends sockets: ids in, id -> refusal out for those who may not be connected; one query for all."""
    if check not in _person_checks:
        _person_checks.append(check)


def add_credential_check(prefix: str, check: CredentialCheck) -> None:
    """Say which credentials "<prefix>:<rest>" of tickets are still good: rests in, the good ones out; one query for all."""
    _credential_checks[prefix] = check


def join_kind(type: str, namespaces: Collection[str]) -> RoomKind | None:
    """Find the room kind that a frame joins, among the namespaces of a connection."""
    return _among(_joins.get(type), namespaces)


def leave_kind(type: str, namespaces: Collection[str]) -> RoomKind | None:
    """Find the room kind that a frame leaves."""
    return _among(_leaves.get(type), namespaces)


def frame_kind(type: str, namespaces: Collection[str]) -> FrameKind | None:
    """Find who handles a frame that is neither."""
    found = _frames.get(type)
    return found if found and found.namespace in namespaces else None


def person_checks() -> Sequence[PersonCheck]:
    """Give the rules that end sockets."""
    return tuple(_person_checks)


def credential_checks() -> Mapping[str, CredentialCheck]:
    """Give the rules that end tickets' sockets, by prefix."""
    return dict(_credential_checks)


def forget(kind: RoomKind | str) -> None:
    """Take a room kind, or a frame's type, out again: for tests."""
    if isinstance(kind, str):
        _frames.pop(kind, None)
        return
    _joins.pop(kind.join, None)
    _leaves.pop(kind.leave, None)


def _among(kind: RoomKind | None, namespaces: Collection[str]) -> RoomKind | None:
    return kind if kind and kind.namespace in namespaces else None


def _claim(type_: str, namespace: str) -> None:
    # `message` of chat and a `message` of another namespace would be one type on the shared socket
    if type_ in SYSTEM_TYPES or type_ in _joins or type_ in _leaves or type_ in _frames:
        raise ValueError(f"the frame type {type_!r} is taken; {namespace} needs another")
    if not 1 <= len(type_) <= LONGEST_NAME:
        raise ValueError(f"not a frame type: {type_!r}")
