"""The only module that publishes: facts with a sequence number, disposable messages, and orders to every web process.

What rooms can hear is listed in each app's broadcast.py; who may hear it is decided in core/rooms.py. Rules: docs/realtime.md.
"""

import asyncio
import hashlib
import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, cast
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction
from redis.client import Pipeline
from redis.exceptions import RedisError

from tradingarena.core import redis_client, wire
from tradingarena.core.lingering import Lingering
from tradingarena.core.wire import KEPT_FACTS, UNKNOWN, Fact, Head, Latest, Numbered

__all__ = [
    "CONTROL_GROUP", "RESYNC", "Fact", "Head", "Latest", "Numbered", "publish_fact", "publish_history", "publish_latest", "publish_many",
    "publish_soon",
]  # fmt: skip

log = logging.getLogger(__name__)

RESYNC: Final = "resync"
CONTROL_GROUP = "control"
UNHEARD_ROOMS = 10_000
HISTORY_TRIES = 4

_lock = threading.Lock()
_unheard: set[str] = set()  # rooms that missed a fact while Redis was away


def publish_on_commit(*messages: Fact | Latest) -> None:
    """Publish messages, in order and in one go, once the current transaction has committed (at once when there is none).

    Guarantees: a rollback publishes nothing; a publication that fails neither undoes the commit nor stops other hooks.
    """
    transaction.on_commit(lambda: publish_many(messages) and None, robust=True)


def publish_fact(room: str, type: str, data: Any) -> int | None:
    """Tell a room a fact, now: what it tells must have been committed. Give its sequence number.

    Shapes: data is JSON-ready; UUIDs, Decimals and aware times are written as strings.
    Guarantees: numbers of a room grow by one within an epoch; the last 64 facts can be replayed for a day. Redis down:
        None within 2 s, logged; the room's next publication starts a new epoch, so that every reader fetches again.
    """
    return publish_many([Fact(room, type, data)])[0]


def publish_latest(room: str, type: str, data: Any, *, key: str = "", keep_s: int = wire.KEEP_S) -> None:
    """Tell a room something that the next message of the same type and key makes worthless.

    Guarantees: slow readers get only the newest; a joiner gets the newest at once for keep_s (0: never). Redis down: lost, logged.
    """
    publish_many([Latest(room, type, data, key, keep_s)])


def publish_many(messages: Sequence[Fact | Latest]) -> list[int | None]:
    """Publish messages in order with one round trip; the sequence number of each fact, None for the others.

    Guarantees: as `publish_fact` and `publish_latest`. Never raises for a Redis that is away.
    Raises: TypeError, ValueError: a message that cannot be encoded, or a room or type with a wrong name: nothing is published.
    """
    if not messages:
        return []
    frames = [wire.room_frame(message.type, message.room, message.data) for message in messages]
    mend = _take_unheard()
    try:
        redis_client.expect()
        pipe = redis_client.client(retries=0).pipeline(transaction=False)
        for room in mend:
            _add_break(pipe, room)
        for message, frame in zip(messages, frames, strict=True):
            _add(pipe, message, frame)
        seqs = pipe.execute()[len(mend) :]
    except redis_client.DOWN as error:
        redis_client.note(error)
        _note_unheard([*mend, *(message.room for message in messages if isinstance(message, Fact))])
        log.error("publish_failed", extra={"messages": len(messages), "reason": repr(error)})
        return [None] * len(messages)
    return [seq if isinstance(message, Fact) else None for message, seq in zip(messages, seqs, strict=True)]


def publish_soon(messages: Sequence[Latest]) -> None:
    """Tell rooms disposable messages within LINGER_S, of several the newest: for what changes often, such as a wallet in a rush of bets.

    Guarantees: costs the caller no round trip; as `publish_latest` otherwise. A process that is killed meanwhile has told nothing.
    """
    _soon.add(messages)


