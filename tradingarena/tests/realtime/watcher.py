"""A reader of an arena as static/js/competitions/room.js is one: snapshot, then messages in their order, and the snapshot again where
something was missed. It comes back by itself, to any of the web servers.
"""

import asyncio
import contextlib
import json
import random
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

SHOWN_DEALS = 50
BACK_WITHIN_S = 0.4
REFUSED = (OSError, WebSocketException, TimeoutError, asyncio.IncompleteReadError)


class Watcher:
    """One reader and what they see: board, deals, positions, and their own orders."""

    def __init__(self, ports: Callable[[], Sequence[int]], competition_id: str, session: str = "") -> None:
        self.ports, self.competition_id, self.session = ports, competition_id, session
        self.heads: dict[str, dict[str, Any]] = {}
        self.rankings: list[Any] = []
        self.deals: list[str] = []
        self.positions: dict[str, Any] = {}
        self.orders: set[str] = set()
        self.fetched = self.connected = 0
        self.socket: Any = None

    def state(self) -> dict[str, Any]:
        """Give what is seen, comparable with a snapshot's."""
        rankings = [{name: row[name] for name in row if name != "previous_rank"} for row in self.rankings]
        return {
            "rankings": rankings,
            "deals": self.deals[:SHOWN_DEALS],
            "positions": self.positions,
            "orders": self.orders,
        }

    def take(self, snapshot: dict[str, Any]) -> None:
        """See what a snapshot shows."""
        self.heads = dict(snapshot["rooms"])
        self.rankings = snapshot["rankings"]
        self.deals = [deal["deal_id"] for deal in snapshot["deals"]]
        self.positions = {held["entry_id"]: held["positions"] for held in snapshot["positions"]}
        self.orders = {order["id"] for order in (snapshot["own"] or {}).get("orders", [])}

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            with contextlib.suppress(*REFUSED):
                await self._watch(random.choice(self.ports()))
            await asyncio.sleep(random.random() * BACK_WITHIN_S)

    async def fetch(self) -> None:
        """Fetch the snapshot, from whichever server answers."""
        while True:
            try:
                self.take(await asyncio.to_thread(self.snapshot, random.choice(self.ports())))
            except (OSError, ValueError):
                await asyncio.sleep(random.random() * BACK_WITHIN_S)
            else:
                self.fetched += 1
                return

    def snapshot(self, port: int) -> dict[str, Any]:
        """Ask REST for what there is to see."""
        request = urllib.request.Request(f"http://127.0.0.1:{port}/api/competitions/{self.competition_id}/room")
        if self.session:
            request.add_header("Cookie", f"{settings.SESSION_COOKIE_NAME}={self.session}")
        with urllib.request.urlopen(request, timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    async def _watch(self, port: int) -> None:
        headers = [("Cookie", f"{settings.SESSION_COOKIE_NAME}={self.session}")] if self.session else []
        origin: Any = f"http://127.0.0.1:{port}" if self.session else None
        async with connect(
            f"ws://127.0.0.1:{port}/ws",
            origin=origin,
            additional_headers=headers,
            compression=None,
            open_timeout=5,
            close_timeout=1,
        ) as self.socket:
            self.connected += 1
            if not self.heads:
                await self.fetch()
            arena = self.heads[f"arena.{self.competition_id}"]
            seen = {room: head for room, head in self.heads.items() if not room.startswith("arena.")}
            join = {"type": "join_room", "id": "1", "competition_id": self.competition_id, "seen": seen}
            await self.socket.send(json.dumps({**join, "since": arena["seq"], "epoch": arena["epoch"]}))
            async for text in self.socket:
                await self.hear(json.loads(text))

    async def hear(self, frame: dict[str, Any]) -> None:
        """Take one message in its turn."""
        if frame["type"] == "resync":
            await self.fetch()
        elif "seq" in frame:
            head = self.heads.get(frame["room"])
            if head and frame["epoch"] == head["epoch"] and frame["seq"] <= head["seq"]:
                return
            if head and (frame["epoch"], frame["seq"]) != (head["epoch"], head["seq"] + 1):
                await self.fetch()
                return
            self.heads[frame["room"]] = {"epoch": frame["epoch"], "seq": frame["seq"]}
            self.apply(frame["type"], frame["data"])

    def apply(self, type_: str, data: dict[str, Any]) -> None:
        """See what a message shows."""
        if type_ == "leaderboard_update":
            self.rankings = data["rankings"]
        elif type_ == "deal_executed":
            self.deals = [data["deal_id"], *(known for known in self.deals if known != data["deal_id"])]
        elif type_ == "position_update":
            self.positions.pop(data["entry_id"], None)
            if data["positions"]:
                self.positions[data["entry_id"]] = data["positions"]
        elif type_ == "order_update":
            self.orders.discard(data["order"]["id"])
            if data["order"]["status"] in {"accepted", "working"}:
                self.orders.add(data["order"]["id"])
