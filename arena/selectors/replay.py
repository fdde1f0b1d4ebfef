"""A finished contest as one film: everybody's equity over time and the deals, from stored rows alone.

What it looks like is the page's; chat and odds put theirs beside it. Rules: docs/rules/arena.md#replay.
"""

from typing import Any

from competitions import messages
from competitions.models import Competition, Deal
from competitions.selectors import results, visibility
from competitions.selectors.watching import Viewer
from tradingarena.core.clock import to_ms

MOST_ENTRIES = 50
MOST_MOMENTS = 600
MOST_DEALS = 3_000


def replay(viewer: Viewer, competition: Competition) -> dict[str, Any]:
    """Give a finished contest's film.

    Shapes: as arena.api.outputs.ReplayOut says; equity_cents of an entry has one value for each of moments_ms.
    Raises: results.NotEnded. DomainError: they may not watch it.
    """
    results.require_ended(competition)
    visibility.require_watching(viewer, competition)
    curves = results.equity_curves(competition, top=MOST_ENTRIES, points=MOST_MOMENTS)
    ranked = results.ranked(competition)[:MOST_ENTRIES]
    places = {entry.pk: place for place, entry in enumerate(ranked)}
    deals = Deal.objects.filter(entry__in=places).exclude(direction=Deal.Direction.PROTECTION)
    total = deals.count()
    shown = list(deals.order_by("-at", "-number")[:MOST_DEALS])[::-1]
    return {
        "competition_id": str(competition.pk),
        "slug": competition.slug,
        "title": competition.title,
        "starting_balance_cents": competition.starting_balance_cents,
        "starts_ms": to_ms(competition.starts_at),
        "ends_ms": to_ms(competition.ends_at),
        "moments_ms": [to_ms(at) for at in curves["moments"]],
        "entries": [
            {
                "entry_id": str(entry.pk),
                "user_id": str(entry.user_id),
                "username": entry.user.username,
                "final_rank": entry.rank,
                "status": entry.status,
                "equity_cents": curve["equity_cents"],
            }
            for entry, curve in zip(ranked, curves["curves"], strict=True)
        ],
        "deals": [_deal(deal, places[deal.entry_id]) for deal in shown],
        "deals_left_out": total - len(shown),
    }


def _deal(deal: Deal, place: int) -> dict[str, Any]:
    return {
        "at_ms": to_ms(deal.at),
        "entry": place,
        "pair": deal.pair,
        "side": deal.side,
        "direction": deal.direction,
        "lots": messages.lots(deal.units),
        "price": messages.price_text(deal.pair, deal.price),
        "pnl_cents": deal.pnl_cents,
    }
