"""Reading stored candles, newest first. Who builds them is `marketdata/candles.py`. Rules: docs/rules/quotes.md#candles."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from competitions.engine.instruments import INSTRUMENTS
from competitions.models import Candle
from tradingarena.core.clock import from_ms as moment_of

MOST_ROWS = 1_000


class CandleRow(NamedTuple):
    """A candle as it is read. Units: opens_at aware UTC; prices Decimal with 5 places; ticks 0 where unknown."""

    opens_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    ticks: int


def read(pair: str, timeframe: str, side: str, from_ms: int, to_ms: int, limit: int = 500) -> list[CandleRow]:
    """Read stored candles whose span opens in [from_ms, to_ms).

    Shapes: newest first, at most min(limit, 1000); spans without quotes are absent. The running span is at most 10 s old.
    Raises: KeyError: an unknown pair. ValueError: an unknown timeframe or side.
    """
    INSTRUMENTS[pair]
    Candle.Timeframe(timeframe)
    Candle.Side(side)
    found = Candle.objects.filter(
        pair=pair, timeframe=timeframe, side=side, opens_at__gte=moment_of(from_ms), opens_at__lt=moment_of(to_ms)
    ).order_by("-opens_at")
    rows = found.values_list("opens_at", "open", "high", "low", "close", "ticks")[: max(0, min(limit, MOST_ROWS))]
    return [CandleRow._make(row) for row in rows]
