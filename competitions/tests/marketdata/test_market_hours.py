"""The FX week around both clock changes, and the days and 4-hour spans that candles begin with."""

from datetime import UTC, datetime, timedelta

import pytest

from competitions.engine.market_hours import day_open, day_open_ms, four_hours_open_ms, is_open, next_close, next_open
from tradingarena.core.clock import to_ms


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


TABLE = [  # docs/rules/quotes.md#market-hours
    ("2026-07-03T20:59:59", True, "Friday in summer, a second before 17:00 New York"),
    ("2026-07-03T21:00:00", False, "Friday in summer, 17:00 New York"),
    ("2026-07-04T12:00:00", False, "Saturday"),
    ("2026-07-05T20:59:59", False, "Sunday in summer, a second before 17:00 New York"),
    ("2026-07-05T21:00:00", True, "Sunday in summer, 17:00 New York"),
    ("2026-01-09T21:59:59", True, "Friday in winter, a second before 17:00 New York"),
    ("2026-01-09T22:00:00", False, "Friday in winter, 17:00 New York"),
    ("2026-01-11T21:59:59", False, "Sunday in winter, a second before 17:00 New York"),
    ("2026-01-11T22:00:00", True, "Sunday in winter, 17:00 New York"),
    ("2026-03-08T20:59:59", False, "the Sunday of the change to summer time opens at 21:00 UTC already"),
    ("2026-03-08T21:00:00", True, "the Sunday of the change to summer time"),
    ("2026-11-01T21:59:59", False, "the Sunday of the change to winter time opens at 22:00 UTC"),
    ("2026-11-01T22:00:00", True, "the Sunday of the change to winter time"),
    ("2026-07-08T03:00:00", True, "a night within the week"),
    ("2014-05-09T20:59:59", True, "the recorded week's end"),
    ("2014-05-09T21:00:00", False, "the recorded week's end"),
]


@pytest.mark.parametrize(("moment", "expected", "why"), TABLE, ids=[f"{row[0]} {row[2]}" for row in TABLE])
def test_the_market_is_open(moment: str, expected: bool, why: str) -> None:
    assert is_open(at(moment)) is expected


def test_the_next_turns_are_later_than_the_moment_and_where_the_market_changes() -> None:
    for hours in range(0, 24 * 400, 7):
        moment = at("2026-01-01T00:30:00") + timedelta(hours=hours)
        opens, closes = next_open(moment), next_close(moment)
        assert moment < opens <= moment + timedelta(days=7, hours=1)
        assert moment < closes <= moment + timedelta(days=7, hours=1)
        assert is_open(opens)
        assert not is_open(opens - timedelta(seconds=1))
        assert not is_open(closes)
        assert is_open(closes - timedelta(seconds=1))
        assert is_open(moment) is (closes < opens)


def test_an_opening_moment_itself_is_not_its_next_one() -> None:
    assert next_open(at("2026-07-05T21:00:00")) == at("2026-07-12T21:00:00")


def test_days_begin_at_17_new_york_the_year_round() -> None:
    assert day_open(at("2026-07-08T20:59:59")) == at("2026-07-07T21:00:00")
    assert day_open(at("2026-07-08T21:00:00")) == at("2026-07-08T21:00:00")
    assert day_open(at("2026-01-08T21:59:59")) == at("2026-01-07T22:00:00")
    assert day_open_ms(to_ms(at("2026-01-08T22:00:00")) + 1) == to_ms(at("2026-01-08T22:00:00"))


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-07T22:00:00", 23), ("2026-10-31T21:00:00", 25), ("2026-07-07T21:00:00", 24)]
)
def test_a_day_has_six_spans_of_four_hours_and_the_last_takes_the_clock_change(day: str, hours: int) -> None:
    begin = to_ms(at(day))
    minutes = range(begin, begin + hours * 3_600_000, 60_000)
    assert {day_open_ms(ms) for ms in minutes} == {begin}
    spans = sorted({four_hours_open_ms(ms) for ms in minutes})
    assert spans == [begin + i * 4 * 3_600_000 for i in range(6)]
    assert day_open_ms(begin + hours * 3_600_000) == begin + hours * 3_600_000
