"""The ways out to one socket: prepared frames straight to its transport, or ASGI messages on any other server.

An outlet never waits and never grows: what a slow reader misses of disposable messages is replaced, facts queue up to a
bound, then the socket is closed to resync. Which rooms it hears is the hub's business. Rules: docs/realtime.md#slow-readers.
"""

import asyncio
import os
import zlib
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

from tradingarena.core.wire import UNKNOWN, Head

BACKLOG_FRAMES = 256
BACKLOG_BYTES = 1024 * 1024
TRY_LATER = 1013
CLOSE_WITHIN_S = 5.0
DEFLATE_FROM_BYTES = 256
WINDOW_BITS = 15

Send = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]


class Frame:
    """One message, prepared once for everybody: as a WebSocket frame, as a compressed one, as an ASGI message."""

    __slots__ = ("_message", "_packed", "_plain", "head", "text")

    def __init__(self, text: bytes, head: Head = UNKNOWN) -> None:
        self.text, self.head = text, head
        self._plain: bytes | None = None
        self._packed: bytes | None = None
        self._message: dict[str, Any] | None = None

    @property
    def plain(self) -> bytes:
        """The whole WebSocket frame, uncompressed."""
        if self._plain is None:
            self._plain = websocket_frame(self.text, 0x81)
        return self._plain

    @property
    def packed(self) -> bytes:
        """The whole frame compressed on its own, which fits every client that agreed to server_no_context_takeover."""
        if self._packed is None:
            self._packed = deflated_frame(self.text) if len(self.text) >= DEFLATE_FROM_BYTES else self.plain
        return self._packed

    @property
    def message(self) -> dict[str, Any]:
        """The ASGI message."""
        if self._message is None:
            self._message = {"type": "websocket.send", "text": self.text.decode()}
        return self._message


def websocket_frame(payload: bytes, first_byte: int) -> bytes:
    """Put RFC 6455's header before a payload that a server sends in one piece."""
    size = len(payload)
    if size < 126:
        return bytes((first_byte, size)) + payload
    if size < 65536:
        return bytes((first_byte, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first_byte, 127)) + size.to_bytes(8, "big") + payload


def deflated_frame(payload: bytes) -> bytes:
    """Compress a payload into a frame of RFC 7692 that needs nothing from the frames before it."""
    packer = zlib.compressobj(5, zlib.DEFLATED, -WINDOW_BITS)
    body = packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH)
    return websocket_frame(body[:-4], 0xC1)


class Raw(Protocol):
    """What a server lends the hub as scope["extensions"]["arena.raw"]; core/uvicorn_protocol.py has it."""

    fd: int
    deflate: bool
    outlet: "RawOutlet | None"

    def write(self, data: bytes) -> None:
        """Write whole frames; calls outlet.paused() before it returns if not everything could be sent."""

    def abort(self) -> None:
        """Drop the connection."""

    def close_at_once(self, code: int, reason: str = "") -> None:
        """Send the close frame after what is already under way, and drop the connection if the peer does not answer."""


class Outlet:
    """What both ways have in common: what waits while the reader is slow."""

    __slots__ = ("_backlog", "_backlog_bytes", "_newest", "blocked", "closed", "conflated", "on_change")

    def __init__(self) -> None:
        self.blocked = False  # the reader is slow: everything waits here
        self.closed = False
        self.conflated = 0  # disposable messages that this reader never saw
        self.on_change: Callable[[], None] | None = None  # the hub's: blocked or closed has changed
        self._backlog: deque[Frame] = deque()
        self._backlog_bytes = 0
        self._newest: dict[str, Frame] = {}

    def offer(self, facts: Sequence[Frame], newest: Mapping[str, Frame]) -> None:
        """Send these now, or keep them until the reader has caught up. Keys of `newest` name what replaces what."""
        raise NotImplementedError

    def send(self, frame: Frame) -> None:
        """Send an answer: in order with the facts, and never replaced."""
        self.offer((frame,), {})

    def close(self, code: int, reason: str = "") -> None:
        """Close the socket after what was sent before; nothing more is sent."""
        raise NotImplementedError

    def shut(self) -> None:
        """Forget everything: the connection is gone."""
        self.closed = True
        self._forget()
        self._changed()

    def waiting(self) -> tuple[int, int]:
        """Tell how much waits: frames, bytes of facts."""
        return len(self._backlog) + len(self._newest), self._backlog_bytes

    def _keep(self, facts: Sequence[Frame], newest: Mapping[str, Frame]) -> None:
        for kind, frame in newest.items():
            self.conflated += kind in self._newest
            self._newest[kind] = frame
        for frame in facts:
            self._backlog.append(frame)
            self._backlog_bytes += len(frame.text)
        if len(self._backlog) > BACKLOG_FRAMES or self._backlog_bytes > BACKLOG_BYTES:
            self._forget()
            self.close(TRY_LATER, "too slow")

    def _forget(self) -> None:
        self._backlog.clear()
        self._backlog_bytes = 0
        self._newest.clear()

    def _changed(self) -> None:
        if self.on_change:
            self.on_change()


