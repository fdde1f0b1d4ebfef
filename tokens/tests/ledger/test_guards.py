"""What the database itself refuses, to everybody: docs/rules/tokens.md#what-the-database-refuses."""

from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from tokens import proof
from tokens.ledger import House, house, wallet
from tokens.models import Leg, Transfer
from tokens.tests.ledger.book import balance, broken, give, pay

pytestmark = pytest.mark.django_db(transaction=True)


def execute(statement: str, *values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.parametrize("table", ["tokens_leg", "tokens_transfer"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"],
)
def test_rows_of_the_ledger_are_never_changed(table: str, statement: str) -> None:
    give(uuid4(), 10)
    with pytest.raises(IntegrityError, match="never changed"):
        execute(statement.format(table))
    assert (Transfer.objects.count(), Leg.objects.count()) == (1, 2)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM tokens_account",
        "TRUNCATE tokens_account CASCADE",
        "UPDATE tokens_account SET owner_id = gen_random_uuid() WHERE kind = 'wallet'",
        "UPDATE tokens_account SET kind = 'debt', balance_tokens = 0 WHERE kind = 'wallet'",
    ],
)
def test_an_account_is_never_deleted_and_never_becomes_another(statement: str) -> None:
    give(uuid4(), 10)
    with pytest.raises(IntegrityError, match="never changed"):
        execute(statement)


@pytest.mark.parametrize("change", ["balance_tokens = 11", "legs_count = 2", r"chain = '\x00'"])
def test_an_account_cannot_say_what_its_legs_do_not(change: str) -> None:
    ann = uuid4()
    give(ann, 10)
    with pytest.raises(IntegrityError, match="its last leg"):
        execute(f"UPDATE tokens_account SET {change} WHERE id = %s", wallet(ann).id)
    assert balance(ann) == 10


def test_a_wallet_below_zero_is_refused_by_the_database_too() -> None:
    ann = uuid4()
    give(ann, 10)
    with pytest.raises(IntegrityError, match="wallet_never_negative"):
        execute("UPDATE tokens_account SET balance_tokens = -1 WHERE id = %s", wallet(ann).id)


def _by_hand(amounts: tuple[int, ...]) -> None:
    with transaction.atomic():
        said = {"kind": "reward", "reason": "By hand", "digest": b"x", "created_at": timezone.now()}
        made = Transfer.objects.create(id=uuid4(), **said)
        pairs = zip(amounts, (House.RAKE, House.SALES), strict=False)
        Leg.objects.bulk_create(
            Leg(transfer=made, account_id=house(one).id, amount_tokens=amount) for amount, one in pairs
        )


@pytest.mark.parametrize("amounts", [(5,), (5, -4), (5, 5)])
def test_legs_that_do_not_sum_to_zero_do_not_commit(amounts: tuple[int, ...]) -> None:
    with pytest.raises(IntegrityError, match="sum to"):
        _by_hand(amounts)
    assert not Transfer.objects.exists()


def test_a_leg_belongs_to_a_transfer_that_is_there() -> None:
    with pytest.raises(IntegrityError, match="not there"), transaction.atomic():
        Leg.objects.bulk_create(
            Leg(transfer_id=UUID(int=1), account_id=house(account).id, amount_tokens=amount)
            for account, amount in ((House.RAKE, 5), (House.SALES, -5))
        )
    assert not Leg.objects.exists()


def test_no_leg_can_be_added_to_an_old_transfer() -> None:
    give(uuid4(), 10)
    old = Transfer.objects.get()
    with pytest.raises(IntegrityError, match="sum to"), transaction.atomic():
        Leg.objects.create(transfer=old, account_id=house(House.RAKE).id, amount_tokens=5)
    assert Leg.objects.count() == 2


# -- what its owner could still do, and how it shows -------------------------------------------------------------------


def edit(table: str, change: str, where: str, *values: object) -> None:
    """Change history as only the tables' owner can, who suspends their triggers first."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(f"{change} WHERE {where}", values)
        assert cursor.rowcount
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.mark.parametrize(
    ("table", "change", "where"),
    [
        ("tokens_transfer", "UPDATE tokens_transfer SET reason = 'Another story'", "kind = 'bet'"),
        (
            "tokens_transfer",
            "UPDATE tokens_transfer SET created_at = created_at - interval '1 microsecond'",
            "kind = 'bet'",
        ),
        ("tokens_leg", "UPDATE tokens_leg SET amount_tokens = 2 * amount_tokens", "abs(amount_tokens) = 3"),
        ("tokens_leg", "UPDATE tokens_leg SET balance_after_tokens = 8", "balance_after_tokens = 7"),
        ("tokens_leg", "UPDATE tokens_leg SET number = 9", "number = 2"),
        ("tokens_leg", "DELETE FROM tokens_leg", "abs(amount_tokens) = 3"),
        ("tokens_account", "UPDATE tokens_account SET balance_tokens = 8", "balance_tokens = 7"),
        ("tokens_account", "UPDATE tokens_account SET legs_count = 1", "legs_count = 2"),
        ("tokens_account", "DELETE FROM tokens_account", "kind = 'wallet'"),
    ],
)
def test_an_edit_behind_the_triggers_back_shows(table: str, change: str, where: str) -> None:
    ann = uuid4()
    give(ann, 10)
    pay(ann, 3)
    assert broken() == []
    edit(table, change, where)
    assert broken()


def test_an_edit_that_balances_everything_again_still_breaks_the_chain() -> None:
    ann = uuid4()
    give(ann, 10)
    head = proof.prove().head
    more = "amount_tokens = 100 * sign(amount_tokens), balance_after_tokens = CASE WHEN number = 1 THEN 100 END"
    edit("tokens_leg", f"UPDATE tokens_leg SET {more}", "true")
    says = "balance_tokens = 100, lifetime_earned_tokens = 100"
    edit("tokens_account", f"UPDATE tokens_account SET {says}", "kind = 'wallet'")
    found = proof.prove()
    assert found.wrong_count >= 1
    assert found.head == head  # the account still ends where it did, and its legs no longer lead there
