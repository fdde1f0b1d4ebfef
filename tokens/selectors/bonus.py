"""Reading the daily bonus: what is there today, and what the coming days would bring. Rules: docs/rules/economy.md#daily-bonus."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from tokens.models import DailyBonus
from tokens.rules.economy import bonus_tokens, next_streak
from tradingarena.core.clock import database_now


@dataclass(frozen=True, slots=True)
class BonusView:
    """The bonus as its person sees it. Units: tokens, days; next_at is when the next one is there (now, when it is).

    Shapes: steps are the worths of days 1, 2, 3 … up to the first that is worth most.
    """

    claimable: bool
    streak: int
    tokens: int
    next_at: datetime
    steps: tuple[int, ...]


def bonus_of(user_id: UUID) -> BonusView:
    """Read a person's bonus: the streak that holds now, and what the next claim brings."""
    now = database_now()
    last = DailyBonus.objects.filter(user=user_id).order_by("-day").first()
    taken = last is not None and last.day >= now.date()
    tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    day = (tomorrow if taken else now).date()
    coming = next_streak(last.day if last else None, last.streak if last else 0, day)
    steps = [worth(1)]
    while steps[-1] < settings.BONUS_MOST_TOKENS:
        steps.append(worth(len(steps) + 1))
    return BonusView(not taken, coming - 1, worth(coming), tomorrow if taken else now, tuple(steps))


def worth(streak: int) -> int:
    """Give what the bonus of a day is worth here. Units: days in a row, tokens."""
    return bonus_tokens(streak, step_tokens=settings.BONUS_STEP_TOKENS, most_tokens=settings.BONUS_MOST_TOKENS)
