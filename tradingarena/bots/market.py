"""What bots see of the market: the newest quote and a short memory of each pair, in whole points.

Where quotes come from is in `stream.py`. How: docs/bots.md.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

MEMORY = 900  # samples
SAMPLE_S = 1.0


@dataclass(slots=True)
class Pair:
    """One pair. Units: prices in points (10**-digits); `mids` are sums of bid and ask, twice the middle, one a second."""

    name: str
    digits: int
    pip_points: int
    bid: int = 0
    ask: int = 0
    stale: bool = True
    mids: deque[int] = field(default_factory=lambda: deque(maxlen=MEMORY))
    sampled_s: float = float("-inf")

    @property
    def spread(self) -> int:
        """Give the spread in points."""
        return self.ask - self.bid

    def points(self, price: str | Decimal) -> int:
        """Turn a price into points."""
        return int(Decimal(price).scaleb(self.digits))

    def text(self, points: int) -> str:
        """Write points as a price with the pair's digits."""
        return f"{Decimal(points).scaleb(-self.digits):f}"


class Market:
    """The pairs of an arena, as far as they are known."""

    def __init__(self) -> None:
        self.pairs: dict[str, Pair] = {}

    def know(self, instruments: Sequence[dict[str, Any]]) -> None:
        """Take in the arena's instruments."""
        for row in instruments:
            if row["pair"] not in self.pairs:
                digits = int(row["digits"])
                self.pairs[row["pair"]] = Pair(row["pair"], digits, int(Decimal(row["pip"]).scaleb(digits)))

    def remember(self, name: str, candles: Sequence[Sequence[Any]]) -> None:
        """Begin a pair's memory with minutes: each is held for as many samples as it has seconds, thinned by six."""
        pair = self.pairs[name]
        if len(pair.mids) < MEMORY // 4:
            recent = [2 * pair.points(candle[4]) for candle in candles for _ in range(10)]
            newer = list(pair.mids)
            pair.mids.clear()
            pair.mids.extend([*recent, *newer])

    def quote(self, data: dict[str, Any], now_s: float) -> None:
        """Take in a quote_update."""
        pair = self.pairs.get(data["pair"])
        if pair is None:
            return
        pair.bid, pair.ask, pair.stale = pair.points(data["bid"]), pair.points(data["ask"]), bool(data.get("stale"))
        if now_s - pair.sampled_s >= SAMPLE_S:
            pair.sampled_s = now_s
            pair.mids.append(pair.bid + pair.ask)

    def silence(self) -> None:
        """Mark all prices as stale: the stream has broken off."""
        for pair in self.pairs.values():
            pair.stale = True
