"""The hub: one per process and event loop. It hears each room's messages once and hands the same bytes to every local socket.

Who may hear what is decided before (core/consumers.py), how a socket takes it is the outlet's business (core/outlets.py),
the connection to Redis is core/subscription.py's. Rules: docs/realtime.md#the-hub.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from django.conf import settings

from tradingarena.core import realtime, redis_client, wire
from tradingarena.core.fanout import Batch, Room, deliver, deliver_several, kinds
from tradingarena.core.outlets import Frame, Outlet
from tradingarena.core.subscription import Subscription
from tradingarena.core.wire import UNKNOWN, Head, RoomState

log = logging.getLogger(__name__)

TICK_S = 0.02


@dataclass(frozen=True, slots=True)
class Entry:
    """A prepared join: where the room stood, and what the joiner has missed (None: it must fetch the snapshot)."""

    room: Room
    outlet: Outlet
    head: Head
    missed: list[Frame] | None
    latest: dict[str, Frame]


class Gone(Exception):
    """Raised when a socket has gone while it was joining."""


class Hub:
    """Rooms, their local sockets, and the one subscription that feeds them."""

    def __init__(self) -> None:
        self.rooms: dict[str, Room] = {}
        self._rooms_of: dict[Outlet, dict[str, Room]] = {}
        self._active: dict[Room, None] = {}
        self._flush_timer: asyncio.TimerHandle | None = None
        self._last_flush = 0.0
        self._loop = asyncio.get_running_loop()
        self._syncs: set[asyncio.Task[None]] = set()
        self._subscription = Subscription(on_message=self._on_message, on_subscribed=self._on_subscribed)
        self.delivered = 0

    def start(self) -> None:
        """Begin to listen."""
        self._subscription.start()

    async def stop(self) -> None:
        """Stop listening and let go of every connection."""
        if self._flush_timer:
            self._flush_timer.cancel()
        for task in self._syncs:
            task.cancel()
        await asyncio.gather(*self._syncs, return_exceptions=True)
        await self._subscription.stop()

    # -- membership ---------------------------------------------------------------------------------------------------

    def attach(self, outlet: Outlet) -> None:
        """Take a socket in; it hears nothing yet."""
        self._rooms_of[outlet] = {}
        outlet.on_change = lambda: self._outlet_changed(outlet)

    def detach(self, outlet: Outlet) -> None:
        """Let a socket go, out of every room."""
        for name in list(self._rooms_of.get(outlet, ())):
            self.leave(outlet, name)
        self._rooms_of.pop(outlet, None)
        outlet.on_change = None

    def rooms_of(self, outlet: Outlet) -> Iterable[str]:
        """Tell which rooms a socket hears."""
        return self._rooms_of.get(outlet, {}).keys()

    async def prepare(self, outlet: Outlet, name: str, seen: Head | None) -> Entry:
        """Begin a join: from now on nothing is missed. The caller sends its ack, then calls `enter`.

        Shapes: seen is what the joiner has (a snapshot's head), or None when it wants no replay.
        Guarantees: Redis down: an empty entry within 2 s; a resync follows when Redis is back. Joining a room again may repeat
            facts and loses none.
        Raises: Gone: the socket has gone.
        """
        mine = self._rooms_of.get(outlet)
        if mine is None:
            raise Gone
        room = self.rooms.get(name)
        if room is None:
            room = self.rooms[name] = Room(name, self._loop.create_future())
            self._loop.call_later(_open_within_s(), self._open_anyway, room)
            self._subscription.add(wire.channel_of(name))
        mine[name] = room
        if outlet not in room.members:
            room.joining.setdefault(outlet, Batch())
        await asyncio.shield(room.opened)
        if room.head is None:
            room.behind = True
            return Entry(room, outlet, UNKNOWN, [], {})
        head, missed, latest = room.head, room.since(seen), dict(room.latest)
        if missed is None and seen is not None:
            # The joiner may be ahead of this process by what is on its way: Redis knows.
            state = await self._read(room)
            texts = state.since(seen) if state else None
            if state and texts is not None:
                head, missed = state.head, [Frame(text) for text in texts]
        return Entry(room, outlet, head, missed, latest)

    def enter(self, entry: Entry) -> None:
        """Finish a join: what was missed, then what came meanwhile, then live."""
        room, outlet = entry.room, entry.outlet
        self._flush_room(room)
        held = room.joining.pop(outlet, Batch() if outlet in room.members else None)
        if held is None or outlet.closed:
            return  # it has left meanwhile
        room.members.add(outlet)
        room.stale = True
        facts = [Frame(wire.resync_frame(room.name, entry.head))] if entry.missed is None else list(entry.missed)
        for fact in held.facts:
            if fact.head.epoch != entry.head.epoch or fact.head.seq > entry.head.seq:
                facts.append(fact)
        newest = entry.latest | held.newest
        if facts or newest:
            outlet.offer(facts, newest)

    def leave(self, outlet: Outlet, name: str) -> None:
        """Let a socket hear a room no more."""
        room = self._rooms_of.get(outlet, {}).pop(name, None)
        if room is None:
            return
        room.members.discard(outlet)
        room.joining.pop(outlet, None)
        room.stale = True
        if not room.members and not room.joining and self.rooms.get(name) is room:
            del self.rooms[name]
            self._active.pop(room, None)
            self._subscription.remove(wire.channel_of(name))

    def outlets_in(self, name: str) -> list[Outlet]:
        """List the sockets that are in a room, or about to be."""
        room = self.rooms.get(name)
        return [*room.members, *room.joining] if room else []

    # -- from Redis ---------------------------------------------------------------------------------------------------

    def _on_message(self, channel: str, payload: bytes) -> None:
        room = self.rooms.get(channel[len(wire.channel_of("")) - 1 : -1])
        if room is None:
            return
        mark, _, text = payload.partition(b"\n")
        kind, told = mark[:1], mark[1:].decode()
        if kind in {b"L", b"T"}:
            name, frame = f"{room.name}:{told}", Frame(text)
            room.pending.newest[name] = frame
            if kind == b"L":
                room.latest[name] = frame
            self._wake(room)
        elif kind == b"F":
            epoch, _, seq = told.rpartition(":")
            self._on_fact(room, Frame(text, Head(epoch, int(seq))))
        elif kind == b"S":
            epoch, _, seq = told.rpartition(":")
            self._on_replacement(room, Frame(text, Head(epoch, int(seq))))
        elif kind == b"R":
            self._on_break(room, Head(told, 0))

    def _on_fact(self, room: Room, fact: Frame) -> None:
        head = room.head
        if room.syncing:
            room.early.append(fact)
        elif head is None or (fact.head.epoch == head.epoch and fact.head.seq == head.seq + 1):
            self._hand_on(room, fact)
        elif fact.head.epoch != head.epoch:  # Redis has lost the room's counter
            self._on_break(room, fact.head)
            self._hand_on(room, fact)
        elif fact.head.seq > head.seq:
            room.early.append(fact)
            self._sync(room)

    def _on_replacement(self, room: Room, frame: Frame) -> None:
        room.replace(frame)
        if room.syncing:
            room.instead.append(frame)  # what is being read may be from before

    def _on_break(self, room: Room, head: Head) -> None:
        room.head = head
        room.behind = False
        room.log.clear()
        room.pending.facts.append(Frame(wire.resync_frame(room.name, head), head))
        self._wake(room)

    def _hand_on(self, room: Room, fact: Frame) -> None:
        room.head = fact.head
        room.log.append(fact)
        room.pending.facts.append(fact)
        self._wake(room)

    def _on_subscribed(self, channel: str) -> None:
        room = self.rooms.get(channel[len(wire.channel_of("")) - 1 : -1])
        if room is not None:
            self._sync(room)

    def _sync(self, room: Room) -> None:
        if not room.syncing:
            room.syncing = True
            task = self._loop.create_task(self._catch_up(room))
            self._syncs.add(task)
            task.add_done_callback(self._syncs.discard)

    async def _catch_up(self, room: Room) -> None:
        """Compare a room with Redis: at its opening, after a lost subscription, and when a number is missing."""
        try:
            state = await self._read(room)
            if state is None:
                room.behind = True
                return
            first = state.head.seq - len(state.facts) + 1
            facts = [Frame(text, Head(state.head.epoch, seq)) for seq, text in enumerate(state.facts, first)]
            missed = None if room.head is None else wire.after(room.head, state.head, facts)
            if missed is not None and not room.behind:
                for fact in missed:
                    self._hand_on(room, fact)
            else:
                if room.head is not None or room.behind:
                    self._on_break(room, state.head)
                room.head = state.head
                room.log.extend(facts)
            fresh = {kind: frame for kind, frame in room.pending.newest.items() if room.latest.get(kind) is frame}
            room.latest = kinds(room, state.latest) | fresh
            if room.members:
                room.pending.newest = room.latest | room.pending.newest
                self._wake(room)
        finally:
            room.syncing = False
            for frame in room.instead:
                room.replace(frame)
            room.instead.clear()
            early, room.early = room.early, []
            for fact in early:
                if room.head is None or fact.head.epoch != room.head.epoch or fact.head.seq > room.head.seq:
                    self._on_fact(room, fact)
            if not room.opened.done():
                room.opened.set_result(None)

    async def _read(self, room: Room) -> RoomState | None:
        try:
            async with asyncio.timeout(_open_within_s()):
                return await realtime.read_room(room.name)
        except (*redis_client.DOWN, TimeoutError) as error:
            log.warning("room_unread", extra={"room": room.name, "reason": repr(error)})
            return None

    def _open_anyway(self, room: Room) -> None:
        if not room.opened.done():
            room.behind = True
            room.opened.set_result(None)

    # -- to the sockets -----------------------------------------------------------------------------------------------

    def _wake(self, room: Room) -> None:
        """Deliver at the next tick; at once, in this turn of the loop, when the last one was long enough ago."""
        self._active[room] = None
        if self._flush_timer is None:
            wait_s = max(0.0, self._last_flush + TICK_S - self._loop.time())
            self._flush_timer = self._loop.call_later(wait_s, self._flush)

    def _flush(self) -> None:
        self._flush_timer = None
        self._last_flush = self._loop.time()
        active, self._active = self._active, {}
        batches = [(room, self._take(room)) for room in active]
        if len(batches) == 1:
            self.delivered += deliver(*batches[0])
        elif batches:
            self.delivered += deliver_several(batches)

    def _flush_room(self, room: Room) -> None:
        self._active.pop(room, None)
        self.delivered += deliver(room, self._take(room))

    def _take(self, room: Room) -> Batch:
        batch, room.pending = room.pending, Batch()
        for held in room.joining.values():
            held.facts.extend(batch.facts)
            held.newest |= batch.newest
        return batch

    def _outlet_changed(self, outlet: Outlet) -> None:
        for room in self._rooms_of.get(outlet, {}).values():
            room.stale = True
        if outlet.closed:
            self.detach(outlet)


def _open_within_s() -> float:
    """How long a join waits for a Redis that does not answer: two seconds, as the settings stand."""
    return 2 * settings.REDIS_TIMEOUT_S


_hubs: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()


def current(make: Callable[[], Hub] = Hub) -> Hub:
    """Give the running loop's hub, started at the first call."""
    loop = asyncio.get_running_loop()
    hub = _hubs.get(loop)
    if hub is None:
        hub = _hubs[loop] = make()
        hub.start()
    return hub


def take_current() -> Hub | None:
    """Take the running loop's hub out, to be stopped: the next socket gets a new one."""
    return _hubs.pop(asyncio.get_running_loop(), None)
