"""How many people watch an arena: presence in Redis, forgotten 45 s after it was last confirmed. Nothing else depends on it.

Rules: docs/rules/competitions.md#viewers.
"""

import time
from collections.abc import Sequence
from uuid import UUID

from tradingarena.core import redis_client


def presence_key(competition_id: object) -> str:
    """Name the sorted set of an arena's viewers: viewer -> Unix seconds at which they are forgotten."""
    return redis_client.key("viewers", str(competition_id))


def count(competition_id: object) -> int:
    """Give the number of viewers now, anonymous ones included; 0 while Redis is away."""
    try:
        return int(redis_client.client().zcount(presence_key(competition_id), time.time(), "+inf"))  # type: ignore[arg-type]  # the sync client
    except redis_client.DOWN:
        return 0


def counts(competition_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Give the numbers of viewers of several arenas with one round trip; empty while Redis is away."""
    now = time.time()
    try:
        pipe = redis_client.client().pipeline(transaction=False)
        for competition_id in competition_ids:
            pipe.zcount(presence_key(competition_id), now, "+inf")
        return dict(zip(competition_ids, pipe.execute(), strict=True)) if competition_ids else {}
    except redis_client.DOWN:
        return {}
