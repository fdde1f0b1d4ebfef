"""One position per entry and pair: what a fill does to it. Nothing about money or margin here.

A position is (units, cost): units signed, cost the signed sum of units times price in points, so that cost / units is the
average price and nothing is ever rounded away: what a partial close does not take stays in the position.
Rules: docs/rules/trading.md#netting.
"""

from dataclasses import dataclass

from tradingarena.core.money import half_even


@dataclass(frozen=True, slots=True)
class Leg:
    """One in or out of a position.

    Units: units > 0 of the base currency; cost and profit in points times units of the quote currency.
    """

    opens: bool
    units: int
    cost_points: int  # in: units * price, signed as the position; out: the share of the position's cost that leaves
    profit_points: int  # out only


@dataclass(frozen=True, slots=True)
class Netted:
    """What a fill left behind: at most one leg out and one leg in, in this order."""

    units: int
    cost_points: int
    legs: tuple[Leg, ...]


def net(units: int, cost_points: int, fill_units: int, price: int) -> Netted:
    """Apply a fill to a position.

    Units: units and fill_units signed (buy > 0), price in points.
    Formula: what closes takes cost * closed / |units| with it, half-even to the point; profit = sign * closed * price - taken;
        what is left over opens in the other direction at the fill's price. Source: docs/rules/trading.md#netting.
    Guarantees: the costs of all legs in less those out equal the position's cost; a flat position has cost 0.
    Raises: ValueError: a fill of 0 units.
    Example:
        >>> net(10_000, 10_000 * 108_500, -4_000, 108_510)
        Netted(units=6000, cost_points=651000000, legs=(Leg(opens=False, units=4000, cost_points=434000000, profit_points=40000),))
    """
    if fill_units == 0:
        raise ValueError("a fill has units")
    legs: list[Leg] = []
    if units and (units > 0) != (fill_units > 0):
        closed = min(abs(units), abs(fill_units))
        sign = 1 if units > 0 else -1
        taken = cost_points if closed == abs(units) else half_even(cost_points * closed, abs(units))
        legs.append(Leg(False, closed, taken, sign * closed * price - taken))
        units -= sign * closed
        cost_points -= taken
        fill_units += sign * closed
    if fill_units:
        added = fill_units * price
        legs.append(Leg(True, abs(fill_units), added, 0))
        units += fill_units
        cost_points += added
    return Netted(units, cost_points, tuple(legs))
