"""One WebSocket connection at a time, kept up in a thread of its own: sign in, subscribe, listen, and come back with patience.

Frames are only handed on here, so that the server never waits for us; polygon.py reads them.
Backing off: docs/market-data.md#reconnecting.
"""

import json
import logging
import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import websocket
from websocket import ABNF, WebSocket, WebSocketException, WebSocketTimeoutException

from competitions.marketdata.providers.base import Disconnected

log = logging.getLogger(__name__)

MOST_WAITING = 20_000  # frames
TAKE_AT_MOST = 200
CLOSED_FOR_LIMIT = 1008


@dataclass(frozen=True, slots=True)
class Timing:
    """How long to wait for what, in seconds."""

    connect: float = 10.0  # for the TCP connection, for "connected" and for the answer to auth, each
    ping_every: float = 20.0
    pong_within: float = 10.0
    first_backoff: float = 1.0
    longest_backoff: float = 60.0
    healthy_after: float = 10.0  # a shorter life does not reset the backing off
    capped: float = 60.0  # between attempts while the vendor counts too many connections


class Frame(NamedTuple):
    """A frame as it came. Units: arrived_s is time.monotonic()."""

    arrived_s: float
    data: str | bytes


class Up:
    """Signed in; the subscriptions have been asked for."""


class _Refused(Exception):
    """Raised inside the thread when the server ends the attempt with a status."""

    def __init__(self, status: str, detail: str) -> None:
        self.status, self.detail = status, detail
        super().__init__(f"{status}: {detail}")


