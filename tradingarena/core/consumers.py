"""The one socket consumer: handshake, sign-in, joins and incoming frames. Outgoing room frames never pass through here.

Which rooms there are and who may enter is registered in core/rooms.py. Rules: docs/realtime.md, docs/asyncapi.yaml.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakKeyDictionary

from channels.consumer import AsyncConsumer
from django.db import DatabaseError

from tradingarena.core import frames, hub, limits, people, rooms, tickets, wire
from tradingarena.core.addresses import client_address, header_values, is_trusted_origin, own_origin
from tradingarena.core.connections import JOINS_PER_SOCKET, Connection, Joined, Registry
from tradingarena.core.database_threads import in_database
from tradingarena.core.errors import DomainError, Forbidden, NotFound, NotSignedIn, RuleRefusal, TooFast, Unavailable
from tradingarena.core.frames import BadFrame, Incoming, integer, optional, read_fields, text
from tradingarena.core.guards import Guards
from tradingarena.core.outlets import AsgiOutlet, Outlet, RawOutlet
from tradingarena.core.rooms import Grant, RoomKind
from tradingarena.core.wire import Head

log = logging.getLogger(__name__)

BAD_FRAMES = 3
TOO_BIG = 1009
SERVER_ERROR = 1011

_guards: "WeakKeyDictionary[asyncio.AbstractEventLoop, Guards]" = WeakKeyDictionary()

Receive = Callable[[], Awaitable[dict[str, Any]]]


class ArenaSocket(AsyncConsumer):  # type: ignore[misc]  # channels has no types
    """Serves the namespaces it is given; none: an unknown path, closed with 4404.

    A Channels consumer for the handshake and incoming frames, without Channels' cost per outgoing message: no channel of
    its own, no task pair, no thread hop.
    """

    namespaces: frozenset[str] = frozenset()
    connection: Connection

    def __init__(self, namespaces: frozenset[str] = frozenset()) -> None:
        self.namespaces = namespaces
        self._bad_in_a_row = 0

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Callable[[dict[str, Any]], Any]) -> None:
        if (await receive())["type"] != "websocket.connect":
            return
        # Accepted first: a browser sees no close code of a refused handshake.
        await send({"type": "websocket.accept"})
        outlet = self._outlet(scope, send)
        address = client_address((scope.get("client") or [None])[0], scope["headers"])
        self.connection = Connection(hub.current(), outlet, self.namespaces, address, scope["headers"])
        registry = Registry.current()
        try:
            self.connection.hub.attach(outlet)
            registry.connections.add(self.connection)
            self._watch(registry)
            await self._enter(scope)
            while (message := await receive())["type"] != "websocket.disconnect":
                if not self.connection.closed and not outlet.closed:
                    await self._on_frame(message)
        except hub.Gone:
            pass
        except asyncio.CancelledError:
            if not outlet.closed:
                raise  # the server's; ours follows a reader that is stuck, and ends the connection quietly
        finally:
            await self._leave(registry, outlet)

    # -- coming and going -----------------------------------------------------------------------------------------------

    def _outlet(self, scope: dict[str, Any], send: Callable[[dict[str, Any]], Any]) -> Outlet:
        raw = (scope.get("extensions") or {}).get("arena.raw")
        if raw is not None:
            return RawOutlet(raw)
        task = asyncio.current_task()

        def cancel() -> None:
            if task:
                task.cancel()

        return AsgiOutlet(send, on_stuck=cancel)

    async def _enter(self, scope: dict[str, Any]) -> None:
        here = self.connection
        try:
            if not self.namespaces:
                raise NotFound("There is no socket at this path.")
            session = people.session_cookie(here.headers)
            self._check_origin(scope, signed=bool(session))
            await here.take_place("address", here.address, here.limits.sockets_per_address)
            person = await in_database(people.by_session, session) if session else None
            if person:
                await self._sign_in(person)
            here.hub.enter(await here.hub.prepare(here.outlet, wire.SITE_ROOM, None))
        except DomainError as refusal:
            here.end(refusal)
        except DatabaseError:
            log.warning("sign_in_without_database", exc_info=True)
            here.end(Unavailable())

    def _check_origin(self, scope: dict[str, Any], *, signed: bool) -> None:
        headers = self.connection.headers
        origins = header_values(headers, b"origin")
        if not origins and not signed:
            return  # a program; it has nothing that a foreign page could borrow
        if len(origins) != 1 or not is_trusted_origin(origins[0], own_origin(scope.get("scheme", "ws"), headers)):
            raise Forbidden("This page may not open a socket here.", code="origin_refused")

    async def _sign_in(self, person: people.Person) -> list[dict[str, Any]]:
        here = self.connection
        await here.take_place("user", str(person.user_id), here.limits.sockets_per_user)
        here.person = person
        room = f"user.{person.user_id}"
        entry = await here.hub.prepare(here.outlet, room, None)
        here.hub.enter(entry)
        return [{"room": room, "epoch": entry.head.epoch, "seq": entry.head.seq}]

    async def _leave(self, registry: Registry, outlet: Outlet) -> None:
        registry.connections.discard(self.connection)
        registry.changed.set()
        outlet.shut()
        self.connection.hub.detach(outlet)
        await self.connection.give_places()
        if not registry.connections:
            await stop_watching()

    def _watch(self, registry: Registry) -> None:
        loop = asyncio.get_running_loop()
        if loop not in _guards:
            _guards[loop] = Guards(registry)
            _guards[loop].start()

    # -- frames ---------------------------------------------------------------------------------------------------------

    async def _on_frame(self, message: dict[str, Any]) -> None:
        here, id_ = self.connection, None
        content = message.get("text")
        if len(content or message.get("bytes") or "") > frames.LARGEST_BYTES:
            here.end(BadFrame(f"A frame has at most {frames.LARGEST_BYTES} bytes."), TOO_BIG)
            return
        try:
            here.frames.spend()
        except TooFast as refusal:
            here.end(refusal)
            return
        try:
            frame = frames.decode(content)
            id_ = frame.id
            await self._do(frame)
        except BadFrame as refusal:
            self._bad_in_a_row += 1
            if self._bad_in_a_row >= BAD_FRAMES:
                here.end(refusal, id_=refusal.id or id_)
            else:
                here.send(frames.error(refusal, refusal.id or id_))
            return
        except DomainError as refusal:
            here.send(frames.error(refusal, id_))
        except DatabaseError:
            log.warning("frame_without_database", exc_info=True)
            here.send(frames.error(Unavailable(), id_))
        except hub.Gone:
            raise
        except Exception:  # whatever a handler did wrong ends this socket, not the process
            log.exception("frame_failed")
            here.end(Unavailable("Something went wrong here; it has been noted."), SERVER_ERROR, id_)
        self._bad_in_a_row = 0

    async def _do(self, frame: Incoming) -> None:
        here = self.connection
        if frame.type == "ping":
            read_fields(frame.fields)
            here.send(frames.pong(frame.id))
        elif frame.type == "auth":
            await self._authenticate(frame)
        elif kind := rooms.join_kind(frame.type, self.namespaces):
            await self._join(kind, frame)
        elif kind := rooms.leave_kind(frame.type, self.namespaces):
            here.forget(here.joined_as(kind, frame.fields))
            Registry.current().changed.set()
            here.send(frames.ack(frame.id))
        elif handler := rooms.frame_kind(frame.type, self.namespaces):
            self._require(handler.scope, signed_in=handler.signed_in)
            done = await in_database(self._handle, handler, frame.fields)
            here.send(frames.ack(frame.id, done))
        else:
            raise BadFrame(f"`{frame.type}` is not a type that this socket knows.")

    async def _authenticate(self, frame: Incoming) -> None:
        fields = read_fields(frame.fields, ticket=text(tickets.LONGEST))
        if self.connection.person or self.connection.joins:
            raise RuleRefusal("Sign in with the first frame, once.", code="already_signed_in")
        try:
            person = await in_database(people.by_ticket, await tickets.redeem(fields["ticket"]))
            heads = await self._sign_in(person)
        except Unavailable:
            raise
        except DomainError as refusal:
            self.connection.end(refusal, id_=frame.id)
            return
        self.connection.send(frames.ack(frame.id, {"user_id": person.user_id, "rooms": heads}))

    def _require(self, scope: str, *, signed_in: bool) -> None:
        if signed_in and self.connection.person is None:
            raise NotSignedIn
        if scope not in self.connection.scopes:
            raise Forbidden(f"This connection's token lacks the scope `{scope}`.", code="scope_missing")

    def _handle(self, handler: rooms.FrameKind, payload: dict[str, Any]) -> Any:
        return handler.handle(self.connection.caller(self._user()), payload)

    def _user(self) -> Any:
        """Read the person anew: what was true at the handshake may not be true now."""
        person = self.connection.person
        if person is None:
            return None
        user = people.load(person.user_id)
        if user is None:
            raise Forbidden("This account is disabled.", code="account_disabled")
        return user

    # -- joins ----------------------------------------------------------------------------------------------------------

    async def _join(self, kind: RoomKind, frame: Incoming) -> None:
        here = self.connection
        self._require(kind.scope, signed_in=False)
        try:
            await self._spend_join()
        except TooFast as refusal:
            here.end(refusal, id_=frame.id)
            return
        positions = {name: frame.fields.pop(name, None) for name in ("since", "epoch", "seen")}
        seen = read_positions(positions)
        name = here.joined_as(kind, frame.fields)
        if name not in here.joins and len(here.joins) >= JOINS_PER_SOCKET:
            raise RuleRefusal(f"One socket joins at most {JOINS_PER_SOCKET} times.", code="too_many_joins")
        grant: Grant = await in_database(lambda: kind.resolve(self._user(), dict(frame.fields)))
        if (primary := seen.pop("", None)) and grant.rooms:
            seen.setdefault(grant.rooms[0], primary)
        entries = await asyncio.gather(
            *(here.hub.prepare(here.outlet, room, seen.get(room)) for room in dict.fromkeys(grant.rooms))
        )
        before = here.joins.get(name)
        here.joins[name] = Joined(kind, frame.fields, tuple(grant.rooms))
        here.leave(before.rooms if before else ())
        Registry.current().changed.set()
        told = [{"room": entry.room.name, "epoch": entry.head.epoch, "seq": entry.head.seq} for entry in entries]
        here.send(frames.ack(frame.id, {**grant.data, "rooms": told}))
        for first in grant.first_frames:
            here.send(wire.room_frame(first.type, first.room, first.data))
        for entry in entries:
            here.hub.enter(entry)

    async def _spend_join(self) -> None:
        here, bounds = self.connection, self.connection.limits
        here.joined_often.spend()
        if here.person:
            await limits.aspend(
                "joins-user", here.person.user_id, limit=bounds.joins_per_user, window_s=bounds.window_s
            )
        else:
            await limits.aspend("joins-address", here.address, limit=bounds.joins_per_address, window_s=bounds.window_s)


def read_positions(told: dict[str, Any]) -> dict[str, Head]:
    """Read where a joiner stands: `since` and `epoch` for the join's first room (under the name ""), `seen` for others by name.

    Raises: BadFrame.
    """
    fields = read_fields(
        told,
        since=optional(integer(0, frames.LARGEST_INTEGER)),
        epoch=optional(text(32, shortest=0)),
        seen=optional(_seen),
    )
    seen: dict[str, Head] = fields["seen"] or {}
    if fields["since"] is not None:
        seen[""] = Head(fields["epoch"] or "", fields["since"])
    return seen


def _seen(value: Any) -> dict[str, Head]:
    form = 'is an object such as {"account.1": {"epoch": "5f0c", "seq": 7}}'
    if not isinstance(value, dict) or not all(isinstance(position, dict) for position in value.values()):
        raise BadFrame(f"`seen` {form}.")
    reads = {"epoch": text(32, shortest=0), "seq": integer(0, frames.LARGEST_INTEGER)}
    return {room: Head(**read_fields(position, **reads)) for room, position in value.items()}


async def stop_watching() -> None:
    """Stop the running loop's hub and guards: its last socket is gone, or the server ends."""
    guards, here = _guards.pop(asyncio.get_running_loop(), None), hub.take_current()
    if guards:
        await guards.stop()
    if here:
        await here.stop()
