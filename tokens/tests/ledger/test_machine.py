"""A machine that does everything that can be done with value, in any order, and proves the books after each step.

It keeps a book of its own in plain Python and compares: what the ledger says must be what simple arithmetic says.
"""

from collections import defaultdict
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tokens import ledger
from tokens.ledger import SPENDING, House, Kind, Move, Posting, escrow, house, wallet
from tokens.models import Account
from tokens.tests.ledger.book import broken, held

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = [UUID(int=number) for number in range(1, 5)]
POTS = [escrow(UUID(int=number), "bets") for number in range(11, 14)]
people, pots, amounts = st.sampled_from(PEOPLE), st.sampled_from(POTS), st.integers(1, 60)


class Books(RuleBasedStateMachine):
    """Purchases, gifts, bets, tips, settlements, refunds, charge-backs, reversals, freezes: and each again under its old cause."""

    causes = Bundle("causes")

    @initialize()
    def begin(self) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.balance: dict[UUID, int] = defaultdict(int)
        self.debt: dict[UUID, int] = defaultdict(int)
        self.pot: dict[UUID, int] = defaultdict(int)
        self.frozen: set[UUID] = set()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    # -- what the ledger does, and what the book expects --------------------------------------------------------------

    def credit(self, user: UUID, amount: int) -> None:
        self.balance[user] += amount
        covered = min(self.balance[user], self.debt[user])
        self.balance[user] -= covered
        self.debt[user] -= covered

    def may_spend(self, user: UUID, amount: int, kind: Kind) -> type[Exception] | None:
        if kind in SPENDING and (user in self.frozen or self.debt[user]):
            return ledger.WalletFrozen
        return ledger.InsufficientTokens if self.balance[user] < amount else None

    def attempt(self, expected: type[Exception] | None, run: Any) -> bool:
        if expected is None:
            run()
            return True
        with pytest.raises(expected):
            run()
        return False

    @rule(target=causes, user=people, amount=amounts, kind=st.sampled_from([Kind.REWARD, Kind.PURCHASE]))
    def give(self, user: UUID, amount: int, kind: Kind) -> UUID:
        cause = uuid4()
        ledger.move(kind, cause, amount, source=house(House.PROMOTIONS), target=wallet(user), reason="Given")
        self.credit(user, amount)
        return cause

    @rule(
        target=causes,
        user=people,
        pot=pots,
        amount=amounts,
        kind=st.sampled_from([Kind.BET, Kind.ENTRY, Kind.PVP_STAKE]),
    )
    def stake(self, user: UUID, pot: ledger.AccountRef, amount: int, kind: Kind) -> UUID:
        cause = uuid4()
        pay = {"source": wallet(user), "target": pot, "reason": "Staked"}
        if self.attempt(self.may_spend(user, amount, kind), lambda: ledger.move(kind, cause, amount, **pay)):
            self.balance[user] -= amount
            self.pot[pot.id] += amount
        return cause

    @rule(target=causes, giver=people, receiver=people, amount=amounts)
    def tip(self, giver: UUID, receiver: UUID, amount: int) -> UUID:
        cause = uuid4()
        if giver == receiver:
            return cause
        pay = {"source": wallet(giver), "target": wallet(receiver), "reason": "A tip"}
        if self.attempt(
            self.may_spend(giver, amount, Kind.CHAT_TIP), lambda: ledger.move(Kind.CHAT_TIP, cause, amount, **pay)
        ):
            self.balance[giver] -= amount
            self.credit(receiver, amount)
        return cause

    @rule(pot=pots, shares=st.lists(st.tuples(people, amounts), min_size=1, max_size=6), rake=st.integers(0, 20))
    def settle(self, pot: ledger.AccountRef, shares: list[tuple[UUID, int]], rake: int) -> None:
        """Pay a pool out in one go, several times to the same person too."""
        postings = [
            Posting(uuid4(), [Move(pot, -amount), Move(wallet(user), amount)], "Won") for user, amount in shares
        ]
        total = sum(amount for _, amount in shares)
        short = ledger.EscrowShort if total > self.pot[pot.id] else None
        if self.attempt(short, lambda: ledger.transfer_many(Kind.PAYOUT, postings)):
            self.pot[pot.id] -= total
            received: dict[UUID, int] = defaultdict(int)
            for user, amount in shares:
                received[user] += amount
            for user, amount in received.items():
                self.credit(user, amount)
        rake = min(rake, self.pot[pot.id])
        if rake:
            ledger.move(Kind.RAKE, uuid4(), rake, source=pot, target=house(House.RAKE), reason="Rake")
            self.pot[pot.id] -= rake

    @rule(user=people, pot=pots, amount=amounts)
    def refund(self, user: UUID, pot: ledger.AccountRef, amount: int) -> None:
        short = ledger.EscrowShort if amount > self.pot[pot.id] else None
        back = {"source": pot, "target": wallet(user), "reason": "Called off"}
        if self.attempt(short, lambda: ledger.move(Kind.REFUND, uuid4(), amount, **back)):
            self.pot[pot.id] -= amount
            self.credit(user, amount)

    @rule(user=people, amount=amounts)
    def charge_back(self, user: UUID, amount: int) -> None:
        ledger.claw_back(
            user, uuid4(), amount, target=house(House.ISSUANCE), reason="Disputed", reference=("payment", 1)
        )
        paid = min(amount, self.balance[user])
        self.balance[user] -= paid
        self.debt[user] += amount - paid

    @rule(cause=causes)
    def do_it_again(self, cause: UUID) -> None:
        """The same cause again, exactly as it was booked, moves nothing; one that was refused is still free."""
        from tokens.models import Transfer

        booked = Transfer.objects.filter(pk=cause).first()
        if booked is None:
            return
        legs = booked.legs.select_related("account").order_by("id")
        moves = [
            Move(
                ledger.AccountRef(leg.account_id, leg.account.kind, leg.account.owner_id, leg.account.name),
                leg.amount_tokens,
            )
            for leg in legs
        ]
        assert ledger.transfer_many(Kind(booked.kind), [Posting(cause, moves, booked.reason)]).replayed

    @rule(user=people, freeze=st.booleans())
    def freeze(self, user: UUID, freeze: bool) -> None:
        ledger.wallet_set_frozen(user, "Under review" if freeze else None)
        (self.frozen.add if freeze else self.frozen.discard)(user)

    # -- after each step ----------------------------------------------------------------------------------------------

    @invariant()
    def the_ledger_says_what_the_book_says(self) -> None:
        found = {account.owner_id: account for account in Account.objects.filter(kind="wallet")}
        for user in PEOPLE:
            account = found.get(user, Account())
            assert (account.balance_tokens, account.debt_tokens) == (self.balance[user], self.debt[user])
        for pot in POTS:
            assert held(pot) == self.pot[pot.id]

    @invariant()
    def the_books_add_up(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what a commit here would find
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        assert broken() == []


def test_everything_in_any_order_leaves_the_books_right() -> None:
    bounds = settings(
        max_examples=25,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=False,
    )
    run_state_machine_as_test(Books, settings=bounds)
