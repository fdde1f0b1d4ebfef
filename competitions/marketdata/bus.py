"""The quote bus: a Redis stream from the one feed to every reader, and the newest quote of each pair.

A reader's cursor is a quote id. An entry's stream id is its last quote's id, so a fenced old feed cannot append: Redis refuses
an id that does not grow. Nothing here judges a quote. How: docs/market-data.md#bus.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgpack
import redis
from django.conf import settings
from redis.exceptions import ResponseError

from competitions.engine.quotes import Quote
from tradingarena.core import redis_client
from tradingarena.core.errors import Unavailable

LIFE = 10**12  # ids in one lease epoch: id = epoch * LIFE + running number
LONGEST_BLOCK_MS = 1_000
TRIM_EVERY = 256  # appends
READERS_COUNT_FOR_MS = 30_000  # a reader that has been silent for longer holds nobody up

_APPEND = """
redis.call('XADD', KEYS[1], ARGV[1], 'q', ARGV[2])
redis.call('HSET', KEYS[3], ARGV[3], ARGV[4])
if ARGV[5] ~= '' then redis.call('SET', KEYS[4], ARGV[5]) end
for i = 6, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
return 1
"""


class Fenced(Exception):
    """Raised when a newer feed has written to the bus: whoever sees this leads no longer."""


class Batch(NamedTuple):
    """What one read found. `woken` says that `wake()` was called since this bus object's last read."""

    quotes: list[Quote]
    woken: bool


