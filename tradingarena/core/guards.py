"""What watches over open sockets: orders from other processes, the re-check every 3 s, places renewed, presence told.

An order makes it fast, the re-check makes it certain: a revoked permission, session, ban or gate ends the stream within 5 s.
Rules: docs/realtime.md#revocation.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

from channels.layers import get_channel_layer
from django.db import DatabaseError

from tradingarena.core import frames, limits, people, processes, realtime, redis_client, wire
from tradingarena.core.connections import PLACE_KEEP_S, Connection, Joined, Registry
from tradingarena.core.database_threads import in_database
from tradingarena.core.errors import DomainError, Forbidden, NotFound, NotSignedIn, Unavailable
from tradingarena.core.rooms import Asked, Grant, RoomKind

log = logging.getLogger(__name__)

RECHECK_EVERY_S = 3.0
PLACES_EVERY_S = 20.0
PRESENCE_EVERY_S = 10.0
PRESENCE_SOON_S = 1.0
ORDER_RETRY_S = 1.0
SIGNED_OUT = 4401
# The channel layer swallows a cancellation that comes while it connects.
CANCEL_TIMES, CANCEL_AGAIN_S = 20, 0.05


class Guards:
    """Runs while the process has sockets."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._tasks: list[asyncio.Task[None]] = []
        self._present: dict[RoomKind, set[str]] = {}  # rooms that a kind has been told of

    def start(self) -> None:
        """Begin to watch."""
        watches = (self._obey_orders(), self._recheck(), self._renew_places(), self._tell_presence())
        self._tasks = [asyncio.get_running_loop().create_task(watch) for watch in watches]

    async def stop(self) -> None:
        """Stop watching; tell presence that nobody of this process is left."""
        waiting = set(self._tasks)
        for _ in range(CANCEL_TIMES):
            for task in waiting:
                task.cancel()
            waiting = (await asyncio.wait(waiting, timeout=CANCEL_AGAIN_S))[1]
            if not waiting:
                break
        await _survive(self._present_now())

    # -- orders ---------------------------------------------------------------------------------------------------------

    async def _obey_orders(self) -> None:
        layer = get_channel_layer()
        while layer is not None:
            channel = ""
            try:
                channel = await layer.new_channel()
                await layer.group_add(realtime.CONTROL_GROUP, channel)
                while True:
                    await self._obey(await layer.receive(channel))
            except redis_client.DOWN as error:
                log.warning("orders_unheard", extra={"reason": repr(error)})
            finally:
                await _survive(layer.group_discard(realtime.CONTROL_GROUP, channel))
            await asyncio.sleep(ORDER_RETRY_S)

    async def _obey(self, order: dict[str, Any]) -> None:
        match order:
            case {"do": "revoke_user", "user_id": user_id, "code": code}:
                self._end(lambda person: str(person.user_id) == user_id, code)
            case {"do": "revoke_session", "session": mark, "code": code}:
                self._end(lambda person: person.credential == f"session:{mark}", code)
            case {"do": "recheck_room", "room": room}:
                await _survive(recheck([found for found in self._registry.connections if _is_in(found, room)]))
            case {"do": "close_room", "room": room}:
                for found in list(self._registry.connections):
                    for name in [name for name, joined in found.joins.items() if room in joined.rooms]:
                        _send_out(found, name, NotFound("This room is closed."))
            case _:
                log.warning("order_unknown", extra={"order": str(order.get("do"))[:40]})

    def _end(self, whose: Any, code: int) -> None:
        refusal: DomainError = NotSignedIn("This session has ended.", code="session_ended")
        if code != SIGNED_OUT:
            refusal = Forbidden("This account is disabled.", code="account_disabled")
        for found in list(self._registry.connections):
            if found.person and whose(found.person):
                found.send(frames.system("session_revoked", {"code": refusal.code}))
                found.end(refusal, code)

    # -- by the clock ---------------------------------------------------------------------------------------------------

    async def _recheck(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_EVERY_S)
            await _survive(recheck(list(self._registry.connections)))
            await _survive(in_database(realtime.heal))

    async def _renew_places(self) -> None:
        while True:
            await asyncio.sleep(PLACES_EVERY_S)
            held: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
            for found, places in self._registry.held.items():
                for name, actor in places:
                    held[name][actor].append(found.socket_id)
            for name, tokens in held.items():
                await limits.akeep(f"sockets-{name}", tokens, keep_s=PLACE_KEEP_S)

    async def _tell_presence(self) -> None:
        while True:
            try:
                async with asyncio.timeout(PRESENCE_EVERY_S):
                    await self._registry.changed.wait()
                await asyncio.sleep(PRESENCE_SOON_S)
            except TimeoutError:
                pass
            self._registry.changed.clear()
            await _survive(self._present_now())
            await _survive(processes.tell_sockets(len(self._registry.connections)))

    async def _present_now(self) -> None:
        viewers: dict[RoomKind, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for found in self._registry.connections:
            for joined in found.joins.values():
                if joined.kind.present and joined.rooms:
                    viewers[joined.kind][joined.rooms[0]].add(found.viewer_id)
        for kind in {*viewers, *self._present}:
            rooms = viewers[kind]
            left = self._present.get(kind, set()) - set(rooms)
            self._present[kind] = set(rooms)
            if kind.present and (rooms or left):
                await in_database(kind.present, {**rooms, **{room: set() for room in left}})


async def recheck(connections: list[Connection]) -> None:
    """Ask anew whether these people may be connected and whether their joins still hold; end what does not.

    Guarantees: a fixed number of queries for people, one question per kind of room and distinct (person, join).
    """
    living = [found for found in connections if not found.closed]
    known = {found.person for found in living if found.person}
    ended = await in_database(people.ended, known) if known else {}
    for found in living:
        if found.person in ended:
            found.send(frames.system("session_revoked", {"code": ended[found.person].code}))
            found.end(ended[found.person])
    held: dict[RoomKind, dict[tuple[UUID | None, bytes], list[tuple[Connection, Joined]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for found in living:
        if not found.closed:
            for name, joined in found.joins.items():
                held[joined.kind][found.person.user_id if found.person else None, name].append((found, joined))
    for kind, questions in held.items():
        answers = await in_database(
            _ask, kind, [(user_id, group[0][1].payload) for (user_id, _), group in questions.items()]
        )
        for ((_, name), group), answer in zip(questions.items(), answers, strict=True):
            for found, joined in group:
                _apply(found, name, joined, answer)


def _ask(kind: RoomKind, questions: list[tuple[UUID | None, dict[str, Any]]]) -> list[Grant | DomainError | None]:
    users = people.load_many({user_id for user_id, _ in questions if user_id})
    asked = [Asked(users.get(user_id) if user_id else None, payload) for user_id, payload in questions]
    if kind.recheck:
        return list(kind.recheck(asked))
    answers: list[Grant | DomainError | None] = []
    for question in asked:
        try:
            answers.append(kind.resolve(question.user, dict(question.payload)))
        except Unavailable:
            answers.append(None)  # unknown for the moment is no revocation
        except DomainError as refusal:
            answers.append(refusal)
    return answers


def _apply(found: Connection, name: bytes, joined: Joined, answer: Grant | DomainError | None) -> None:
    if answer is None or found.joins.get(name) is not joined:
        return
    if isinstance(answer, DomainError):
        _send_out(found, name, answer)
        return
    lost = [room for room in joined.rooms if room not in answer.rooms]
    if lost:
        joined.rooms = tuple(room for room in joined.rooms if room not in lost)
        for room in found.leave(lost):
            found.send(_room_closed(room, Forbidden()))


def _send_out(found: Connection, name: bytes, refusal: DomainError) -> None:
    """End one join. A socket for one namespace that is left with nothing is closed; the shared one stays for the rest."""
    for room in found.forget(name):
        found.send(_room_closed(room, refusal))
    Registry.current().changed.set()
    if not found.joins and len(found.namespaces) == 1:
        found.end(refusal)


def _room_closed(room: str, refusal: DomainError) -> bytes:
    return wire.room_frame("room_closed", room, {"code": refusal.code, "detail": refusal.message})


def _is_in(found: Connection, room: str) -> bool:
    return any(room in joined.rooms for joined in found.joins.values())


async def _survive(work: Coroutine[Any, Any, Any]) -> None:
    """Let a watch outlive one failed round."""
    try:
        await work
    except (DatabaseError, *redis_client.DOWN) as error:
        log.warning("guard_round_failed", extra={"reason": repr(error)})
    except Exception:  # the next round may do better; without the guard nobody would be sent out again
        log.exception("guard_round_failed")
