"""One client's connection to the stand-in: signing in, subscribing, and which events it is to hear."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from tradingarena.localstack.fakepolygon.tape import plain

if TYPE_CHECKING:
    from tradingarena.localstack.fakepolygon.server import FakePolygon

KINDS = ("C", "CA", "CAS")
TOO_MANY = "Maximum number of websocket connections exceeded. You have reached the connection limit for your account."


class Session:
    """A connected client. `topics` holds (kind, pair) with "*" for every pair."""

    def __init__(self, server: "FakePolygon", connection: ServerConnection) -> None:
        self.server, self.connection = server, connection
        self.topics: set[tuple[str, str]] = set()
        self.signed_in = False
        self.silent = False

    async def run(self) -> None:
        """Serve until it is closed."""
        plan = self.server.plan
        if plan.spend("no_connected"):
            await self.connection.wait_closed()
            return
        await self.status("connected", "Connected Successfully")
        if not await self._sign_in():
            return
        async for text in self.connection:
            await self._command(text)

    async def _sign_in(self) -> bool:
        plan = self.server.plan
        try:
            async with asyncio.timeout(self.server.auth_timeout_s):
                action, params = _read(await self.connection.recv())
                if plan.spend("auth_timeout"):
                    await self.connection.wait_closed()  # by the client, unless our own patience ends first
        except TimeoutError:
            await self.status("auth_timeout", "No authentication request received.")
            await self.connection.close()
            return False
        if action != "auth" or params != self.server.key or plan.spend("auth_failed"):
            await self.status("auth_failed", "authentication failed")
            await self.connection.close()
            return False
        self.signed_in = True
        await self.status("auth_success", "authenticated")
        return True

    async def _command(self, text: str | bytes) -> None:
        action, params = _read(text)
        if action not in ("subscribe", "unsubscribe"):
            await self.status("error", f"unknown action: {action}")
            return
        for item in params.split(","):
            kind, _, pair = item.strip().partition(".")
            topic = (kind, "*" if pair == "*" else plain(pair))
            if kind not in KINDS or not pair:
                await self.status("error", f"invalid subscription: {item}")
            elif self.server.plan.spend("not_entitled"):
                await self.status("error", f"not authorized: {item}")
            elif action == "subscribe":
                self.topics.add(topic)
                await self.status("success", f"subscribed to: {item.strip()}")
            else:
                self.topics.discard(topic)
                await self.status("success", f"unsubscribed to: {item.strip()}")
        if action == "subscribe":
            await self._count_connections()

    async def _count_connections(self) -> None:
        """The vendor lets one connection too many subscribe before it closes it."""
        if self.server.plan.spend("max_connections") or self.server.is_over_limit(self):
            await self.status("max_connections", TOO_MANY)
            await self.connection.close(1008, "max connections exceeded")

    def wants(self, kind: str, pair: str) -> bool:
        """Tell whether it has subscribed to a pair's events of this kind."""
        return not self.silent and ((kind, pair) in self.topics or (kind, "*") in self.topics)

    async def status(self, status: str, message: str) -> None:
        """Send a status frame."""
        await self.send([{"ev": "status", "status": status, "message": message}])

    async def send(self, events: Iterable[dict[str, Any]]) -> None:
        """Send events as one frame, an array, unless the client is gone."""
        await self.send_raw(json.dumps(list(events), separators=(",", ":")))

    async def send_raw(self, frame: str | bytes) -> None:
        """Send a frame as it is, unless the client is gone."""
        with contextlib.suppress(ConnectionClosed):
            await self.connection.send(frame)

    def fall_silent(self) -> None:
        """Leave the socket open, read nothing and say nothing: a half-open connection."""
        self.silent = True
        self.connection.transport.pause_reading()

    def reset(self) -> None:
        """Reset the TCP connection, as a broken middle box does."""
        found = self.connection.transport.get_extra_info("socket")
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.transport.abort()


def _read(text: str | bytes) -> tuple[str, str]:
    """Read {"action", "params"}; what is none gives empty words."""
    try:
        found = json.loads(text)
    except ValueError:
        return "", ""
    if not isinstance(found, dict):
        return "", ""
    return str(found.get("action", "")), str(found.get("params", ""))
