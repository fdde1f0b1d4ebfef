"""Writing one transfer and writing many are two functions of the database: the same transfers leave the same rows."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tokens import ledger
from tokens.ledger import House, Kind, Move, Posting, escrow, house, wallet
from tokens.models import Account, Leg, Transfer
from tradingarena.core.errors import DomainError

pytestmark = pytest.mark.django_db(transaction=True)

USERS = [UUID(int=number) for number in range(1, 4)]
ACCOUNTS = [*map(wallet, USERS), escrow(UUID(int=9), "bets"), house(House.PROMOTIONS), house(House.RAKE)]
PLACES = range(len(ACCOUNTS))
KINDS = [Kind.REWARD, Kind.BET, Kind.REFUND, Kind.PAYOUT, Kind.CHAT_TIP]

moves = st.tuples(
    st.sampled_from(KINDS), st.integers(1, 8), st.permutations(PLACES).map(lambda order: order[:2]), st.integers(1, 40)
)


def play(plan: list[Any], write: Any) -> tuple[list[Any], list[Any]]:
    """Write a plan and give (outcomes, every row without its id); leaves nothing behind."""
    outcomes: list[Any] = []
    try:
        with transaction.atomic():
            for kind, cause, (source, target), amount in plan:
                legs = [Move(ACCOUNTS[source], -amount), Move(ACCOUNTS[target], amount)]
                try:
                    posted = write(kind, [Posting(UUID(int=cause), legs, "A move", "x")], "test", None)
                    outcomes.append((posted.replayed, sorted(posted.balances)))
                except DomainError as refusal:
                    outcomes.append(refusal.code)
            rows: list[Any] = [
                sorted(Transfer.objects.values_list("id", "kind", "reason", "reference_type", "reference_id")),
                sorted(
                    Leg.objects.values_list("transfer", "account", "amount_tokens", "number", "balance_after_tokens"),
                    key=lambda leg: leg[:2],
                ),
                sorted(
                    Account.objects.values_list(
                        "id", "balance_tokens", "legs_count", "lifetime_earned_tokens", "lifetime_spent_tokens",
                        "spent_on_day_tokens", "spending_day",
                    )
                ),
            ]  # fmt: skip
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what a commit would find
            raise _Undo
    except _Undo:
        return outcomes, rows


class _Undo(Exception):
    pass


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=st.lists(moves, min_size=1, max_size=25))
def test_one_and_many_write_the_same(plan: list[Any]) -> None:
    assert play(plan, ledger._move) == play(plan, ledger._post)


def test_they_compute_the_same_digest_and_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock apart, which goes on between the two: compared through the proof, which computes both itself."""
    from tokens import proof

    for write in (ledger._move, ledger._post):
        with transaction.atomic():
            for number in (1, 2):
                legs = [Move(house(House.PROMOTIONS), -number), Move(wallet(USERS[0]), number)]
                write(Kind.REWARD, [Posting(UUID(int=number), legs, "A gift", "x")], "test", None)
            found = proof.prove()
            assert (found.wrong, found.links) == ([], 2)
            transaction.set_rollback(True)


def test_a_digest_is_what_the_rules_say() -> None:
    from hashlib import sha256

    from tokens.proof import digest_of

    said = (
        UUID(int=1),
        "bet",
        "A bet",
        "market",
        "7",
        None,
        None,
        datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
        "a:-1,b:1",
    )
    parts = "00000000-0000-0000-0000-000000000001\x1fbet\x1fA bet\x1fmarket\x1f7\x1f\x1f\x1f1000000\x1fa:-1,b:1"
    assert digest_of(*said) == sha256(parts.encode()).digest()
