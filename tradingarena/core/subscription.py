"""One connection to Redis that listens to many channels, notices when it is lost, and comes back by itself.

redis-py's own PubSub re-subscribes in silence; a hub must know that it has missed something. Rules: docs/realtime.md#redis.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Any

import redis.asyncio
from django.conf import settings

from tradingarena.core import redis_client

log = logging.getLogger(__name__)

PING_EVERY_S = 2.0
SILENT_AFTER_S = 5.0
BACKOFF_S = (0.05, 2.0)
COMMAND_CHANNELS = 500


class Subscription:
    """Calls `on_message(channel, payload)` for each message and `on_subscribed(channel)` each time a channel begins to be heard.

    Guarantees: `on_subscribed` comes again for every channel after each loss, which is when messages may have been missed.
    """

    def __init__(self, on_message: Callable[[str, bytes], None], on_subscribed: Callable[[str], None]) -> None:
        self._on_message, self._on_subscribed = on_message, on_subscribed
        self._channels: set[str] = set()
        self._changes: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._heard_at = 0.0
        self._task: asyncio.Task[None] | None = None
        self.connected = False

    def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Stop, and close the connection."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def add(self, channel: str) -> None:
        """Listen to a channel from soon on; `on_subscribed` tells when."""
        self._channels.add(channel)
        self._changes.put_nowait(("SUBSCRIBE", channel))

    def remove(self, channel: str) -> None:
        """Listen to a channel no more."""
        self._channels.discard(channel)
        self._changes.put_nowait(("UNSUBSCRIBE", channel))

    async def _run(self) -> None:
        pause_s = BACKOFF_S[0]
        while True:
            started = asyncio.get_running_loop().time()
            try:
                await self._listen()
            except (*redis_client.DOWN, EOFError) as error:
                if self.connected or pause_s == BACKOFF_S[0]:
                    log.warning("subscription_lost", extra={"reason": repr(error)})
            except Exception:  # whatever it is, the sockets of this process must not stay deaf
                log.exception("subscription_failed")
            self.connected = False
            if asyncio.get_running_loop().time() - started > SILENT_AFTER_S:
                pause_s = BACKOFF_S[0]
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311  spreads processes, hides nothing
            pause_s = min(2 * pause_s, BACKOFF_S[1])

    async def _listen(self) -> None:
        """Listen until the connection is lost, which ends this with an exception."""
        timeout_s = settings.REDIS_TIMEOUT_S
        client = redis.asyncio.Redis.from_url(
            settings.REDIS_LIVE_URL, protocol=2, socket_timeout=None, socket_connect_timeout=timeout_s
        )
        connection: Any = client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            async with asyncio.timeout(2 * timeout_s):
                await connection.connect()
            self._changes = asyncio.Queue()  # what is wanted now is in _channels
            channels = sorted(self._channels)
            for start in range(0, len(channels), COMMAND_CHANNELS):
                await connection.send_command("SUBSCRIBE", *channels[start : start + COMMAND_CHANNELS])
            self._heard_at = asyncio.get_running_loop().time()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(connection))
                tasks.create_task(self._write(connection))
                tasks.create_task(self._watch(connection))
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            await connection.disconnect(nowait=True)
            await client.aclose()

    async def _read(self, connection: Any) -> None:
        loop = asyncio.get_running_loop()
        while True:
            reply = await connection.read_response(disconnect_on_error=False)
            self._heard_at = loop.time()
            self.connected = True
            if reply[0] == b"message":
                self._on_message(reply[1].decode(), reply[2])
            elif reply[0] == b"subscribe":
                self._on_subscribed(reply[1].decode())

    async def _write(self, connection: Any) -> None:
        while True:
            command, channel = await self._changes.get()
            if (command == "SUBSCRIBE") == (channel in self._channels):  # else it has been changed back meanwhile
                await connection.send_command(command, channel)

    async def _watch(self, connection: Any) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(PING_EVERY_S)
            if loop.time() - self._heard_at > SILENT_AFTER_S:
                raise TimeoutError("Redis is silent")
            await connection.send_command("PING")
