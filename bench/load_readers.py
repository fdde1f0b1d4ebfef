"""The spectators of `bench.load`: sockets in one process that watch a contest and note how old the server's frames are.

    python -m bench.load_readers ws://127.0.0.1:8000/ws COMPETITION_ID 500

Prints "ready", reads until its stdin ends, and prints what it saw as a line of JSON.
"""

import asyncio
import base64
import json
import os
import sys
import time
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect

from bench.fanout_client import Reader

LOOKS_EVERY = 10


class Spectator(Reader):
    """A socket that costs this process little: it walks over the frames and counts them."""

    def __init__(self, number: int) -> None:
        super().__init__("hub", 0, deflate=False, stops=False)
        self.looks, self.address = False, address(number)

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        host, port = transport.get_extra_info("peername")[:2]
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: http://{host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nX-Forwarded-For: {self.address}\r\n\r\n".encode()
        )


def address(number: int) -> str:
    """Give each socket an address of its own: one address may not open so many."""
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


class Seen:
    """What all sockets of this process have seen."""

    frames = 0
    lost = 0
    resyncs = 0
    ages_ms: list[float] = []


async def watch(socket: ClientConnection) -> None:
    """Read until the connection ends."""
    async for frame in socket:
        Seen.frames += 1
        told = json.loads(frame)
        if "ts" in told:
            Seen.ages_ms.append(time.time() * 1000 - told["ts"])
        Seen.resyncs += told["type"] == "resync"
    Seen.lost += 1


async def main(url: str, competition_id: str, count: int) -> None:
    """Open the sockets one after the other, and count."""
    tasks = []
    sockets = []
    origin = url.replace("ws", "http", 1).removesuffix("/ws")
    wish = json.dumps({"type": "join_room", "id": "1", "competition_id": competition_id})
    Spectator.wish = wish.encode()
    Reader.waited_for = sum(number % LOOKS_EVERY != 0 for number in range(count))
    place = urlsplit(url)
    loop = asyncio.get_running_loop()
    for number in range(count):
        if number % LOOKS_EVERY:
            await loop.create_connection(lambda number=number: Spectator(number), place.hostname, place.port)  # type: ignore[misc]
            continue
        headers = {"X-Forwarded-For": address(number)}
        socket = await connect(url, origin=origin, compression=None, max_queue=None, additional_headers=headers)  # type: ignore[arg-type]
        sockets.append(socket)
        await socket.send(wish)
        answer = json.loads(await socket.recv())
        if answer["type"] != "ack":
            raise SystemExit(f"not let in: {answer}")
        tasks.append(asyncio.create_task(watch(socket)))
    if Reader.waited_for > 0:
        await Reader.everybody.wait()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    ages = sorted(Seen.ages_ms)
    print(
        json.dumps(
            {
                "frames": Seen.frames + Reader.frames, "lost": Seen.lost + Reader.lost, "resyncs": Seen.resyncs,
                "p50_ms": _part(ages, 0.5), "p99_ms": _part(ages, 0.99),
            }
        ),
        flush=True,
    )  # fmt: skip
    for task in tasks:
        task.cancel()
    await asyncio.gather(*(socket.close() for socket in sockets), return_exceptions=True)


def _part(ordered: list[float], part: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(part * len(ordered)))], 1) if ordered else 0.0


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
