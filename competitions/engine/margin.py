"""Values in dollars: profit in a quote currency, the notional of a position, the margin it needs. Integers throughout.

The rate is always the mid of the conversion pair's latest good quote. Rules: docs/rules/trading.md#value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from competitions.engine.instruments import INSTRUMENTS, LOT_UNITS, usd_pair
from tradingarena.core.money import half_even

DOLLAR_POINTS = 100_000  # open profit is kept in 1/100,000 dollar
POINTS_PER_CENT = 1_000


@dataclass(frozen=True, slots=True)
class Rate:
    """What one unit of a currency is worth in dollars: numerator / denominator, exactly.

    `mid` is the conversion pair's mid as written on the deal, 1 for the dollar itself.
    """

    numerator: int
    denominator: int
    pair: str = ""
    mid: Decimal = Decimal(1)
    quote_id: int | None = None


DOLLAR = Rate(1, 1)


def rate_of(currency: str, bid: int, ask: int, quote_id: int | None = None) -> Rate:
    """Price a currency in dollars at the mid of its conversion pair.

    Units: bid and ask in points of `usd_pair(currency)`.
    Formula: XXX/USD: mid; USD/XXX: 1 / mid; mid = (bid + ask) / 2, kept as a fraction.
    """
    pair = usd_pair(currency)
    if pair is None:
        return DOLLAR
    scale = INSTRUMENTS[pair].scale
    mid = Decimal(bid + ask) / (2 * scale)
    if pair.endswith("/USD"):
        return Rate(bid + ask, 2 * scale, pair, mid, quote_id)
    return Rate(2 * scale, bid + ask, pair, mid, quote_id)


def cents(points: int, scale: int, rate: Rate) -> int:
    """Turn an amount of a quote currency into US cents.

    Units: points of the quote currency times units; scale = points in one unit of it.
    Formula: points / scale * rate * 100, half-even to the cent. Source: docs/rules/trading.md#value.
    """
    return half_even(points * 100 * rate.numerator, scale * rate.denominator)


def dollar_points(points: int, scale: int, rate: Rate) -> int:
    """Value open profit in 1/100,000 dollar, rounded down: the engine's own unit for everything that is not yet realized."""
    return points * DOLLAR_POINTS * rate.numerator // (scale * rate.denominator)


def notional_cents(units: int, base_rate: Rate) -> int:
    """Value a position's size in US cents at its base currency's mid, half-even."""
    return half_even(abs(units) * 100 * base_rate.numerator, base_rate.denominator)


def required_margin_cents(notionals_cents: int, leverage: int) -> int:
    """Give the margin for the sum of an account's notionals, rounded up to the cent."""
    return -(-notionals_cents // leverage)


def fee_cents(units: int, commission_cents_per_lot: int) -> int:
    """Give the commission of one deal, half-even to the cent."""
    return half_even(units * commission_cents_per_lot, LOT_UNITS)


def margin_level_bps(equity_cents: int, margin_cents: int) -> int | None:
    """Give equity / margin in bps, rounded down, for display; None when nothing is at risk."""
    return equity_cents * 10_000 // margin_cents if margin_cents else None


def at_or_below_level(equity_cents: int, margin_cents: int, level_bps: int) -> bool:
    """Tell whether a margin level has been reached, by cross-multiplication."""
    return margin_cents > 0 and equity_cents * 10_000 <= margin_cents * level_bps


def rates_for(currencies: set[str], quotes: Mapping[str, tuple[int, int, int]]) -> dict[str, Rate]:
    """Price several currencies at once. Shapes: quotes maps a pair to (bid, ask, quote id); unpriced currencies are absent."""
    rates: dict[str, Rate] = {}
    for currency in currencies:
        pair = usd_pair(currency)
        if pair is None:
            rates[currency] = DOLLAR
        elif pair in quotes:
            bid, ask, quote_id = quotes[pair]
            rates[currency] = rate_of(currency, bid, ask, quote_id)
    return rates
