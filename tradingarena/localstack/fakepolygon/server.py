"""The stand-in itself: WebSocket and REST in a thread with its own event loop, fed by a source or by hand.

REST is answered on the same port and, when asked for, on a second one; so is `/_control/`, which plans faults and tells the state.
"""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Coroutine, Iterable, Iterator
from concurrent.futures import Future
from decimal import Decimal
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tradingarena.localstack.fakepolygon.faults import Fault, FaultError, Plan, read_fault
from tradingarena.localstack.fakepolygon.rest import Answer, Rest
from tradingarena.localstack.fakepolygon.session import Session
from tradingarena.localstack.fakepolygon.stream import Stream
from tradingarena.localstack.fakepolygon.tape import Due, Tape

DEFAULT_KEY = "local-key"
_log = logging.getLogger(__name__)
_log.setLevel(logging.WARNING)  # every REST answer would be a "rejected" handshake


class FakePolygon:
    """A running stand-in, as a context manager.

    Shapes: `url` for a WebSocket client, `rest_url` for REST; port 0 takes a free one; `limit` connections a key.
    """

    def __init__(
        self,
        *,
        key: str = DEFAULT_KEY,
        host: str = "127.0.0.1",
        port: int = 0,
        rest_port: int | None = None,
        source: Iterator[Due] | None = None,
        speed: Decimal = Decimal(1),
        faults: Iterable[Fault] = (),
        limit: int = 1,
        auth_timeout_s: float = 10.0,
    ) -> None:
        self.key, self.host, self.port, self.rest_port, self.limit = key, host, port, rest_port, limit
        self.source, self.speed, self.auth_timeout_s = source, speed, auth_timeout_s
        self.plan, self.tape = Plan(faults), Tape()
        self.rest = Rest(self.tape, self.plan, key)
        self.sessions: list[Session] = []
        self.attempts: list[float] = []  # time.monotonic() of every WebSocket connection
        self.stream = Stream(self)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._ended = asyncio.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="fake polygon", daemon=True)

    @property
    def url(self) -> str:
        """The WebSocket's URL."""
        return f"ws://{self.host}:{self.port}/forex"

    @property
    def rest_url(self) -> str:
        """The REST's base URL."""
        return f"http://{self.host}:{self.rest_port or self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failed is not None:
            self._thread.join()
            raise self._failed
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    # -- by hand, from any thread -------------------------------------------------------------------------------------

    def quote(self, pair: str, bid: str, ask: str, *, t: int | None = None, **more: Any) -> None:
        """Send one quote to whoever has subscribed to it, faults applied; returns when it is on its way."""
        self._do(self.stream.quote(pair, bid, ask, t, more))

    def send(self, frame: str | bytes | list[dict[str, Any]]) -> None:
        """Send a frame as it is to every client that has signed in."""
        raw = json.dumps(frame) if isinstance(frame, list) else frame
        self._do(self.stream.raw(raw))

    def inject(self, text: str) -> None:
        """Plan a fault; one of the stream that waits for no quote happens now if it needs none.

        Raises: FaultError.
        """
        self._do(self.stream.plan(read_fault(text)))

    def subscribed(self) -> int:
        """Count the clients that have subscribed to something and are still here."""
        return sum(1 for session in list(self.sessions) if session.topics)

    def now_ms(self) -> int:
        """Give the server's clock, which a fault may have set wrong."""
        return time.time_ns() // 1_000_000 + self.stream.clock_off_ms

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        done: Future[None] = asyncio.run_coroutine_threadsafe(work, self._loop)
        done.result(timeout=10)

    # -- the loop -----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except (OSError, OverflowError) as error:  # the port is taken, or none at all
            self._failed = error
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        options: dict[str, Any] = {
            "process_request": self._http,
            "max_size": 65_536,
            "close_timeout": 0.5,
            "logger": _log,
        }
        async with serve(self._client, self.host, self.port, **options) as sockets:
            self.port = _port_of(sockets)
            if self.rest_port is None:
                await self._until_ended()
                return
            async with serve(self._client, self.host, self.rest_port, **options) as rest:
                self.rest_port = _port_of(rest)
                await self._until_ended()

    async def _until_ended(self) -> None:
        playing = asyncio.create_task(self.stream.play(self.source, self.speed)) if self.source is not None else None
        self._ready.set()
        await self._ended.wait()
        if playing is not None:
            playing.cancel()

    async def _client(self, connection: ServerConnection) -> None:
        self.attempts.append(time.monotonic())
        session = Session(self, connection)
        self.sessions.append(session)
        try:
            await session.run()
        except ConnectionClosed:
            pass  # clients come and go
        finally:
            self.sessions.remove(session)

    def is_over_limit(self, session: Session) -> bool:
        """Tell whether other clients have used the key up."""
        others = [other for other in self.sessions if other is not session and other.topics]
        return len(others) >= self.limit

    async def _http(self, connection: ServerConnection, request: Request) -> Response | None:
        path = urlsplit(request.path).path
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return None if path == "/forex" else _response(Answer(404, b"404 page not found"))
        if path.startswith("/_control/"):
            return _response(await self._control(request.path))
        headers = {name.title(): value for name, value in request.headers.raw_items()}
        return _response(self.rest.answer(request.path, headers, self.rest_url, self.now_ms()))

    async def _control(self, target: str) -> Answer:
        """`/_control/fault?fault=drop` plans a fault, `/_control/state` tells what goes on."""
        parts = urlsplit(target)
        if parts.path == "/_control/fault":
            try:
                for text in parse_qs(parts.query).get("fault", []):
                    await self.stream.plan(read_fault(text))
            except FaultError as error:
                return Answer(400, json.dumps({"error": str(error)}).encode())
        elif parts.path != "/_control/state":
            return Answer(404, b'{"error": "there are /_control/fault?fault=... and /_control/state"}')
        state = {
            "clients": len(self.sessions),
            "subscribed": self.subscribed(),
            "attempts": len(self.attempts),
            "quotes": self.stream.sent,
            "rest_requests": len(self.rest.asked),
            "planned": [fault.name for fault in self.plan.stream],
        }
        return Answer(200, json.dumps(state).encode())


def _port_of(server: Server) -> int:
    return int(next(iter(server.sockets)).getsockname()[1])


def _response(answer: Answer) -> Response:
    headers = Headers([*answer.headers, ("Content-Length", str(len(answer.body))), ("Connection", "close")])
    return Response(answer.status, "", headers, answer.body)
