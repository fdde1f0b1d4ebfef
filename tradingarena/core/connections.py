"""The sockets of one process as people see them: who they are, what they joined, and the limits on them.

Frames come in through core/consumers.py and go out through the hub; the periodic re-check is core/guards.py's.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import orjson
from django.conf import settings

from tradingarena.core import frames, hub, limits
from tradingarena.core.addresses import Headers
from tradingarena.core.errors import DomainError, TooFast
from tradingarena.core.outlets import Frame, Outlet
from tradingarena.core.people import Person
from tradingarena.core.rooms import ALL_SCOPES, Caller, RoomKind

PLACE_KEEP_S = 60.0
JOINS_PER_SOCKET = 64
CLOSE_CODES = {400: 4400, 401: 4401, 403: 4403, 404: 4404, 429: 4429, 451: 4451, 503: 1013}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one person, one address and one socket may have; each from the setting of the same name in capitals."""

    sockets_per_user: int
    sockets_per_address: int
    joins_per_user: int
    joins_per_address: int
    frames_per_socket: int
    window_s: float


def configured_limits() -> Limits:
    """Read the limits from the settings; a missing one has its default here."""
    return Limits(
        sockets_per_user=getattr(settings, "SOCKETS_PER_USER", 20),
        sockets_per_address=getattr(settings, "SOCKETS_PER_ADDRESS", 60),
        joins_per_user=getattr(settings, "SOCKET_JOINS_PER_USER", 30),
        # one address may be a whole school; each of its sockets is still held to its own limits
        joins_per_address=getattr(settings, "SOCKET_JOINS_PER_ADDRESS", 300),
        frames_per_socket=getattr(settings, "SOCKET_FRAMES_PER_SOCKET", 60),
        window_s=getattr(settings, "SOCKET_WINDOW_S", 10.0),
    )


@dataclass(slots=True)
class Joined:
    """One join of one socket: the question that was asked, and the rooms it gave."""

    kind: RoomKind
    payload: dict[str, Any]
    rooms: tuple[str, ...]


class Connection:
    """One open socket."""

    def __init__(
        self, here: hub.Hub, outlet: Outlet, namespaces: frozenset[str], address: str, headers: Headers
    ) -> None:
        self.hub = here
        self.outlet, self.namespaces, self.address, self.headers = outlet, namespaces, address, tuple(headers)
        self.socket_id = secrets.token_hex(8)
        self.person: Person | None = None
        self.joins: dict[bytes, Joined] = {}
        self.limits = configured_limits()
        self.frames = limits.Bucket(limit=self.limits.frames_per_socket, window_s=self.limits.window_s)
        self.joined_often = limits.Bucket(limit=self.limits.joins_per_user, window_s=self.limits.window_s)
        self.closed = False

    @property
    def scopes(self) -> frozenset[str]:
        """What this connection may do; strangers are limited by what asks for a person."""
        return self.person.scopes if self.person else ALL_SCOPES

    @property
    def viewer_id(self) -> str:
        """Name who watches: the same person on two sockets is one viewer."""
        return str(self.person.user_id) if self.person else f"anonymous-{self.socket_id}"

    def caller(self, user: Any) -> Caller:
        """Describe who has sent a frame."""
        return Caller(user, self.scopes, self.address, self.headers, self.socket_id)

    def send(self, text: bytes) -> None:
        """Send an encoded frame to this socket alone."""
        self.outlet.send(Frame(text))

    def end(self, refusal: DomainError, code: int | None = None, id_: str | None = None) -> None:
        """Say why in a last frame (some servers drop the reason of a close), then close."""
        if not self.closed:
            self.closed = True
            self.send(frames.error(refusal, id_))
            self.outlet.close(code or CLOSE_CODES.get(refusal.status, 4403), refusal.code)

    # -- rooms ----------------------------------------------------------------------------------------------------------

    def joined_as(self, kind: RoomKind, payload: dict[str, Any]) -> bytes:
        """Name a join, so that its leave finds it."""
        return kind.join.encode() + orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)

    def forget(self, name: bytes) -> list[str]:
        """Undo a join; give the rooms that no other join of this socket holds."""
        gone = self.joins.pop(name, None)
        if gone is None:
            return []
        return self.leave(gone.rooms)

    def leave(self, rooms: Sequence[str]) -> list[str]:
        """Hear these rooms no more, but for those that a join still holds; give those that were left."""
        kept = {room for joined in self.joins.values() for room in joined.rooms}
        rooms = [room for room in rooms if room not in kept]
        for room in rooms:
            self.hub.leave(self.outlet, room)
        return list(rooms)

    # -- places ---------------------------------------------------------------------------------------------------------

    async def take_place(self, name: str, actor: str, limit: int) -> None:
        """Take one of the sockets that a person or an address may have open.

        Raises: TooFast (`too_many_sockets`).
        """
        refusal = TooFast("Too many connections are open. Close one first.", retry_after_s=30, code="too_many_sockets")
        open_here = Registry.current().places
        if open_here[name, actor] >= limit:
            raise refusal
        open_here[name, actor] += 1
        Registry.current().held.setdefault(self, []).append((name, actor))
        if not await limits.ahold(f"sockets-{name}", actor, self.socket_id, limit=limit, keep_s=PLACE_KEEP_S):
            raise refusal

    async def give_places(self) -> None:
        """Give back what this socket has taken."""
        registry = Registry.current()
        for name, actor in registry.held.pop(self, ()):
            registry.places[name, actor] -= 1
            if registry.places[name, actor] <= 0:
                del registry.places[name, actor]
            await limits.arelease(f"sockets-{name}", actor, self.socket_id)


class Registry:
    """All connections of the running loop, and the places they hold."""

    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        self.places: Counter[tuple[str, str]] = Counter()
        self.held: dict[Connection, list[tuple[str, str]]] = {}
        self.changed = asyncio.Event()  # somebody joined or left: presence is to be told

    @classmethod
    def current(cls) -> "Registry":
        """Give the running loop's registry."""
        loop = asyncio.get_running_loop()
        found = _registries.get(loop)
        if found is None:
            found = _registries[loop] = cls()
        return found


_registries: "WeakKeyDictionary[asyncio.AbstractEventLoop, Registry]" = WeakKeyDictionary()
