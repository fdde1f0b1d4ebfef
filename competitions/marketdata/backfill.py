"""History from a source's own archive, loaded beside the feed's loop so that live quotes never wait for it.

What is stored is decided in candle_store.add_history: only minutes that have no candle yet.
"""

import logging
import threading
import time

from django.db import DatabaseError, connection

from competitions.engine.instruments import INSTRUMENTS
from competitions.marketdata import candle_store
from competitions.marketdata.providers.base import Bar, Provider
from tradingarena.core.leases import Held, LeaseLost

log = logging.getLogger(__name__)

MINUTE_MS = 60_000
LONGEST_MS = 24 * 3_600_000
PORTION = 2_000


class HistoryLoader:
    """At most one load at a time, each in a thread of its own."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.minutes = 0
        self._stop = threading.Event()
        self._again = threading.Event()
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, held: Held | None) -> None:
        """Load what is missing from the newest stored minute of each pair to now; asked while loading, once more after it."""
        if self._thread is not None and self._thread.is_alive():
            self._again.set()
            return
        self._stop.clear()
        self._thread = threading.Thread(target=self._load, args=(held,), name="candle history", daemon=True)
        self._thread.start()

    def is_done(self) -> bool:
        """Tell, once, that minutes have been stored since the last call."""
        if self._done.is_set():
            self._done.clear()
            return True
        return False

    def stop(self) -> None:
        """End a load; what has been stored stays."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _load(self, held: Held | None) -> None:
        try:
            while True:
                self._again.clear()
                self._load_once(held)
                if not self._again.is_set() or self._stop.is_set():
                    return
        except LeaseLost:
            log.warning("another feed leads now: its history is its own")
        except DatabaseError as error:
            log.warning("history could not be stored: %s", str(error).strip())
        finally:
            connection.close()

    def _load_once(self, held: Held | None) -> None:
        until_ms = time.time_ns() // 1_000_000 // MINUTE_MS * MINUTE_MS
        oldest_ms = until_ms - LONGEST_MS
        newest = candle_store.newest_minutes(INSTRUMENTS)
        since_ms = {pair: max(oldest_ms, newest.get(pair, oldest_ms)) for pair in INSTRUMENTS}
        portion: list[Bar] = []
        for bars in self.provider.history(since_ms, until_ms, self._stop):
            portion += bars
            if len(portion) >= PORTION:
                self._store(portion, held)
                portion = []
        if portion:
            self._store(portion, held)

    def _store(self, bars: list[Bar], held: Held | None) -> None:
        new = candle_store.add_history(bars, held)
        self.minutes += new
        if new:
            self._done.set()
