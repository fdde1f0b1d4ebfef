"""A vendor of quotes that lies across a contest's end: absurd and crossed prices, pairs that do not exist, old times, broken frames.

Real quotes go on between the lies. Nothing may be filled, closed or judged at a price that was never quoted in earnest.
"""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from competitions.engine.market_hours import is_open
from tradingarena.localstack.fakepolygon import FakePolygon
from tradingarena.localstack.fakepolygon.tape import STARTS
from tradingarena.tests.flows.arena import Arena
from tradingarena.tests.flows.beside import database

LIES = (
    "jump=20", "jump=900", "jump=-50", "crossed", "locked", "zero", "negative", "nan", "stale=600000", "ahead",
    "bad_pair", "unknown_ev", "not_json", "binary", "big", "twice",
)  # fmt: skip
SOURCE_LIES = ("not_json", "binary", "oversized", "malformed", "unknown_event")
SEEN_AT_LEAST = 5  # kinds of lies that the feed must have met, or nothing has been tried
EVERY_S = 0.03
HONEST_WITHIN_BPS = 200  # of the walk's first price: far more than it walks while this runs, far less than any lie
FAR_FROM_START = """
    SELECT fill.pair, fill.price, fill.bid, fill.ask FROM competitions_fill AS fill
    JOIN competitions_entry AS entry ON entry.id = fill.entry_id WHERE entry.competition_id = %s
"""


def why_not(_: Any = None) -> str:
    """Say why it cannot be tried now: the vendor's market has hours."""
    return "" if is_open(datetime.now(UTC)) else "the FX market is closed, and the vendor's provider keeps its hours"


@contextmanager
def poisoned(vendor: FakePolygon) -> Iterator[None]:
    """Lie about one quote after another for as long as the block runs."""
    over, chance = threading.Event(), random.Random(9)

    def lie() -> None:
        while not over.wait(EVERY_S):
            vendor.inject(chance.choice(LIES))

    liar = threading.Thread(target=lie, daemon=True)
    liar.start()
    try:
        yield
    finally:
        over.set()
        liar.join(10)


def until_past(moment: datetime, seconds: float) -> None:
    """Wait until so many seconds after a moment."""
    time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds() + seconds))


def dishonest(arena: Arena, contest_id: str) -> list[str]:
    """Find a contest's fills at prices, or by quotes, that were lies."""
    with database(arena) as db:
        fills = db.execute(FAR_FROM_START, [contest_id]).fetchall()
    found = []
    for pair, *prices in fills:
        start = float(STARTS[pair])
        if any(abs(float(price) / start - 1) * 10_000 > HONEST_WITHIN_BPS for price in prices):
            found.append(f"{pair} was filled at {prices}")
    return found


def refused_kinds(arena: Arena) -> set[str]:
    """Give the reasons for which the feed says that it has dropped quotes or frames."""
    with database(arena) as db:
        row = db.execute("SELECT note -> 'dropped', note -> 'source' FROM core_lease WHERE name = 'feed'").fetchone()
    dropped, source = row or ({}, {})
    return {reason for reason, count in dropped.items() if count} | {each for each in SOURCE_LIES if source.get(each)}
