"""What people forbid themselves: docs/rules/accounts.md#self-limits."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from accounts import policy, selectors
from accounts.models import AuditLog, SelfLimits, User
from accounts.policy import Action
from accounts.rules import limits as rules
from accounts.rules.limits import Cap
from accounts.services import limits

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(hours=24)


@pytest.mark.parametrize(
    ("held", "asked", "at_once", "after"),
    [(None, 100, 100, 100), (100, 50, 50, 50), (100, 200, 100, 200), (100, None, 100, None)],
)
def test_lowering_holds_at_once_and_raising_after_a_day(
    held: int | None, asked: int | None, at_once: int | None, after: int | None
) -> None:
    changed = rules.change_cap(Cap(held), asked, START)
    assert changed.tokens == at_once
    assert rules.cap_at(changed, START + DAY - timedelta(seconds=1)).tokens == at_once
    assert rules.cap_at(changed, START + DAY).tokens == after


def test_asking_again_does_not_begin_the_wait_again() -> None:
    asked = rules.change_cap(Cap(100), 200, START)
    assert rules.change_cap(asked, 200, START + timedelta(hours=5)) == asked
    assert rules.change_cap(asked, 300, START + timedelta(hours=5)).next_from == START + timedelta(hours=29)
    assert rules.change_cap(asked, 100, START + timedelta(hours=5)) == Cap(100)


def test_a_lower_cap_ends_a_wait_for_a_higher_one() -> None:
    asked = rules.change_cap(Cap(100), 200, START)
    assert rules.change_cap(asked, 60, START) == Cap(60)


def test_a_pause_is_only_lengthened() -> None:
    month = START + timedelta(days=30)
    assert rules.longer(None, DAY, START) == START + DAY
    assert rules.longer(month, DAY, START) == month
    assert rules.longer(START + DAY, timedelta(days=7), START) == START + timedelta(days=7)


def test_a_cap_is_stored_and_what_changed_is_written_down(alice: User) -> None:
    assert selectors.standing(alice).daily_cap_tokens is None
    limits.daily_cap_set(alice.pk, 100)
    limits.daily_cap_set(alice.pk, 200)
    assert selectors.standing(alice).daily_cap_tokens == 100
    assert AuditLog.objects.filter(action="limits.changed", actor=alice).count() == 2
    SelfLimits.objects.update(next_cap_from=now() - timedelta(seconds=1))
    assert selectors.standing(alice).daily_cap_tokens == 200


@pytest.mark.parametrize("cap", [-1, 10**12 + 1])
def test_a_cap_has_bounds(alice: User, cap: int) -> None:
    with pytest.raises(limits.LimitRefused):
        limits.daily_cap_set(alice.pk, cap)


@pytest.mark.parametrize(("begin", "length"), [(limits.cool_off_begin, "6m"), (limits.exclusion_begin, "24h")])
def test_a_pause_has_one_of_its_lengths(alice: User, begin: Any, length: str) -> None:
    with pytest.raises(limits.LimitRefused):
        begin(alice.pk, length)


@pytest.mark.parametrize(
    ("begin", "length", "refusal"),
    [
        (limits.cool_off_begin, "24h", policy.CoolingOff),
        (limits.exclusion_begin, "6m", policy.SelfExcluded),
    ],
)
def test_a_pause_stops_everything_that_costs_and_nothing_else(
    alice: User, begin: Any, length: str, refusal: type[Exception]
) -> None:
    begin(alice.pk, length)
    for action in Action:
        if action in {Action.ENTER_FREE, Action.CHAT}:
            policy.require(alice, action, "")
        else:
            with pytest.raises(refusal):
                policy.require(alice, action, "")
    SelfLimits.objects.update(cool_off_until=now() - DAY, excluded_until=now() - DAY)
    policy.require(alice, Action.BET, "")
