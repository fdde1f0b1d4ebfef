"""Recorded quotes in files: what a sound file is, and several of them read as one, merged by time. Nothing about speed.

The two formats are described in docs/market-data.md#recordings; rows of candles are in recorded_candles.py.
"""

import gzip
import hashlib
import heapq
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import IO, NamedTuple

from competitions.engine.instruments import INSTRUMENTS
from competitions.marketdata.providers import recorded_candles
from competitions.marketdata.providers.recorded_candles import Row, check_pair, check_price

TICKS = "time_ms_utc,pair,bid,ask"
LATEST_MS = 4_102_444_800_000  # the year 2100: a number beyond it is no time in Unix milliseconds


class RecordingError(Exception):
    """Raised when a file is missing or not what it should be; says which file, which line and what is wrong."""


class Extent(NamedTuple):
    """What a sound file holds. `rows` counts quotes; `digest` tells this content from any other."""

    rows: int
    first_ms: int
    last_ms: int
    digest: str
    pairs: frozenset[str]


@dataclass
class Recording:
    """Some files of recorded quotes, read as one: sorted by time, ties in the order of the files.

    Guarantees: opening it reads every row of every file, so that a broken one is refused before anything is played.
    Raises: RecordingError.
    """

    paths: Sequence[Path]
    start_ms: int = 0
    extents: list[Extent] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.paths:
            raise RecordingError("no file of recorded quotes was named")
        if len({path.resolve() for path in self.paths}) < len(self.paths):
            raise RecordingError("a file is named twice")
        self.extents = [inspect(path) for path in self.paths]
        if self.start_ms > self.last_ms:
            raise RecordingError("the recording ends before the time to start at")
        if not any(extent.pairs & INSTRUMENTS.keys() for extent in self.extents):
            raise RecordingError("none of the pairs in these files is traded here")

    @property
    def rows(self) -> int:
        """How many quotes the files hold, those before the time to start at included."""
        return sum(extent.rows for extent in self.extents)

    @property
    def first_ms(self) -> int:
        """The first quote's time, not before the time to start at."""
        return max(self.start_ms, min(extent.first_ms for extent in self.extents))

    @property
    def last_ms(self) -> int:
        """The last quote's time."""
        return max(extent.last_ms for extent in self.extents)

    @property
    def name(self) -> str:
        """Name this very content and start, so that a position in it is not taken for one in another recording."""
        parts = [extent.digest for extent in self.extents]
        return hashlib.sha256("|".join([*parts, str(self.start_ms)]).encode()).hexdigest()[:16]

    def __iter__(self) -> Iterator[Row]:
        streams = [_rows(path, number) for number, path in enumerate(self.paths)]
        merged = streams[0] if len(streams) == 1 else heapq.merge(*streams)
        if self.start_ms:
            return (row for row in merged if row[0] >= self.start_ms)
        return iter(merged)


def inspect(path: Path) -> Extent:
    """Read a whole file and say what it holds.

    Raises: RecordingError: with the line's number and what is wrong there.
    """
    at_line = [1]
    digest = hashlib.sha256()
    first_ms = last_ms = rows = 0
    pairs: set[str] = set()
    try:
        with _opened(path) as lines:
            header = next(lines, "").rstrip("\r\n")
            if header == TICKS:
                checked = _checked_ticks(lines, at_line, digest.update)
            elif header == recorded_candles.HEADER:
                checked = recorded_candles.checked(lines, at_line, digest.update)
            else:
                raise ValueError(f"the header must be {TICKS} or {recorded_candles.HEADER}, not {header[:60]!r}")
            for time_ms, pair in checked:
                first_ms, last_ms, rows = first_ms or time_ms, time_ms, rows + 1
                pairs.add(pair)
    except UnicodeDecodeError as error:
        raise RecordingError(f"{path}, after line {at_line[0]}: this is no text in ASCII") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise RecordingError(f"{path}, after line {at_line[0]}: the compressed data is damaged or cut off") from error
    except ValueError as error:
        raise RecordingError(f"{path}, line {at_line[0]}: {error}") from error
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror or error}") from error
    if not rows:
        raise RecordingError(f"{path}: there is no quote in this file (candles make quotes only where both sides are)")
    return Extent(rows, first_ms, last_ms, digest.hexdigest(), frozenset(pairs))


def _checked_ticks(
    lines: Iterator[str], at_line: list[int], digest: "recorded_candles.Digest"
) -> Iterator[tuple[int, str]]:
    """Check the form of every row; whether its quote is good is not asked here."""
    after_ms = 0
    for at_line[0], line in enumerate(lines, start=2):
        digest(line.encode())
        fields = line.rstrip("\r\n").split(",")
        if len(fields) != 4:
            raise ValueError(f"4 fields are needed, here are {len(fields)}" if line.strip() else "an empty line")
        time, pair, bid, ask = fields
        if not time.isdigit() or not 0 < int(time[:20]) < LATEST_MS:
            raise ValueError(f"{time[:30]!r} is no time in Unix milliseconds")
        time_ms = int(time)
        if time_ms < after_ms:
            raise ValueError(f"{time} is earlier than the row before: rows must be sorted by time")
        after_ms = time_ms
        check_pair(pair)
        check_price(bid)
        check_price(ask)
        yield time_ms, pair


def _rows(path: Path, file_number: int) -> Iterator[Row]:
    """Read a file that has been inspected."""
    with _opened(path) as lines:
        if next(lines).rstrip("\r\n") == recorded_candles.HEADER:
            yield from recorded_candles.rows(lines, file_number)
            return
        for line in lines:
            time, pair, bid, ask = line.split(",")
            yield int(time), file_number, pair, bid, ask.rstrip()


def _opened(path: Path) -> IO[str]:
    with path.open("rb") as probe:
        packed = probe.read(2) == b"\x1f\x8b"
    binary = gzip.GzipFile(path, "rb") if packed else path.open("rb")
    return TextIOWrapper(binary, encoding="ascii", newline="\n")
