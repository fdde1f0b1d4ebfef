"""What becomes of stakes: given back, or shared out by the result. Who wins is decided in `rules/stakes.py`.

Tokens are the ledger's and cards the payment provider's; here is only whose stake goes where. Rules: docs/rules/pvp.md#result.
"""

from datetime import timedelta
from uuid import UUID

from accounts import audit
from accounts.models import User
from competitions.models import Competition, Entry
from competitions.services.steps import require_operator
from pvp.models import Challenge, Settlement, Stake, Winnings
from pvp.rules.stakes import Plan, share
from pvp.selectors.challenges import terms_of
from pvp.services import telling
from tokens import ledger
from tokens.ledger import AccountRef, House, Kind, Move, Posting
from tokens.services import refunds
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict, NotFound, RuleRefusal
from tradingarena.core.ids import derived_id
from tradingarena.core.locks import require_transaction

FUNDING_WINDOW = timedelta(minutes=30)
REFERENCE = "challenge"
REFUND_CAUSE = "stake_returned"


class WinningsDecided(Conflict):
    """Raised when winnings are not where the asked step begins."""

    code, message = "winnings_decided", "These winnings have been decided in the meantime."


def pot_of(challenge_id: UUID) -> AccountRef:
    """Name the escrow that holds a challenge's stakes in tokens."""
    return ledger.escrow(challenge_id, "stakes")


def give_back(challenge: Challenge, *, reason: str) -> None:
    """Give every paid stake of a challenge back and let go of those that were never paid.

    Guarantees: each once, however often this is called.
    Locks / Effects: in the caller's transaction, which holds the challenge: the wallets, the escrow, payments; audit rows.
    """
    require_transaction()
    stakes = list(challenge.stakes.filter(status__in=[Stake.Status.HELD, Stake.Status.PAID]).order_by("pk"))
    paid = [stake for stake in stakes if stake.status == Stake.Status.PAID]
    ledger.transfer_many(
        Kind.REFUND, [_refund(stake, reason) for stake in paid if stake.amount_tokens], reference_type=REFERENCE
    )
    for stake in stakes:
        if stake.status == Stake.Status.HELD:
            close(stake, Stake.Status.RELEASED, reason)
        else:
            if stake.payment_id is not None:
                refunds.refund_request(stake.payment_id, cause=REFUND_CAUSE, reason=reason)
            close(stake, Stake.Status.RETURNED, reason)


def close(stake: Stake, status: str, reason: str, *, actor: User | None = None) -> None:
    """Set a stake's last status, with its audit row.

    Locks / Effects: in the caller's transaction, which holds the challenge.
    """
    old, stake.status = stake.status, status
    stake.closed_at, stake.reason = database_now(), reason[:200]
    stake.save(update_fields=["status", "closed_at", "reason"])
    audit.record(actor, f"stake.{status}", stake, old={"status": old}, new={"status": str(status)}, reason=reason)


def settle(challenge: Challenge, contest: Competition) -> Settlement:
    """Share the stakes out by the final ranks of the contest.

    Guarantees: once a challenge; paid + rake + returned is both stakes; nothing is left in the escrow.
    Locks / Effects: in the caller's transaction, which holds the challenge: wallets, the escrow, payments; a settlement; winnings that
        wait for an operator where money was won; audit rows.
    """
    require_transaction()
    terms = terms_of(challenge)
    entries = {entry.user_id: entry for entry in contest.entries.all()}
    assert challenge.invitee_id is not None  # whoever accepted
    sides = (challenge.challenger_id, challenge.invitee_id)
    first, second = (entries[user_id] for user_id in sides)
    plan = share(terms.stake_tokens or terms.stake_cents, terms.rake_bps, (first.rank, second.rank))
    winner_id = None if plan.winner is None else sides[plan.winner]
    settled = Settlement.objects.create(
        challenge=challenge,
        outcome=plan.outcome,
        winner_id=winner_id,
        in_tokens=bool(terms.stake_tokens),
        pot=plan.pot,
        paid=plan.paid,
        rake=plan.rake,
        returned=plan.returned,
        standings=[_standing(first), _standing(second)],
    )
    if winner_id is None:
        give_back(challenge, reason="It ended in a tie" if plan.outcome == "tie" else "Nobody was ranked")
    else:
        _pay_out(challenge, plan, winner_id, sides)
    new = {"outcome": plan.outcome, "paid": plan.paid, "rake": plan.rake, "returned": plan.returned}
    audit.record(None, "challenge.settled", challenge, new=new)
    return settled


