"""The ledger with everybody at once. Each race begins with the control that shows it without its guard."""

from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from tokens import ledger
from tokens.ledger import Kind, escrow, wallet
from tokens.models import Account
from tokens.tests.ledger.book import balance, broken, give, held, pay
from tradingarena.tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS, DEBITS, FUNDS = 20, 100, 10


def test_control_without_the_lock_more_is_spent_than_there_is() -> None:
    """Read the balance, then write the difference: what a ledger must not do."""
    ann = uuid4()
    give(ann, FUNDS)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE naive_wallet (balance bigint)")
        cursor.execute("INSERT INTO naive_wallet VALUES (%s)", [FUNDS])

    def debit() -> bool:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT balance, pg_sleep(0.01) FROM naive_wallet")
            (found, _) = cursor.fetchone()
            if found < 1:
                return False
            cursor.execute("UPDATE naive_wallet SET balance = %s", [found - 1])
            return True

    try:
        assert sum(race([debit] * DEBITS)) > FUNDS
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE naive_wallet")


def test_of_a_hundred_debits_as_many_pass_as_there_are_funds_in_every_round() -> None:
    for _ in range(ROUNDS):
        ann, pool = uuid4(), escrow(uuid4(), "bets")
        give(ann, FUNDS)
        outcomes = race([lambda ann=ann, pool=pool: pay(ann, 1, pool)] * DEBITS)
        passed = [one for one in outcomes if not isinstance(one, Exception)]
        refused = [one for one in outcomes if isinstance(one, ledger.InsufficientTokens)]
        assert (len(passed), len(refused)) == (FUNDS, DEBITS - FUNDS)
        assert (balance(ann), held(pool)) == (0, FUNDS)
    assert broken() == []


def test_the_same_cause_from_a_hundred_sides_moves_once() -> None:
    ann, cause, pool = uuid4(), uuid4(), escrow(uuid4(), "bets")
    give(ann, 100)
    outcomes = race([lambda: pay(ann, 7, pool, cause=cause)] * DEBITS)
    assert sorted(one.replayed for one in outcomes) == [False] + [True] * (DEBITS - 1)
    assert (balance(ann), held(pool)) == (93, 7)


def test_tokens_go_both_ways_at_once_without_a_deadlock() -> None:
    ann, ben = uuid4(), uuid4()
    give(ann, 1_000)
    give(ben, 1_000)
    there = lambda: pay(ann, 3, wallet(ben), kind=Kind.CHAT_TIP)  # noqa: E731
    back = lambda: pay(ben, 3, wallet(ann), kind=Kind.CHAT_TIP)  # noqa: E731
    outcomes = race([there, back] * 60)
    assert [one for one in outcomes if isinstance(one, Exception)] == []
    assert (balance(ann), balance(ben)) == (1_000, 1_000)
    assert broken() == []


def test_batches_that_name_the_same_wallets_in_other_orders_do_not_deadlock() -> None:
    people = [uuid4() for _ in range(6)]
    for user in people:
        give(user, 100)

    def settle(order: list[UUID]) -> None:
        pool = escrow(uuid4(), "bets")
        with transaction.atomic():
            ledger.transfer_many(Kind.BET, [_posting(user, pool, -5) for user in order])
            ledger.transfer_many(Kind.PAYOUT, [_posting(user, pool, 5) for user in reversed(order)])

    rounds = [lambda n=n: settle(people[n % 6 :] + people[: n % 6]) for n in range(40)]
    assert [one for one in race(rounds) if isinstance(one, Exception)] == []
    assert [balance(user) for user in people] == [100] * 6
    assert broken() == []


def _posting(user: UUID, pool: ledger.AccountRef, amount: int) -> ledger.Posting:
    return ledger.Posting(uuid4(), [ledger.Move(wallet(user), amount), ledger.Move(pool, -amount)], "Both ways")


def test_debts_and_credits_at_once_end_where_they_must() -> None:
    ann = uuid4()
    give(ann, 50)
    target = ledger.house(ledger.House.ISSUANCE)

    def take() -> None:
        with transaction.atomic():
            ledger.claw_back(ann, uuid4(), 10, target=target, reason="Disputed", reference=("payment", 1))

    outcomes = race([take, lambda: give(ann, 10)] * 40)
    assert [one for one in outcomes if isinstance(one, Exception)] == []
    account = Account.objects.get(pk=wallet(ann).id)
    assert account.balance_tokens - account.debt_tokens == 50
    assert broken() == []
