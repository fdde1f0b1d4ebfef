"""What the stand-in sends: quotes with their planned faults, and the bars that follow from them."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tradingarena.localstack.fakepolygon.faults import Fault
from tradingarena.localstack.fakepolygon.tape import Due, Seen, bar, number

if TYPE_CHECKING:
    from tradingarena.localstack.fakepolygon.server import FakePolygon

BARS = (("CAS", 1_000), ("CA", 60_000))
AT_ONCE = {"drop", "close", "silence", "dash", "plain", "clock"}  # need no quote to happen
BIG = 2 * 1024 * 1024


class Stream:
    """Sends quotes to the clients that want them. Lives in the server's event loop."""

    def __init__(self, server: "FakePolygon") -> None:
        self.server = server
        self.sent = 0
        self.clock_off_ms = 0
        self.spelling = "/"
        self.moved: dict[str, Decimal] = {}
        self._open_bars: dict[tuple[str, str], list[Seen]] = {}

    async def play(self, source: Iterator[Due], speed: Decimal) -> None:
        """Play a source against the clock, its first quote now."""
        began_s = time.monotonic()
        for due in source:
            wait_s = due.after_ms / 1000 / float(speed) - (time.monotonic() - began_s)
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            await self.quote(due.pair, due.bid, due.ask, None, {})

    async def plan(self, fault: Fault) -> None:
        """Plan a fault, or let it happen now."""
        if fault.name in AT_ONCE and not fault.after:
            await self._happens(fault, {})
        else:
            self.server.plan.add(fault)

    async def raw(self, frame: str | bytes) -> None:
        """Send a frame as it is to every client that has signed in."""
        for session in list(self.server.sessions):
            if session.signed_in and not session.silent:
                await session.send_raw(frame)

    async def quote(self, pair: str, bid: str, ask: str, t: int | None, more: dict[str, Any]) -> None:
        """Send one quote, with the faults that are due, and what bars it completes."""
        if pair in self.moved:
            bid, ask = _scaled(bid, self.moved[pair]), _scaled(ask, self.moved[pair])
        at_ms = self.server.now_ms() if t is None else t
        event: dict[str, Any] = {"ev": "C", "p": pair, "x": 48, "a": number(ask), "b": number(bid), "t": at_ms} | more
        self.sent += 1
        events = [event]
        for fault in self.server.plan.due(self.sent):
            events = await self._happens(fault, event) or events
        self.server.tape.add(pair, str(event["b"]), str(event["a"]), event["t"])
        await self._bars(Seen(at_ms, pair, bid, ask))
        await self._send("C", pair, [self._spelt(one) for one in events])

    async def _happens(self, fault: Fault, event: dict[str, Any]) -> list[dict[str, Any]] | None:
        """Let a fault happen: to the connections, or to the quote that is about to be sent."""
        name, value = fault.name, fault.value
        if name in ("drop", "close", "silence"):
            for session in list(self.server.sessions):
                if name == "drop":
                    session.reset()
                elif name == "close":
                    await session.connection.close(int(value), "going away")
                else:
                    session.fall_silent()
        elif name in ("dash", "plain"):
            self.spelling = "-" if name == "dash" else ""
        elif name == "clock":
            self.clock_off_ms = int(value)
        elif name in ("not_json", "binary", "big", "unknown_ev"):
            await self.raw(_junk(name))
        elif name == "move":
            self.moved[event["p"]] = 1 + value / 100
            _scale(event, 1 + value / 100)
        elif name == "twice":
            return [event, event | {"a": event["a"] + 0.00001, "b": event["b"] + 0.00001}]
        elif name == "burst":
            return [event | {"t": event["t"] + number_} for number_ in range(int(value))]
        else:
            _spoil(event, name, value)
        return None

    async def _bars(self, seen: Seen) -> None:
        """Send the second and minute bars that end with this quote: a bar has quotes or is not sent."""
        for kind, span_ms in BARS:
            held = self._open_bars.setdefault((kind, seen.pair), [])
            begin = seen.t - seen.t % span_ms
            if held and held[0].t - held[0].t % span_ms != begin:
                over = held[0].t - held[0].t % span_ms
                full = bar(over, held)
                event = {"ev": kind, "pair": self._spell(seen.pair), "s": over, "e": over + span_ms}
                await self._send(kind, seen.pair, [event | {key: full[key] for key in "ohlcv"}])
                held.clear()
            held.append(seen)

    async def _send(self, kind: str, pair: str, events: Iterable[dict[str, Any]]) -> None:
        frame = list(events)
        for session in list(self.server.sessions):
            if session.wants(kind, pair):
                await session.send(frame)

    def _spelt(self, event: dict[str, Any]) -> dict[str, Any]:
        return event | {"p": self._spell(event["p"])}

    def _spell(self, pair: str) -> str:
        return pair.replace("/", self.spelling)


def _spoil(event: dict[str, Any], name: str, value: Decimal) -> None:
    """Make a quote wrong in place."""
    if name == "stale":
        event["t"] -= int(value)
    elif name == "ahead":
        event["t"] += int(value)
    elif name == "crossed":
        event["a"], event["b"] = event["b"], event["a"]
    elif name == "locked":
        event["a"] = event["b"]
    elif name == "zero":
        event["b"] = 0
    elif name == "negative":
        event["b"] = -event["b"]
    elif name == "nan":
        event["b"] = float("nan")
    elif name == "jump":
        _scale(event, 1 + value / 100)
    elif name == "string_x":
        event |= {"x": "48", "z": [1, 2], "note": {"deep": None}}
    elif name == "bad_pair":
        event["p"] = "XXX/YYY"


def _scale(event: dict[str, Any], factor: Decimal) -> None:
    for side in "ab":
        event[side] = number(_scaled(str(event[side]), factor))


def _scaled(price: str, factor: Decimal) -> str:
    digits = 3 if Decimal(price) > 20 else 5
    return str((Decimal(price) * factor).quantize(Decimal(1).scaleb(-digits)))


def _junk(name: str) -> str | bytes:
    if name == "binary":
        return b"\x00\xff\x01 not for you"
    if name == "big":
        return '[{"ev":"ZZ","filler":"' + "x" * BIG + '"}]'
    return '[{"ev":"ZZ","p":"EUR/USD"}]' if name == "unknown_ev" else "<<< this is no JSON >>>"
