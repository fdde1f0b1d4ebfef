"""What the stand-in's market has seen, for its REST answers and bars; and where its quotes come from.

Prices are kept as text and leave as JSON numbers, as the vendor sends them.
"""

import csv
import gzip
import io
import random
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

KEPT = 200_000
UNITS_MS = {
    "second": 1_000,
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 86_400_000,
    "week": 604_800_000,
    "month": 2_592_000_000,
    "quarter": 7_776_000_000,
    "year": 31_536_000_000,
}
STARTS = {
    "EUR/USD": "1.08500",
    "GBP/USD": "1.27000",
    "AUD/USD": "0.66000",
    "NZD/USD": "0.60500",
    "USD/CAD": "1.36500",
    "USD/CHF": "0.88500",
    "USD/JPY": "151.500",
}


class Seen(NamedTuple):
    """A quote on the tape. Units: t in Unix milliseconds."""

    t: int
    pair: str
    bid: str
    ask: str


class Due(NamedTuple):
    """A quote to come. Units: after_ms since the source's beginning."""

    after_ms: int
    pair: str
    bid: str
    ask: str


@dataclass
class Tape:
    """The last 200,000 quotes."""

    quotes: deque[Seen] = field(default_factory=lambda: deque(maxlen=KEPT))

    def add(self, pair: str, bid: str, ask: str, t: int) -> None:
        """Write a quote down; nonsense is not kept, as a vendor's archive is cleaned."""
        try:
            sound = 0 < Decimal(bid) < Decimal(ask)
        except ArithmeticError:
            return
        if sound:
            self.quotes.append(Seen(t, pair, bid, ask))

    def last(self, pair: str) -> Seen | None:
        """Give a pair's newest quote."""
        return next((quote for quote in reversed(self.quotes) if quote.pair == pair), None)

    def between(self, pair: str, from_ms: int, to_ms: int) -> list[Seen]:
        """Give a pair's quotes of [from, to], oldest first."""
        return sorted(quote for quote in self.quotes if quote.pair == pair and from_ms <= quote.t <= to_ms)

    def bars(self, pair: str, from_ms: int, to_ms: int, span_ms: int) -> list[dict[str, Any]]:
        """Sum bids up to bars that begin in [from, to]; no quote, no bar."""
        found: dict[int, list[Seen]] = {}
        for quote in self.between(pair, from_ms - from_ms % span_ms, to_ms):
            found.setdefault(quote.t - quote.t % span_ms, []).append(quote)
        return [bar(begin, quotes) for begin, quotes in found.items() if from_ms <= begin <= to_ms]


def bar(begin_ms: int, quotes: Sequence[Seen]) -> dict[str, Any]:
    """Make one REST bar of a span's quotes."""
    bids = [Decimal(quote.bid) for quote in quotes]
    return {
        "t": begin_ms,
        "o": number(bids[0]),
        "h": number(max(bids)),
        "l": number(min(bids)),
        "c": number(bids[-1]),
        "v": len(bids),
        "vw": number(sum(bids, Decimal(0)) / len(bids)),
        "n": len(bids),
    }


def number(value: str | Decimal) -> float:
    """Turn a price into the JSON number that the vendor would send."""
    return float(value)


def plain(pair: str) -> str:
    """Normalise the vendor's three spellings to EUR/USD; anything else stays as it is."""
    found = re.fullmatch(r"(?:C:)?([A-Z]{3})[/-]?([A-Z]{3})", pair)
    return f"{found[1]}/{found[2]}" if found else pair


def recorded(path: Path) -> Iterator[Due]:
    """Read `time_ms_utc,pair,bid,ask` rows, gzipped or not.

    Raises: OSError, ValueError, KeyError: there is no such file, or it is something else.
    """
    with path.open("rb") as binary:
        packed = binary.peek(2)[:2] == b"\x1f\x8b"
        unpacked: Any = gzip.GzipFile(fileobj=binary) if packed else binary
        with io.TextIOWrapper(unpacked, "ascii") as lines:
            first: int | None = None
            for row in csv.DictReader(lines):
                time_ms = int(row["time_ms_utc"])
                first = time_ms if first is None else first
                yield Due(time_ms - first, row["pair"], row["bid"], row["ask"])


def walk(seed: int, every_ms: int = 50) -> Iterator[Due]:
    """Give a plain random walk of the seven majors, for ever."""
    chance = random.Random(seed)  # noqa: S311  a game of prices, not a secret
    prices = {pair: Decimal(price) for pair, price in STARTS.items()}
    after_ms = 0
    while True:
        pair = chance.choice(list(prices))
        exponent = prices[pair].as_tuple().exponent
        point = Decimal(1).scaleb(int(exponent))
        prices[pair] += chance.randint(-4, 4) * point
        bid = prices[pair]
        yield Due(after_ms, pair, str(bid), str(bid + chance.randint(5, 12) * point))
        after_ms += chance.randint(1, 2 * every_ms)
