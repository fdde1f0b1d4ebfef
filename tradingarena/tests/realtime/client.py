"""A socket client for the tests, and web servers to connect to: one in this process and loop, or in a process of its own."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn
from django.conf import settings
from django.db import connection
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tradingarena.tests.asyncapi import assert_frame

WAIT_S = 60.0  # patience for a busy machine; what is promised within seconds says so itself
OWN_TYPES = {"welcome", "note", "price", "secret"}  # the stage's; everything else is documented


class Client:
    """One open socket: every frame that comes is checked against docs/asyncapi.yaml."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []

    async def send(self, frame: str | bytes | None = None, **fields: Any) -> None:
        """Send a frame by its fields, or a raw one."""
        await self.socket.send(json.dumps(fields) if frame is None else frame)

    async def next(self, *types: str) -> dict[str, Any]:
        """Wait for the next frame of one of these types (none: of any); skip the others."""
        async with asyncio.timeout(WAIT_S):
            while True:
                frame = json.loads(await self.socket.recv())
                self.frames.append(frame)
                if frame["type"] not in OWN_TYPES:
                    assert_frame(frame)
                if not types or frame["type"] in types:
                    return frame

    async def ask(self, **fields: Any) -> dict[str, Any]:
        """Send a frame and wait for its answer."""
        await self.send(**fields)
        while True:
            answer = await self.next("ack", "error", "pong")
            if answer["id"] == fields.get("id"):
                return answer

    async def facts(self, count: int, *types: str) -> list[dict[str, Any]]:
        """Wait for so many frames."""
        return [await self.next(*types) for _ in range(count)]

    async def closed(self) -> tuple[int | None, str]:
        """Wait for the close, and give its code and the code of the last error frame."""
        last = ""
        with contextlib.suppress(ConnectionClosed):
            while True:
                frame = await self.next()
                if frame["type"] == "error":
                    last = frame["code"]
        return self.socket.close_code, last

    async def nothing(self) -> None:
        """Make sure that nothing is on its way: the answer to a ping is the next frame."""
        await self.send(type="ping", id="nothing")
        frame = await self.next()
        assert frame["type"] == "pong", frame


class Site:
    """A web server, wherever it runs."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.origin = f"http://127.0.0.1:{port}"

    @contextlib.asynccontextmanager
    async def client(
        self, path: str = "/ws", *, session: str = "", origin: str | None = None, **options: Any
    ) -> AsyncIterator[Client]:
        """Open a socket; with a session it says that it comes from the site's own page."""
        headers = list(options.pop("headers", []))
        if options.pop("slow", False):  # a client whose kernel takes little, so that its slowness is ours at once
            options["sock"] = narrow = socket.socket()
            narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            narrow.connect(("127.0.0.1", self.port))
        if session:
            headers.append(("Cookie", f"{settings.SESSION_COOKIE_NAME}={session}"))
        if origin is None and session:
            origin = self.origin
        options.setdefault("compression", None)
        async with connect(
            f"ws://127.0.0.1:{self.port}{path}",
            origin=origin,
            additional_headers=headers,
            open_timeout=WAIT_S,
            max_size=None,
            **options,
        ) as opened:
            yield Client(opened)


class _Server(uvicorn.Server):
    """uvicorn in a test's loop: its signals are pytest's, and it ends when told, not at its next tick."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ended = asyncio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.ended.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serve_here(*, prepared: bool = True, **options: Any) -> AsyncIterator[Site]:
    """Serve in this loop; `prepared=False` with uvicorn's own protocol, which lends no transport."""
    from tradingarena.asgi import application
    from tradingarena.core.frames import LARGEST_BYTES

    name = "tradingarena.core.uvicorn_protocol:PreparedFramesProtocol" if prepared else "websockets-sansio"
    options.setdefault("ws_per_message_deflate", True)
    config = uvicorn.Config(
        application, port=0, ws=name, ws_max_size=LARGEST_BYTES, lifespan="on", log_config=None, log_level="warning", proxy_headers=False,
        timeout_graceful_shutdown=3, **options,
    )  # fmt: skip
    server = _Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done(), "the server did not start"
        await asyncio.sleep(0.005)
    try:
        yield Site(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.ended.set()
        await serving


def free_port() -> int:
    """Find a port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def process(*command: str, port: int, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server on this test's database and key prefix in a process of its own, from when it answers to when it has ended."""
    database = connection.settings_dict
    told = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tradingarena.tests.realtime.serving",
        "DATABASE_URL": f"postgres://{database['USER']}:{database['PASSWORD']}@/{database['NAME']}?host={database['HOST']}&port={database['PORT']}",
        "REDIS_URL": settings.REDIS_URL,
        "ARENA_KEY_PREFIX": settings.KEY_PREFIX,
        **environment,
    }
    with subprocess.Popen([sys.executable, "-m", *command], env=told, stdout=subprocess.DEVNULL) as running:
        try:
            while running.poll() is None:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
            assert running.poll() is None, f"{command} ended with {running.returncode}"
            yield running
        finally:
            if running.poll() is None:
                running.send_signal(signal.SIGKILL)


def web(port: int) -> tuple[str, ...]:
    """Give the command of our own launcher."""
    return ("tradingarena.web", "--port", str(port))


def daphne(port: int) -> tuple[str, ...]:
    """Give the command of daphne."""
    return ("daphne", "-b", "127.0.0.1", "-p", str(port), "-v", "0", "tradingarena.asgi:application")
