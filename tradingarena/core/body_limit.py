"""The bound on what a request may send, held while it is being received: before Django stores a byte of it.

What a body may contain is judged by `strict_json.py`. Rules: docs/api/manners.md#bodies.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tradingarena.core.strict_json import MAX_BYTES
from tradingarena.core.wire import encode

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Receive, Send], Awaitable[None]]

PAGE_BYTES = 4 * 1024 * 1024  # forms, and later pictures
_PROBLEM = {
    "type": "/api/docs/errors#too_large",
    "title": "Too large",
    "status": 413,
    "code": "too_large",
    "detail": "The body is larger than what is taken here.",
    "errors": [],
    "request_id": "",
}


class BodyLimit:
    """Refuses bodies that are too large with 413, and gives REST requests of unknown length the length that they turn out to have."""

    def __init__(self, app: App, *, api_bytes: int = MAX_BYTES, page_bytes: int = PAGE_BYTES) -> None:
        self._app, self._api_bytes, self._page_bytes = app, api_bytes, page_bytes

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Pass a request on whose body is small enough."""
        most = self._api_bytes if scope["path"].startswith("/api/") else self._page_bytes
        length = _length(scope)
        if length is not None and length > most:
            await _refuse(send)
            return
        if length is None and scope["method"] not in {"GET", "HEAD"}:
            body = await _collect(receive, most)
            if body is None:
                await _refuse(send)
                return
            if body:
                scope = {**scope, "headers": [*scope["headers"], (b"content-length", str(len(body)).encode())]}
            receive = _replay(body, receive)
        await self._app(scope, receive, send)


def _length(scope: Any) -> int | None:
    """Read Content-Length; None when there is none that is a number, as with a chunked body."""
    found = next((value for name, value in scope["headers"] if name.lower() == b"content-length"), b"")
    return int(found) if found.isdigit() else None


async def _collect(receive: Receive, most: int) -> bytes | None:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b""  # gone: the application is told by the next receive
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return first.pop() if first else await receive()

    return again


async def _refuse(send: Send) -> None:
    body = encode(_PROBLEM)
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
