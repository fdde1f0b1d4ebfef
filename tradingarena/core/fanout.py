"""One room as this process knows it, and how a tick's messages reach its local sockets.

What the messages are and when a tick comes is the hub's business (core/hub.py). Rules: docs/realtime.md#the-hub.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from tradingarena.core.outlets import Frame, Outlet, RawOutlet
from tradingarena.core.wire import KEPT_FACTS, Head, after, is_resync


@dataclass(slots=True)
class Batch:
    """What waits for one tick: facts in order, and the newest of each disposable kind."""

    facts: list[Frame] = field(default_factory=list)
    newest: dict[str, Frame] = field(default_factory=dict)


class Room:
    """One room as this process knows it."""

    __slots__ = (
        "_raw",
        "_rest",
        "behind",
        "early",
        "head",
        "instead",
        "joining",
        "latest",
        "log",
        "members",
        "name",
        "opened",
        "pending",
        "stale",
        "syncing",
    )

    def __init__(self, name: str, opened: "asyncio.Future[None]") -> None:
        self.name = name
        self.opened = opened  # done when the subscription stands, or when Redis did not answer in time
        self.head: Head | None = None  # the newest fact handed on
        self.log: deque[Frame] = deque(maxlen=KEPT_FACTS)  # the facts up to head, as Redis keeps them
        self.latest: dict[str, Frame] = {}  # the newest of each kind that a joiner gets
        self.members: set[Outlet] = set()
        self.joining: dict[Outlet, Batch] = {}  # prepared, not entered: live messages wait
        self.pending = Batch()
        self.syncing = False  # catching up with Redis: live facts wait in `early`
        self.early: list[Frame] = []
        self.instead: list[Frame] = []  # replacements that came while catching up
        self.behind = False  # members joined, or facts may have been missed, while Redis was away
        self.stale = True  # membership has changed since the targets were listed
        self._raw: tuple[list[RawOutlet], list[RawOutlet]] = ([], [])
        self._rest: list[Outlet] = []

    def since(self, seen: Head | None) -> list[Frame] | None:
        """Give the facts after `seen` (None: no replay is wanted), or None when this process cannot tell."""
        if seen is None:
            return []
        return None if self.head is None else after(seen, self.head, self.log)

    def replace(self, frame: Frame) -> None:
        """Let a frame stand in the place of an earlier one of its number, wherever that is still to be handed out."""
        self.log = deque((_unless_replaced(old, frame) for old in self.log), maxlen=KEPT_FACTS)
        for waiting in (self.pending.facts, self.early, *(held.facts for held in self.joining.values())):
            waiting[:] = [_unless_replaced(old, frame) for old in waiting]

    def targets(self) -> tuple[tuple[list[RawOutlet], list[RawOutlet]], list[Outlet]]:
        """List who takes prepared bytes at once (plain, compressed), and who is offered frames."""
        if self.stale:
            self._raw, self._rest = ([], []), []
            for outlet in self.members:
                if isinstance(outlet, RawOutlet) and not outlet.blocked:
                    self._raw[outlet.deflate].append(outlet)
                else:
                    self._rest.append(outlet)
            self.stale = False
        return self._raw, self._rest


def deliver(room: Room, batch: Batch) -> int:
    """Deliver one room's batch; say to how many sockets."""
    if not batch.facts and not batch.newest:
        return 0
    (plain, packed), rest = room.targets()
    for outlet in rest:
        outlet.offer(batch.facts, batch.newest)
    if plain:
        data = joined(batch, deflate=False)
        for outlet in plain:
            outlet.push(data)
    if packed:
        data = joined(batch, deflate=True)
        for outlet in packed:
            outlet.push(data)
    return len(plain) + len(packed) + len(rest)


def deliver_several(batches: list[tuple[Room, Batch]]) -> int:
    """Deliver several rooms' batches with one system call per socket; say to how many."""
    reached = 0
    parts: dict[RawOutlet, list[bytes]] = {}
    for room, batch in batches:
        (plain, packed), rest = room.targets()
        for outlet in rest:
            outlet.offer(batch.facts, batch.newest)
        for outlets, deflate in ((plain, False), (packed, True)):
            if outlets:
                data = joined(batch, deflate=deflate)
                for raw in outlets:
                    parts.setdefault(raw, []).append(data)
        reached += len(rest)
    for raw, data_of in parts.items():
        raw.push(data_of[0] if len(data_of) == 1 else b"".join(data_of))
    return reached + len(parts)


def _unless_replaced(old: Frame, frame: Frame) -> Frame:
    return frame if old.head == frame.head and not is_resync(old.text) else old


def kinds(room: Room, latest: dict[str, bytes]) -> dict[str, Frame]:
    """Prepare kept newest messages under names that are theirs alone among all rooms."""
    return {f"{room.name}:{kind}": Frame(text) for kind, text in latest.items()}


def joined(batch: Batch, *, deflate: bool) -> bytes:
    """Join a batch into what one system call writes."""
    frames = [*batch.facts, *batch.newest.values()]
    return b"".join([frame.packed if deflate else frame.plain for frame in frames])
