"""Contests entered with tokens: paid in, given back, paid out, to the token: docs/rules/competitions.md#buy-ins."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from accounts.models import User
from accounts.services import limits
from accounts.services.people import person_allow_prizes, person_bar_prizes
from competitions.models import BuyIn, Competition, Entry, Payout
from competitions.services import buy_ins, lifecycle, prizes
from competitions.services.entries import entry_join, entry_withdraw
from competitions.services.lifecycle import advance, finish
from competitions.tests.lifecycle.world import contest, freeze, make_due, operator, person
from tokens import ledger
from tokens.ledger import House, house
from tokens.tests.ledger.book import balance, broken, give, held
from tradingarena import invariants
from tradingarena.core.clock import database_now
from tradingarena.core.errors import DomainError
from tradingarena.tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def crowd() -> list[User]:
    """Four people with 100 tokens each."""
    found = [person(f"trader{number}") for number in range(4)]
    for user in found:
        give(user.pk, 100)
    return found


def cup(**terms: Any) -> Competition:
    """A contest that costs 30 tokens, of which 10 % are the house's."""
    plain: dict[str, Any] = {"entry_tokens": 30, "rake_bps": 1_000, "prize_split_bps": [6_000, 4_000], "min_entries": 2}
    return contest(**(plain | terms))


def books() -> set[str]:
    """Name what does not hold about money; the accounts of these contests are written without a single fill."""
    found = {finding.check.name for finding in invariants.prove() if finding.violations}
    return found - {"cash", "fill_counts"} | set(broken())


def played(competition: Competition, equities: list[int], *, complete: bool = True) -> None:
    """Run a contest to its end with these final equities, in order of entry."""
    make_due(competition)
    advance()
    for entry, equity in zip(competition.entries.order_by("number"), equities, strict=True):
        freeze(entry, equity, fills=1 if equity else 0)
    with transaction.atomic():
        finish(competition.pk, database_now())
    if complete:
        Competition.objects.filter(pk=competition.pk).update(objection_ends_at=database_now())
        advance()
        competition.refresh_from_db()
        assert competition.status == "completed"


def test_entering_takes_the_tokens_and_the_pool_shows_them(crowd: list[User]) -> None:
    made = cup()
    entry = entry_join(crowd[0], made.pk)
    assert balance(crowd[0].pk) == 70
    assert held(buy_ins.pot(made.pk)) == 30
    paid = BuyIn.objects.get()
    assert (paid.entry, paid.status, paid.amount_tokens) == (entry, "paid", 30)
    assert buy_ins.collected(made) == (0, 30)
    assert books() == set()


@pytest.mark.parametrize("reason", ["poor", "capped", "pausing", "frozen"])
def test_who_cannot_pay_does_not_enter(crowd: list[User], reason: str) -> None:
    user, made = crowd[0], cup(entry_tokens=101 if reason == "poor" else 30)
    if reason == "capped":
        limits.daily_cap_set(user.pk, 29)
    elif reason == "pausing":
        limits.cool_off_begin(user.pk, "24h")
    elif reason == "frozen":
        with transaction.atomic():
            ledger.wallet_set_frozen(user.pk, "Under review")
    with pytest.raises(DomainError) as refused:
        entry_join(user, made.pk)
    expected = {
        "poor": "insufficient_tokens",
        "capped": "daily_cap_reached",
        "pausing": "cooling_off",
        "frozen": "wallet_frozen",
    }
    assert refused.value.code == expected[reason]
    assert not Entry.objects.exists()
    assert (balance(user.pk), held(buy_ins.pot(made.pk))) == (100, 0)


def test_withdrawing_gives_them_back_and_entering_again_takes_them_again(crowd: list[User]) -> None:
    made = cup()
    for _ in range(3):
        entry_join(crowd[0], made.pk)
        entry_withdraw(crowd[0], made.pk)
    entry_withdraw(crowd[0], made.pk)
    assert balance(crowd[0].pk) == 100
    entry_join(crowd[0], made.pk)
    assert (balance(crowd[0].pk), held(buy_ins.pot(made.pk))) == (70, 30)
    assert sorted(BuyIn.objects.values_list("status", flat=True)) == ["paid", "returned", "returned", "returned"]
    assert books() == set()


def test_the_pool_is_paid_out_to_the_token_when_the_contest_is_completed(crowd: list[User]) -> None:
    made = cup(reward_tokens=[50, 20], entry_tokens=31)
    for user in crowd:
        entry_join(user, made.pk)
    played(made, [10_300_000, 10_200_000, 10_100_000, 0], complete=False)
    assert [balance(user.pk) for user in crowd] == [69] * 4
    pool = 4 * 31 - 12  # the rake is rounded down
    assert sorted(Payout.objects.values_list("place", "amount_tokens", "reward_tokens")) == [(1, 68, 50), (2, 44, 20)]
    assert books() == set()
    Competition.objects.update(objection_ends_at=database_now())
    advance()
    assert [balance(user.pk) for user in crowd] == [69 + 68 + 50, 69 + 44 + 20, 69, 69]
    assert (held(house(House.RAKE)), held(buy_ins.pot(made.pk)), 68 + 44) == (12, 0, pool)
    assert set(Payout.objects.values_list("status", flat=True)) == {"paid"}
    assert books() == set()