class QuoteBus:
    """One process's view of the bus. Cheap to make; not to be shared between threads, since it keeps a wake cursor.

    Guarantees: every call answers, or raises Unavailable, within about REDIS_TIMEOUT_S (plus the asked block).
    """

    def __init__(
        self, client: redis.Redis | None = None, *, prefix: str | None = None, kept: int | None = None
    ) -> None:
        # Any: its package types every answer for both kinds of client at once
        self.client: Any = client or redis_client.client()
        self.blocking_client: Any = client or redis_client.client(block_s=LONGEST_BLOCK_MS / 1000)
        prefix = settings.KEY_PREFIX if prefix is None else prefix
        self.stream, self.wakes, self.hash = (f"{prefix}quotes", f"{prefix}wake", f"{prefix}quotes:newest")
        self.lives, self.state_key, self.readers = (
            f"{prefix}quotes:lives",
            f"{prefix}quotes:state",
            f"{prefix}quotes:readers",
        )
        self.candles_key = f"{prefix}quotes:candles"
        self.kept = settings.QUOTES_KEPT if kept is None else kept
        self._script = self.client.register_script(_APPEND)
        self._wake_cursor = "0-0"  # the first read is woken at worst once for nothing
        self._per_entry = 1.0
        self._appends = 0

    # -- the feed's side ----------------------------------------------------------------------------------------------

    def append(self, quotes: Sequence[Quote], *, state: Mapping[str, Any] | None = None) -> None:
        """Publish a batch in one step: the entry, each pair's newest quote and what the feed needs to go on after a kill.

        Shapes: at least one quote, ids growing, all of one epoch. `state` is kept when None.
        Raises: Fenced: a feed with a higher epoch has written, or these ids have been written already. Unavailable.
        """
        last = quotes[-1].id
        newest = {quote.pair: quote for quote in quotes}
        arguments: list[Any] = [f"{last}-0", msgpack.packb(quotes), last // LIFE, last % LIFE]
        arguments.append(b"" if state is None else msgpack.packb(state))
        for pair, quote in newest.items():
            arguments += [pair, msgpack.packb(quote)]
        with _bounded():
            try:
                self._script(keys=[self.stream, self.hash, self.lives, self.state_key], args=arguments)
            except ResponseError as error:
                if "equal or smaller" in str(error):
                    raise Fenced(f"quote {last} is not newer than what the bus holds") from error
                raise
            self._appends += 1
            if self._appends % TRIM_EVERY == 0:
                self._trim()

    def state(self) -> dict[str, Any]:
        """Read what the last append stored for its successor; empty when there is none."""
        with _bounded():
            found = self.client.get(self.state_key)
        return dict(msgpack.unpackb(found)) if found else {}

    def forget_state(self) -> None:
        """Drop the successor's state: a recording has been played to its end."""
        with _bounded():
            self.client.delete(self.state_key)

    def clear(self) -> None:
        """Empty the bus. Only for a feed that has proved its lease and finds ids of another database's life here."""
        with _bounded():
            self.client.delete(self.stream, self.hash, self.lives, self.state_key, self.readers, self.candles_key)

    def tail(self, back_to_id: int) -> Iterator[list[Quote]]:
        """Walk the entries backwards from the newest; the caller stops when it has seen enough. Ends after back_to_id's entry."""
        ceiling = "+"
        while True:
            with _bounded():
                entries = self.client.xrevrange(self.stream, max=ceiling, count=50)
            for entry_id, fields in entries:
                quotes = _unpack(fields)
                yield quotes
                if quotes[0].id <= back_to_id:
                    return
                ceiling = f"({entry_id.decode()}"
            if len(entries) < 50:
                return

    # -- the readers' side --------------------------------------------------------------------------------------------

    def read(self, after_id: int, block_ms: int = 0, count: int = 1000) -> Batch:
        """Read the quotes after a quote id, in order; wait for the first one, or for a wake, up to block_ms.

        Shapes: reading ends with the entry that reaches `count` quotes, so up to one entry more than that may come.
        Units: block_ms in 0..1000 milliseconds, 0 does not wait.
        Guarantees: each quote exactly once for a reader that passes the last id it has dealt with.
        Raises: Unavailable.
        """
        entries = max(1, min(1000, int(count / self._per_entry)))
        block = min(block_ms, LONGEST_BLOCK_MS) or None
        with _bounded():
            found = self.blocking_client.xread(
                {self.stream: f"{after_id}-0", self.wakes: self._wake_cursor}, count=entries, block=block
            )
        quotes: list[Quote] = []
        woken = False
        for name, rows in found or ():
            if name.decode() == self.wakes:
                woken, self._wake_cursor = True, rows[-1][0].decode()
                continue
            for number, (_, fields) in enumerate(rows, start=1):
                quotes += _unpack(fields)
                self._per_entry = max(1.0, len(quotes) / number)
                if len(quotes) >= count:
                    break
        if quotes and quotes[0].id <= after_id:
            quotes = [quote for quote in quotes if quote.id > after_id]
        return Batch(quotes, woken)

    def wake(self) -> None:
        """Wake every blocked reader: something other than a quote wants its attention.

        Raises: Unavailable: the readers find it with the next quote, or when their own block ends.
        """
        with _bounded():
            self.client.xadd(self.wakes, {"w": b"1"}, maxlen=100, approximate=True)

    def newest(self) -> dict[str, Quote]:
        """Give each fed pair's newest good quote; unconfirmed ones say so."""
        with _bounded():
            found = self.client.hgetall(self.hash)
        return {pair.decode(): Quote._make(msgpack.unpackb(packed)) for pair, packed in found.items()}

    def last_id(self) -> int:
        """Give the newest quote's id, 0 when the bus is empty."""
        with _bounded():
            return _first_id(self.client.xrevrange(self.stream, count=1), last=True)

    def oldest_id(self) -> int:
        """Give the oldest quote's id that can still be read, 0 when the bus is empty."""
        with _bounded():
            return _first_id(self.client.xrange(self.stream, count=1), last=False)

    def report(self, reader: str, last_id: int, now_ms: int) -> None:
        """Say how far a reader is, so that a replay at full speed does not run away from it."""
        with _bounded():
            self.client.hset(self.readers, reader, msgpack.packb([last_id, now_ms]))

    def slowest(self, now_ms: int) -> int | None:
        """Give the smallest reported id of the readers that reported in the last 30 s; None when there are none."""
        with _bounded():
            found = self.client.hvals(self.readers)
        reports = [msgpack.unpackb(packed) for packed in found]
        return min((last_id for last_id, at_ms in reports if now_ms - at_ms <= READERS_COUNT_FOR_MS), default=None)

    def candles_flushed(self) -> int | None:
        """Give the id up to which every quote is in the stored candles; None when unknown."""
        with _bounded():
            found = self.client.get(self.candles_key)
        return None if found is None else int(found)

    def set_candles_flushed(self, quote_id: int) -> None:
        """Remember that every quote up to this id is in the stored candles."""
        with _bounded():
            self.client.set(self.candles_key, quote_id)

    def _trim(self) -> None:
        """Forget what is older than the newest `kept` quotes, over all lives of the feed."""
        lives = sorted(((int(epoch), int(n)) for epoch, n in self.client.hgetall(self.lives).items()), reverse=True)
        room = self.kept
        for epoch, n in lives:
            if n >= room:
                self.client.xtrim(self.stream, minid=f"{epoch * LIFE + n - room}-0", approximate=True)
                older = [str(other) for other, _ in lives if other < epoch]
                if older:
                    self.client.hdel(self.lives, *older)
                return
            room -= n


def newest() -> dict[str, Quote]:
    """Give each fed pair's newest good quote.

    Raises: Unavailable: Redis does not answer.
    """
    return QuoteBus().newest()


def _unpack(fields: Mapping[bytes, bytes]) -> list[Quote]:
    return [Quote._make(row) for row in msgpack.unpackb(fields[b"q"])]


def _first_id(entries: Sequence[tuple[bytes, Mapping[bytes, bytes]]], *, last: bool) -> int:
    if not entries:
        return 0
    return int(entries[0][0].split(b"-")[0]) if last else _unpack(entries[0][1])[0].id


@contextmanager
def _bounded() -> Iterator[None]:
    """Turn a Redis that does not answer into the one refusal for it."""
    try:
        yield
    except redis_client.DOWN as error:
        raise Unavailable("The market data bus does not answer.", code="bus_unavailable") from error
