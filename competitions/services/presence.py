"""Who watches which arena: each web process says whom it has, the count goes to the room. Rules: docs/rules/competitions.md#viewers."""

import logging
import time
from collections.abc import Collection, Mapping

from competitions import broadcast
from competitions.messages import Id
from competitions.selectors import viewers
from tradingarena.core import realtime, redis_client

log = logging.getLogger(__name__)

FORGOTTEN_AFTER_S = 45


def confirm(present: Mapping[str, Collection[str]]) -> None:
    """Confirm this process's viewers of some arenas and tell each arena its count.

    Shapes: room name -> viewer ids; an empty collection when the last one has left.
    """
    for room, ids in present.items():
        if not _note(room.removeprefix("arena."), ids):
            return


def arrive(competition_id: Id, viewer_id: str) -> None:
    """Count somebody who watches without a socket, for 45 s; doing it again is their heartbeat."""
    _note(competition_id, [viewer_id])


def depart(competition_id: Id, viewer_id: str) -> None:
    """Count somebody no more. A socket of theirs that is still in the room counts them again within 10 s."""
    _note(competition_id, [], gone=viewer_id)


def _note(competition_id: Id, ids: Collection[str], *, gone: str = "") -> bool:
    """Note who watches, and tell the arena its count; False when Redis is away, which loses nothing but the count."""
    key, now = viewers.presence_key(competition_id), time.time()
    try:
        pipe = redis_client.client().pipeline(transaction=False)
        pipe.zremrangebyscore(key, "-inf", now)
        if gone:
            pipe.zrem(key, gone)
        if ids:
            pipe.zadd(key, dict.fromkeys(ids, now + FORGOTTEN_AFTER_S))
            pipe.expire(key, 2 * FORGOTTEN_AFTER_S)
        pipe.zcount(key, now, "+inf")
        count = pipe.execute()[-1]
    except redis_client.DOWN as error:
        log.warning("viewers_not_counted", extra={"reason": repr(error)})
        return False
    realtime.publish_many([broadcast.viewers(competition_id, count)])
    return True
