"""A believable market without a source: seeded, all 28 pairs consistent with each other. Clearly labelled wherever it is shown.

Seven dollar legs move in integers (1/100,000,000 of a price); crosses are their quotients. The random numbers are the only
floats, as sizes of steps. What it models: docs/market-data.md#simulated.
"""

import math
import random
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from competitions.engine.instruments import INSTRUMENTS
from competitions.engine.market_hours import is_open
from competitions.engine.quotes import Quote
from competitions.marketdata.providers.base import IDLE, POLL_S, Arrived, Bar, Connected, Event, Start, Tick

FINE = 10**8
STEP_MS = 100
LONGEST_CATCH_UP_MS = 2_000
SILENT_AT_MOST_MS = 2_000  # an open market quotes every pair so often
YEAR_S = 252 * 86_400
HISTORY_S = 12 * 3_600
HISTORY_STEP_MS = 10_000
LARGEST_STEP = 0.006  # of the price: below the 1 % that would count as a jump, also in a cross


@dataclass(frozen=True, slots=True)
class Leg:
    """A currency against the dollar: its pair, where it starts, how it moves. Units: volatility per year as a fraction."""

    currency: str
    pair: str
    start: int  # 1/FINE
    volatility: float
    with_dollar: float  # share of the moves that come from the dollar
    sessions: tuple[float, float, float]  # weight of the Asian, London and New York hours


LEGS = (
    Leg("EUR", "EUR/USD", 108_500_000, 0.070, 0.75, (0.5, 1.2, 1.0)),
    Leg("GBP", "GBP/USD", 127_000_000, 0.085, 0.65, (0.4, 1.3, 1.0)),
    Leg("AUD", "AUD/USD", 66_000_000, 0.105, 0.60, (1.0, 0.9, 0.9)),
    Leg("NZD", "NZD/USD", 60_500_000, 0.105, 0.60, (1.0, 0.8, 0.8)),
    Leg("CAD", "USD/CAD", 136_500_000, 0.065, 0.60, (0.3, 0.8, 1.3)),
    Leg("CHF", "USD/CHF", 88_500_000, 0.080, 0.65, (0.4, 1.2, 0.9)),
    Leg("JPY", "USD/JPY", 15_150_000_000, 0.095, 0.60, (1.1, 1.0, 1.0)),
)
# Usual spread in points, and quotes a second in the busiest hours.
MAJORS = {"EUR/USD": (6, 8.0), "GBP/USD": (9, 6.5), "USD/JPY": (8, 7.0), "AUD/USD": (8, 5.0), "USD/CAD": (12, 4.5),
          "USD/CHF": (12, 4.0), "NZD/USD": (13, 4.0)}  # fmt: skip
CROSS = (18, 2.2)
TIGHT_CROSSES = {
    "EUR/GBP": (10, 3.5),
    "EUR/JPY": (11, 3.5),
    "GBP/JPY": (18, 3.5),
    "EUR/CHF": (14, 2.5),
    "AUD/JPY": (14, 2.5),
}


@dataclass(slots=True)
class State:
    """What a leg remembers: its price, its own logarithmic volatility, and how nervous its market makers still are."""

    price: int
    log_volatility: float = 0.0
    stress: float = 0.0


