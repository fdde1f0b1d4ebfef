"""The sender of webhooks: signed as Stripe signs, repeated with backoff until a 2xx, and as unreliable as it is told to be.

Events are kept in `state.py` whether they are delivered or not; here is only what is still to be delivered.
"""

import asyncio
import hashlib
import hmac
import json
import random
import ssl
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tradingarena.localstack.fakestripe.state import State
from tradingarena.localstack.fakestripe.wire import Values, new_id

KIND = "delivery"
GIVE_UP_AFTER_S = 3 * 86_400
LONGEST_S = 365 * 86_400
LOGGED = 1_000
ORDERS = ("as made", "reversed", "shuffled")
MOST_AT_ONCE = 50
WRONG_SECRET = "whsec_somebody_elses"  # noqa: S105  it is meant to be refused


@dataclass(frozen=True, slots=True)
class Manner:
    """How webhooks are delivered until somebody says otherwise.

    Units: seconds. `copies` of each event, in an `order`, all of a batch `at_once` or one after the other; `drop` that
        many of the next events are never delivered; `stamp_off_s` is added to the signature's time.
    """

    paused: bool = False
    delay_s: float = 0.0
    copies: int = 1
    order: str = "as made"
    at_once: bool = False
    drop: int = 0
    stamp_off_s: int = 0
    secrets: tuple[str, ...] = ()
    first_retry_s: float = 1.0
    longest_retry_s: float = 60.0
    timeout_s: float = 10.0

    def check(self) -> None:
        """Make sure that it makes sense.

        Raises: ValueError.
        """
        if self.order not in ORDERS:
            raise ValueError(f"order is one of: {', '.join(ORDERS)}")
        if not 1 <= self.copies <= MOST_AT_ONCE or self.drop < 0:
            raise ValueError(f"copies is from 1 to {MOST_AT_ONCE}, drop 0 or more")
        times = (self.delay_s, self.first_retry_s, self.longest_retry_s, self.timeout_s, abs(self.stamp_off_s))
        if not all(0 <= time_s <= LONGEST_S for time_s in times) or not self.first_retry_s:
            raise ValueError(f"times are from 0 to {LONGEST_S} s, the first retry's more than 0")
        if not self.secrets or not all(self.secrets):
            raise ValueError("there is at least one secret")


class Attempt(NamedTuple):
    """One try to deliver an event: the answer's status, 0 when there was none."""

    event: str
    type: str
    status: int
    at: float


class Sender:
    """Delivers events to one endpoint; without a URL it delivers nothing."""

    def __init__(self, state: State, url: str | None, manner: Manner) -> None:
        manner.check()
        self.state, self.url, self.manner = state, url, manner
        self.attempts: deque[Attempt] = deque(maxlen=LOGGED)
        self.underway = 0
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        state.on_event = self.plan
        state.store.on_change = self.wake

    def plan(self, event: Values) -> None:
        """Plan an event's deliveries, in the change that made the event."""
        if not self.url:
            return
        if self.manner.drop > 0:
            self.manner = replace(self.manner, drop=self.manner.drop - 1)
            return
        event["pending_webhooks"] = 1
        self.state.keep(event)
        now = time.time()
        for _ in range(self.manner.copies):
            delivery = {"object": KIND, "id": new_id("wh"), "event": event["id"], "tries": 0, "made_at": now}
            self.state.store.put(delivery, due=now + self.manner.delay_s)

    def wake(self) -> None:
        """Look again for what is due; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    def pending(self) -> int:
        """Count what is still to be delivered."""
        return self.state.store.count(KIND)

    async def run(self) -> None:
        """Deliver what is due, or wait until something is; to be called again and again."""
        self._loop = asyncio.get_running_loop()
        self._wake.clear()
        batch = [] if self.manner.paused else self._batch()
        if not batch:
            await self._wait()
        elif self.manner.at_once:
            await asyncio.gather(*map(self._deliver, batch))
        else:
            for delivery in batch:
                if not self.manner.paused:
                    await self._deliver(delivery)

    def _batch(self) -> list[Values]:
        with self.state.store.lock:  # before the time is read: all events of a change are due, or none is
            batch = self.state.store.due(KIND, time.time())
        if self.manner.order == "reversed":
            batch.reverse()
        elif self.manner.order == "shuffled":
            random.shuffle(batch)
        return batch[:MOST_AT_ONCE]

    async def _wait(self) -> None:
        due = None if self.manner.paused else self.state.store.next_due(KIND)
        wait_s = None if due is None else max(0.0, due - time.time())
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _deliver(self, delivery: Values) -> None:
        forgotten = self.state.store.get("event", delivery["event"]) is None
        status = 0 if forgotten else await self.send(delivery["event"])
        with self.state.store.change():
            late = time.time() - delivery["made_at"] > GIVE_UP_AFTER_S
            if 200 <= status < 300 or late or forgotten:
                self.state.store.remove(KIND, delivery["id"])
                self._count(delivery["event"])
                return
            tries = delivery["tries"] + 1
            wait_s = min(self.manner.first_retry_s * 2 ** min(tries - 1, 30), self.manner.longest_retry_s)
            self.state.store.put(delivery | {"tries": tries, "last_status": status}, due=time.time() + wait_s)

    def _count(self, name: str) -> None:
        event = self.state.store.get("event", name)
        waits = any(each["event"] == name for each in self.state.store.newest(KIND))
        if event is not None and not waits:
            self.state.keep(event | {"pending_webhooks": 0})

    async def send(self, name: str, *, stamp_off_s: int | None = None, secrets: Sequence[str] = ()) -> int:
        """Send an event now, signed as told; give the answer's status, 0 when there was none."""
        event = self.state.need("event", name)
        body = json.dumps(event, indent=2).encode()
        off_s = self.manner.stamp_off_s if stamp_off_s is None else stamp_off_s
        header = signature(body, secrets or self.manner.secrets, int(time.time()) + off_s)
        self.underway += 1
        try:
            status = await post(self.url or "", body, header, self.manner.timeout_s)
        finally:
            self.underway -= 1
        self.attempts.append(Attempt(name, event["type"], status, time.time()))
        return status


def signature(body: bytes, secrets: Sequence[str], stamp: int) -> str:
    """Make the header Stripe-Signature: a v1 for each secret, over the very bytes that are sent."""
    signed = f"{stamp}.".encode() + body
    marks = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={stamp}", *(f"v1={mark}" for mark in marks)])


async def post(url: str, body: bytes, mark: str, timeout_s: float) -> int:
    """Send a webhook and give the answer's status, 0 when there was none in time."""
    parts = urlsplit(url)
    secure = ssl.create_default_context() if parts.scheme == "https" else None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {
        "Host": parts.netloc.rpartition("@")[2],
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "Accept": "*/*; q=0.5, application/xml",
        "Content-Type": "application/json; charset=utf-8",
        "Cache-Control": "no-cache",
        "Content-Length": str(len(body)),
        "Stripe-Signature": mark,
        "Connection": "close",
    }
    head = f"POST {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    try:
        async with asyncio.timeout(timeout_s):
            port = parts.port or (443 if secure else 80)
            reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure)
            try:
                writer.write(head.encode() + b"\r\n" + body)
                await writer.drain()
                status = int((await reader.readline()).split()[1])
                while await reader.read(65_536):  # its end, so that the server is not cut off
                    pass
                return status
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError, IndexError):
        return 0


def as_shown(manner: Manner) -> dict[str, Any]:
    """Give the settings as JSON has them."""
    return {name: getattr(manner, name) for name in Manner.__slots__} | {"secrets": list(manner.secrets)}