def publish_history(
    room: str, facts: Sequence[Numbered], missing: Callable[[int, int], Sequence[Numbered]]
) -> int | None:
    """Publish facts that brought their numbers along, each once and in their order; say how far the room has come.

    Shapes: facts are consecutive, oldest first; missing(after, until) reads from their rows those with after < seq <= until.
    Guarantees: whoever publishes first also tells what a process that is gone, or slower, has not told yet. What was told
        before is not told again. Redis down: None, logged; the room's readers are sent to the snapshot when it is back.
    """
    if not facts:
        return None
    last = facts[-1].seq
    for _ in range(HISTORY_TRIES):
        try:
            redis_client.expect()
            head = _publish_numbered(facts)
            if head is None:
                return last
            if last - head > KEPT_FACTS:
                _break(room)  # nobody can be led there step by step
            else:
                facts = missing(head, last)
        except redis_client.DOWN as error:
            redis_client.note(error)
            _note_unheard([room])
            log.error("publish_failed", extra={"messages": len(facts), "reason": repr(error)})
            return None
    return last


def current_seq(room: str) -> dict[str, str | int]:
    """Read how far a room has come, for a snapshot: read it BEFORE the rows, and facts after it can only repeat what they show.

    Shapes: {"epoch", "seq"}, as a join's `epoch` and `since` want it; Redis down: {"epoch": "", "seq": 0}.
    """
    try:
        head = wire.parse_state(_read(room, full=False)).head
    except redis_client.DOWN as error:
        log.warning("room_head_unknown", extra={"room": room, "reason": repr(error)})
        head = UNKNOWN
    return {"epoch": head.epoch, "seq": head.seq}


def replay(room: str, since: int, epoch: str = "") -> list[bytes] | Literal["resync"]:
    """Give the encoded facts after `since`, oldest first, or RESYNC when a reader must fetch the snapshot instead.

    Guarantees: never a gap: more than 64 missed facts, another epoch, a number from the future or Redis down is RESYNC.
    """
    try:
        missed = wire.parse_state(_read(room, full=True)).since(Head(epoch, since))
    except redis_client.DOWN:
        return RESYNC
    return RESYNC if missed is None else missed


async def read_room(room: str) -> wire.RoomState:
    """Read a room's head, kept facts and newest messages from an event loop.

    Raises: redis_client.DOWN.
    """
    arguments = (wire.READ_SCRIPT, 3, *wire.keys_of(room), _new_epoch(), wire.KEEP_S, "1")
    return wire.parse_state(await cast(Any, redis_client.async_client().eval(*arguments)))


def heal() -> None:
    """Tell rooms that missed a fact while Redis was away; every publication does this too."""
    mend = _take_unheard()
    if not mend:
        return
    try:
        pipe = redis_client.client(retries=0).pipeline(transaction=False)
        for room in mend:
            _add_break(pipe, room)
        pipe.execute()
    except redis_client.DOWN:
        _note_unheard(mend)


def heard(rooms: Sequence[str]) -> frozenset[str]:
    """Tell which of these rooms anybody listens to now, so that nothing is made for nobody. Redis down: none."""
    if not rooms:
        return frozenset()
    try:
        counts = redis_client.client().pubsub_numsub(*(wire.channel_of(room) for room in rooms))
    except redis_client.DOWN:
        return frozenset()
    return frozenset(room for room, (_, listeners) in zip(rooms, cast(Any, counts), strict=True) if listeners)


def heard_under(prefix: str) -> frozenset[str]:
    """List the rooms whose names begin so and that anybody listens to now. Redis down: none.

    Cheaper than `heard` where there are more rooms than listeners.
    """
    before, after = wire.channel_of(prefix)[:-1], wire.channel_of("")[-1]
    try:
        channels = redis_client.client().pubsub_channels(f"{before}*{after}")
    except redis_client.DOWN:
        return frozenset()
    start = len(before) - len(prefix)
    return frozenset(bytes(channel).decode()[start:-1] for channel in cast(Any, channels))


# -- orders to every web process ----------------------------------------------------------------------------------------


def revoke_user(user_id: UUID | str, code: int = 4401) -> None:
    """End a person's sockets everywhere, with a close code: 4401 signed out, 4403 banned or disabled.

    Guarantees: within a second; if the order is lost, the re-check finds within 5 s whoever may no longer be there.
    """
    _order({"do": "revoke_user", "user_id": str(user_id), "code": code})


