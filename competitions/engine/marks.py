"""What every account is worth at every quote, a whole contest at a time.

Arrays over the entries hold, per pair, the long and the short units, and per quote currency the open profit in points. A
quote adds units * (price change) to the open profit of its pair's currency, converts that row once, and compares equity
with two lines: above `peak` a new highest equity is noted; at or below `alarm` or `dip` somebody must be looked at.
Everything is int64: exact, and the same on every machine. Rules: docs/rules/trading.md#equity.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from competitions.engine.instruments import INSTRUMENTS, usd_pair
from competitions.engine.margin import DOLLAR_POINTS, POINTS_PER_CENT

Ints = NDArray[np.int64]
NEVER_BELOW = np.iinfo(np.int64).min
NEVER_ABOVE = np.iinfo(np.int64).max


def bps_share_up(amount: int, bps: int) -> int:
    """Give amount * bps / 10,000 rounded up."""
    return -(-amount * bps // 10_000)


class Marks:
    """Equity, highest equity and drawdown of all entries of one contest.

    Shapes: every array has one place per entry, in the order of `add`; capacity grows by doubling.
    Units: equity, peak, day_start, alarm, dip in cents; open profit in points of its currency; drawdown in bps.
    """

    def __init__(self, pairs: Iterable[str], *, peak_limit_bps: int = 0) -> None:
        self.pairs = tuple(pairs)
        self.peak_limit_bps = peak_limit_bps  # a fall from the highest equity that raises the alarm; 0 for none
        self.size = 0
        self._capacity = 64
        self.price: dict[str, tuple[int, int]] = {}  # newest confirmed (bid, ask) of every pair that has one
        self.long: dict[str, Ints] = {pair: self._zeros() for pair in self.pairs}
        self.short: dict[str, Ints] = {pair: self._zeros() for pair in self.pairs}
        currencies = {INSTRUMENTS[pair].quote for pair in self.pairs}
        self.open_points: dict[str, Ints] = {currency: self._zeros() for currency in currencies if currency != "USD"}
        self._open_dollars: dict[str, Ints] = {currency: self._zeros() for currency in self.open_points}
        self._unpriced: dict[str, dict[int, int]] = {}  # cost of positions restored before their pair had a price
        self._converts = {usd_pair(currency): currency for currency in self.open_points}
        self.worth = self._zeros()  # cash and open profit in 1/100,000 dollar
        self.equity = self._zeros()
        self.peak = self._zeros()
        self.drawdown_bps = self._zeros()
        self.day_start = self._zeros()
        self.alarm = self._zeros()
        self.dip = self._zeros()
        self.awake: NDArray[np.bool_] = np.zeros(self._capacity, dtype=np.bool_)
        self._floor = self._zeros()  # what the hot path compares with: the highest of all lines below
        self._ceiling = self._zeros()  # and the highest equity, both out of reach for who is asleep
        self._scratch = self._zeros()
        self._hit: NDArray[np.bool_] = np.zeros(self._capacity, dtype=np.bool_)
        self._view()

    def _zeros(self) -> Ints:
        return np.zeros(self._capacity, dtype=np.int64)

    def add(self, *, cash_cents: int, peak_cents: int, drawdown_bps: int, day_start_cents: int) -> int:
        """Add an account without positions and return its place."""
        if self.size == self._capacity:
            self._grow()
        place, self.size = self.size, self.size + 1
        self.worth[place] = cash_cents * POINTS_PER_CENT
        self.equity[place] = cash_cents
        self.peak[place] = peak_cents
        self.drawdown_bps[place] = drawdown_bps
        self.day_start[place] = day_start_cents
        self.alarm[place] = NEVER_BELOW
        self.wake(place)
        self._view()
        return place

    def sleep(self, place: int) -> None:
        """Stop noting an entry's high and low marks and raising its alarm; its worth goes on following the quotes."""
        self.awake[place] = False
        self._floor[place], self._ceiling[place] = NEVER_BELOW, NEVER_ABOVE

    def wake(self, place: int) -> None:
        """Begin to watch an entry again."""
        self.awake[place] = True
        self._draw_one(place)

    def set_price(self, pair: str, bid: int, ask: int) -> None:
        """Give a pair its price before anybody holds it."""
        self.price[pair] = (bid, ask)

    def _grow(self) -> None:
        self._capacity *= 2
        for table in (self.long, self.short, self.open_points, self._open_dollars):
            for name, old in table.items():
                table[name] = np.concatenate([old, np.zeros_like(old)])
        for name in (
            "worth",
            "equity",
            "peak",
            "drawdown_bps",
            "day_start",
            "alarm",
            "dip",
            "awake",
            "_floor",
            "_ceiling",
            "_scratch",
            "_hit",
        ):
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old, np.zeros_like(old)]))

    def _view(self) -> None:
        """Cut the arrays of the hot path to the entries there are."""
        n = self.size
        self._v = {
            name: getattr(self, name)[:n] for name in ("worth", "equity", "_floor", "_ceiling", "_scratch", "_hit")
        }
        self._v_long = {pair: row[:n] for pair, row in self.long.items()}
        self._v_short = {pair: row[:n] for pair, row in self.short.items()}
        self._v_open = {currency: row[:n] for currency, row in self.open_points.items()}
        self._v_dollars = {currency: row[:n] for currency, row in self._open_dollars.items()}

    # -- the hot path ---------------------------------------------------------------------------------------------------
    def quote(self, pair: str, bid: int, ask: int) -> Ints | None:
        """Mark everybody at a confirmed quote.

        Shapes: the places whose equity is at or below their alarm line, or None.
        Units: bid and ask in points.
        Effects: new highest equities and deepest drawdowns are noted.
        """
        old = self.price.get(pair)
        self.price[pair] = (bid, ask)
        if old is None:
            self._first_quote(pair, bid, ask)
        elif old != (bid, ask):
            if pair in self._v_long:
                self._move(pair, bid - old[0], ask - old[1])
            if pair in self._converts:
                self._convert(self._converts[pair])
        return self._look()

    def _move(self, pair: str, bid_change: int, ask_change: int) -> None:
        currency = INSTRUMENTS[pair].quote
        row = self._v["worth"] if currency == "USD" else self._v_open[currency]
        scratch = self._v["_scratch"]
        if bid_change:
            np.multiply(self._v_long[pair], bid_change, out=scratch)
            np.add(row, scratch, out=row)
        if ask_change:
            np.multiply(self._v_short[pair], ask_change, out=scratch)
            np.add(row, scratch, out=row)
        if currency != "USD" and pair not in self._converts:
            self._convert(currency)

    def _convert(self, currency: str) -> None:
        """Value one currency's open profit in dollars afresh and move everybody's worth by the difference."""
        factor = self._factor(currency)
        if factor is None:
            return
        multiplier, divisor = factor
        worth, scratch, dollars = self._v["worth"], self._v["_scratch"], self._v_dollars[currency]
        np.multiply(self._v_open[currency], multiplier, out=scratch)
        np.floor_divide(scratch, divisor, out=scratch)
        np.subtract(worth, dollars, out=worth)
        np.add(worth, scratch, out=worth)
        dollars[:] = scratch

    def _factor(self, currency: str) -> tuple[int, int] | None:
        """Give (multiplier, divisor) from points of a currency to 1/100,000 dollar, or None before its first rate."""
        pair = usd_pair(currency)
        assert pair is not None
        price = self.price.get(pair)
        if price is None:
            return None
        scale = 1_000 if currency == "JPY" else 100_000
        per_point = DOLLAR_POINTS // scale
        both = price[0] + price[1]
        if pair.endswith("/USD"):
            return per_point * both, 2 * INSTRUMENTS[pair].scale
        return per_point * 2 * INSTRUMENTS[pair].scale, both

    def _look(self) -> Ints | None:
        v = self._v
        worth, equity = v["worth"], v["equity"]
        np.floor_divide(worth, POINTS_PER_CENT, out=equity)
        if np.greater(equity, v["_ceiling"], out=v["_hit"]).any():
            self._new_peaks(np.flatnonzero(v["_hit"]))
        if np.less_equal(equity, v["_floor"], out=v["_hit"]).any():
            return self._below_line(np.flatnonzero(v["_hit"]))
        return None

    def _new_peaks(self, places: Ints) -> None:
        self.peak[places] = self.equity[places]
        self._draw(places)

    def _draw(self, places: Ints) -> None:
        """Draw the lines of some awake entries afresh: where the next deeper drawdown begins, and where somebody must look."""
        peak = self.peak[places]
        self.dip[places] = peak + (-peak * (self.drawdown_bps[places] + 1)) // 10_000
        self._floor[places] = np.maximum(self._alarm_of(places), self.dip[places])
        self._ceiling[places] = peak

    def _draw_one(self, place: int) -> None:
        """Do what `_draw` does for one entry, which is what every fill asks for."""
        peak = int(self.peak[place])
        dip = peak + (-peak * (int(self.drawdown_bps[place]) + 1)) // 10_000
        alarm = int(self.alarm[place])
        if self.peak_limit_bps:
            alarm = max(alarm, peak + (-peak * self.peak_limit_bps) // 10_000)
        self.dip[place], self._floor[place], self._ceiling[place] = dip, max(alarm, dip), peak

    def _alarm_of(self, places: Ints) -> Ints:
        if not self.peak_limit_bps:
            return self.alarm[places]
        peak = self.peak[places]
        line: Ints = np.maximum(self.alarm[places], peak + (-peak * self.peak_limit_bps) // 10_000)
        return line

    def _below_line(self, places: Ints) -> Ints | None:
        dipped = places[self.equity[places] <= self.dip[places]]
        if dipped.size:
            fall = (self.peak[dipped] - self.equity[dipped]) * 10_000 // np.maximum(self.peak[dipped], 1)
            self.drawdown_bps[dipped] = np.maximum(self.drawdown_bps[dipped], np.minimum(fall, 10_000))
            self._draw(dipped)
        alarmed = places[self.equity[places] <= self._alarm_of(places)]
        return alarmed if alarmed.size else None

    # -- one entry ------------------------------------------------------------------------------------------------------
    def hold(self, place: int, pair: str, units: int, cost_points: int, old_units: int, old_cost_points: int) -> None:
        """Replace one entry's position of a pair; its worth follows at the newest confirmed prices, or at the first one."""
        self.long[pair][place] = max(units, 0)
        self.short[pair][place] = min(units, 0)
        if pair not in self.price:
            self._unpriced.setdefault(pair, {})[place] = cost_points
            return
        change = self._open_profit(pair, units, cost_points) - self._open_profit(pair, old_units, old_cost_points)
        currency = INSTRUMENTS[pair].quote
        if currency == "USD":
            self.worth[place] += change
        else:
            self.open_points[currency][place] += change
            self._convert_one(place, currency)
        self.equity[place] = self.worth[place] // POINTS_PER_CENT

    def would_be(
        self, place: int, pair: str, units: int, cost_points: int, old_units: int, old_cost_points: int, cents: int
    ) -> int:
        """Give the equity in cents that `add_cash` and `hold` with these values would lead to; the pair has a price."""
        change = self._open_profit(pair, units, cost_points) - self._open_profit(pair, old_units, old_cost_points)
        worth = int(self.worth[place]) + cents * POINTS_PER_CENT
        currency = INSTRUMENTS[pair].quote
        if currency == "USD":
            return (worth + change) // POINTS_PER_CENT
        factor = self._factor(currency)
        if factor is None:
            return worth // POINTS_PER_CENT
        dollars = (int(self.open_points[currency][place]) + change) * factor[0] // factor[1]
        return (worth + dollars - int(self._open_dollars[currency][place])) // POINTS_PER_CENT

    def add_cash(self, place: int, cents: int) -> None:
        """Book realized profit or a fee."""
        self.worth[place] += cents * POINTS_PER_CENT
        self.equity[place] = self.worth[place] // POINTS_PER_CENT

    def _open_profit(self, pair: str, units: int, cost_points: int) -> int:
        if not units:
            return 0
        price = self.price[pair]
        return units * price[0 if units > 0 else 1] - cost_points

    def _convert_one(self, place: int, currency: str) -> None:
        factor = self._factor(currency)
        if factor is not None:
            dollars = int(self.open_points[currency][place]) * factor[0] // factor[1]
            self.worth[place] += dollars - int(self._open_dollars[currency][place])
            self._open_dollars[currency][place] = dollars

    def _first_quote(self, pair: str, bid: int, ask: int) -> None:
        """Value positions that were restored before their pair had a price: their cost was held back until now."""
        if pair in self._v_long:
            currency = INSTRUMENTS[pair].quote
            row = self._v["worth"] if currency == "USD" else self._v_open[currency]
            row += self._v_long[pair] * bid + self._v_short[pair] * ask
            for place, cost in self._unpriced.pop(pair, {}).items():
                row[place] -= cost
            if currency != "USD":
                self._convert(currency)
        if pair in self._converts:
            self._convert(self._converts[pair])

    def watch(self, place: int, alarm_cents: int) -> None:
        """Set the equity at or below which `quote` reports this entry."""
        self.alarm[place] = alarm_cents
        if self.awake[place]:
            self._draw_one(place)

    def note(self, place: int) -> None:
        """Note an entry's highest equity and deepest drawdown after its own fill, as a quote would."""
        if self.awake[place]:
            if self.equity[place] > self.peak[place]:
                self._new_peaks(np.array([place]))
            elif self.equity[place] <= self.dip[place]:
                self._below_line(np.array([place]))

    def new_day(self) -> None:
        """Begin a UTC day: what everybody awake is worth now is what the daily rule measures from."""
        n = self.size
        np.copyto(self.day_start[:n], self.equity[:n], where=self.awake[:n])
