"""Time. Deadlines are judged with the database's clock, read after the lock is held; everything else is only for showing.

Rules: docs/rules/units.md#time.
"""

from datetime import UTC, datetime, timedelta

from django.db import connection, models

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ClockTimestamp(models.Func):
    """The database's clock at the moment the row is touched, unlike now(), which is the start of the transaction."""

    template = "clock_timestamp()"
    output_field = models.DateTimeField()


def database_now() -> datetime:
    """Read the database's clock.

    Units: aware UTC.
    Guarantees: not earlier than the moment of the call, also inside a transaction that has waited for a lock.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    assert row is not None
    moment: datetime = row[0]
    return moment.astimezone(UTC)


def to_ms(moment: datetime) -> int:
    """Turn an aware time into Unix milliseconds, rounded down."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def from_ms(ms: int) -> datetime:
    """Turn Unix milliseconds into an aware UTC time."""
    seconds, millis = divmod(ms, 1000)
    return datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=millis * 1000)
