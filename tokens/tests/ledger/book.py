"""Reading and writing the ledger in tests: short names for what the tests do a hundred times."""

from uuid import UUID, uuid4

from django.db import transaction

from tokens import invariants, ledger, proof
from tokens.ledger import AccountRef, House, Kind, Posted, escrow, house, wallet
from tokens.models import Account, Leg
from tradingarena.core.invariants import run


def give(user_id: UUID, amount: int, cause: UUID | None = None, *, reason: str = "A gift") -> Posted:
    """Give somebody tokens, in a transaction of its own."""
    with transaction.atomic():
        return ledger.move(
            Kind.REWARD,
            cause or uuid4(),
            amount,
            source=house(House.PROMOTIONS),
            target=wallet(user_id),
            reason=reason,
        )


def pay(
    user_id: UUID, amount: int, target: AccountRef | None = None, *, kind: Kind = Kind.BET, cause: UUID | None = None
) -> Posted:
    """Let somebody pay, in a transaction of its own; into some escrow unless told otherwise."""
    target = target or escrow(uuid4(), "bets")
    with transaction.atomic():
        return ledger.move(kind, cause or uuid4(), amount, source=wallet(user_id), target=target, reason="A bet")


def balance(user_id: UUID) -> int:
    """Read what a wallet says it holds."""
    found = Account.objects.filter(pk=wallet(user_id).id).first()
    return found.balance_tokens if found else 0


def owed(user_id: UUID) -> int:
    """Read what a wallet says its person owes."""
    return Account.objects.get(pk=wallet(user_id).id).debt_tokens


def held(account: AccountRef) -> int:
    """Sum up an open account."""
    return sum(Leg.objects.filter(account_id=account.id).values_list("amount_tokens", flat=True))


def broken() -> list[str]:
    """Name everything that does not hold in the ledger now."""
    findings = [finding.check.name for finding in map(run, invariants.CHECKS) if finding.violations]
    return findings + proof.prove().wrong
