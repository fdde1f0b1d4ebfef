"""The arithmetic of limits, and that it holds over threads and clients."""

import asyncio
import contextlib
import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from tradingarena.core import limits, redis_client
from tradingarena.core.errors import TooFast


def spent(name: str, times: int, *, limit: int, window_s: float, cost: int = 1) -> int:
    passed = 0
    for _ in range(times):
        with contextlib.suppress(TooFast):
            limits.spend("test", name, limit=limit, window_s=window_s, cost=cost)
            passed += 1
    return passed


def test_a_limit_is_what_passes_at_once_and_each_actor_has_their_own() -> None:
    name = secrets.token_hex(6)
    assert spent(name, 10, limit=5, window_s=60) == 5
    assert spent(f"{name}x", 10, limit=5, window_s=60) == 5
    assert spent(f"{name}y", 10, limit=5, window_s=60, cost=2) == 2
    assert redis_client.client().ttl(redis_client.key("limit", "test", name)) > 0  # type: ignore[operator]


def test_what_was_spent_comes_back_evenly() -> None:
    bucket = limits.Bucket(limit=4, window_s=8)
    full_at, wait_ms = 0.0, 0
    for _ in range(4):
        full_at, wait_ms = limits._gcra(full_at, 100.0, 4, 8, 1)
        assert wait_ms == 0
    assert limits._gcra(full_at, 100.0, 4, 8, 1) == (full_at, 2000)
    assert limits._gcra(full_at, 101.5, 4, 8, 1)[1] == 500
    assert limits._gcra(full_at, 102.0, 4, 8, 1)[1] == 0
    for _ in range(4):
        bucket.spend()
    with pytest.raises(TooFast):
        bucket.spend()


@pytest.mark.parametrize("round_", range(20))
def test_raced_by_threads_no_more_than_the_limit_passes(round_: int) -> None:
    name = secrets.token_hex(6)
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda _: spent(name, 5, limit=7, window_s=600), range(8))) == 7


async def test_threads_and_loops_spend_from_the_same_purse() -> None:
    name = secrets.token_hex(6)
    for _ in range(2):
        await limits.aspend("test", name, limit=3, window_s=600)
    await asyncio.to_thread(limits.spend, "test", name, limit=3, window_s=600)
    with pytest.raises(TooFast):
        await limits.aspend("test", name, limit=3, window_s=600)


async def test_places_raced_are_given_out_once_each() -> None:
    name = secrets.token_hex(6)
    got = await asyncio.gather(*(limits.ahold("test", name, f"t{number}", limit=3, keep_s=30) for number in range(20)))
    assert sum(got) == 3
    mine = f"t{got.index(True)}"
    assert await limits.ahold("test", name, mine, limit=3, keep_s=30)  # holding again is renewing
    await limits.akeep("test", {name: [mine]}, keep_s=30)
    await limits.arelease("test", name, mine)
    assert await limits.ahold("test", name, "another", limit=3, keep_s=30)
    assert not await limits.ahold("test", name, mine, limit=3, keep_s=30)


def test_a_limit_that_makes_no_sense_is_refused() -> None:
    for limit, window_s, cost in ((0, 1, 1), (1, 1, 2), (1, 0, 1), (1, 1, 0)):
        with pytest.raises(ValueError, match="a limit needs"):
            limits.spend("test", "x", limit=limit, window_s=window_s, cost=cost)
