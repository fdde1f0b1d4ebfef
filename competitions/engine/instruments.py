"""The 28 pairs of the eight majors, their digits and pips, and how each one's quote currency becomes US dollars.

Inside the engine a price is an integer number of points, 10**-digits. Rules: docs/rules/quotes.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

LOT_UNITS = 100_000


@dataclass(frozen=True, slots=True)
class Instrument:
    """A tradable pair.

    Units: digits = decimals of a price; pip_points = points in a pip (10 for both 5 and 3 digits).
    """

    pair: str
    base: str
    quote: str
    digits: int
    pip_points: int = 10

    @property
    def scale(self) -> int:
        """Points in one whole unit of the quote currency."""
        return int(10**self.digits)

    @property
    def pip(self) -> Decimal:
        """The pip as a price difference."""
        return Decimal(self.pip_points).scaleb(-self.digits)

    def to_points(self, price: Decimal) -> int:
        """Turn a price into points.

        Raises: ValueError: the price has more decimals than the pair.
        """
        points = price.scaleb(self.digits)
        whole = int(points)
        if whole != points:
            raise ValueError(f"{self.pair} has {self.digits} decimals")
        return whole

    def to_price(self, points: int) -> Decimal:
        """Turn points into a price with the pair's digits."""
        return Decimal(points).scaleb(-self.digits)

    def text(self, points: int) -> str:
        """Write points as a price with the pair's digits, as every message carries it."""
        return f"{self.to_price(points):f}"


# Quoting convention: the earlier currency of this list is the base.
_BY_CONVENTION = ("EUR", "GBP", "AUD", "NZD", "USD", "CAD", "CHF", "JPY")

INSTRUMENTS: dict[str, Instrument] = {
    f"{base}/{quote}": Instrument(f"{base}/{quote}", base, quote, 3 if quote == "JPY" else 5)
    for place, base in enumerate(_BY_CONVENTION)
    for quote in _BY_CONVENTION[place + 1 :]
}


def instrument(pair: str) -> Instrument:
    """Look a pair up.

    Raises: KeyError: not one of the 28.
    """
    return INSTRUMENTS[pair]


@cache
def usd_pair(currency: str) -> str | None:
    """Name the pair that prices a currency in dollars, or None for the dollar itself."""
    if currency == "USD":
        return None
    return f"{currency}/USD" if f"{currency}/USD" in INSTRUMENTS else f"USD/{currency}"


def needed_pairs(pairs: Iterable[str]) -> frozenset[str]:
    """Name every pair that must be fed so that these can be traded: themselves, and what values both their currencies.

    Source: docs/rules/quotes.md#conversion.
    """
    needed = set(pairs)
    for pair in list(needed):
        traded = INSTRUMENTS[pair]
        needed |= {name for name in (usd_pair(traded.base), usd_pair(traded.quote)) if name}
    return frozenset(needed)
