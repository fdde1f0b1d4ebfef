"""The SQL behind candles: upserts of what was built, sums over stored minutes, and history from a source's own archive.

Nothing here decides what belongs into a candle: candles.py does.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Max

from competitions.engine.instruments import INSTRUMENTS
from competitions.engine.market_hours import FOUR_HOURS_MS, HOUR_MS, day_open_ms, four_hours_open_ms
from competitions.marketdata.providers.base import Bar
from competitions.models import Candle
from tradingarena.core import leases
from tradingarena.core.clock import from_ms, to_ms

TIMEFRAMES = ("1m", "5m", "15m", "1h", "4h", "1d")
SIDES = ("bid", "ask")
PORTION = 2_000
STEPS_MS = (60_000, 300_000, 900_000, HOUR_MS, FOUR_HOURS_MS, 24 * HOUR_MS)

# Writers of candles take turns: the feed's loop and its loader of history touch the same rows in different orders.
TURN = 4_707_001

Key = tuple[str, str, int, int]  # pair, side, number of the timeframe, opening in Unix milliseconds
Built = list[int]  # opening in Unix milliseconds; open, high, low, close in points; ticks

_INSERT = """
INSERT INTO competitions_candle (pair, timeframe, side, opens_at, open, high, low, close, ticks)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[],
                     %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[], %s::integer[])
ON CONFLICT (pair, timeframe, side, opens_at)
"""
_OVERWRITE = """
DO UPDATE SET open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close, ticks = excluded.ticks
"""
_SUMS = """
SELECT pair, side, (array_agg(open ORDER BY opens_at))[1], max(high), min(low),
       (array_agg(close ORDER BY opens_at DESC))[1], sum(ticks)
FROM competitions_candle
WHERE timeframe = '1m' AND pair = ANY(%s) AND side = ANY(%s) AND opens_at >= %s AND opens_at < %s
GROUP BY pair, side
"""
_SPANS = """
INSERT INTO competitions_candle (pair, timeframe, side, opens_at, open, high, low, close, ticks)
SELECT minute.pair, %s, minute.side, span.opens_at, (array_agg(minute.open ORDER BY minute.opens_at))[1], max(minute.high),
       min(minute.low), (array_agg(minute.close ORDER BY minute.opens_at DESC))[1], sum(minute.ticks)
FROM unnest(%s::timestamptz[], %s::timestamptz[]) AS span (opens_at, ends_at)
JOIN competitions_candle AS minute
  ON minute.pair = %s AND minute.timeframe = '1m' AND minute.side = ANY(%s)
 AND minute.opens_at >= span.opens_at AND minute.opens_at < span.ends_at
GROUP BY minute.pair, minute.side, span.opens_at
ON CONFLICT (pair, timeframe, side, opens_at)
"""


def upsert(rows: Mapping[Key, Built], held: leases.Held | None) -> None:
    """Store candles as they are now, whatever was stored for their spans before.

    Locks / Effects: one transaction, in key order, that proves the lease first.
    Raises: LeaseLost.
    """
    ordered = sorted(rows.items())
    columns: list[list[object]] = [[] for _ in range(9)]
    for (pair, side, number, opens_ms), built in ordered:
        digits = INSTRUMENTS[pair].digits
        values = (
            pair,
            TIMEFRAMES[number],
            side,
            from_ms(opens_ms),
            *(_price(points, digits) for points in built[1:5]),
            built[5],
        )
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    with _turn(held) as cursor:
        cursor.execute(_INSERT + _OVERWRITE, columns)


def minutes_between(pairs: Sequence[str], from_: int, to: int) -> dict[tuple[str, str], Built]:
    """Sum up the stored minutes of [from_, to) by pair and side. Units: Unix milliseconds in, points out; opening = from_."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, [list(pairs), list(SIDES), from_ms(from_), from_ms(to)])
        found = cursor.fetchall()
    return {
        (pair, side): [from_, *(int(price.scaleb(INSTRUMENTS[pair].digits)) for price in prices), int(ticks)]
        for pair, side, *prices, ticks in found
    }


def newest_minutes(pairs: Iterable[str]) -> dict[str, int]:
    """Give the opening of each pair's newest stored minute in Unix milliseconds; pairs without one are absent."""
    found = (
        Candle.objects.filter(timeframe="1m", side="bid", pair__in=list(pairs))
        .values_list("pair")
        .annotate(Max("opens_at"))
    )
    return {pair: to_ms(opens_at) for pair, opens_at in found}


def add_history(bars: Sequence[Bar], held: leases.Held | None) -> int:
    """Store a source's own minutes where there are none, and sum the higher timeframes up anew around them.

    Shapes: returns how many minutes were new.
    Guarantees: a minute that was built from quotes is never replaced; twice the same history is once.
    Locks / Effects: a transaction per portion and per pair, each proves the lease.
    Raises: LeaseLost.
    """
    new = 0
    for begin in range(0, len(bars), PORTION):
        part = sorted(bars[begin : begin + PORTION], key=lambda bar: (bar.pair, bar.side, bar.opens_ms))
        columns: list[list[object]] = [[] for _ in range(9)]
        for bar in part:
            digits = INSTRUMENTS[bar.pair].digits
            prices = (_price(points, digits) for points in (bar.open, bar.high, bar.low, bar.close))
            for column, value in zip(
                columns, (bar.pair, "1m", bar.side, from_ms(bar.opens_ms), *prices, bar.ticks), strict=True
            ):
                column.append(value)
        with _turn(held) as cursor:
            cursor.execute(_INSERT + "DO NOTHING", columns)
            new += cursor.rowcount
    for pair in sorted({bar.pair for bar in bars}):
        times = [bar.opens_ms for bar in bars if bar.pair == pair]
        sum_up(pair, min(times), max(times) + 60_000, held)
    return new


def sum_up(pair: str, from_: int, to: int, held: leases.Held | None) -> None:
    """Build every higher candle that overlaps [from_, to) anew from the stored minutes. Units: Unix milliseconds."""
    with _turn(held) as cursor:
        for number in range(1, len(TIMEFRAMES)):
            opens = _openings(number, from_, to)
            starts, ends = ([from_ms(ms) for ms in opens[:-1]], [from_ms(ms) for ms in opens[1:]])
            cursor.execute(_SPANS + _OVERWRITE, [TIMEFRAMES[number], starts, ends, pair, list(SIDES)])


@contextmanager
def _turn(held: leases.Held | None) -> Iterator[CursorWrapper]:
    """Open a transaction that writes candles: it proves the lease and waits for its turn."""
    with transaction.atomic(), connection.cursor() as cursor:
        if held is not None:
            leases.prove(held)
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])
        yield cursor


def _openings(number: int, from_: int, to: int) -> list[int]:
    """List the openings of a timeframe's spans that overlap [from_, to), and the end of the last one."""
    step = STEPS_MS[number]
    if number < 4:
        first = from_ - from_ % step
        return [*range(first, to, step), -(-to // step) * step]
    opening = four_hours_open_ms if number == 4 else day_open_ms
    opens = [opening(from_)]
    while opens[-1] < to:
        probe = opens[-1] + step
        following = opening(probe + (2 * HOUR_MS if opening(probe) == opens[-1] else 0))
        # an hour less or more on the day the clocks change: take the first opening after the last one
        earlier = opening(probe - HOUR_MS)
        opens.append(earlier if earlier > opens[-1] else following)
    return opens


def _price(points: int, digits: int) -> Decimal:
    return Decimal(points).scaleb(-digits)