@dataclass
class SimulatedMarket:
    """The market itself, moved step by step by its caller. The same seed and steps give the same quotes."""

    seed: int
    pairs: Sequence[str] = tuple(INSTRUMENTS)
    legs: dict[str, State] = field(default_factory=dict)
    _last: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    _common: float = 0.0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311  a game of prices, not a secret
        for leg in LEGS:
            self.legs.setdefault(leg.currency, State(leg.start))

    def start_at(self, newest: Mapping[str, Quote]) -> bool:
        """Go on from the newest quotes; False, and nothing is changed, when a leg is missing."""
        if any(leg.pair not in newest for leg in LEGS):
            return False
        for leg in LEGS:
            quote = newest[leg.pair]
            self.legs[leg.currency].price = (quote.bid + quote.ask) * FINE // (2 * INSTRUMENTS[leg.pair].scale)
        return True

    def step(self, now_ms: int, dt_ms: int = STEP_MS) -> list[Tick]:
        """Move every leg by one step and give the quotes of this moment, in the order of `pairs`."""
        activity = _activity(now_ms)
        self._move(now_ms, dt_ms, activity)
        values = self._values()
        ticks: list[Tick] = []
        for pair in self.pairs:
            tick = self._quote(pair, values, now_ms, dt_ms, activity)
            if tick is not None:
                ticks.append(tick)
        return ticks

    def _move(self, now_ms: int, dt_ms: int, activity: tuple[float, float, float]) -> None:
        gauss, dt_s = self.random.gauss, dt_ms / 1000
        root = math.sqrt(dt_s / YEAR_S)
        calm = math.exp(-dt_s / 1_800)  # half an hour of memory: volatility comes in clusters
        noise = math.sqrt(1 - calm * calm)
        self._common = calm * self._common + noise * 0.35 * gauss(0, 1)
        dollar = gauss(0, 1)
        news = self._news(now_ms, dt_s)
        for leg in LEGS:
            state = self.legs[leg.currency]
            state.log_volatility = calm * state.log_volatility + noise * 0.35 * gauss(0, 1)
            state.stress *= math.exp(-dt_s / 15)
            busy = max(weight * share for weight, share in zip(leg.sessions, activity, strict=True))
            sigma = (
                leg.volatility
                * root
                * math.sqrt(0.25 + busy)
                * math.exp(self._common + state.log_volatility + 0.5 * state.stress)
            )
            own = math.sqrt(1 - leg.with_dollar**2) * gauss(0, 1)
            moved = sigma * (leg.with_dollar * dollar + own) - _pull(leg, state.price) * dt_s
            if news and news[0] in (leg.currency, "USD"):
                moved += news[1]
                state.stress = 1.5
            moved = max(-LARGEST_STEP, min(LARGEST_STEP, moved))
            # a leg that the dollar leads (USD/JPY) falls when its currency rises
            state.price += round(state.price * (moved if leg.pair.endswith("/USD") else -moved))

    def _news(self, now_ms: int, dt_s: float) -> tuple[str, float] | None:
        """Decide whether news hits a currency: about twice an hour, mostly at the full and half hour."""
        minute = now_ms // 60_000 % 60
        per_hour = 12.0 if minute in (0, 30) else 1.2
        if self.random.random() >= per_hour * dt_s / 3600:
            return None
        currency = self.random.choice(["USD", *(leg.currency for leg in LEGS)])
        size = min(0.0030, 0.0002 + self.random.expovariate(1 / 0.0004))  # mostly a few pips, seldom thirty
        return currency, self.random.choice((-1, 1)) * size

    def _values(self) -> dict[str, int]:
        """Give each currency's value in dollars, 1/FINE**2."""
        values = {"USD": FINE * FINE}
        for leg in LEGS:
            price = self.legs[leg.currency].price
            values[leg.currency] = price * FINE if leg.pair.endswith("/USD") else FINE**3 // price
        return values

    def _quote(
        self, pair: str, values: Mapping[str, int], now_ms: int, dt_ms: int, activity: tuple[float, ...]
    ) -> Tick | None:
        known = INSTRUMENTS[pair]
        usual, busiest = MAJORS.get(pair) or TIGHT_CROSSES.get(pair) or CROSS
        level = max(0.2, min(1.4, max(activity)))
        stress = max(self.legs[name].stress for name in (known.base, known.quote) if name != "USD")
        last = self._last.get(pair)
        waited = now_ms - last[2] if last else SILENT_AT_MOST_MS
        rate = busiest * level / 1.2 * (1 + stress)
        if waited < SILENT_AT_MOST_MS and self.random.random() >= rate * dt_ms / 1000:
            return None
        spread = max(2, round(usual * (0.8 + 0.35 / level) * (1 + 2 * stress) * self.random.uniform(0.75, 1.35)))
        middle = values[known.base] * known.scale * 2 // values[known.quote]  # doubled, in points
        bid = (middle - spread) // 2
        ask = bid + spread
        if last and last[:2] == (bid, ask) and waited < SILENT_AT_MOST_MS:
            return None
        self._last[pair] = (bid, ask, now_ms)
        return Tick(pair, _text(bid, known.digits), _text(ask, known.digits), now_ms)


