"""What a transfer moves, what it refuses, and what doing it again does: docs/rules/tokens.md#transfers."""

from uuid import UUID, uuid4

import pytest
from django.db import transaction

from tokens import ledger
from tokens.ledger import House, Kind, Move, Posting, debt, escrow, house, wallet
from tokens.models import Account, Leg, Transfer
from tokens.tests.ledger.book import balance, broken, give, held, owed, pay
from tradingarena.core.errors import NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> UUID:
    return uuid4()


@pytest.fixture
def ben() -> UUID:
    return uuid4()


def test_a_transfer_moves_what_it_says_and_each_leg_knows_the_balance(ann: UUID, ben: UUID) -> None:
    give(ann, 100)
    posted = pay(ann, 30, wallet(ben), kind=Kind.CHAT_TIP)
    assert (balance(ann), balance(ben)) == (70, 30)
    assert (posted.of(ann).balance_tokens, posted.of(ben).balance_tokens) == (70, 30)
    legs = Leg.objects.filter(account_id=wallet(ann).id).order_by("number")
    assert [(leg.number, leg.amount_tokens, leg.balance_after_tokens) for leg in legs] == [(1, 100, 100), (2, -30, 70)]
    assert held(house(House.PROMOTIONS)) == -100
    assert broken() == []


def test_the_same_cause_again_moves_nothing(ann: UUID) -> None:
    cause = uuid4()
    assert not give(ann, 100, cause).replayed
    again = give(ann, 100, cause)
    assert again.replayed
    assert again.of(ann).balance_tokens == balance(ann) == 100


def test_what_was_paid_can_be_asked_for_again_when_the_wallet_is_empty(ann: UUID) -> None:
    cause, bets = uuid4(), escrow(uuid4(), "bets")
    give(ann, 10)
    pay(ann, 10, bets, cause=cause)
    assert pay(ann, 10, bets, cause=cause).replayed
    assert (balance(ann), held(bets)) == (0, 10)


def test_one_cause_cannot_move_something_else(ann: UUID, ben: UUID) -> None:
    cause = uuid4()
    give(ann, 100, cause)
    for again in (
        lambda: give(ann, 101, cause),
        lambda: give(ben, 100, cause),
        lambda: pay(ann, 100, cause=cause),
        lambda: ledger.transfer_many(
            Kind.REWARD,
            [
                Posting(uuid4(), [Move(house(House.PROMOTIONS), -1), Move(wallet(ben), 1)], "New"),
                Posting(cause, [Move(house(House.PROMOTIONS), -99), Move(wallet(ann), 99)], "Not the same"),
            ],
        ),
    ):
        with pytest.raises(ledger.TransferReused):
            again()
    assert (balance(ann), balance(ben)) == (100, 0)


def test_a_wallet_never_pays_more_than_it_has(ann: UUID) -> None:
    give(ann, 10)
    with pytest.raises(ledger.InsufficientTokens) as refusal:
        pay(ann, 11)
    assert refusal.value.data["balance_tokens"] == 10
    pay(ann, 10)
    assert balance(ann) == 0
    with pytest.raises(ledger.InsufficientTokens):
        pay(uuid4(), 1)  # somebody who never had a token


def test_a_refusal_writes_nothing_and_leaves_the_transaction_good(ann: UUID) -> None:
    give(ann, 10)
    with transaction.atomic():
        with pytest.raises(ledger.InsufficientTokens):
            pay(ann, 11)
        pay(ann, 4)
    assert balance(ann) == 6


def test_many_are_written_or_none(ann: UUID, ben: UUID) -> None:
    give(ann, 10)
    bets = escrow(uuid4(), "bets")
    postings = [Posting(uuid4(), [Move(wallet(ann), -6), Move(bets, 6)], "One") for _ in range(2)]
    with pytest.raises(ledger.InsufficientTokens):
        ledger.transfer_many(Kind.BET, postings)
    assert (balance(ann), held(bets)) == (10, 0)
    ledger.transfer_many(Kind.BET, postings[:1])
    assert ledger.transfer_many(Kind.BET, postings[:1]).replayed


