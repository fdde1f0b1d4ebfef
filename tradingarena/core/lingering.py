"""Disposable messages that wait a moment in their process, so that of many the newest is published, and all in one go.

Who hears them, and what is lost when Redis is away, is core/realtime.py's business. Rules: docs/realtime.md#publishing.
"""

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from tradingarena.core.wire import Latest

log = logging.getLogger(__name__)


class Lingering:
    """Collects messages from every thread and hands them on, the newest of each room, type and key, from a thread of its own.

    Units: linger_s in seconds.
    Guarantees: a message is handed on within linger_s and what handing on takes; `flush` hands on at once. A failure is logged
        and stops nothing. A forked process begins with nothing: what waited is its parent's to tell.
    """

    def __init__(self, hand_on: Callable[[Sequence[Latest]], Any], linger_s: Callable[[], float]) -> None:
        self._hand_on, self._linger_s = hand_on, linger_s
        self._waiting: dict[tuple[str, str, str], Latest] = {}
        self._thread: threading.Thread | None = None
        self._forget()
        os.register_at_fork(after_in_child=self._forget)
        atexit.register(self.flush)

    def add(self, messages: Sequence[Latest]) -> None:
        """Take messages; they are handed on soon, or at once where nothing lingers (linger_s is 0)."""
        if not self._linger_s():
            self._hand_on(messages)
            return
        with self._lock:
            for message in messages:
                self._waiting[message.room, message.type, message.key] = message
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="lingering", daemon=True)
                self._thread.start()
        self._there.set()

    def flush(self) -> None:
        """Hand on what waits."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        if waiting:
            try:
                self._hand_on(list(waiting.values()))
            except Exception:  # whatever is wrong with one message, the next ones are told
                log.exception("lingering_failed", extra={"messages": len(waiting)})

    def _run(self) -> None:
        while True:
            self._there.wait()
            self._there.clear()
            time.sleep(self._linger_s())
            self.flush()

    def _forget(self) -> None:
        self._lock, self._there = threading.Lock(), threading.Event()
        self._waiting, self._thread = {}, None
