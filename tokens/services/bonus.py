"""The daily bonus: once per person and UTC day, worth more for each day in a row.

What a day is worth is in `rules/economy.py`. Rules: docs/rules/economy.md#daily-bonus.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts import policy, selectors
from accounts.models import User
from tokens import ledger
from tokens.ledger import House, Kind, house, wallet
from tokens.models import DailyBonus
from tokens.rules.economy import next_streak
from tokens.selectors.bonus import worth
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict
from tradingarena.core.ids import derived_id
from tradingarena.core.locks import queue_for


class BonusTaken(Conflict):
    """Raised when the bonus of today has been claimed before."""

    code, message = "bonus_taken", "You have had today's bonus. The next one is there after midnight UTC."


def bonus_claim(user: User) -> DailyBonus:
    """Give a person today's bonus.

    Guarantees: however many claims arrive at once, one of them moves tokens; the bonus and its transfer commit together.
    Locks / Effects: the person's turn for the bonus, then the wallet; an insert, a transfer from promotions.
    Raises: BonusTaken; policy.AccountDisabled, policy.EmailUnconfirmed.
    """
    if not user.may_sign_in():
        raise policy.AccountDisabled
    if not selectors.email_confirmed(user):
        raise policy.EmailUnconfirmed
    with transaction.atomic():
        queue_for("daily_bonus", user.pk)
        moment = database_now()
        last = DailyBonus.objects.filter(user=user).order_by("-day").first()
        if last is not None and last.day >= moment.date():
            raise BonusTaken(next_at=_midnight_after(moment).isoformat())
        streak = next_streak(last.day if last else None, last.streak if last else 0, moment.date())
        given = DailyBonus.objects.create(
            user=user, day=moment.date(), streak=streak, tokens=worth(streak), claimed_at=moment
        )
        _pay(user.pk, given)
    return given


def _pay(user_id: UUID, given: DailyBonus) -> None:
    ledger.move(
        Kind.REWARD,
        derived_id(given.pk, "daily bonus"),
        given.tokens,
        source=house(House.PROMOTIONS),
        target=wallet(user_id),
        reason=f"Daily bonus, day {given.streak}",
        reference=("daily_bonus", given.day),
    )


def _midnight_after(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