def revoke_session(session_key: str) -> None:
    """End the sockets of one browser session everywhere (4401). The key itself never leaves this process."""
    _order({"do": "revoke_session", "session": session_mark(session_key), "code": 4401})


def recheck_room(room: str) -> None:
    """Ask anew, everywhere and now, whether those in a room may still be there: a gate closed, a ban, a changed rule."""
    _order({"do": "recheck_room", "room": room})


def close_room(room: str) -> None:
    """Send everybody out of a room that is no more, such as an archived arena."""
    _order({"do": "close_room", "room": room})


def session_mark(session_key: str) -> str:
    """Name a session without giving its key away."""
    return hashlib.sha256(f"session:{session_key}".encode()).hexdigest()[:32]


def _order(message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    if layer is None:
        return

    async def send() -> None:
        async with asyncio.timeout(1.5 * settings.REDIS_TIMEOUT_S):
            await layer.group_send(CONTROL_GROUP, {"type": "control", **message})

    try:
        async_to_sync(send)()
    except (RedisError, OSError, TimeoutError) as error:
        log.warning("order_lost", extra={"order": message["do"], "reason": repr(error)})


# -- commands -----------------------------------------------------------------------------------------------------------


def _add(pipe: Pipeline, message: Fact | Latest, frame: bytes) -> None:
    head, facts, latest = wire.keys_of(message.room)
    channel = wire.channel_of(message.room)
    if isinstance(message, Fact):
        pipe.eval(wire.FACT_SCRIPT, 2, head, facts, channel, _new_epoch(), frame[:-1], wire.KEEP_S, wire.KEPT_FACTS)
    else:
        kind = f"{message.type}:{message.key}"
        if not message.keep_s:  # nothing is kept for joiners: no script is needed
            pipe.execute_command("PUBLISH", channel, b"T%b\n%b" % (kind.encode(), frame))  # type: ignore[no-untyped-call]
            return
        pipe.eval(wire.LATEST_SCRIPT, 1, latest, channel, kind, frame, message.keep_s)


def _publish_numbered(facts: Sequence[Numbered]) -> int | None:
    """Publish in one round trip; give the room's head when facts before the first are missing."""
    pipe = redis_client.client(retries=0).pipeline(transaction=False)
    for fact in facts:
        head, kept, _ = wire.keys_of(fact.room)
        frame = wire.room_frame(fact.type, fact.room, fact.data)
        replaced, stands = 0, b""
        if fact.instead:
            replaced = fact.instead[0]
            stands = wire.room_frame(fact.instead[1], fact.room, fact.instead[2])[:-1]
        pipe.eval(
            wire.NUMBERED_SCRIPT, 2, head, kept, wire.channel_of(fact.room), _new_epoch(), frame[:-1],
            wire.KEEP_S, wire.KEPT_FACTS, fact.seq, replaced, stands,
        )  # fmt: skip
    heads = [-reply for reply in pipe.execute() if reply < 0]
    return heads[0] if heads else None


def _break(room: str) -> None:
    pipe = redis_client.client(retries=0).pipeline(transaction=False)
    _add_break(pipe, room)
    pipe.execute()


def _add_break(pipe: Pipeline, room: str) -> None:
    head, facts, _ = wire.keys_of(room)
    pipe.eval(wire.BREAK_SCRIPT, 2, head, facts, wire.channel_of(room), _new_epoch(), wire.KEEP_S)


def _read(room: str, *, full: bool) -> list[Any]:
    arguments = (wire.READ_SCRIPT, 3, *wire.keys_of(room), _new_epoch(), wire.KEEP_S, str(int(full)))
    return cast(list[Any], redis_client.client().eval(*arguments))


def _new_epoch() -> str:
    return secrets.token_hex(6)


# late bound, so that there is one way to publish
_soon = Lingering(lambda messages: publish_many(messages), lambda: float(settings.LINGER_S))


def _note_unheard(rooms: Sequence[str]) -> None:
    with _lock:
        if len(_unheard) < UNHEARD_ROOMS:
            _unheard.update(rooms)


def _take_unheard() -> list[str]:
    with _lock:
        rooms = sorted(_unheard)
        _unheard.clear()
    return rooms
