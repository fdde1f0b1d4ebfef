"""The readers of bench/fanout.py: thousands of sockets in one process that cost little, for the hub, Channels and socket.io alike.

A reader walks over frame headers; every 25th one also reads how old its frames are. What is published is fanout.py's.
"""

import asyncio
import base64
import json
import os
import sys
import time
import zlib
from typing import Any, ClassVar

WATCH = b'{"type":"watch","id":"1"}'
PATHS = {"stock": "/stock", "plain": "/plain", "socketio": "/socket.io/?EIO=4&transport=websocket"}
LOOKS_EVERY, STOPS_EVERY = 25, 10


class Reader(asyncio.Protocol):
    """One socket. Messages are what is neither an answer nor part of a handshake."""

    frames: ClassVar[int] = 0
    ages_ms: ClassVar[list[float]] = []
    waited_for: ClassVar[int] = 0
    everybody: ClassVar[asyncio.Event] = asyncio.Event()
    lost: ClassVar[int] = 0
    wish: ClassVar[bytes] = WATCH

    def __init__(self, way: str, number: int, *, deflate: bool, stops: bool) -> None:
        self.way, self.deflate, self.stops = way, deflate, stops
        self.looks = number % LOOKS_EVERY == 0 and not deflate and not stops
        self.buffer = b""
        self.open = self.ready = False
        self.inflate = zlib.decompressobj(-15)

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        wish = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if self.deflate else ""
        transport.write(
            f"GET {PATHS.get(self.way, '/ws/arena')} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{wish}\r\n".encode()
        )

    def connection_lost(self, error: Exception | None) -> None:
        Reader.lost += 1

    def data_received(self, data: bytes) -> None:
        buffer = self.buffer + data if self.buffer else data
        at = 0
        if not self.open:
            head, ended, buffer = buffer.partition(b"\r\n\r\n")
            if not ended:
                self.buffer = head
                return
            if b" 101 " not in head:
                raise SystemExit(head.decode())
            self.open = True
            if self.way != "socketio":
                self.transport.write(masked(self.wish))
        while (size := len(buffer) - at) >= 2:
            length, start = buffer[at + 1], at + 2
            if length == 126:
                if size < 4:
                    break
                length, start = int.from_bytes(buffer[at + 2 : at + 4], "big"), at + 4
            if len(buffer) < start + length:
                break
            self._frame(buffer, buffer[at], start, start + length)
            at = start + length
        self.buffer = buffer[at:]

    def _frame(self, buffer: bytes, first: int, start: int, end: int) -> None:
        if first & 0x0F == 9:
            self.transport.write(masked(buffer[start:end], 0x8A))
        elif first & 0x0F == 1 and (self.ready or not self._greet(self._plain(first, buffer[start:end]))):
            if end - start == 1:  # socket.io's ping
                self.transport.write(masked(b"3"))
                return
            Reader.frames += 1
            if self.looks:
                sent = buffer[buffer.index(b'"t":', start, end) + 4 : end].lstrip(b' "')
                Reader.ages_ms.append((time.time_ns() - int(sent[:19])) / 1e6)

    def _plain(self, first: int, payload: bytes) -> bytes:
        return self.inflate.decompress(payload + b"\0\0\xff\xff") if first & 0x40 else payload

    def _greet(self, begins: bytes) -> bool:
        """Take part in the handshake; tell whether the frame was part of it."""
        if self.way == "socketio":
            steps = {b"0": b"40", b"4": b'42["watch","arena.bench"]'}
            if begins[:1] == b"0" or begins[:2] == b"40":
                self.transport.write(masked(steps[begins[:1]]))
                return True
        self.ready = True
        if self.stops:
            self.transport.pause_reading()
        Reader.waited_for -= 1
        if not Reader.waited_for:
            Reader.everybody.set()
        return True


def masked(payload: bytes, first: int = 0x81) -> bytes:
    """Make a client's frame; a mask of zeros is a mask."""
    return bytes((first, 0x80 | len(payload))) + b"\0\0\0\0" + payload


async def read(port: int, way: str, sockets: int, *, stopped: bool) -> None:
    """Open the sockets, say so, count until stdin ends, and tell. `stopped`: every 10th reads nothing after its join."""
    loop = asyncio.get_running_loop()
    base, _, packed = way.partition("+")
    Reader.waited_for = sockets
    for number in range(sockets):
        stops = stopped and number % STOPS_EVERY == 0
        await loop.create_connection(
            lambda number=number, stops=stops: Reader(base, number, deflate=packed == "deflate", stops=stops),
            "127.0.0.1",
            port,
        )
    await Reader.everybody.wait()
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    ages = sorted(Reader.ages_ms)
    told = {
        "frames": Reader.frames,
        "p50_ms": _quantile(ages, 0.5),
        "p99_ms": _quantile(ages, 0.99),
        "lost": Reader.lost,
    }
    print(json.dumps(told), flush=True)


def _quantile(ordered: list[float], part: float) -> float | None:
    return round(ordered[min(len(ordered) - 1, int(part * len(ordered)))], 1) if ordered else None