def test_many_again_move_only_what_is_new(ann: UUID, ben: UUID) -> None:
    prizes = house(House.PROMOTIONS)
    old = Posting(uuid4(), [Move(prizes, -5), Move(wallet(ann), 5)], "Old")
    new = Posting(uuid4(), [Move(prizes, -7), Move(wallet(ann), 7)], "New")
    ledger.transfer_many(Kind.REWARD, [old])
    posted = ledger.transfer_many(Kind.REWARD, [new, old])
    assert not posted.replayed
    assert balance(ann) == 12
    assert Leg.objects.filter(account_id=wallet(ann).id).count() == 2


def test_several_legs_on_one_wallet_chain_in_their_order(ann: UUID) -> None:
    pool = escrow(uuid4(), "bets")
    give(ann, 100)
    pay(ann, 60, pool)
    pays = [Posting(uuid4(), [Move(pool, -n), Move(wallet(ann), n)], f"Pay {n}") for n in (10, 20, 30)]
    ledger.transfer_many(Kind.PAYOUT, pays)
    legs = Leg.objects.filter(account_id=wallet(ann).id, number__gt=2).order_by("number")
    assert [leg.balance_after_tokens for leg in legs] == [50, 70, 100]
    assert broken() == []


def test_an_escrow_never_pays_more_than_it_holds(ann: UUID) -> None:
    pool = escrow(uuid4(), "bets")
    give(ann, 10)
    pay(ann, 10, pool)
    for amounts in ([11], [6, 5]):
        pays = [Posting(uuid4(), [Move(pool, -n), Move(wallet(ann), n)], "Too much") for n in amounts]
        with pytest.raises(ledger.EscrowShort):
            ledger.transfer_many(Kind.PAYOUT, pays)
    ledger.move(Kind.RAKE, uuid4(), 10, source=pool, target=house(House.RAKE), reason="All of it")
    assert held(pool) == 0
    assert broken() == []


def test_a_transfer_without_a_wallet_is_chained_where_it_comes_from(ann: UUID) -> None:
    pool = escrow(uuid4(), "bets")
    give(ann, 10)
    pay(ann, 10, pool)
    ledger.move(Kind.RAKE, uuid4(), 4, source=pool, target=house(House.RAKE), reason="Rake")
    leg = Leg.objects.get(account_id=pool.id, amount_tokens=-4)
    assert (leg.number, leg.balance_after_tokens, len(leg.chain)) == (1, None, 32)


def test_a_frozen_wallet_receives_and_does_not_spend(ann: UUID) -> None:
    give(ann, 10)
    assert ledger.wallet_set_frozen(ann, "Under review")
    assert not ledger.wallet_set_frozen(ann, "Again")
    give(ann, 5)
    for kind in ledger.SPENDING:
        with pytest.raises(ledger.WalletFrozen):
            pay(ann, 1, kind=kind)
    with pytest.raises(ledger.WalletFrozen):
        pay(ann, 100)
    assert ledger.wallet_set_frozen(ann, None)
    pay(ann, 15)


def test_what_a_wallet_lacks_becomes_a_debt_that_freezes_and_is_paid_first(ann: UUID) -> None:
    give(ann, 10)
    taken = {"target": house(House.ISSUANCE), "reason": "Disputed", "reference": ("payment", uuid4())}
    cause = uuid4()
    ledger.claw_back(ann, cause, 25, **taken)
    assert (balance(ann), owed(ann)) == (0, 15)
    assert ledger.claw_back(ann, cause, 25, **taken).replayed
    assert owed(ann) == 15
    assert give(ann, 5).of(ann)[1:3] == (0, 10)
    with pytest.raises(ledger.WalletFrozen):
        pay(ann, 1)
    assert give(ann, 30).of(ann)[1:3] == (20, 0)
    assert (balance(ann), owed(ann), Account.objects.get(pk=debt(ann).id).balance_tokens) == (20, 0, 0)
    pay(ann, 20)
    assert broken() == []


