"""The bound on bodies holds while they are received, and a body of unknown length is read like any other."""

from typing import Any

import orjson

from tradingarena.core.body_limit import BodyLimit


class Recorder:
    """An application that reads its whole body."""

    def __init__(self) -> None:
        self.body = b""
        self.length = b""
        self.called = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.called = True
        self.length = dict(scope["headers"]).get(b"content-length", b"")
        while True:
            message = await receive()
            self.body += message.get("body", b"")
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


async def ask(
    chunks: list[bytes], *, path: str = "/api/x", length: bytes | None = None
) -> tuple[Recorder, list[Any], int]:
    """Send a body in chunks; give the application, what was answered and how many chunks were taken."""
    waiting, sent, taken = list(chunks), [], 0

    async def receive() -> Any:
        nonlocal taken
        taken += 1
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    async def send(message: Any) -> None:
        sent.append(message)

    app = Recorder()
    headers = [] if length is None else [(b"content-length", length)]
    limit = BodyLimit(app, api_bytes=10, page_bytes=100)
    await limit({"type": "http", "method": "POST", "path": path, "headers": headers}, receive, send)
    return app, sent, taken


async def test_a_body_of_unknown_length_gets_its_length() -> None:
    app, sent, _ = await ask([b"abc", b"", b"def"])
    assert (app.body, app.length, sent[0]["status"]) == (b"abcdef", b"6", 200)


async def test_a_chunked_body_is_refused_as_soon_as_it_is_too_large() -> None:
    app, sent, taken = await ask([b"12345", b"678901", b"never read"])
    assert not app.called
    assert taken == 2
    assert sent[0]["status"] == 413
    assert orjson.loads(sent[1]["body"])["code"] == "too_large"


async def test_a_body_that_says_it_is_too_large_is_not_read_at_all() -> None:
    app, sent, taken = await ask([b"x"], length=b"11")
    assert (app.called, taken, sent[0]["status"]) == (False, 0, 413)


async def test_a_body_of_the_allowed_length_passes_untouched() -> None:
    app, _, _ = await ask([b"1234567890"], length=b"10")
    assert app.body == b"1234567890"


async def test_pages_may_send_more_than_the_api() -> None:
    app, _, _ = await ask([b"x" * 90], path="/settings")
    assert len(app.body) == 90
    app, sent, _ = await ask([b"x" * 101], path="/settings")
    assert sent[0]["status"] == 413