class PolygonSocket:
    """Keeps one connection up. `take` gives what came; `told` and `drop` come from the one who reads the frames."""

    def __init__(self, url: str, key: str, topics: Sequence[str], timing: Timing, counts: Counter[str]) -> None:
        self.url, self.key, self.topics, self.timing, self.counts = (url, key, tuple(topics), timing, counts)
        self.items: queue.Queue[Frame | Up | Disconnected] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()
        self._socket: Any = None  # a WebSocket; its package ships half its types
        self._said: _Refused | None = None

    def begin(self, stop: threading.Event) -> None:
        """Start the thread. It ends with `end`; `stop` only shortens its waits."""
        self._ending = threading.Event()
        self.items = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._keep_up, name="polygon socket", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Close the connection and end the thread."""
        self._ending.set()
        self.drop("ending")
        if self._thread is not None:
            self._thread.join(timeout=self.timing.connect + 2)

    def take(self, wait_s: float) -> list[Frame | Up | Disconnected]:
        """Take what has come, waiting for the first of it; at most 200 items, so that a burst is published in portions."""
        try:
            items = [self.items.get(timeout=wait_s)]
        except queue.Empty:
            return []
        while len(items) < TAKE_AT_MOST:
            try:
                items.append(self.items.get_nowait())
            except queue.Empty:
                break
        return items

    def told(self, status: str, detail: str) -> None:
        """Take note of a status that came among the quotes; those that end a connection end it."""
        if status in ("max_connections", "auth_failed", "auth_timeout"):
            self._said = _Refused(status, detail)
            self.drop(detail)

    def drop(self, reason: str) -> None:
        """Close the connection, if there is one. May be called from any thread."""
        found = self._socket
        if found is not None:
            log.info("closing the connection: %s", reason)
            found.shutdown()

    # -- the thread ---------------------------------------------------------------------------------------------------

    def _keep_up(self) -> None:
        failures = 0
        while not self._ending.is_set():
            began_s = time.monotonic()
            self.counts["attempts"] += 1
            ended = self._live()
            if self._ending.is_set():
                return
            if ended.fatal:
                self._put(ended)
                return  # nothing will change until somebody changes the key and starts us anew
            if ended.status == "connected_too_often":
                self.counts["capped"] += 1
                wait_s = self.timing.capped
            else:
                failures = 0 if time.monotonic() - began_s >= self.timing.healthy_after else failures
                ceiling = min(self.timing.longest_backoff, self.timing.first_backoff * 2**failures)
                wait_s = random.uniform(0.05 * ceiling, ceiling)  # noqa: S311  jitter, not a secret
                failures += 1
            self._put(Disconnected(ended.status, ended.detail, retry_in_s=round(wait_s, 3)))
            self._ending.wait(wait_s)

    def _live(self) -> Disconnected:
        """Live through one connection and say how it ended."""
        self._said = None
        try:
            found = self._connect()
            self._put(Up())
            self._listen(found)
        except _Refused as refused:
            return _ending_of(refused)
        except (WebSocketException, OSError, ValueError) as error:
            if self._said is not None:
                return _ending_of(self._said)
            return Disconnected("disconnected", f"{type(error).__name__}: {error}"[:200])
        finally:
            left, self._socket = self._socket, None
            if left is not None:
                left.shutdown()
        return Disconnected("disconnected", "closed by the server")

    def _connect(self) -> WebSocket:
        """Connect, sign in and subscribe.

        Raises: _Refused, WebSocketException, OSError.
        """
        found = websocket.create_connection(self.url, timeout=self.timing.connect, enable_multithread=True)
        self._socket = found
        self._await_status(found, "connected")
        found.send(json.dumps({"action": "auth", "params": self.key}))
        self._await_status(found, "auth_success")
        found.send(json.dumps({"action": "subscribe", "params": ",".join(self.topics)}))
        return found

    def _await_status(self, found: WebSocket, wanted: str) -> None:
        """Wait for one status; others that come before it are refusals or of no interest."""
        deadline_s = time.monotonic() + self.timing.connect
        while True:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                raise WebSocketTimeoutException(f"no {wanted!r} within {self.timing.connect:g} s")
            found.settimeout(left_s)
            try:
                data = found.recv()
            except WebSocketTimeoutException as error:
                raise WebSocketTimeoutException(f"no {wanted!r} within {self.timing.connect:g} s") from error
            for status, message in _statuses(data):
                if status == wanted:
                    return
                if status in ("auth_failed", "auth_timeout", "max_connections"):
                    raise _Refused(status, message)

    def _listen(self, found: WebSocket) -> None:
        """Hand frames on until the connection ends; ping when it is quiet.

        Raises: WebSocketException, OSError: the connection ended. _Refused: closed with the code of too many connections.
        """
        heard_s = pinged_s = time.monotonic()
        found.settimeout(min(1.0, self.timing.ping_every / 4))
        while not self._ending.is_set():
            try:
                opcode, data = found.recv_data(control_frame=True)
            except WebSocketTimeoutException:
                now_s = time.monotonic()
                if now_s - heard_s > self.timing.ping_every + self.timing.pong_within:
                    raise WebSocketTimeoutException("no answer to a ping") from None
                if now_s - max(heard_s, pinged_s) > self.timing.ping_every:
                    pinged_s = now_s
                    found.ping()
                continue
            heard_s = time.monotonic()
            if opcode == ABNF.OPCODE_TEXT:
                self._put(Frame(heard_s, data.decode("utf-8", "replace")))
            elif opcode == ABNF.OPCODE_BINARY:
                self._put(Frame(heard_s, data))
            elif opcode == ABNF.OPCODE_CLOSE:
                code = int.from_bytes(data[:2], "big") if len(data) >= 2 else 1005
                if code == CLOSED_FOR_LIMIT:
                    raise _Refused("max_connections", data[2:].decode("utf-8", "replace") or "closed with 1008")
                raise WebSocketException(f"closed by the server with {code}")

    def _put(self, item: Frame | Up | Disconnected) -> None:
        try:
            self.items.put(item, timeout=2)
        except queue.Full:
            self.counts["overflow"] += 1


def _ending_of(refused: _Refused) -> Disconnected:
    if refused.status == "auth_failed":
        return Disconnected("auth_failed", f"the vendor does not accept POLYGON_API_KEY: {refused.detail}", fatal=True)
    if refused.status == "max_connections":
        return Disconnected("connected_too_often", refused.detail)
    return Disconnected("disconnected", str(refused))


def _statuses(data: str | bytes) -> list[tuple[str, str]]:
    """Read the statuses of a frame; none when it is something else."""
    try:
        events = json.loads(data)
    except (ValueError, RecursionError):
        return []
    events = events if isinstance(events, list) else [events]
    return [
        (str(event.get("status")), str(event.get("message", ""))[:200])
        for event in events
        if isinstance(event, dict) and event.get("ev") == "status"
    ]
