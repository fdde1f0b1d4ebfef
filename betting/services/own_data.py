"""What betting holds of somebody: for their copy of it, and what must be over before they can be forgotten. Rules: docs/privacy.md."""

from typing import Any
from uuid import UUID

from django.db.models import F

from betting.models import Bet, Market
from betting.selectors.bets import UNSETTLED


def bets_of(user_id: UUID) -> Any:
    """Give every bet of a person with what it paid, the oldest first."""
    more = {
        "trader": F("market__trader__username"),
        "contest": F("market__competition__title"),
        "threshold_bps": F("line__threshold_bps"),
        "paid_tokens": F("result__pay_tokens"),
    }
    fields = ("id", "side", "stake_tokens", "weight_bps", "placed_at")
    return Bet.objects.filter(user=user_id).order_by("placed_at", "id").values(*fields, **more).iterator()


def open_bets(user_id: UUID) -> list[str]:
    """Say which bets are open, of a person and on them."""
    found = []
    count = Bet.objects.filter(user=user_id, market__status__in=UNSETTLED).count()
    if count:
        found.append(f"You have {count} open {'bet' if count == 1 else 'bets'}.")
    if Market.objects.filter(trader=user_id, status__in=UNSETTLED, bets__isnull=False).exists():
        found.append("There are open bets on you.")
    return found
