"""Fifty at once: the daily bonus and referrals stay exact. Each race begins with the control that goes wrong without the lock."""

from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import IntegrityError
from django.utils import timezone

from accounts.models import User
from accounts.services import people
from tokens.models import DailyBonus, Referral
from tokens.services import boards, bonus, referrals
from tokens.services.boards import Gain
from tokens.tests.ledger.book import balance, broken, give
from tokens.tests.test_economy import broken as broken_sums
from tradingarena.core.clock import database_now
from tradingarena.tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)
WIDE = 50


@pytest.fixture
def ann() -> User:
    return people.person_add("ann@example.com", "ann", confirmed=True)


def test_fifty_claims_at_once_give_one_bonus(ann: User) -> None:
    all_have_looked = Barrier(8)

    def careless() -> None:
        """Check and give without waiting for one's turn; nothing but the unique day stands in the way."""
        today = database_now().date()
        if not DailyBonus.objects.filter(user=ann, day=today).exists():
            all_have_looked.wait(30)
            DailyBonus.objects.create(user=ann, day=today, streak=1, tokens=5, claimed_at=timezone.now())

    errors = race([careless] * 8)
    assert sum(isinstance(error, IntegrityError) for error in errors) == 7
    DailyBonus.objects.all().delete()
    for day in range(5):
        outcomes = race([lambda: bonus.bonus_claim(ann)] * WIDE)
        assert sum(isinstance(one, DailyBonus) for one in outcomes) == 1
        assert sum(isinstance(one, bonus.BonusTaken) for one in outcomes) == WIDE - 1
        assert balance(ann.pk) == sum((5, 10, 15, 20, 25)[: day + 1])
        for given in DailyBonus.objects.filter(user=ann).order_by("day"):
            DailyBonus.objects.filter(pk=given.pk).update(day=given.day - timedelta(days=1))
    assert broken() == []


def test_fifty_decisions_at_once_reward_both_once(ann: User) -> None:
    for turn in range(5):
        friend = people.person_add(f"f{turn}@example.com", f"friend{turn}", confirmed=True)
        made = referrals.referral_note(friend, referrals.referral_code(ann))
        assert made is not None
        boards.gains_add("bettors", uuid4(), timezone.now().date(), [Gain(friend.pk, 1, 10, 10)])
        outcomes = race([referrals.decide_due, lambda pk=made.pk: int(referrals.referral_decide(pk))] * (WIDE // 2))
        assert sum(outcomes) == 1, outcomes
        assert (balance(ann.pk), balance(friend.pk)) == (100 * (turn + 1), 100)
    assert Referral.objects.filter(status="rewarded").count() == 5
    assert broken() == []
    assert broken_sums() == []


def test_fifty_sign_ups_by_one_link_make_one_code_and_one_referral_each(ann: User) -> None:
    codes = race([lambda: referrals.referral_code(ann)] * WIDE)
    assert len(set(map(str, codes))) == 1
    friend = people.person_add("f@example.com", "friend", confirmed=True)
    race([lambda: referrals.referral_note(friend, str(codes[0]))] * WIDE)
    assert Referral.objects.count() == 1


def test_many_counters_at_once_while_the_ledger_grows_count_every_leg_once(ann: User) -> None:
    crowd = [people.person_add(f"p{n}@example.com", f"person{n}", confirmed=True) for n in range(4)]
    jobs = [lambda user=user: give(user.pk, 3) for user in crowd for _ in range(8)] + [boards.ledger_count] * 18
    race(jobs)
    boards.ledger_count()
    assert broken_sums() == []
    assert boards.ledger_count() == 0
