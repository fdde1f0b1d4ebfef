"""What a day's bonus is worth, and which periods of the leaderboards a day belongs to.

Who may claim and what moves is in `services/`. Rules: docs/rules/economy.md.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum


class Period(StrEnum):
    """How long a leaderboard looks back."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    ALL = "all"


BEGINNING = date(1970, 1, 1)  # where "all time" starts


def bonus_tokens(streak: int, *, step_tokens: int, most_tokens: int) -> int:
    """Give what the bonus of a day is worth.

    Units: streak in days, 1 for the first; tokens.
    Formula: step * streak, at most `most`. Source: docs/rules/economy.md#daily-bonus.
    Example:
        >>> [bonus_tokens(day, step_tokens=5, most_tokens=25) for day in (1, 2, 5, 6, 400)]
        [5, 10, 25, 25, 25]
    """
    return min(step_tokens * streak, most_tokens)


def next_streak(last_day: date | None, last_streak: int, today: date) -> int:
    """Count the days in a row that a claim today makes.

    Shapes: last_day is the UTC day of the last claim, before today; None when there was none.
    Formula: one more when the last claim was yesterday, else 1. Source: docs/rules/economy.md#daily-bonus.
    Example:
        >>> next_streak(date(2026, 2, 28), 3, date(2026, 3, 1)), next_streak(date(2026, 2, 27), 3, date(2026, 3, 1))
        (4, 1)
    """
    return last_streak + 1 if last_day == today - timedelta(days=1) else 1


def starts_on(period: Period, day: date) -> date:
    """Give the first UTC day of the period that a day belongs to; weeks begin on Monday.

    Source: docs/rules/economy.md#leaderboards.
    Example:
        >>> [starts_on(period, date(2026, 11, 27)).isoformat() for period in Period]
        ['2026-11-27', '2026-11-23', '2026-11-01', '1970-01-01']
    """
    match period:
        case Period.DAY:
            return day
        case Period.WEEK:
            return day - timedelta(days=day.weekday())
        case Period.MONTH:
            return day.replace(day=1)
    return BEGINNING


def shared_places(scores: Sequence[int], first_place: int) -> list[int]:
    """Give each of the scores its place; equal scores share one.

    Shapes: scores in falling order, the first of them standing on `first_place`; as many places in the same order.
    Example:
        >>> shared_places([90, 70, 70, 5], 1)
        [1, 2, 2, 4]
    """
    places: list[int] = []
    for index, score in enumerate(scores):
        same = index > 0 and score == scores[index - 1]
        places.append(places[-1] if same else first_place + index)
    return places
