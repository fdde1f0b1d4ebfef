"""What tokens hold of somebody: for their copy of it, what must be over before they can be forgotten, and what is forgotten then.

Transfers stay: nobody edits the ledger. Rules: docs/privacy.md.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from tokens import ledger
from tokens.ledger import House, Kind, house
from tokens.models import Account, DailyBonus, Dispute, Payment, Referral, ReferralCode, Refund, StripeEvent
from tokens.selectors import wallet
from tradingarena.core.ids import derived_id

UNPAID = (Payment.Status.CREATED, Payment.Status.OPEN, Payment.Status.PROCESSING, Payment.Status.QUARANTINED)
PAYMENT = (
    "id", "purpose", "reference_id", "description", "amount_cents", "currency", "tokens", "bonus_tokens", "status", "refunded_cents",
    "created_at", "paid_at", "closed_at",
)  # fmt: skip
# What a card's owner told the payment provider, wherever an event carries it.
_FORGET_EVENTS = """
    UPDATE tokens_stripeevent SET payload = payload #- '{data,object,customer_details}' #- '{data,object,customer_email}'
        #- '{data,object,billing_details}' #- '{data,object,receipt_email}' #- '{data,object,shipping}'
        #- '{data,object,shipping_details}' #- '{data,object,payment_method_details}' #- '{data,object,collected_information}'
    WHERE payment_id IN (SELECT id FROM tokens_payment WHERE user_id = %s)
"""


def statement_of(user_id: UUID) -> list[dict[str, Any]]:
    """Give a person's whole statement, the oldest line first."""
    rows = wallet.csv_rows(user_id)
    header = next(rows)
    return [dict(zip(header, row, strict=True)) for row in rows]


def payments_of(user_id: UUID) -> Any:
    """Give a person's card payments, the oldest first."""
    return Payment.objects.filter(user=user_id).order_by("id").values(*PAYMENT).iterator()


def economy_of(user_id: UUID) -> dict[str, Any]:
    """Give a person's wallet, bonuses and referrals."""
    bonuses = DailyBonus.objects.filter(user=user_id).order_by("day").values("day", "streak", "tokens", "claimed_at")
    referrals = Referral.objects.filter(Q(referrer=user_id) | Q(referee=user_id)).order_by("id")
    return {
        "wallet": dict(wallet.wallet_of(user_id)),
        "daily_bonuses": list(bonuses),
        "referrals": [
            {
                "you_were": "referrer" if one.referrer_id == user_id else "referee",
                "status": one.status,
                "reason": one.reason,
                "tokens": one.tokens,
                "created_at": one.created_at,
                "decided_at": one.decided_at,
            }
            for one in referrals
        ],
    }


def open_money(user_id: UUID) -> list[str]:
    """Say what of a person's money is still under way."""
    found = []
    held = wallet.wallet_of(user_id)
    if held["debt_tokens"]:
        found.append(f"You owe {held['debt_tokens']:,} tokens after a chargeback.")
    elif held["frozen"]:
        found.append("Your wallet is frozen: an operator has a question to you first.")
    if Payment.objects.filter(user=user_id, status__in=UNPAID).exists():
        found.append("A card payment of yours is under way.")
    if Refund.objects.filter(payment__user=user_id, status__in=["requested", "pending"]).exists():
        found.append("A refund to your card is under way.")
    if Dispute.objects.filter(payment__user=user_id, status="open").exists():
        found.append("A disputed payment of yours is not decided yet.")
    return found


def erase(user_id: UUID) -> None:
    """Give up a person's tokens and forget what names their card; the ledger stays whole, under an id that leads to nobody.

    Locks / Effects: the wallet; a transfer to forfeits when it is not empty; deletes the link, blanks fingerprints and addresses of cards.
    """
    held = ledger.lock_wallets([user_id]).get(user_id)
    if held is not None and held.balance_tokens:
        _give_up(held)
    ReferralCode.objects.filter(user=user_id).delete()
    Payment.objects.filter(user=user_id).update(card_fingerprint="", checkout_url="")
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_EVENTS, [user_id])


def forget_events(before: datetime) -> int:
    """Let events of the payment provider lose their content; what they did stays."""
    done = StripeEvent.objects.filter(received_at__lt=before, status__in=["applied", "ignored"]).exclude(payload={})
    return done.update(payload={})


def _give_up(held: Account) -> None:
    assert held.owner_id is not None
    ledger.move(
        Kind.ADJUSTMENT,
        derived_id(held.owner_id, "account deleted"),
        held.balance_tokens,
        source=ledger.wallet(held.owner_id),
        target=house(House.FORFEITS),
        reason="Given up when the account was deleted",
        reference=("account", held.owner_id),
    )
