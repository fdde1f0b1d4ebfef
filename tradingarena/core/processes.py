"""How many sockets each process holds, told by the processes themselves to whoever operates the arena. Nothing depends on it.

Rules: docs/operations.md#the-operations-page.
"""

import os
import socket
import time
from typing import NamedTuple

import orjson

from tradingarena.core import redis_client

KEEP_S = 30.0  # three times as long as a process with sockets is silent


class Process(NamedTuple):
    """A process that has sockets, or had some within half a minute."""

    name: str
    sockets: int


async def tell_sockets(count: int) -> None:
    """Leave word of how many sockets this process holds.

    Raises: one of `redis_client.DOWN`.
    """
    word = orjson.dumps({"sockets": count, "at": time.time()})
    await redis_client.async_client().hset(redis_client.key("processes"), f"{socket.gethostname()}:{os.getpid()}", word)


def told() -> list[Process]:
    """List the processes that have left word lately, by name; those that are long gone are forgotten.

    Raises: one of `redis_client.DOWN`.
    """
    rows: dict[bytes, bytes] = redis_client.client().hgetall(redis_client.key("processes"))  # type: ignore[assignment]  # not a coroutine here
    words = {name: orjson.loads(word) for name, word in rows.items()}
    gone = [name for name, word in words.items() if word["at"] < time.time() - KEEP_S]
    if gone:
        redis_client.client().hdel(redis_client.key("processes"), *gone)
    return sorted(Process(name.decode(), word["sockets"]) for name, word in words.items() if name not in gone)
