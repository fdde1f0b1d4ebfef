"""The stand-in itself: one port for the API, the hosted page and the control, in a thread with its own event loop.

Requests are read and answered here, and here the planned faults happen; what they mean is decided in the other modules.
"""

import asyncio
import contextlib
import logging
import socket
import struct
import threading
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from pathlib import Path
from typing import Any, Self

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from tradingarena.localstack.fakestripe import checkout, remote
from tradingarena.localstack.fakestripe.control import Control
from tradingarena.localstack.fakestripe.faults import Fault, Plan
from tradingarena.localstack.fakestripe.page import Page
from tradingarena.localstack.fakestripe.rest import Rest
from tradingarena.localstack.fakestripe.state import API_VERSION, State
from tradingarena.localstack.fakestripe.webhooks import Manner, Sender
from tradingarena.localstack.fakestripe.wire import Answer, Asked, Request, as_json

DEFAULT_KEY = "sk_test_local"
DEFAULT_SECRET = "whsec_local"  # noqa: S105  for play money
SWEEP_EVERY_S = 0.5
LARGEST_BYTES = 1_048_576
END_WITHIN_S = 2
LOGGED = 1_000

_log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class FakeStripe(Control):
    """A running stand-in, as a context manager; what can be done with it by hand is in `Control`.

    Shapes: `url` for the SDK's base address; port 0 takes a free one; without a `webhook_url` events are kept and not
        delivered; with a `state_file` everything survives a restart. The first of several secrets is the one to give out.
    """

    def __init__(
        self,
        *,
        webhook_url: str | None = None,
        key: str = DEFAULT_KEY,
        webhook_secret: str | Sequence[str] = DEFAULT_SECRET,
        host: str = "127.0.0.1",
        port: int = 0,
        state_file: Path | str | None = None,
        api_version: str = API_VERSION,
        settles_in_s: float = 20.0,
        first_retry_s: float = 1.0,
        longest_retry_s: float = 60.0,
    ) -> None:
        secrets = (webhook_secret,) if isinstance(webhook_secret, str) else tuple(webhook_secret)
        self._file = Path(state_file) if state_file is not None else None
        self._webhook_url, self._api_version = webhook_url, api_version
        self._manner = Manner(secrets=secrets, first_retry_s=first_retry_s, longest_retry_s=longest_retry_s)
        self._manner.check()
        self.key, self.secrets, self.host, self.port = key, secrets, host, port
        self.settles_in_s = settles_in_s
        self.plan = Plan()
        self.requests = deque[Asked](maxlen=LOGGED)
        self._ready = threading.Event()
        self._ending = asyncio.Event()
        self._released = asyncio.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="fake stripe", daemon=True)

    @property
    def url(self) -> str:
        """The address of the API, of the page and of the control."""
        return self.state.url

    def __enter__(self) -> Self:
        """Bind the port and open the state before anything else, so that the caller hears what is wrong with them.

        Raises: OSError: the port is taken, or none. StoreError: the state file cannot be used.
        """
        self._socket = _bound(self.host, self.port)
        try:
            self.state = State(self._file, api_version=self._api_version)
        except BaseException:
            self._socket.close()
            raise
        self.port = self._socket.getsockname()[1]
        self.state.host, self.state.port = self.host, self.port
        self.rest = Rest(self.state, self.key)
        self.page = Page(self.state, self.settles_in_s)
        self.sender = Sender(self.state, self._webhook_url, self._manner)
        self._thread.start()
        self._ready.wait()
        if self._failed is not None:
            self._end()
            raise self._failed
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None  # it has started
        self._loop.call_soon_threadsafe(self._ending.set)
        self._end()

    def _end(self) -> None:
        self._thread.join()
        self._socket.close()
        self.state.store.close()

    # -- the loop -----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failed = error
            if self._ready.is_set():
                raise
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = loop = asyncio.get_running_loop()
        self.plan.on_clear = lambda: loop.call_soon_threadsafe(self._release)
        config = uvicorn.Config(
            self._app,
            interface="asgi3",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
        )
        config.load()
        # Only its protocol: uvicorn's server takes tenths of a second to start and end, and tests start many.
        shared = ServerState()
        server = await loop.create_server(lambda: _Protocol(config, shared, {}), sock=self._socket)
        helpers = [asyncio.create_task(_for_ever(work)) for work in (self.sender.run, self._sweep)]
        self._ready.set()
        await self._ending.wait()
        self._release()
        server.close()
        for connection in list(shared.connections):
            connection.shutdown()  # at once when it is idle, else after its answer
        if shared.tasks:
            await asyncio.wait(shared.tasks, timeout=END_WITHIN_S)
        for helper in helpers:
            helper.cancel()
        await asyncio.gather(*helpers, return_exceptions=True)

    def _release(self) -> None:
        """Let go of every request that a fault holds."""
        self._released.set()
        self._released = asyncio.Event()

    async def _sweep(self) -> None:
        checkout.sweep(self.state)
        self.state.forget()
        await asyncio.sleep(SWEEP_EVERY_S)

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await _read(scope, receive)
        if request is None:
            await _write(send, as_json(413, {"error": {"message": "The request is too large."}}))
            return
        answer = await self._answer(request, _Caller(scope, receive))
        if answer is not None:
            await _write(send, answer)

    async def _answer(self, request: Request, caller: "_Caller") -> Answer | None:
        """Answer a request, None when the caller gets no answer."""
        if request.path.startswith("/_control/"):
            return await asyncio.to_thread(remote.answer, self, request)
        checkout.sweep(self.state)
        page = self.page.answer(request)
        if page is not None:
            return page
        fault = self.plan.spend(request)
        answer = self.rest.answer(request) if fault is None else await self._faulty(request, caller, fault)
        self.requests.append(Asked(request.method, request.path, request.key, answer.status if answer else 0))
        return answer

    async def _faulty(self, request: Request, caller: "_Caller", fault: Fault) -> Answer | None:
        done = self.rest.answer(request) if fault.when == "after" else None
        if fault.kind == "slow":
            with self.rest.keys.under_way("" if done else request.key):
                await caller.hold(fault.hold_s, self._released)
            return done or self.rest.answer(request)
        if fault.kind == "reset":
            caller.reset()
            return None
        if fault.kind == "timeout":
            await caller.hold(fault.hold_s, self._released)
            caller.reset()
            return None
        answer = self.rest.refuse(fault.error())
        if fault.kept:
            self.rest.keys.remember(request, answer)
        return self.rest.finish(request, answer)


