"""The FX week and its days, in New York's clock: Sunday 17:00 to Friday 17:00. Pure; nothing about a single pair or source.

Rules: docs/rules/quotes.md#market-hours.
"""

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
TURN = time(17, 0)  # of the trading day and of the week
FRIDAY, SATURDAY, SUNDAY = 4, 5, 6
HOUR_MS = 3_600_000
FOUR_HOURS_MS = 4 * HOUR_MS


def is_open(moment: datetime) -> bool:
    """Tell whether the market is open.

    Units: aware time, any zone.
    Guarantees: the opening moment is open, the closing moment is closed.
    Example:
        >>> is_open(datetime(2026, 7, 3, 20, 59, 59, tzinfo=UTC)), is_open(datetime(2026, 7, 3, 21, 0, tzinfo=UTC))
        (True, False)
    """
    local = moment.astimezone(NEW_YORK)
    day = local.weekday()
    if day == FRIDAY:
        return local.time() < TURN
    if day == SUNDAY:
        return local.time() >= TURN
    return day != SATURDAY


def last_open(moment: datetime) -> datetime:
    """Give the latest moment not after this one at which the market was open: itself, or the last Friday 17:00 New York, in UTC."""
    if is_open(moment):
        return moment.astimezone(UTC)
    return _next_turn(moment - timedelta(days=7), FRIDAY)


def next_open(moment: datetime) -> datetime:
    """Give the first Sunday 17:00 New York later than the moment, in UTC."""
    return _next_turn(moment, SUNDAY)


def next_close(moment: datetime) -> datetime:
    """Give the first Friday 17:00 New York later than the moment, in UTC."""
    return _next_turn(moment, FRIDAY)


def day_open(moment: datetime) -> datetime:
    """Give the start of the trading day that holds the moment: the latest 17:00 New York not after it, in UTC."""
    local = moment.astimezone(NEW_YORK)
    date = local.date() if local.time() >= TURN else local.date() - timedelta(days=1)
    return datetime.combine(date, TURN, tzinfo=NEW_YORK).astimezone(UTC)


def day_open_ms(time_ms: int) -> int:
    """Give `day_open` in Unix milliseconds, cheaply: 17:00 New York is always a full hour of UTC."""
    return _day_open_of_hour(time_ms // HOUR_MS)


def four_hours_open_ms(time_ms: int) -> int:
    """Give the start of the 4-hour span that holds a time, counted from the trading day's start.

    Guarantees: six spans a day; on the day the clocks change the last one is 3 or 5 hours long.
    """
    start = _day_open_of_hour(time_ms // HOUR_MS)
    return start + min((time_ms - start) // FOUR_HOURS_MS, 5) * FOUR_HOURS_MS


@lru_cache(maxsize=4096)
def _day_open_of_hour(hour: int) -> int:
    opened = day_open(datetime.fromtimestamp(hour * 3600, tz=UTC))
    return int(opened.timestamp()) * 1000


def _next_turn(moment: datetime, weekday: int) -> datetime:
    local = moment.astimezone(NEW_YORK)
    date = local.date() + timedelta(days=(weekday - local.weekday()) % 7)
    found = datetime.combine(date, TURN, tzinfo=NEW_YORK).astimezone(UTC)
    if found <= moment:
        found = datetime.combine(date + timedelta(days=7), TURN, tzinfo=NEW_YORK).astimezone(UTC)
    return found
