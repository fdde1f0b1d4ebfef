"""Who may spend, how much, and what holds when everybody does at once: docs/rules/tokens.md#spending."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.utils.timezone import now

from accounts import policy
from accounts.models import User
from accounts.services import limits, people
from tokens import ledger
from tokens.ledger import Kind, escrow, wallet
from tokens.models import Account
from tokens.services.spending import DailyCapReached, spend
from tokens.tests.ledger.book import balance, broken, give
from tradingarena.tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ann() -> User:
    user = people.person_add("ann@example.com", "ann", confirmed=True)
    give(user.pk, 1_000)
    return user


def bet(user: User, amount: int, cause: UUID | None = None, **more: Any) -> ledger.Posted:
    values: dict[str, Any] = {
        "kind": Kind.BET,
        "target": escrow(uuid4(), "bets"),
        "cause": cause or uuid4(),
        "reason": "A bet",
        "reference": ("bet", 1),
        "action": policy.Action.BET,
    }
    with transaction.atomic():
        return spend(user, amount, **(values | more))


def test_spending_takes_from_the_wallet(ann: User) -> None:
    assert bet(ann, 300).of(ann.pk).balance_tokens == 700
    assert balance(ann.pk) == 700


def test_the_policy_is_asked_every_time(ann: User) -> None:
    bet(ann, 1)
    limits.cool_off_begin(ann.pk, "24h")
    with pytest.raises(policy.CoolingOff):
        bet(ann, 1)
    assert balance(ann.pk) == 999


def test_the_daily_cap_counts_what_was_spent_today(ann: User) -> None:
    limits.daily_cap_set(ann.pk, 100)
    bet(ann, 60)
    with pytest.raises(DailyCapReached) as refusal:
        bet(ann, 41)
    assert refusal.value.data == {"cap_tokens": 100, "left_tokens": 40}
    bet(ann, 40)
    with pytest.raises(DailyCapReached):
        bet(ann, 1)
    Account.objects.filter(pk=wallet(ann.pk).id).update(spending_day=now().date() - timedelta(days=1))
    bet(ann, 100)
    assert balance(ann.pk) == 800


def test_a_repeated_spending_is_not_refused_for_the_cap_it_has_used(ann: User) -> None:
    limits.daily_cap_set(ann.pk, 100)
    cause, target = uuid4(), escrow(uuid4(), "bets")
    bet(ann, 100, cause, target=target)
    assert bet(ann, 100, cause, target=target).replayed


def test_raced_spendings_pass_no_cap(ann: User) -> None:
    limits.daily_cap_set(ann.pk, 10)
    for _ in range(3):
        outcomes = race([lambda: bet(ann, 1)] * 40)
        assert sum(not isinstance(one, Exception) for one in outcomes) == 10
        assert sum(isinstance(one, DailyCapReached) for one in outcomes) == 30
        Account.objects.filter(pk=wallet(ann.pk).id).update(spending_day=now().date() - timedelta(days=1))
    assert balance(ann.pk) == 970
    assert broken() == []