class _Protocol(H11Protocol):
    """uvicorn's HTTP protocol, which lets the application reset a connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Hand the connection to the requests that come over it."""
        super().connection_made(transport)
        self.app_state = self.app_state | {"transport": transport}
        self.access_log = False


class _Caller:
    """Whoever waits for an answer, and what can be done to them."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope, self._receive = scope, receive

    async def hold(self, seconds: float, released: asyncio.Event) -> None:
        """Say nothing until they give up, the time is over or all are released."""
        waits = [asyncio.create_task(self._gone()), asyncio.create_task(released.wait())]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def reset(self) -> None:
        """Reset the TCP connection, as a broken middle box does."""
        transport = self._scope["state"]["transport"]
        found = transport.get_extra_info("socket")
        with contextlib.suppress(OSError):  # they may have gone meanwhile
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


async def _for_ever(work: Callable[[], Awaitable[None]]) -> None:
    """Repeat a piece of work; it outlives any error, since nobody would start it again."""
    while True:
        try:
            await work()
        except Exception:
            _log.exception("fakestripe: going on after an error")
            await asyncio.sleep(1)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # the protocol is named, since asyncio would else leave Nagle's delay of 40 ms on
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(128)
    except BaseException:
        bound.close()
        raise
    return bound


async def _read(scope: Scope, receive: Receive) -> Request | None:
    """Read a request, None when its body is too large."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_BYTES:
            return None
        if not message.get("more_body"):
            break
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    client = scope["client"][0] if scope["client"] else ""
    return Request(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), headers, body, client)


async def _write(send: Send, answer: Answer) -> None:
    length = ("Content-Length", str(len(answer.body)))
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (*answer.headers, length)]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
