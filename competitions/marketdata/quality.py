"""Which quotes are good: the rules of docs/rules/quotes.md#quality, with a counter for every reason to drop one. Pure.

Prices arrive as the source wrote them (text or Decimal) and leave as integer points. No clock, no Redis, no database.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from competitions.engine.instruments import INSTRUMENTS
from competitions.engine.quotes import Quote

Price = str | Decimal

AHEAD_MS = 5_000
REFERENCE_MS = 3_600_000  # an older last good mid no longer bars a price, it only makes it a jump
SKEW_SAMPLE = 20  # quotes in a row, all ahead by the same amount, that tell of a wrong clock here

UNKNOWN_PAIR, NOT_A_NUMBER, PRECISION, NOT_POSITIVE = ("unknown_pair", "not_a_number", "precision", "not_positive")
LOCKED, CROSSED, OLD, AHEAD, OUT_OF_RANGE = ("locked", "crossed", "old", "ahead", "out_of_range")
REASONS = (UNKNOWN_PAIR, NOT_A_NUMBER, PRECISION, NOT_POSITIVE, LOCKED, CROSSED, OLD, AHEAD, OUT_OF_RANGE)


class BadPrice(ValueError):
    """Raised when a price cannot be a number of points; its first argument is the reason."""


def points(price: Price, digits: int) -> int:
    """Turn a price as the source wrote it into points.

    Units: points of 10**-digits; may be zero or negative, which `Quality.judge` refuses.
    Guarantees: exact, or refused: never rounded. Trailing zeros beyond the digits do not count.
    Raises: BadPrice: not a finite number, or finer than a point.
    Example:
        >>> points("1.38758", 5), points("109.6", 3), points("1.3875800", 5)
        (138758, 109600, 138758)
    """
    if type(price) is str:
        whole, _, part = price.partition(".")
        if len(part) == digits and whole.isdigit() and part.isdigit() and price.isascii():
            return int(whole + part)
    return _points_of_odd_text(price, digits)


def _points_of_odd_text(price: Price, digits: int) -> int:
    if isinstance(price, str) and (len(price) > 40 or not price.isascii() or "_" in price):
        raise BadPrice(NOT_A_NUMBER)
    try:
        number = Decimal(price)
    except (InvalidOperation, ValueError, TypeError) as error:
        raise BadPrice(NOT_A_NUMBER) from error
    if not number.is_finite() or number.adjusted() > 12:
        raise BadPrice(NOT_A_NUMBER)
    if number and number.adjusted() < -30:
        raise BadPrice(PRECISION)
    scaled = number.scaleb(digits)
    whole = int(scaled)
    if whole != scaled:
        raise BadPrice(PRECISION)
    return whole


@dataclass(slots=True)
class Seen:
    """What is known of a pair. Mids are doubled (bid + ask), so that they stay whole."""

    mid2: int  # of the last confirmed good quote
    time_ms: int  # of the newest good quote, on the source's clock
    received_ms: int  # of the last confirmed good quote
    jumped_mid2: int = 0  # of a jump that waits for its confirmation; 0 when none does


@dataclass(slots=True)
class Quality:
    """Judges quotes one after another. Not thread-safe; one per feed."""

    seen: dict[str, Seen] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    skew_ms: int = 0  # how far the source's clock is ahead of ours, once that is certain
    _leads: list[int] = field(default_factory=list)

    def judge(self, pair: str, bid: Price, ask: Price, time_ms: int, received_ms: int) -> tuple[int, int, bool] | None:
        """Judge one quote.

        Shapes: (bid, ask, confirmed), or None when it is dropped; the reason is counted in `dropped`.
        Units: points of the pair; Unix milliseconds.
        Source: docs/rules/quotes.md#quality.
        """
        known = INSTRUMENTS.get(pair)
        if known is None:
            return self._dropped(UNKNOWN_PAIR)
        try:
            low, high = points(bid, known.digits), points(ask, known.digits)
        except BadPrice as bad:
            return self._dropped(str(bad))
        if low <= 0 or high <= 0:
            return self._dropped(NOT_POSITIVE)
        if high <= low:
            return self._dropped(LOCKED if high == low else CROSSED)
        seen = self.seen.get(pair)
        if seen is not None and time_ms < seen.time_ms:
            return self._dropped(OLD)
        if time_ms - received_ms - self.skew_ms > AHEAD_MS and not self._our_clock_is_wrong(time_ms - received_ms):
            return self._dropped(AHEAD)
        self._leads.clear()
        mid2 = low + high
        if seen is None:
            self.seen[pair] = Seen(mid2, time_ms, received_ms)
            return low, high, True
        fresh = received_ms - seen.received_ms <= REFERENCE_MS
        if fresh and not (_within(2 * low, seen.mid2, 20) and _within(2 * high, seen.mid2, 20)):
            return self._dropped(OUT_OF_RANGE)
        seen.time_ms = time_ms
        if _within(mid2, seen.mid2, 1) or (seen.jumped_mid2 and _within(mid2, seen.jumped_mid2, 1)):
            seen.mid2, seen.received_ms, seen.jumped_mid2 = mid2, received_ms, 0
            return low, high, True
        seen.jumped_mid2 = mid2
        return low, high, False

    def seed(self, newest: Mapping[str, Quote], waiting: Mapping[str, tuple[int, int]]) -> None:
        """Go on where another feed stopped.

        Shapes: newest good quote per pair; `waiting` as its `waiting()` gave it with the last batch.
        Guarantees: judges what follows exactly as that feed would have.
        """
        for pair, quote in newest.items():
            mid2 = quote.bid + quote.ask
            if pair in waiting:
                reference, received_ms = waiting[pair]
                self.seen[pair] = Seen(reference, quote.time_ms, received_ms, mid2)
            else:
                self.seen[pair] = Seen(mid2, quote.time_ms, quote.received_ms)

    def waiting(self) -> dict[str, tuple[int, int]]:
        """Give the last confirmed mid (doubled) and its receive time of each pair whose jump waits for a second quote."""
        return {pair: (seen.mid2, seen.received_ms) for pair, seen in self.seen.items() if seen.jumped_mid2}

    def _dropped(self, reason: str) -> tuple[int, int, bool] | None:
        self.dropped[reason] += 1
        return None

    def _our_clock_is_wrong(self, lead_ms: int) -> bool:
        """Tell whether quote after quote, and nothing else, came ahead by one and the same amount; if so, allow for it."""
        self._leads.append(lead_ms)
        if max(self._leads) - min(self._leads) > AHEAD_MS:
            self._leads[:] = [lead_ms]
        if len(self._leads) < SKEW_SAMPLE:
            return False
        self.skew_ms = min(self._leads)
        return True


def _within(value: int, reference: int, percent: int) -> bool:
    return abs(value - reference) * 100 <= reference * percent