def _standing(entry: Entry) -> dict[str, object]:
    return {
        "user_id": str(entry.user_id),
        "rank": entry.rank,
        "final_equity_cents": entry.final_equity_cents,
        "disqualified": entry.status == Entry.Status.DISQUALIFIED,
    }


def _pay_out(challenge: Challenge, plan: Plan, winner_id: UUID, sides: tuple[UUID, UUID]) -> None:
    stakes = list(challenge.stakes.filter(status=Stake.Status.PAID))
    if stakes[0].amount_tokens:
        ledger.lock_wallets(sides)
        pot, reference = pot_of(challenge.pk), (REFERENCE, challenge.pk)
        words = f"Won against {_other(challenge, winner_id)}"
        ledger.move(
            Kind.PAYOUT,
            derived_id(challenge.pk, "payout"),
            plan.paid,
            source=pot,
            target=ledger.wallet(winner_id),
            reason=words,
            reference=reference,
        )
        if plan.rake:
            ledger.move(
                Kind.RAKE,
                derived_id(challenge.pk, "rake"),
                plan.rake,
                source=pot,
                target=ledger.house(House.RAKE),
                reason="Rake of a challenge",
                reference=reference,
            )
    else:
        Winnings.objects.create(challenge=challenge, user_id=winner_id, amount_cents=plan.paid)
    for stake in stakes:
        close(stake, Stake.Status.PLAYED, "Played for")


def _other(challenge: Challenge, user_id: UUID) -> str:
    assert challenge.invitee is not None  # whoever accepted
    return (challenge.invitee if user_id == challenge.challenger_id else challenge.challenger).username


def winnings_move(actor: User, winnings_id: UUID, to: str, note: str = "") -> Winnings:
    """Approve winnings that are pending, or note that approved ones were paid or failed; operators do this.

    Shapes: to is approved (from pending or failed), paid or failed (from approved).
    Locks / Effects: one conditional update; an audit row.
    Raises: OperatorsOnly, NotFound, WinningsDecided. RuleRefusal `stake_disputed`: the winner objects to having paid the stake.
    """
    require_operator(actor)
    begins = {"approved": ("pending", "failed"), "paid": ("approved",), "failed": ("approved",)}
    winnings = Winnings.objects.filter(pk=winnings_id).first()
    if winnings is None:
        raise NotFound("There are no such winnings.")
    disputed = Stake.objects.filter(challenge=winnings.challenge_id, user=winnings.user_id, disputed=True)
    if to == Winnings.Status.APPROVED and disputed.exists():
        raise RuleRefusal(
            "The cardholder objects to having paid this stake; wait until that is settled.", code="stake_disputed"
        )
    old = winnings.status
    moved = Winnings.objects.filter(pk=winnings_id, status=old)
    if old not in begins.get(to, ()) or not moved.update(status=to, note=note[:200]):
        raise WinningsDecided(f"These winnings are {old}; they cannot become {to}.")
    winnings.status, winnings.note = to, note[:200]
    if to == Winnings.Status.PAID:
        telling.winnings_paid(winnings)
    audit.record(actor, f"winnings.{to}", winnings, old={"status": old}, new={"status": to}, reason=note)
    return winnings


def _refund(stake: Stake, reason: str) -> Posting:
    moves = [
        Move(pot_of(stake.challenge_id), -stake.amount_tokens),
        Move(ledger.wallet(stake.user_id), stake.amount_tokens),
    ]
    return Posting(derived_id(stake.pk, "refund"), moves, _one_line(reason), str(stake.challenge_id))


def _one_line(reason: str) -> str:
    words = "".join(char for char in " ".join(reason.split()) if char.isprintable())
    return f"Stake returned: {words}"[:200]
