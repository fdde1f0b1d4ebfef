"""The faults that can be scripted: `name`, `name=value` or `name=value@quote`, separated by commas. What each does is beside it.

Example: "crossed@20,jump=20@40,drop@500,rest_429=2" crosses the 20th quote, moves the 40th by 20 %, cuts the connection after
the 500th and answers the first two REST requests with 429.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

# For the next connections: value = how many of them, without it all.
CONNECTION = {
    "auth_failed": "answers any key with auth_failed and closes",
    "auth_timeout": "never answers the key, then says auth_timeout and closes",
    "no_connected": "accepts and stays silent",
    "max_connections": "lets it subscribe, then says max_connections and closes with 1008",
    "not_entitled": "refuses each subscription with an error status",
}
# For the stream, at once or after a number of quotes.
STREAM = {
    "drop": "resets the TCP connection",
    "close": "closes with a code (value, default 1001)",
    "silence": "leaves the socket open and says nothing more, not even to pings",
    "stale": "the quote's time is value ms back (default 3000)",
    "ahead": "the quote's time is value ms ahead (default 3600000)",
    "twice": "the quote comes twice in the same millisecond, the second time a point higher",
    "crossed": "bid above ask",
    "locked": "bid equals ask",
    "zero": "a bid of 0",
    "negative": "a negative bid",
    "nan": "a bid that is not a number",
    "jump": "this quote alone is value % higher (default 20)",
    "move": "this and all later quotes of the pair are value % higher (default 2)",
    "string_x": "the exchange is a string and the keys are more than documented",
    "unknown_ev": "an event of an unknown kind comes before the quote",
    "bad_pair": "the quote is of a pair that does not exist",
    "dash": "the pair is spelt EUR-USD from now on",
    "plain": "the pair is spelt EURUSD from now on",
    "burst": "the quote comes value times in one frame (default 500), a millisecond apart",
    "not_json": "a frame that is no JSON comes before the quote",
    "binary": "a binary frame comes before the quote",
    "big": "a frame of 2 MB comes before the quote",
    "clock": "the server's clock is value ms off from now on",
}
# For the next REST answers: value = how many of them (default 1).
REST = {
    "rest_429": "429 with an empty body",
    "rest_retry": "429 with Retry-After: 1",
    "rest_502": "502 with a page of HTML",
    "rest_500": "500",
    "rest_403": "403, not entitled",
    "rest_empty": "200 without results",
    "rest_junk": "200 with a body that is no JSON",
    "rest_pages": "results over value pages with next_url (default 3)",
}
ALL: Mapping[str, str] = CONNECTION | STREAM | REST
_DEFAULTS = {"close": 1001, "stale": 3_000, "ahead": 3_600_000, "jump": 20, "move": 2, "burst": 500, "rest_pages": 3}
FOR_EVER = 10**9


class FaultError(ValueError):
    """Raised when a script names a fault that does not exist, or a value that is none."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, and after how many quotes of the server it happens (0: at once)."""

    name: str
    value: Decimal
    after: int = 0


def read_fault(text: str) -> Fault:
    """Read `name`, `name=value`, `name@quote` or `name=value@quote`.

    Raises: FaultError.
    """
    what, _, when = text.strip().partition("@")
    name, _, value = what.partition("=")
    if name not in ALL:
        raise FaultError(f"{name!r} is no fault; there are: {', '.join(ALL)}")
    if when and not (when.isascii() and when.isdigit()):
        raise FaultError(f"{text!r}: after @ stands the number of a quote")
    if when and name not in STREAM:
        raise FaultError(f"{text!r}: only a fault of the stream can wait for a quote")
    default = FOR_EVER if name in CONNECTION else 1
    try:
        number = Decimal(value) if value else Decimal(_DEFAULTS.get(name, default))
    except InvalidOperation as error:
        raise FaultError(f"{text!r}: {value!r} is no number") from error
    if not number.is_finite():
        raise FaultError(f"{text!r}: {value!r} is no number")
    return Fault(name, number, int(when or 0))


def read_script(text: str) -> list[Fault]:
    """Read a script.

    Raises: FaultError.
    """
    return [read_fault(part) for part in text.split(",") if part.strip()]


class Plan:
    """The faults that are still to come."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self.stream: list[Fault] = []
        self.counted: dict[str, Decimal] = {}
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> None:
        """Plan one more."""
        if fault.name in STREAM:
            self.stream.append(fault)
            self.stream.sort(key=lambda planned: planned.after)
        else:
            self.counted[fault.name] = fault.value

    def spend(self, name: str) -> bool:
        """Tell whether this fault of a connection or an answer happens now, and count it."""
        left = self.counted.get(name, Decimal(0))
        if left < 1:
            return False
        self.counted[name] = left - 1
        return True

    def pages(self) -> int:
        """Give over how many pages the next results go; it stays."""
        return int(self.counted.get("rest_pages", 1))

    def due(self, sent: int) -> list[Fault]:
        """Take out the stream's faults that are due once so many quotes have been sent."""
        due = [fault for fault in self.stream if fault.after <= sent]
        self.stream = [fault for fault in self.stream if fault.after > sent]
        return due
