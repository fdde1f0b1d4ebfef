"""Recorded minutes as quotes: four of each minute that has both sides. For pairs of which no ticks are at hand.

Why these four: docs/market-data.md#recordings.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from tradingarena.core.clock import to_ms

HEADER = "time_utc,pair,open,high,low,close,volume,side"
QUARTER_MS = 15_000

Row = tuple[int, int, str, str, str]  # time in Unix milliseconds, number of the file, pair, bid, ask
Prices = tuple[str, str, str, str]  # open, high, low, close
Digest = Callable[[bytes], None]


def checked(lines: Iterator[str], at_line: list[int], digest: Digest) -> Iterator[tuple[int, str]]:
    """Check the form of every row and give (time, pair) of each quote that `rows` will make of them.

    Raises: ValueError: what is wrong in the line that at_line[0] numbers.
    """

    def sound() -> Iterator[str]:
        after = ""
        for at_line[0], line in enumerate(lines, start=2):
            digest(line.encode())
            fields = line.rstrip("\r\n").split(",")
            if len(fields) != 8:
                raise ValueError(f"8 fields are needed, here are {len(fields)}" if line.strip() else "an empty line")
            time, pair, *prices, _, side = fields
            if len(time) != 20 or time[-4:] != ":00Z":
                raise ValueError(f"{time[:30]!r} is no minute like 2014-05-05T08:00:00Z")
            if time < after:
                raise ValueError(f"{time} is earlier than the row before: rows must be sorted by time")
            after = time
            time_ms(time)
            check_pair(pair)
            for price in prices:
                check_price(price)
            if side not in ("bid", "ask"):
                raise ValueError(f"{side[:30]!r} is no side: bid or ask")
            yield line

    for row in rows(sound(), 0):
        yield row[0], row[2]


def rows(lines: Iterator[str], file_number: int) -> Iterator[Row]:
    """Make quotes of sound rows, sorted by time: open at once, then low and high (a rising minute) or high and low, close."""
    minute: dict[str, dict[str, Prices]] = {}
    now = ""
    for line in lines:
        time, pair, open_, high, low, close, _, side = line.rstrip("\r\n").split(",")
        if time != now:
            yield from _quotes(minute, now, file_number)
            minute, now = {}, time
        minute.setdefault(pair, {})[side] = (open_, high, low, close)
    yield from _quotes(minute, now, file_number)


def _quotes(minute: dict[str, dict[str, Prices]], time: str, file_number: int) -> Iterator[Row]:
    whole = {pair: sides for pair, sides in minute.items() if len(sides) == 2}
    if not whole:
        return
    begin_ms = time_ms(time)
    for quarter in range(4):
        for pair, sides in whole.items():
            open_, _, _, close = sides["bid"]
            rises = len(close) == len(open_) and close >= open_
            price = (0, 2, 1, 3)[quarter] if rises else (0, 1, 2, 3)[quarter]
            yield begin_ms + quarter * QUARTER_MS, file_number, pair, sides["bid"][price], sides["ask"][price]


def time_ms(time: str) -> int:
    """Read a minute's time.

    Raises: ValueError: it is no ISO 8601 time.
    """
    return to_ms(datetime.fromisoformat(time[:-1]).replace(tzinfo=UTC))


def check_pair(pair: str) -> None:
    """Refuse what does not look like EUR/USD.

    Raises: ValueError.
    """
    if len(pair) != 7 or pair[3] != "/" or not (pair[:3] + pair[4:]).isalpha():
        raise ValueError(f"{pair[:30]!r} is no pair like EUR/USD")


def check_price(price: str) -> None:
    """Refuse what is no decimal number; its value is judged later.

    Raises: ValueError.
    """
    if len(price) > 20 or not price.removeprefix("-").replace(".", "", 1).isdigit():
        raise ValueError(f"{price[:30]!r} is no price")