def test_a_batch_covers_debts_too(ann: UUID, ben: UUID) -> None:
    for user in (ann, ben):
        ledger.claw_back(user, uuid4(), 10, target=house(House.ISSUANCE), reason="Disputed", reference=("payment", 1))
    prizes = house(House.PROMOTIONS)
    pays = [
        Posting(uuid4(), [Move(prizes, -n), Move(wallet(user), n)], "Prize")
        for user, n in ((ann, 4), (ben, 7), (ben, 8))
    ]
    ledger.transfer_many(Kind.REWARD, pays)
    assert [(balance(user), owed(user)) for user in (ann, ben)] == [(0, 6), (5, 0)]
    assert broken() == []


def test_a_reversal_is_a_new_transfer_and_happens_once(ann: UUID) -> None:
    cause = uuid4()
    give(ann, 10, cause)
    ledger.reverse(Kind.ADJUSTMENT, cause, reason="Given by mistake")
    assert ledger.reverse(Kind.ADJUSTMENT, cause, reason="Given by mistake").replayed
    assert balance(ann) == 0
    assert Transfer.objects.get(reverses=cause).reason == "Given by mistake"
    with pytest.raises(NotFound):
        ledger.reverse(Kind.ADJUSTMENT, uuid4(), reason="Nothing")
    give(ann, 10, other := uuid4())
    pay(ann, 10)
    with pytest.raises(ledger.InsufficientTokens):
        ledger.reverse(Kind.ADJUSTMENT, other, reason="It is spent")


def test_lifetime_figures_leave_refunds_out(ann: UUID) -> None:
    pool = escrow(uuid4(), "bets")
    give(ann, 100)
    pay(ann, 60, pool)
    ledger.move(Kind.REFUND, uuid4(), 20, source=pool, target=wallet(ann), reason="Called off")
    ledger.move(Kind.PAYOUT, uuid4(), 40, source=pool, target=wallet(ann), reason="Won")
    account = Account.objects.get(pk=wallet(ann).id)
    assert (account.lifetime_earned_tokens, account.lifetime_spent_tokens) == (140, 40)
    assert broken() == []


@pytest.mark.django_db(transaction=True)
def test_nothing_is_written_outside_a_transaction(ann: UUID) -> None:
    with pytest.raises(RuntimeError):
        ledger.move(Kind.REWARD, uuid4(), 1, source=house(House.PROMOTIONS), target=wallet(ann), reason="A gift")
    assert not Transfer.objects.exists()


@pytest.mark.parametrize(
    ("amounts", "reason"),
    [
        ((1,), "One leg"),
        ((1, -2), "Not zero"),
        ((0, 0), "Nothing"),
        ((10**16, -(10**16)), "Too much"),
        ((1, -1), ""),
        ((1, -1), "a\nb"),
    ],
)
def test_what_is_no_transfer_is_refused_before_the_database_sees_it(
    ann: UUID, ben: UUID, amounts: tuple[int, ...], reason: str
) -> None:
    moves = [Move(wallet(user), amount) for user, amount in zip((ann, ben), amounts, strict=False)]
    with pytest.raises(ValueError, match=r"transfer|reason"):
        ledger.transfer_many(Kind.REWARD, [Posting(uuid4(), moves, reason)])
    with pytest.raises(ValueError, match="twice"):
        ledger.transfer_many(Kind.REWARD, [Posting(uuid4(), [Move(wallet(ann), 1), Move(wallet(ann), -1)], "Itself")])


def test_an_empty_batch_does_nothing() -> None:
    assert ledger.transfer_many(Kind.PAYOUT, []).replayed
    assert not Transfer.objects.exists()
