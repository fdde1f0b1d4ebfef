"""Reading the market: instruments, the newest quotes with their age, and candles.

What makes a quote good is in `marketdata/`. Rules: docs/rules/quotes.md.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from competitions import messages
from competitions.engine.instruments import INSTRUMENTS, LOT_UNITS, Instrument, usd_pair
from competitions.engine.quotes import Quote
from competitions.models import Candle
from competitions.selectors import candles
from competitions.selectors.newest import market_is_open, newest
from tradingarena.core.clock import database_now, from_ms, to_ms
from tradingarena.core.errors import RuleRefusal

MIN_UNITS = 1_000  # the default of a contest; each contest has its own
MOST_CANDLES = 1_000
SPANS = {
    "1m": timedelta(minutes=1),
    "5m": timedelta(minutes=5),
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
}


def instruments() -> list[dict[str, Any]]:
    """List the pairs that contests can trade."""
    return [_instrument(one) for one in INSTRUMENTS.values()]


def quote_row(quote: Quote, now_ms: int, *, stale_ms: int) -> dict[str, Any]:
    """Show a quote with its age. Units: ms; stale from stale_ms on."""
    age_ms = max(0, now_ms - quote.received_ms)
    shown = messages.quote(quote.pair, quote.bid, quote.ask, quote.time_ms, stale=age_ms > stale_ms)
    return {
        "bid": shown["bid"],
        "ask": shown["ask"],
        "timestamp": shown["timestamp"],
        "received_at": messages.when_ms(quote.received_ms),
        "age_ms": age_ms,
        "stale": shown["stale"],
    }


def quotes(pairs: list[str] | None = None) -> dict[str, Any]:
    """Give the newest good quote of each fed pair.

    Raises: Unavailable: the bus does not answer.
    """
    now = database_now()
    known = newest()
    stale_ms = int(settings.QUOTE_STALE_S * 1000)
    shown = {pair: known[pair] for pair in (pairs or INSTRUMENTS) if pair in known}
    return {
        "as_of": messages.when(now),
        "provider": settings.MARKET_DATA_PROVIDER,
        "simulated": settings.MARKET_DATA_PROVIDER != "polygon",
        "market_open": market_is_open(now),
        "quotes": {pair: quote_row(quote, to_ms(now), stale_ms=stale_ms) for pair, quote in shown.items()},
    }


def candle_page(
    pair: str, timeframe: str, side: str, *, since: datetime | None, until: datetime | None, limit: int
) -> dict[str, Any]:
    """Give candles that open in [since, until), the newest `limit` of them, oldest first.

    Shapes: rows of [opening in Unix seconds, open, high, low, close, ticks]; prices with the pair's digits. Without
        `until` up to now, without `since` as far back as `limit` allows.
    Raises: RuleRefusal `time_range`: since is not before until.
    """
    end = until or database_now() + timedelta(seconds=1)
    begin = since or max(from_ms(0), end - SPANS[timeframe] * limit * 3)  # weekends and quiet hours have no candles
    if begin >= end:
        raise RuleRefusal("`from` must be before `to`.", code="time_range")
    rows = candles.read(pair, timeframe, side, to_ms(begin), to_ms(end), limit)
    digits = INSTRUMENTS[pair].digits
    return {
        "pair": pair,
        "timeframe": timeframe,
        "side": side,
        "candles": [
            [
                to_ms(row.opens_at) // 1000,
                *(f"{price:.{digits}f}" for price in (row.open, row.high, row.low, row.close)),
                row.ticks,
            ]
            for row in reversed(rows)
        ],
    }


def timeframes() -> list[str]:
    """Name the timeframes, the shortest first."""
    return [str(value) for value in Candle.Timeframe.values]


def _instrument(one: Instrument) -> dict[str, Any]:
    conversion = usd_pair(one.quote)
    return {
        "pair": one.pair,
        "base": one.base,
        "quote": one.quote,
        "digits": one.digits,
        "pip": format(one.pip.normalize(), "f"),
        "lot_units": LOT_UNITS,
        "min_units": MIN_UNITS,
        "unit_step": MIN_UNITS,
        "usd_pair": conversion,
        "usd_inverse": bool(conversion and conversion.startswith("USD/")),
    }
