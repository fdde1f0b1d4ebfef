"""Facts on their way up: frozen dataclasses of ids and primitives, published when the transaction has committed.

Lower apps publish, higher apps listen in their `receivers.py`. On-commit work dies with its process, so whatever must
happen is also found by a sweep: events make it fast, sweeps make it certain.
"""

import logging
from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar

from django.db import transaction

log = logging.getLogger(__name__)

Event = TypeVar("Event")
_listeners: dict[type, list[Callable[..., None]]] = defaultdict(list)


def on(event_type: type[Event], listener: Callable[[Event], None]) -> None:
    """Call `listener` with every event of this type. Each app's AppConfig.ready() does this, a line per event."""
    if listener not in _listeners[event_type]:
        _listeners[event_type].append(listener)


def publish(event: object) -> None:
    """Hand a fact to its listeners once the current transaction has committed (at once when there is none).

    Guarantees: a listener that fails is logged; it neither undoes the fact nor keeps it from the other listeners.
    """
    transaction.on_commit(lambda: _deliver(event))


def _deliver(event: object) -> None:
    for listener in _listeners[type(event)]:
        try:
            listener(event)
        except Exception:  # the fact has already happened; its sweep will find what this listener missed
            log.exception("listener_failed", extra={"event": type(event).__name__, "listener": listener.__qualname__})
