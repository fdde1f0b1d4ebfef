"""The server that bench/fanout.py measures: the arena's sockets at /ws/arena, the same without the lent transport at /plain, and the
tutorial's consumer at /stock. What it has used is at /used.
"""

import json
import time
from typing import Any

ROOM = "arena.bench"


def serve(port: int) -> None:
    """Run it until it is told to stop."""
    import uvicorn
    from django.conf import settings

    settings.SOCKETS_PER_ADDRESS = settings.SOCKET_JOINS_PER_ADDRESS = 1_000_000
    from tradingarena.asgi import application
    from tradingarena.core import rooms
    from tradingarena.core.consumers import ArenaSocket
    from tradingarena.core.rooms import Grant, RoomKind

    rooms.register(
        RoomKind(
            "arena",
            "watch",
            "unwatch",
            lambda user, payload: Grant(rooms=[ROOM]),
            recheck=lambda asked: [Grant([ROOM])] * len(asked),
        )
    )
    stock = _stock_consumer().as_asgi()

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "websocket" and scope["path"] == "/stock":
            await stock(scope, receive, send)
        elif scope["type"] == "websocket" and scope["path"] == "/plain":
            await ArenaSocket(frozenset({"arena"}))({**scope, "extensions": {}}, receive, send)
        elif scope["type"] == "http" and scope["path"] == "/used":
            used = json.dumps({"cpu_ns": time.process_time_ns(), "rss_kb": _rss_kb()}).encode()
            headers = [(b"content-length", str(len(used)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": used})
        else:
            await application(scope, receive, send)

    uvicorn.run(
        app, port=port, loop="uvloop", http="h11", ws="tradingarena.core.uvicorn_protocol:PreparedFramesProtocol", lifespan="on",
        log_config=None, log_level="warning", access_log=False, timeout_graceful_shutdown=2,
    )  # fmt: skip


def _stock_consumer() -> Any:
    from channels.generic.websocket import AsyncJsonWebsocketConsumer

    class Stock(AsyncJsonWebsocketConsumer):
        """The tutorial's consumer."""

        async def connect(self) -> None:
            await self.channel_layer.group_add("bench", self.channel_name)
            await self.accept()

        async def disconnect(self, code: int) -> None:
            await self.channel_layer.group_discard("bench", self.channel_name)

        async def receive_json(self, content: Any, **_: Any) -> None:
            await self.send_json({"type": "ack", "id": content.get("id")})

        async def room_message(self, event: dict[str, Any]) -> None:
            await self.send_json(event["frame"])

    return Stock


def _rss_kb() -> int:
    with open("/proc/self/status") as status:
        return next((int(line.split()[1]) for line in status if line.startswith("VmRSS")), 0)
