"""What several commands share: reading arguments, and ending cleanly on a signal."""

import signal
import threading
from argparse import ArgumentTypeError
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from tradingarena.core.clock import to_ms


def positive_speed(text: str) -> Decimal:
    """Read a speed.

    Raises: ArgumentTypeError: not a number between 0.001 and 100000.
    """
    try:
        speed = Decimal(text)
    except InvalidOperation as error:
        raise ArgumentTypeError(f"{text!r} is no number") from error
    if not speed.is_finite() or not Decimal("0.001") <= speed <= 100_000:
        raise ArgumentTypeError(f"a speed lies between 0.001 and 100000, not at {text}")
    return speed


def moment(text: str) -> int:
    """Read a time as Unix milliseconds or ISO 8601; without a zone it is UTC.

    Raises: ArgumentTypeError: neither of them.
    """
    if text.isascii() and text.isdigit() and len(text) <= 13:
        return int(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no time like 2014-05-05T08:00:00Z") from error
    return to_ms(found if found.tzinfo else found.replace(tzinfo=UTC))


def stop_on_signals() -> threading.Event:
    """Give an event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