class SimulatedProvider:
    """The default source when there is no key."""

    name = "simulated"
    keeps_market_hours = False
    at_once = False

    def __init__(
        self, *, seed: int, pairs: Sequence[str] = (), always_open: bool = True, history_s: int = HISTORY_S
    ) -> None:
        self.seed, self.pairs = seed, tuple(pairs) or tuple(INSTRUMENTS)
        self.always_open, self.history_s = always_open, history_s
        self._bars: list[Bar] = []
        self._steps = 0

    def stream(self, stop: threading.Event, start: Start) -> Generator[Event, None, None]:
        """Give the market from now on; from the newest prices where there are some."""
        now_ms = time.time_ns() // 1_000_000
        market = SimulatedMarket(self.seed ^ now_ms if start.newest else self.seed, self.pairs)
        if not market.start_at(start.newest):
            self._bars = past(market, now_ms, self.history_s)
        yield Connected()
        stepped_ms = now_ms
        while not stop.is_set():
            now_ms = time.time_ns() // 1_000_000
            if now_ms < stepped_ms or now_ms - stepped_ms > LONGEST_CATCH_UP_MS:
                stepped_ms = now_ms - STEP_MS  # the machine slept or its clock was set: nothing happened meanwhile
            ticks: list[Tick] = []
            while stepped_ms + STEP_MS <= now_ms:
                stepped_ms += STEP_MS
                if self.always_open or is_open(datetime.fromtimestamp(stepped_ms / 1000, tz=UTC)):
                    ticks += market.step(stepped_ms)
                    self._steps += 1
            yield Arrived(ticks, time.monotonic()) if ticks else IDLE
            stop.wait(max(0.001, min(POLL_S, (stepped_ms + STEP_MS - now_ms) / 1000)))

    def goes_on(self, start: Start) -> bool:
        """Tell whether the next stream goes on from these quotes."""
        return all(leg.pair in start.newest for leg in LEGS)

    def reconnect(self, reason: str) -> None:
        """Do nothing: there is no connection."""

    def history(self, since_ms: Mapping[str, int], until_ms: int, stop: threading.Event) -> Iterator[list[Bar]]:
        """Give the twelve hours before a market's very first quote, which led to its first prices."""
        bars, self._bars = self._bars, []
        wanted = [bar for bar in bars if since_ms.get(bar.pair, 0) <= bar.opens_ms < until_ms]
        for begin in range(0, len(wanted), 4_000):
            if stop.is_set():
                return
            yield wanted[begin : begin + 4_000]

    def counters(self) -> Mapping[str, int]:
        """Give the number of steps."""
        return {"steps": self._steps}


def past(market: SimulatedMarket, now_ms: int, length_s: int) -> list[Bar]:
    """Let a market live through the time before now, and give its minutes; it then goes on from where they end."""
    minutes: dict[tuple[str, str, int], list[int]] = {}
    first_ms = (now_ms - length_s * 1000) // 60_000 * 60_000
    for at_ms in range(first_ms, now_ms // 60_000 * 60_000, HISTORY_STEP_MS):
        for pair, bid, ask, time_ms in market.step(at_ms, HISTORY_STEP_MS):
            for side, text in (("bid", bid), ("ask", ask)):
                price = int(str(text).replace(".", ""))
                found = minutes.setdefault((pair, side, time_ms // 60_000 * 60_000), [price, price, price, price, 0])
                found[1], found[2] = max(found[1], price), min(found[2], price)
                found[3] = price
                found[4] += 1
    bars = [Bar(pair, side, opens_ms, *values) for (pair, side, opens_ms), values in minutes.items()]
    return sorted(bars, key=lambda bar: (bar.pair, bar.opens_ms))


def _pull(leg: Leg, price: int) -> float:
    """Pull a price back to where it began, weakly: half the way in about three weeks."""
    away = (price - leg.start) / leg.start
    return away * 3.8e-7 * (1 if leg.pair.endswith("/USD") else -1)


def _activity(now_ms: int) -> tuple[float, float, float]:
    """Give how busy Asia, London and New York are, 0..1, with soft edges."""
    hour = now_ms / 3_600_000 % 24
    return (
        _session(hour, 0.0, 8.5) * 0.7 + 0.1,
        _session(hour, 7.0, 16.5) + 0.05,
        _session(hour, 12.5, 21.0) * 0.95 + 0.05,
    )


def _session(hour: float, opens: float, closes: float) -> float:
    edge = 0.75
    middle, half = (opens + closes) / 2, (closes - opens) / 2
    away = abs((hour - middle + 12) % 24 - 12)
    return 1 / (1 + math.exp(min(50.0, (away - half) / edge * 2)))


def _text(points: int, digits: int) -> str:
    scale = 10**digits
    return f"{points // scale}.{points % scale:0{digits}d}"
