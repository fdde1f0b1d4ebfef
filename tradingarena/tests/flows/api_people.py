"""Somebody who uses the arena as a program does: signs up as JSON, takes an API token, and listens on a socket."""

import http.cookiejar
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import websocket

from tradingarena.tests.asyncapi import assert_frame
from tradingarena.tests.flows.arena import Arena, Person, until
from tradingarena.tests.postbox import Postbox

PASSWORD = "correct horse battery 9"
SCOPES = ["read", "trade", "bet", "chat"]


class Session:
    """A signed-in visitor without a browser: cookies, and the CSRF token that goes with them."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))
        self.call("GET", "/accounts/signup/")

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Ask once; give status and body, JSON where it is that."""
        token = next((one.value for one in self._cookies if one.name.endswith("csrftoken")), "") or ""
        headers = {"Content-Type": "application/json", "X-CSRFToken": token}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._arena.url + path, data, headers, method=method)
        try:
            with self._opener.open(request, timeout=30) as answer:
                status, raw = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, raw = error.code, error.read()
        try:
            return status, json.loads(raw)
        except ValueError:
            return status, raw.decode(errors="replace")


def sign_up(arena: Arena, postbox: Postbox, name: str) -> Person:
    """Sign up, confirm the address with the mailed code, and take an API token."""
    session, address = Session(arena), f"{name}@example.com"
    wish = {"email": address, "username": name, "password": PASSWORD, "of_age": True, "terms": True}
    status, answer = session.call("POST", "/_allauth/browser/v1/auth/signup", wish)
    assert status == 401, answer  # signed in when the address is confirmed
    code = postbox.code_for(address)
    status, answer = session.call("POST", "/_allauth/browser/v1/auth/email/verify", {"key": code})
    assert status == 200, answer
    status, made = session.call("POST", "/api/me/api-tokens", {"name": "flows", "scopes": SCOPES})
    assert status == 201, made
    return Person(arena, name, made["secret"])


class Ear:
    """An open socket: every frame that has come, each checked against docs/asyncapi.yaml."""

    def __init__(self, opened: websocket.WebSocket) -> None:
        self._socket = opened
        self.frames: list[dict[str, Any]] = []
        self.wrong: list[str] = []

    def listen(self) -> None:
        """Take frames until the socket is closed."""
        with suppress(websocket.WebSocketException, OSError):
            while text := self._socket.recv():
                frame = json.loads(text)
                try:
                    assert_frame(frame)
                except AssertionError as error:
                    self.wrong.append(str(error))
                self.frames.append(frame)

    def send(self, **frame: Any) -> None:
        """Send a frame and wait until it is acknowledged."""
        self._socket.send(json.dumps(frame))
        answer = self.hear("ack", "error", id=frame["id"])
        assert answer["type"] == "ack", answer

    def hear(self, *types: str, **fields: Any) -> dict[str, Any]:
        """Wait for a frame of one of these types with these values, in it, its data or its order."""

        def look() -> dict[str, Any] | None:
            for frame in list(self.frames):
                data = frame.get("data", {})
                told = frame | data | (data.get("order") or {})
                if frame["type"] in types and all(told.get(name) == value for name, value in fields.items()):
                    return frame
            return None

        found: dict[str, Any] = until(f"{types} with {fields} is heard", look)
        return found


@contextmanager
def listening(person: Person) -> Iterator[Ear]:
    """Open a socket with a ticket and listen for the length of a block; every frame must be a documented one."""
    status, answer = person.ask("POST", "/api/ws-ticket", {})
    assert status in {200, 201}, answer
    opened = websocket.create_connection(person.arena.url.replace("http", "ws", 1) + "/ws", timeout=60)
    ear = Ear(opened)
    thread = threading.Thread(target=ear.listen, daemon=True)
    thread.start()
    try:
        ear.send(type="auth", id="auth", ticket=answer["ticket"])
        yield ear
    finally:
        opened.abort()  # type: ignore[no-untyped-call]
        thread.join(10)
    assert ear.wrong == []
