"""What contests hold of somebody: for their copy of it, and what must be over before they can be forgotten.

Results stay, under an id that leads to nobody. Rules: docs/privacy.md.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet

from competitions.models import BuyIn, Competition, Deal, Entry, Fill, Order, Payout, Trade

ENDED = (Competition.Status.COMPLETED, Competition.Status.CANCELLED)
ENTRY = (
    "joined_at",
    "status",
    "cash_cents",
    "final_equity_cents",
    "rank",
    "max_drawdown_bps",
    "fills_count",
    "dq_reason",
)
ORDER = (
    "id", "pair", "side", "type", "units", "price", "stop_loss", "take_profit", "status", "reason", "accepted_at", "decided_at",
)  # fmt: skip
FILL = ("order_id", "pair", "side", "units", "price", "fee_cents", "rule", "bid", "ask", "quote_id", "filled_at")
DEAL = (
    "direction",
    "pair",
    "side",
    "units",
    "price",
    "pnl_cents",
    "fee_cents",
    "cash_after_cents",
    "conversion_rate",
    "at",
)
TRADE = (
    "pair",
    "side",
    "opened_at",
    "closed_at",
    "opened_units",
    "closed_units",
    "pnl_cents",
    "fee_cents",
    "close_reason",
)


def contests_of(user_id: UUID) -> dict[str, Any]:
    """Give the contests that a person was in, what was paid for them and what they paid."""
    named = {"contest": F("competition__title"), "slug": F("competition__slug")}
    mine = {"user": user_id}
    return {
        "entries": list(Entry.objects.filter(**mine).order_by("id").values(*ENTRY, **named)),
        "buy_ins": list(
            BuyIn.objects.filter(**mine)
            .order_by("id")
            .values("amount_cents", "amount_tokens", "status", "created_at", **named)
        ),
        "payouts": list(
            Payout.objects.filter(**mine)
            .order_by("id")
            .values("place", "amount_cents", "amount_tokens", "reward_tokens", "status", "created_at", **named)
        ),
        "hosted": list(
            Competition.objects.filter(host=user_id).order_by("id").values("title", "slug", "starts_at", "status")
        ),
    }


def orders_of(user_id: UUID) -> Iterator[Any]:
    """Give every order of a person, the oldest first."""
    return _rows(Order.objects.order_by("seq"), user_id, ORDER)


def fills_of(user_id: UUID) -> Iterator[Any]:
    """Give every fill of a person, the oldest first."""
    return _rows(Fill.objects.order_by("filled_at", "number"), user_id, FILL)


def deals_of(user_id: UUID) -> Iterator[Any]:
    """Give every deal of a person, the oldest first."""
    return _rows(Deal.objects.order_by("at", "number"), user_id, DEAL)


def trades_of(user_id: UUID) -> Iterator[Any]:
    """Give every trade of a person, the oldest first."""
    return _rows(Trade.objects.order_by("opened_at"), user_id, TRADE)


def open_contests(user_id: UUID) -> list[str]:
    """Say which contests a person is still in, hosts, or waits to be paid by."""
    found = []
    entries = Entry.objects.filter(user=user_id, status=Entry.Status.ACTIVE).exclude(competition__status__in=ENDED)
    for title in entries.values_list("competition__title", flat=True)[:5]:
        found.append(f"You are in the contest “{title}”, which is not over.")
    for title in Competition.objects.filter(host=user_id).exclude(status__in=ENDED).values_list("title", flat=True)[:5]:
        found.append(f"You host the contest “{title}”, which is not over.")
    if BuyIn.objects.filter(user=user_id, status=BuyIn.Status.HELD).exists():
        found.append("A seat in a contest is held for you.")
    unpaid = Payout.objects.filter(user=user_id, amount_cents__gt=0, status__in=["pending", "approved", "failed"])
    if unpaid.exists():
        found.append("A prize of yours is not paid out yet.")
    return found


def _rows(rows: QuerySet[Any], user_id: UUID, fields: tuple[str, ...]) -> Iterator[Any]:
    slug = {"slug": F("entry__competition__slug")}
    return rows.filter(entry__user=user_id).values(*fields, **slug).iterator(chunk_size=2_000)
