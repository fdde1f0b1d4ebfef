"""Django's cache on Redis that stays usable without it. What must not be lost is in the database, never here.

Rules: docs/realtime.md#redis.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from django.utils.functional import cached_property
from redis.backoff import NoBackoff
from redis.retry import Retry

from tradingarena.core.redis_client import DOWN

log = logging.getLogger(__name__)

# After a failure, so long nothing is asked of Redis: a hanging one costs one timeout, not one for each of a page's looks.
PAUSE_S = 5.0


class _Shared:
    """What all cache objects of one Redis share in a process; Django makes a new object for each request."""

    def __init__(self) -> None:
        self.asleep_until = 0.0
        self.client: RedisCacheClient | None = None


_shared: defaultdict[str, _Shared] = defaultdict(_Shared)


class _OwnKeys(RedisCache):
    """Clears its own keys alone: other installations, and other workers of a test run, share the server."""

    def clear(self) -> None:
        client = self._cache.get_client(None, write=True)
        for key in client.scan_iter(match=f"{self.key_prefix}:*", count=1_000):
            client.unlink(key)


class SteadyRedisCache(_OwnKeys):
    """Answers from this process's own memory while Redis does not: sign-in goes on, and its limits count per process."""

    _class: type[RedisCacheClient]
    _servers: list[str]
    _options: dict[str, Any]

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        # a timeout is not tried again: the memory answers at once
        options = {"retry": Retry(NoBackoff(), 0)} | params.get("OPTIONS", {})
        super().__init__(server, params | {"OPTIONS": options})
        self._shared = _shared[server]
        self._memory = LocMemCache(f"without {server}", {k: v for k, v in params.items() if k != "OPTIONS"})

    @cached_property
    def _cache(self) -> RedisCacheClient:
        if self._shared.client is None:
            self._shared.client = self._class(self._servers, **self._options)
        return self._shared.client

    def _ask(self, method: str, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() >= self._shared.asleep_until:
            ask: Callable[..., Any] = getattr(super(), method)
            try:
                answer = ask(*args, **kwargs)
            except DOWN as error:
                if not self._shared.asleep_until:
                    self._memory.clear()  # what an earlier failure left there is old by now
                self._shared.asleep_until = time.monotonic() + PAUSE_S
                log.warning("cache_without_redis", extra={"error": type(error).__name__})
            else:
                self._shared.asleep_until = 0.0
                return answer
        return getattr(self._memory, method)(*args, **kwargs)

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._ask("add", *args, **kwargs))

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("get", *args, **kwargs)

    def set(self, *args: Any, **kwargs: Any) -> None:
        self._ask("set", *args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._ask("touch", *args, **kwargs))

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._ask("delete", *args, **kwargs))

    def get_many(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        found: dict[Any, Any] = self._ask("get_many", *args, **kwargs)
        return found

    def has_key(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._ask("has_key", *args, **kwargs))

    def incr(self, *args: Any, **kwargs: Any) -> int:
        return int(self._ask("incr", *args, **kwargs))

    def set_many(self, *args: Any, **kwargs: Any) -> list[Any]:
        return list(self._ask("set_many", *args, **kwargs))

    def delete_many(self, *args: Any, **kwargs: Any) -> None:
        self._ask("delete_many", *args, **kwargs)

    def clear(self) -> None:
        self._ask("clear")
