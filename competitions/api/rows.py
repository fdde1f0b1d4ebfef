"""How a contest looks over REST. Rows of trading are `messages.py`; the schema of all of them is `outputs.py`."""

from typing import Any

from competitions.messages import when
from competitions.models import Competition, Entry
from competitions.services.entries import Reason, join_ends_at
from competitions.services.seats import Seat

DETAIL = (
    "description", "cancel_reason", "min_units", "unit_step", "max_units", "max_orders", "commission_cents_per_lot",
    "stop_out_level_bps", "margin_call_level_bps", "close_only_s", "market_order_timeout_ms", "quote_stale_ms",
    "min_entries", "late_join_bps", "min_account_age_h", "max_linked_entries", "blocked_countries", "bots_allowed", "bots_only", "rake_bps",
    "prize_split_bps", "reward_tokens", "objection_s",
)  # fmt: skip


def competition_row(row: Competition) -> dict[str, Any]:
    """Show a contest in a list. Shapes: as `selectors.competitions` finds it: `entrants` counted, the host joined."""
    return {
        "id": str(row.pk),
        "slug": row.slug,
        "title": row.title,
        "kind": row.kind,
        "status": row.status,
        "starts_at": when(row.starts_at),
        "ends_at": when(row.ends_at),
        "pairs": row.pairs,
        "starting_balance_cents": row.starting_balance_cents,
        "leverage": row.leverage,
        "entrants": row.entrants,  # type: ignore[attr-defined]  # annotated
        "max_entries": row.max_entries,
        "buy_in_cents": row.buy_in_cents,
        "entry_tokens": row.entry_tokens,
        "drawdown_rule": row.drawdown_rule,
        "drawdown_limit_bps": row.drawdown_limit_bps,
        "host": row.host.username if row.host else None,
    }


def competition_detail(row: Competition, own: dict[str, Any] | None) -> dict[str, Any]:
    """Show a contest with all its rules and the asker's own place in it."""
    return competition_row(row) | {
        **{name: getattr(row, name) for name in DETAIL},
        "planned_ends_at": when(row.planned_ends_at),
        "created_at": when(row.created_at),
        "completed_at": when(row.completed_at),
        "objection_ends_at": when(row.objection_ends_at),
        "join_ends_at": when(join_ends_at(row)),
        "invite_needed": bool(row.invite_code),
        "own": own,
    }


def own_place(entry: Entry | None, reasons: list[Reason]) -> dict[str, Any]:
    """Show where somebody stands in a contest, and why they cannot join it, if so."""
    return {
        "entry_id": str(entry.pk) if entry else None,
        "status": entry.status if entry else None,
        "rank": entry.rank if entry else None,
        "can_join": not reasons,
        "reasons": [{"code": reason.code, "message": reason.message} for reason in reasons],
    }


def seat_row(seat: Seat) -> dict[str, Any]:
    """Show a seat that is held, and where it is paid for."""
    return {
        "competition_id": str(seat.buy_in.competition_id),
        "amount_cents": seat.buy_in.amount_cents,
        "payment_id": str(seat.payment.payment_id),
        "checkout_url": seat.payment.checkout_url,
        "held_until": when(seat.buy_in.held_until),
    }


def entry_row(entry: Entry) -> dict[str, Any]:
    """Show somebody's place in a contest. Shapes: the user joined."""
    return {
        "entry_id": str(entry.pk),
        "competition_id": str(entry.competition_id),
        "number": entry.number,
        "user_id": str(entry.user_id),
        "username": entry.user.username,
        "country": entry.user.country,
        "is_bot": entry.user.is_bot,
        "status": entry.status,
        "joined_at": when(entry.joined_at),
    }
