"""What is paid for a contest: taken, given back, summed up. Tools for the doors of entries, seats and lifecycle.

Cards are the payment provider's and tokens the ledger's; here is only whose buy-in is for which entry. Rules:
docs/rules/competitions.md#buy-ins.
"""

from typing import NamedTuple
from uuid import UUID

from accounts import audit, policy
from accounts.models import User
from competitions.models import BuyIn, Competition, Entry
from competitions.selectors.competitions import paid_into
from tokens import ledger
from tokens.ledger import Kind, Move, Posting, escrow, wallet
from tokens.services import refunds
from tokens.services.spending import spend
from tradingarena.core.clock import database_now
from tradingarena.core.ids import derived_id, new_id
from tradingarena.core.locks import require_transaction

Status = BuyIn.Status


class Collected(NamedTuple):
    """What is in a contest's pool before the rake. Units: US cents, tokens."""

    cents: int
    tokens: int


def pot(competition_id: UUID) -> ledger.AccountRef:
    """Name the escrow that holds a contest's entries with tokens."""
    return escrow(competition_id, "entries")


def pay_with_tokens(user: User, competition: Competition, entry: Entry, country: str) -> BuyIn:
    """Take a contest's entry in tokens.

    Locks / Effects: in the caller's transaction, which holds the contest's row: the wallet, a transfer into the contest's escrow.
    Raises: what `spending.spend` raises.
    """
    require_transaction()
    buy_in = BuyIn(
        id=new_id(),
        competition=competition,
        user=user,
        entry=entry,
        amount_tokens=competition.entry_tokens,
        status=Status.PAID,
        paid_at=database_now(),
    )
    spend(
        user,
        competition.entry_tokens,
        kind=Kind.ENTRY,
        target=pot(competition.pk),
        cause=derived_id(buy_in.pk, "entry"),
        reason=f"Entered {competition.title}",
        reference=("competition", competition.pk),
        action=policy.Action.ENTER_PAID,
        country=country,
    )
    buy_in.save(force_insert=True)
    return buy_in


def give_back(actor: User | None, buy_in: BuyIn, *, cause: str, reason: str) -> None:
    """Give a paid buy-in back: tokens at once, money as a refund that is on its way when this has committed.

    Shapes: cause is a code, once for each buy-in.
    Locks / Effects: in the caller's transaction, which holds the contest's row: the buy-in; the wallet, or the payment.
    """
    require_transaction()
    if buy_in.amount_tokens:
        ledger.transfer_many(Kind.REFUND, [_refund(buy_in, reason)], reference_type="competition")
    elif buy_in.payment_id is not None:
        refunds.refund_request(buy_in.payment_id, cause=cause, reason=reason)
    close(buy_in, Status.RETURNED, reason, actor=actor)


def give_all_back(competition: Competition, *, cause: str, reason: str) -> int:
    """Give every paid buy-in of a contest back, and let go of the seats that were held; say how many came back.

    Guarantees: each once, however often this is called.
    Locks / Effects: in the caller's transaction, which holds the contest's row: all buy-ins, wallets and payments concerned.
    """
    require_transaction()
    paid = list(competition.buy_ins.filter(status=Status.PAID).order_by("pk"))
    with_tokens = [_refund(buy_in, reason) for buy_in in paid if buy_in.amount_tokens]
    ledger.transfer_many(Kind.REFUND, with_tokens, reference_type="competition")
    by_card = [buy_in.payment_id for buy_in in paid if buy_in.payment_id is not None]
    refunds.refund_many(by_card, cause=cause, reason=reason)
    moment = {"closed_at": database_now(), "reason": reason[:200]}
    competition.buy_ins.filter(status=Status.PAID).update(status=Status.RETURNED, **moment)
    competition.buy_ins.filter(status=Status.HELD).update(status=Status.RELEASED, **moment)
    if paid:
        audit.record(None, "buy_ins.returned", competition, new={"buy_ins": len(paid)}, reason=reason)
    return len(paid)


def close(buy_in: BuyIn, status: str, reason: str, *, actor: User | None = None) -> None:
    """Set a buy-in's last status, with its audit row.

    Locks / Effects: in the caller's transaction, which holds the contest's row.
    """
    old, buy_in.status = buy_in.status, status
    buy_in.closed_at, buy_in.reason = database_now(), reason[:200]
    buy_in.save(update_fields=["status", "closed_at", "reason"])
    audit.record(actor, f"buy_in.{status}", buy_in, old={"status": old}, new={"status": str(status)}, reason=reason)


def collected(competition: Competition) -> Collected:
    """Sum up what is in a contest's pool: every buy-in that is paid and has not gone back."""
    return Collected(*paid_into(competition))


def seats_held(competition: Competition) -> int:
    """Count the seats that wait for their payment."""
    return competition.buy_ins.filter(status=Status.HELD).count()


def _refund(buy_in: BuyIn, reason: str) -> Posting:
    moves = [
        Move(pot(buy_in.competition_id), -buy_in.amount_tokens),
        Move(wallet(buy_in.user_id), buy_in.amount_tokens),
    ]
    return Posting(derived_id(buy_in.pk, "refund"), moves, _one_line(reason), str(buy_in.competition_id))


def _one_line(reason: str) -> str:
    words = " ".join(reason.split())
    return "".join(char for char in words if char.isprintable())[:200] or "Given back"