def test_tied_places_share_their_rewards(crowd: list[User]) -> None:
    made = contest(reward_tokens=[50, 21, 10], min_entries=2)
    for user in crowd:
        entry_join(user, made.pk)
    moment = database_now()
    make_due(made)
    advance()
    for entry, equity in zip(made.entries.order_by("number"), (2, 2, 1, 0), strict=True):
        freeze(entry, 10_000_000 + equity, last_fill_at=moment)
    with transaction.atomic():
        finish(made.pk, database_now())
    assert list(Payout.objects.order_by("place", "id").values_list("place", "reward_tokens")) == [
        (1, 36),
        (1, 35),
        (3, 10),
    ]


def test_with_nobody_ranked_everything_goes_back(crowd: list[User]) -> None:
    made = cup()
    for user in crowd:
        entry_join(user, made.pk)
    played(made, [0, 0, 0, 0])
    assert [balance(user.pk) for user in crowd] == [100] * 4
    assert held(house(House.RAKE)) == 0
    assert books() == set()


@pytest.mark.parametrize("when", ["open", "running", "settling"])
def test_cancelling_gives_everything_back_once(crowd: list[User], when: str) -> None:
    made = cup()
    for user in crowd:
        entry_join(user, made.pk)
    entry_withdraw(crowd[3], made.pk)
    if when != "open":
        make_due(made)
        advance()
    if when == "settling":
        for entry in made.entries.exclude(status="withdrawn"):
            freeze(entry, 10_000_000 + entry.number)
        with transaction.atomic():
            finish(made.pk, database_now())
    for _ in range(2):
        with transaction.atomic():
            lifecycle.cancel(operator(), made.pk, "The feed\nwas wrong.")
    assert [balance(user.pk) for user in crowd] == [100] * 4
    assert held(buy_ins.pot(made.pk)) == 0
    assert books() == set()


def test_too_few_entrants_cancel_and_refund(crowd: list[User]) -> None:
    made = cup()
    entry_join(crowd[0], made.pk)
    make_due(made)
    assert advance()["cancelled"] == 1
    assert balance(crowd[0].pk) == 100
    assert books() == set()


def test_a_late_disqualification_moves_the_prizes_before_anything_is_paid(crowd: list[User]) -> None:
    made = cup()
    for user in crowd[:3]:
        entry_join(user, made.pk)
    played(made, [10_300_000, 10_200_000, 10_100_000], complete=False)
    prizes.disqualify(operator(), made.entries.get(user=crowd[0]).pk, "Two accounts.")
    Competition.objects.update(objection_ends_at=database_now())
    advance()
    assert [balance(user.pk) for user in crowd[:3]] == [70, 70 + 49, 70 + 32]
    assert books() == set()


def test_raced_joins_keep_cap_and_wallets(crowd: list[User]) -> None:
    made = cup(max_entries=2)
    outcomes = race([lambda user=user: entry_join(user, made.pk) for user in crowd * 5])
    assert sum(isinstance(one, Entry) for one in outcomes) == 2
    assert sorted(balance(user.pk) for user in crowd) == [70, 70, 100, 100]
    assert books() == set()


def test_completing_at_once_pays_once(crowd: list[User]) -> None:
    made = cup()
    for user in crowd:
        entry_join(user, made.pk)
    played(made, [10_400_000, 10_300_000, 10_200_000, 10_100_000], complete=False)
    Competition.objects.update(objection_ends_at=database_now())
    race([advance] * 8)
    assert [balance(user.pk) for user in crowd] == [70 + 65, 70 + 43, 70, 70]
    assert books() == set()


def test_the_statement_leads_to_the_contest(crowd: list[User]) -> None:
    from tokens.selectors import wallet

    made = cup(title="Spring Cup")
    entry_join(crowd[0], made.pk)
    row = wallet.statement_rows(wallet.statement(crowd[0].pk))[0]
    assert (row["kind"], row["reason"]) == ("entry", "Entered Spring Cup")
    assert (row["title"], row["url"]) == ("Spring Cup", f"/competitions/{made.slug}")
    assert UUID(row["reference_id"]) == made.pk


def test_a_contest_far_away_takes_no_tokens_before_it_is_open(crowd: list[User]) -> None:
    made = cup(open_now=False, starts_at=database_now() + timedelta(days=1), ends_at=database_now() + timedelta(days=2))
    with pytest.raises(DomainError):
        entry_join(crowd[0], made.pk)
    assert balance(crowd[0].pk) == 100


def test_who_is_barred_from_prizes_keeps_the_rank_and_those_below_move_up(crowd: list[User]) -> None:
    made = cup(reward_tokens=[10])
    for user in crowd:
        entry_join(user, made.pk)
    person_bar_prizes(operator(), crowd[0].pk, reason="Two accounts")
    start = made.starting_balance_cents
    played(made, [start + 400, start + 300, start + 200, start + 100])
    assert [entry.rank for entry in made.entries.order_by("number")] == [1, 2, 3, 4]
    # of 120 the house has 12; 108 are shared by the second and the third, and the second has the reward
    assert [balance(user.pk) for user in crowd] == [70, 70 + 65 + 10, 70 + 43, 70]
    assert books() == set()


def test_when_only_who_is_barred_is_ranked_everything_goes_back(crowd: list[User]) -> None:
    made = cup()
    for user in crowd[:2]:
        entry_join(user, made.pk)
    person_bar_prizes(operator(), crowd[0].pk, reason="Two accounts")
    played(made, [made.starting_balance_cents + 400, 0])
    assert [balance(user.pk) for user in crowd[:2]] == [100, 100]
    assert books() == set()
    person_allow_prizes(operator(), crowd[0].pk, reason="They were two people")
    again = cup()
    for user in crowd[:2]:
        entry_join(user, again.pk)
    played(again, [again.starting_balance_cents + 400, 0])
    assert balance(crowd[0].pk) == 70 + 54