class RawOutlet(Outlet):
    """Frames straight to the transport.

    Invariant: `blocked` is false only while the transport's buffer is empty, so the hub may write to `fd` itself and
    frames never interleave: the transport's high-water mark is 0, and the first unsent byte calls `paused`.
    """

    __slots__ = ("deflate", "fd", "raw")

    def __init__(self, raw: Raw) -> None:
        super().__init__()
        self.raw, self.fd, self.deflate = raw, raw.fd, raw.deflate
        raw.outlet = self

    def offer(self, facts: Sequence[Frame], newest: Mapping[str, Frame]) -> None:
        if self.closed:
            return
        if self.blocked:
            self._keep(facts, newest)
        else:
            self.raw.write(self._joined([*facts, *newest.values()]))

    def push(self, data: bytes) -> None:
        """Write prepared frames to a reader that is not blocked, with one system call."""
        if self.closed:
            return
        try:
            sent = os.write(self.fd, data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.raw.abort()
            return
        if sent != len(data):
            self.raw.write(data[sent:])  # the transport keeps the rest, and calls `paused`

    def close(self, code: int, reason: str = "") -> None:
        if not self.closed:
            self.shut()
            self.raw.close_at_once(code, reason)

    def paused(self) -> None:
        """Hear from the transport that it could not send everything."""
        self.blocked = True
        self._changed()

    def resumed(self) -> None:
        """Hear from the transport that its buffer is empty again: send what has waited."""
        self.blocked = False
        waiting = [*self._backlog, *self._newest.values()]
        self._forget()
        if waiting and not self.closed:
            self.raw.write(self._joined(waiting))
        self._changed()

    def _joined(self, frames: list[Frame]) -> bytes:
        return b"".join([frame.packed if self.deflate else frame.plain for frame in frames])


class AsgiOutlet(Outlet):
    """ASGI messages through the server's own send().

    A send() usually finishes at its first step, so it is stepped by hand and no task is made for it; while one waits,
    everything waits behind it. A server that never makes send() wait (daphne) hides its slow readers from us.
    """

    __slots__ = ("_close", "_on_stuck", "_send")

    def __init__(self, send: Send, on_stuck: Callable[[], None]) -> None:
        super().__init__()
        self._send, self._on_stuck = send, on_stuck
        self._close: dict[str, Any] | None = None

    def offer(self, facts: Sequence[Frame], newest: Mapping[str, Frame]) -> None:
        if self.closed or self._close:
            return
        self._keep(facts, newest)
        self._drain()

    def close(self, code: int, reason: str = "") -> None:
        if not self.closed and self._close is None:
            self._close = {"type": "websocket.close", "code": code, "reason": reason}
            if self.blocked:  # the close frame itself may never get through
                asyncio.get_running_loop().call_later(CLOSE_WITHIN_S, self._give_up)
            self._drain()

    def _give_up(self) -> None:
        if not self.closed:
            self.shut()
            self._on_stuck()

    def _drain(self) -> None:
        while not self.blocked and not self.closed:
            if self._backlog:
                frame = self._backlog.popleft()
                self._backlog_bytes -= len(frame.text)
                self._start(frame.message)
            elif self._newest:
                self._start(self._newest.pop(next(iter(self._newest))).message)
            else:
                if self._close:
                    self._start(self._close)
                    self.shut()
                return

    def _start(self, message: dict[str, Any]) -> None:
        self.blocked = True
        self._step(self._send(message))

    def _step(self, sending: Coroutine[Any, Any, None]) -> None:
        try:
            waits_for = sending.send(None)
        except StopIteration:
            self.blocked = False
        except Exception:  # each server says in its own words that the client is gone
            self.shut()
        else:
            if waits_for is None:  # a bare yield to the loop
                asyncio.get_running_loop().call_soon(self._resume, sending)
            else:
                waits_for._asyncio_future_blocking = False
                waits_for.add_done_callback(lambda _: self._resume(sending))

    def _resume(self, sending: Coroutine[Any, Any, None]) -> None:
        self._step(sending)
        self._drain()
