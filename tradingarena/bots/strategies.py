"""What to trade: six plain ways of looking at prices. Each only decides; sending is the runner's.

A strategy is a class with a pace and `decide`. It sees a View and gives Actions; all prices are whole points. None of them is
meant to make money. How to write another one: docs/bots.md.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tradingarena.bots.market import Pair

LOT = 100_000


@dataclass(frozen=True, slots=True)
class Enter:
    """Place an order. Units: signed units (buy > 0), prices in points; price None is a market order."""

    pair: Pair
    units: int
    kind: str = "market"
    price: int | None = None
    stop_loss: int | None = None
    take_profit: int | None = None


@dataclass(frozen=True, slots=True)
class Close:
    """Close a position at the market."""

    position_id: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel a pending order."""

    order_id: str


Action = Enter | Close | Cancel


@dataclass(slots=True)
class View:
    """What a strategy may look at: fresh pairs of this contest, its own account, and its own dice.

    Shapes: positions and orders as REST gives them. Units: cents, seconds.
    """

    pairs: list[Pair]
    positions: list[dict[str, Any]]
    orders: list[dict[str, Any]]
    equity_cents: int
    start_cents: int
    left_s: float
    now_s: float
    dice: random.Random

    def held(self, pair: Pair) -> dict[str, Any] | None:
        """Find the position of a pair."""
        return next((row for row in self.positions if row["pair"] == pair.name), None)

    def signed_units(self, pair: Pair) -> int:
        """Give what is held of a pair, short below zero."""
        row = self.held(pair)
        return 0 if row is None else int(row["units"]) * (1 if row["side"] == "long" else -1)

    def size(self, share_pct: int) -> int:
        """Give a size: a share of the equity at ten times leverage, a little more or less, in thousands of units."""
        thousands = self.equity_cents * 10 * share_pct // 100 // 100_000  # a dollar a unit is near enough
        return max(1, thousands * self.dice.randint(8, 12) // 10) * 1_000


def mean(values: list[int]) -> int:
    """Give the mean, rounded down."""
    return sum(values) // len(values)


@dataclass
class Strategy:
    """The base: how long to think between looks, and what to do when looking."""

    name: ClassVar[str]
    pace_s: ClassVar[tuple[float, float]] = (10.0, 30.0)
    notes: dict[str, Any] = field(default_factory=dict)

    def decide(self, view: View) -> Iterator[Action]:
        """Say what to do now: usually nothing, sometimes one thing."""
        raise NotImplementedError

    def choose(self, view: View, samples: int) -> Pair | None:
        """Pick a pair that is remembered for long enough."""
        known = [pair for pair in view.pairs if len(pair.mids) >= samples]
        return view.dice.choice(known) if known else None


class TrendFollower(Strategy):
    """Goes with the faster of two moving averages, and turns round with it."""

    name = "trend"
    pace_s = (8.0, 24.0)

    def decide(self, view: View) -> Iterator[Action]:
        pair = self.choose(view, 120)
        if pair is None:
            return
        mids = list(pair.mids)
        lead = mean(mids[-20:]) - mean(mids[-120:])
        if abs(lead) < 2 * pair.spread:
            return
        way = 1 if lead > 0 else -1
        held = view.signed_units(pair)
        if held * way > 0:
            return
        if held:
            yield Close(view.held(pair)["position_id"])  # type: ignore[index]
        price = pair.ask if way > 0 else pair.bid
        yield Enter(pair, way * view.size(40), stop_loss=price - way * (20 * pair.pip_points + 2 * pair.spread))


class MeanReverter(Strategy):
    """Bets that a price far from its mean comes back, with the mean as the target."""

    name = "reversion"
    pace_s = (6.0, 20.0)

    def decide(self, view: View) -> Iterator[Action]:
        pair = self.choose(view, 90)
        if pair is None or view.held(pair):
            return
        mids = list(pair.mids)[-300:]
        middle = mean(mids)
        usual = mean([abs(mid - middle) for mid in mids])
        away = mids[-1] - middle
        if abs(away) < max(2 * usual, 3 * pair.spread):
            return
        way = -1 if away > 0 else 1
        price, target = (pair.ask if way > 0 else pair.bid), middle // 2
        if (target - price) * way > pair.spread:
            yield Enter(pair, way * view.size(30), stop_loss=price - way * abs(away), take_profit=target)


class Breakout(Strategy):
    """Lays a stop order on either side of the recent range; when one fills the other goes."""

    name = "breakout"
    pace_s = (10.0, 28.0)

    def decide(self, view: View) -> Iterator[Action]:
        if view.orders:
            placed_s = self.notes.setdefault("placed_s", view.now_s)
            if view.positions or view.now_s - placed_s > 240:
                for order in view.orders:
                    yield Cancel(order["id"])
                self.notes.pop("placed_s", None)
            return
        pair = self.choose(view, 90)
        if pair is None or len(view.positions) >= 2:
            return
        mids = list(pair.mids)[-180:]
        high, low = max(mids) // 2, min(mids) // 2
        margin, units = max(pair.spread, pair.pip_points), view.size(30)
        stop = max(high - low, 8 * pair.pip_points)
        above, below = max(high, pair.ask) + margin, min(low, pair.bid) - margin
        yield Enter(pair, units, "stop", above, above - stop, above + 2 * stop)
        yield Enter(pair, -units, "stop", below, below + stop, below - 2 * stop)
        self.notes["placed_s"] = view.now_s


class Scalper(Strategy):
    """Flips a coin, aims for a few pips, and does not wait for long."""

    name = "scalper"
    pace_s = (4.0, 15.0)

    def decide(self, view: View) -> Iterator[Action]:
        since = self.notes.setdefault("since", {})
        for row in view.positions:
            if view.now_s - since.setdefault(row["position_id"], view.now_s) > 60:
                since.pop(row["position_id"])
                yield Close(row["position_id"])
                return
        pair = self.choose(view, 1)
        if pair is None or view.held(pair) or len(view.positions) >= 2:
            return
        way = view.dice.choice((1, -1))
        price, reach = (pair.ask if way > 0 else pair.bid), 4 * pair.pip_points + pair.spread
        yield Enter(
            pair, way * view.size(25), stop_loss=price - way * (reach + pair.spread), take_profit=price + way * reach
        )


class PatientTrader(Strategy):
    """Waits for a better price with a limit order, protected on both sides from the first moment."""

    name = "patient"
    pace_s = (12.0, 36.0)

    def decide(self, view: View) -> Iterator[Action]:
        ages = self.notes.setdefault("ages", {})
        for order in view.orders:
            if view.now_s - ages.setdefault(order["id"], view.now_s) > 200:
                ages.pop(order["id"])
                yield Cancel(order["id"])
                return
        pair = self.choose(view, 60)
        if pair is None or len(view.orders) + len(view.positions) >= 3 or view.held(pair):
            return
        if any(order["pair"] == pair.name for order in view.orders):
            return
        mids = list(pair.mids)[-300:]
        way = 1 if mids[-1] < mean(mids) else -1
        better = view.dice.randint(1, 4) * pair.pip_points
        price = pair.bid - better if way > 0 else pair.ask + better
        reach = 12 * pair.pip_points
        yield Enter(pair, way * view.size(35), "limit", price, price - way * reach, price + way * 2 * reach)


class CarefulTrader(Strategy):
    """One small position at a time, close protection, out before the end, and no more after a bad day."""

    name = "careful"
    pace_s = (10.0, 32.0)

    def decide(self, view: View) -> Iterator[Action]:
        if view.left_s < 60 or view.equity_cents * 100 < view.start_cents * 99:
            for row in view.positions:
                yield Close(row["position_id"])
            return
        if view.positions:
            row = view.positions[0]
            if int(row.get("unrealized_cents") or 0) * 2_000 > view.start_cents:  # half a thousandth is enough
                yield Close(row["position_id"])
            return
        pair = self.choose(view, 60)
        if pair is None:
            return
        mids = list(pair.mids)
        way = 1 if mids[-1] > mean(mids[-60:]) else -1
        price, reach = (pair.ask if way > 0 else pair.bid), 10 * pair.pip_points
        yield Enter(pair, way * view.size(12), stop_loss=price - way * reach, take_profit=price + way * 2 * reach)


STRATEGIES: dict[str, Callable[[], Strategy]] = {
    kind.name: kind for kind in (TrendFollower, MeanReverter, Breakout, Scalper, PatientTrader, CarefulTrader)
}
