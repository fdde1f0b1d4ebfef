"""Limits that hold under races: windows of requests and numbers of things held at once, counted atomically in Redis.

The limits themselves live with what they limit. Redis down: each process counts for itself, so that nobody gets a 500
and nobody gets everything. Rules: docs/realtime.md#limits.
"""

import logging
import math
import threading
import time
from collections.abc import Awaitable, Mapping
from typing import Any, NamedTuple, cast

from tradingarena.core import redis_client
from tradingarena.core.errors import TooFast

log = logging.getLogger(__name__)

# GCRA: one number per actor, the moment at which the bucket would be full again. Redis' own clock.
_SPEND = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local window, limit, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) + window * cost / limit
local wait = full - now - window
if wait > 0 then return {math.ceil(wait), 0} end
redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil(full - now) + 1)
return {0, math.ceil(full - now)}
"""

_HOLD = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""

FALLBACK_ACTORS = 20_000
WARN_EVERY_S = 10.0

_lock = threading.Lock()
_local: dict[str, float] = {}
_warned_at = -math.inf


class Spent(NamedTuple):
    """What is left of a limit. Units: `left` in whole costs of one; full_in_s is when all of it is there again, rounded up."""

    left: int
    full_in_s: int


def spend(name: str, actor: object, *, limit: int, window_s: float, cost: int = 1) -> Spent:
    """Take `cost` of the `limit` that an actor has for each window; unused parts come back evenly over the window.

    Shapes: limit >= cost >= 1; actor is a user's id, an address or any text that names who pays.
    Guarantees: no more than `limit` at once and no more than `2 * limit` in any one window, over all processes; a
        refused try costs nothing. Redis down: the same per process, with a warning in the log.
    Raises: TooFast: spent; `retry_after_s` is when this cost can be paid.
    """
    room, arguments = _spend_arguments(name, actor, limit, window_s, cost)
    try:
        redis_client.expect()
        wait_ms, full_ms = cast("list[int]", redis_client.client().eval(_SPEND, 1, room, *arguments))
    except redis_client.DOWN as error:
        wait_ms, full_ms = _spend_here(room, limit, window_s, cost, error)
    _refuse(wait_ms)
    return _spent(full_ms, limit, window_s)


async def aspend(name: str, actor: object, *, limit: int, window_s: float, cost: int = 1) -> None:
    """Do as `spend` does, from an event loop."""
    room, arguments = _spend_arguments(name, actor, limit, window_s, cost)
    try:
        redis_client.expect()
        pending = redis_client.async_client().eval(_SPEND, 1, room, *arguments)
        wait_ms = (await cast("Awaitable[list[int]]", pending))[0]
    except redis_client.DOWN as error:
        wait_ms, _ = _spend_here(room, limit, window_s, cost, error)
    _refuse(wait_ms)


def _spent(full_ms: int, limit: int, window_s: float) -> Spent:
    left = math.floor((window_s * 1000 - full_ms) * limit / (window_s * 1000) + 1e-6)
    return Spent(max(0, left), math.ceil(full_ms / 1000))


class Bucket:
    """The same arithmetic for one owner in one process, such as the frames of one socket: no lock, no Redis."""

    __slots__ = ("full_at", "limit", "window_s")

    def __init__(self, *, limit: int, window_s: float) -> None:
        self.limit, self.window_s, self.full_at = limit, window_s, 0.0

    def spend(self) -> None:
        """Take one.

        Raises: TooFast: spent.
        """
        self.full_at, wait_ms = _gcra(self.full_at, time.monotonic(), self.limit, self.window_s, 1)
        _refuse(wait_ms)


async def ahold(name: str, actor: object, token: str, *, limit: int, keep_s: float) -> bool:
    """Hold one of the `limit` places that an actor has, such as an open socket; say whether there was one.

    Guarantees: a place not renewed by the next `ahold` or `akeep` within keep_s is free again, so a killed process
        leaves nothing behind. Redis down: True, with a warning; the caller keeps a bound of its own.
    """
    try:
        redis_client.expect()
        return bool(
            await cast(
                "Awaitable[int]",
                redis_client.async_client().eval(
                    _HOLD, 1, redis_client.key("hold", name, actor), token, str(limit), str(int(keep_s * 1000))
                ),
            )
        )
    except redis_client.DOWN as error:
        _warn(error)
        return True


async def akeep(name: str, held: Mapping[str, list[str]], *, keep_s: float) -> None:
    """Renew many places in one go: actor -> tokens."""
    until_ms = int((time.time() + keep_s) * 1000)
    try:
        redis_client.expect()
        async with redis_client.async_client().pipeline(transaction=False) as pipe:
            for actor, tokens in held.items():
                room = redis_client.key("hold", name, actor)
                pipe.zadd(room, dict.fromkeys(tokens, until_ms))
                pipe.pexpire(room, int(keep_s * 1000))
            await pipe.execute()
    except redis_client.DOWN as error:
        _warn(error)


async def arelease(name: str, actor: object, token: str) -> None:
    """Give a place back; a lost call only delays it by the place's keep_s."""
    try:
        redis_client.expect()
        await cast("Awaitable[Any]", redis_client.async_client().zrem(redis_client.key("hold", name, actor), token))
    except redis_client.DOWN as error:
        _warn(error)


def _spend_arguments(name: str, actor: object, limit: int, window_s: float, cost: int) -> tuple[str, tuple[str, ...]]:
    if not 1 <= cost <= limit or window_s <= 0:
        raise ValueError("a limit needs a window and 1 <= cost <= limit")
    return redis_client.key("limit", name, actor), (str(int(window_s * 1000)), str(limit), str(cost))


def _spend_here(room: str, limit: int, window_s: float, cost: int, error: BaseException) -> tuple[int, int]:
    _warn(error)
    with _lock:
        if len(_local) >= FALLBACK_ACTORS:
            _local.clear()  # a flood of invented actors must not fill the memory; a short amnesty is the lesser evil
        now = time.monotonic()
        _local[room], wait_ms = _gcra(_local.get(room, 0.0), now, limit, window_s, cost)
        full_ms = math.ceil(max(0.0, _local[room] - now) * 1000)
    return wait_ms, full_ms


def _gcra(full_at: float, now: float, limit: int, window_s: float, cost: int) -> tuple[float, int]:
    """Give (when the bucket is full again, ms to wait): the one is unchanged when the other is not 0."""
    full = max(full_at, now) + window_s * cost / limit
    wait_s = full - now - window_s
    if wait_s > 1e-9:
        return full_at, math.ceil(wait_s * 1000)
    return full, 0


def _refuse(wait_ms: int) -> None:
    if wait_ms:
        raise TooFast(retry_after_s=max(1, math.ceil(wait_ms / 1000)))


def _warn(error: BaseException) -> None:
    global _warned_at
    redis_client.note(error)
    now = time.monotonic()
    if now - _warned_at >= WARN_EVERY_S:
        _warned_at = now
        log.warning("limits_without_redis", extra={"reason": repr(error)})
