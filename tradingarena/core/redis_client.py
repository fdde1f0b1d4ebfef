"""The program's connections to Redis: one pool for threads, one for each event loop, every wait bounded.

What is stored there belongs to the modules that use it. Nothing that must not be lost lives in Redis: docs/realtime.md#redis.
"""

import asyncio
import threading
import time
from typing import Any
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

RETRIES = 1
PAUSE_S = 0.05
REST_S = 1.0
LOOP_CONNECTIONS = 32

# What "Redis does not answer" looks like; catch this, never Exception.
DOWN = (redis.RedisError, OSError)

_lock = threading.Lock()
_hangs_until: dict[str, float] = {}
_clients: dict[tuple[str, float, int], redis.Redis] = {}
_loop_clients: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, redis.asyncio.Redis]]" = WeakKeyDictionary()


def key(*parts: object) -> str:
    """Name a key (or channel) of this installation: the configured prefix, then the parts joined by colons.

    Example: key("room", "arena.1") is "arena:room:arena.1" where ARENA_KEY_PREFIX is "arena:".
    """
    return f"{settings.KEY_PREFIX}{':'.join(str(part) for part in parts)}"


def client(*, block_s: float = 0.0, retries: int = RETRIES) -> redis.Redis:
    """Give the shared client for threads, made at the first call.

    Units: block_s is the longest time a command of this client may block on purpose (XREAD BLOCK, BLPOP), in seconds.
    Guarantees: answers, or raises one of `DOWN`, within REDIS_TIMEOUT_S + block_s for a Redis that hangs and at once
        for one that refuses; a broken connection is tried once more, a timeout never is. `retries=0` for commands that
        must not happen twice: a connection found closed before the command is sent is still replaced.
    """
    url, timeout_s = settings.REDIS_LIVE_URL, settings.REDIS_TIMEOUT_S + block_s
    with _lock:
        found = _clients.get((url, timeout_s, retries))
        if found is None:
            retry = Retry(ConstantBackoff(PAUSE_S), retries, supported_errors=(RedisConnectionError,))
            found = redis.Redis.from_url(url, retry=retry, **_options(timeout_s))
            _clients[url, timeout_s, retries] = found
    return found


def async_client() -> redis.asyncio.Redis:
    """Give the running event loop's client; the same bounds as `client`."""
    clients = _loop_clients.setdefault(asyncio.get_running_loop(), {})
    url = settings.REDIS_LIVE_URL
    found = clients.get(url)
    if found is None:
        retry = AsyncRetry(ConstantBackoff(PAUSE_S), RETRIES, supported_errors=(RedisConnectionError,))
        # A thousand sockets may arrive at once: they wait for a connection, as briefly as for an answer.
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            url,
            max_connections=LOOP_CONNECTIONS,
            timeout=settings.REDIS_TIMEOUT_S,
            retry=retry,
            **_options(settings.REDIS_TIMEOUT_S),
        )
        found = redis.asyncio.Redis.from_pool(pool)
        clients[url] = found
    return found


def expect() -> None:
    """Fail at once, without a call, while Redis is known to hang: a request that asks it five times waits once.

    Raises: redis.ConnectionError: somebody of this process has waited in vain within the last second.
    """
    if time.monotonic() < _hangs_until.get(settings.REDIS_LIVE_URL, 0.0):
        raise RedisConnectionError("Redis has just been waited for in vain")


def note(error: BaseException) -> None:
    """Remember a timeout, for `expect`."""
    if isinstance(error, redis.TimeoutError | TimeoutError):
        _hangs_until[settings.REDIS_LIVE_URL] = time.monotonic() + REST_S


async def close_async_clients() -> None:
    """Close the running loop's connections, before the loop itself ends."""
    for found in _loop_clients.pop(asyncio.get_running_loop(), {}).values():
        await found.aclose()


def _options(timeout_s: float) -> dict[str, Any]:
    return {"socket_timeout": timeout_s, "socket_connect_timeout": settings.REDIS_TIMEOUT_S, "health_check_interval": 0}
