"""The tables of value. Only this app imports them; the levels in pyproject.toml see to it."""

from tokens.models.desk import Adjustment
from tokens.models.economy import BoardCause, BoardCursor, BoardRow, DailyBonus, Referral, ReferralCode
from tokens.models.ledger import Account, Leg, Transfer
from tokens.models.payments import Dispute, Fulfilment, Payment, Refund, StripeEvent, TokenPackage

__all__ = [
    "Account",
    "Adjustment",
    "BoardCause",
    "BoardCursor",
    "BoardRow",
    "DailyBonus",
    "Dispute",
    "Fulfilment",
    "Leg",
    "Payment",
    "Referral",
    "ReferralCode",
    "Refund",
    "StripeEvent",
    "TokenPackage",
    "Transfer",
]
