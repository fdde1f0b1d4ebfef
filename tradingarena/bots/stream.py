"""Quotes as they happen: one socket for all bots of this process, opened with a ticket, opened again when it breaks.

Rules: docs/realtime.md, docs/bots.md.
"""

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import websocket

from tradingarena.bots.client import ApiError, ArenaClient, Unreachable

log = logging.getLogger(__name__)

SILENCE_S = 45.0  # the server pings every 20 s
LONGEST_PAUSE_S = 15.0
JOINS_PER_TURN = 20


class Stream(threading.Thread):
    """Keeps a socket open and hands every frame of the joined contests over.

    Shapes: on_frame gets each frame as it came; on_break is called when the socket is lost.
    """

    def __init__(
        self, client: ArenaClient, on_frame: Callable[[dict[str, Any]], None], on_break: Callable[[], None]
    ) -> None:
        super().__init__(name="bots' stream", daemon=True)
        self._client, self._on_frame, self._on_break = client, on_frame, on_break
        self._wanted: frozenset[str] = frozenset()
        self._joined: set[str] = set()
        self._ended = threading.Event()
        self._socket: websocket.WebSocket | None = None

    def follow(self, contest_ids: Iterable[str]) -> None:
        """Say which contests to be in from now on."""
        self._wanted = frozenset(contest_ids)

    def end(self) -> None:
        """Close the socket and end the thread."""
        self._ended.set()
        if self._socket is not None:
            self._socket.abort()

    def run(self) -> None:
        """Be connected until told to end."""
        pause_s = 0.5
        while not self._ended.is_set():
            try:
                self._connect()
                pause_s = 0.5
                self._listen()
            except (ApiError, Unreachable, websocket.WebSocketException, OSError, ValueError) as error:
                if not self._ended.is_set():
                    log.info("the stream of quotes broke off: %s", error)
            finally:
                self._hang_up()
                self._on_break()
            self._ended.wait(pause_s * random.uniform(0.7, 1.3))  # noqa: S311  jitter, no secret
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def _connect(self) -> None:
        ticket = self._client.socket_ticket()
        self._socket = websocket.create_connection(self._client.socket_url, timeout=10, enable_multithread=True)
        self._send({"type": "auth", "id": "auth", "ticket": ticket})
        self._joined.clear()

    def _listen(self) -> None:
        assert self._socket is not None
        self._socket.settimeout(1.0)
        heard_s = time.monotonic()
        while not self._ended.is_set():
            self._join_what_is_wanted()
            try:
                opcode, data = self._socket.recv_data(control_frame=True)
            except websocket.WebSocketTimeoutException:
                if time.monotonic() - heard_s > SILENCE_S:
                    raise Unreachable("nothing heard for too long") from None
                continue
            heard_s = time.monotonic()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                raise Unreachable(f"closed by the arena ({int.from_bytes(data[:2], 'big') if data else 'no code'})")
            if opcode == websocket.ABNF.OPCODE_PING:
                self._socket.pong(data)
            elif opcode == websocket.ABNF.OPCODE_TEXT:
                self._take(json.loads(data))

    def _take(self, frame: dict[str, Any]) -> None:
        if frame.get("type") == "error":
            log.info("the arena refused %s: %s", frame.get("id"), frame.get("detail"))
        else:
            self._on_frame(frame)

    def _join_what_is_wanted(self) -> None:
        wanted = self._wanted
        for contest_id in list(wanted - self._joined)[:JOINS_PER_TURN]:
            self._send({"type": "join_room", "id": contest_id, "competition_id": contest_id})
            self._joined.add(contest_id)
        for contest_id in self._joined - wanted:
            self._send({"type": "leave_room", "id": contest_id, "competition_id": contest_id})
        self._joined &= wanted

    def _send(self, frame: dict[str, Any]) -> None:
        assert self._socket is not None
        self._socket.send(json.dumps(frame))

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.abort()
        self._socket = None
