"""What leaves the site: the overlay for streams and the pictures of shared links. Both are made for a stranger, whoever asks.

What stands on a card is `selectors/shared.py`'s. Rules: docs/rules/arena.md#sharing.
"""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from csp.decorators import csp_replace
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from arena.selectors import shared
from arena.selectors.shared import STRANGER
from arena.views import optional
from competitions.models import Competition
from competitions.selectors import competitions as find
from competitions.selectors import pages, visibility
from tradingarena.core import cards
from tradingarena.core.cards import Card
from tradingarena.core.errors import DomainError

MINUTE_S = 60
KEPT_S = 3_600
MOST_ROWS = 20
Status = Competition.Status


@require_safe
@never_cache
@xframe_options_exempt
@csp_replace({"frame-ancestors": ["*"]})
def embed(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the board alone, to be laid over a stream or framed by another site."""
    look = _look(request)
    try:
        competition = find.find(STRANGER, slug)
        visibility.require_watching(STRANGER, competition)
    except DomainError as refusal:
        return render(request, "arena/embed.html", {"look": look, "refusal": refusal}, status=refusal.status)
    context = {
        "look": look,
        "competition": competition,
        "room": pages.board_data(competition),
        "odds_url": optional("betting:embed", competition.pk),
    }
    return render(request, "arena/embed.html", context)


def _look(request: HttpRequest) -> dict[str, Any]:
    rows = request.GET.get("rows", "")
    return {
        "rows": max(1, min(int(rows), MOST_ROWS)) if rows.isascii() and rows.isdigit() and len(rows) < 4 else 5,
        "theme": "light" if request.GET.get("theme") == "light" else "dark",
        "background": "solid" if request.GET.get("background") == "solid" else "clear",
    }


@require_safe
def contest_card(request: HttpRequest, slug: str) -> HttpResponse:
    """Draw the card of a contest."""
    competition = find.find(STRANGER, slug)
    return _picture(competition, "contest", "", lambda: shared.contest_card(competition))


@require_safe
def trader_card(request: HttpRequest, slug: str, username: str) -> HttpResponse:
    """Draw the card of somebody's standing or result."""
    competition = find.find(STRANGER, slug)
    return _picture(competition, "trader", username.lower(), lambda: shared.trader_card(competition, username))


@require_safe
def trade_card(request: HttpRequest, slug: str, trade_id: UUID) -> HttpResponse:
    """Draw the card of a trade, unless the asker competes against it."""
    competition = find.find(STRANGER, slug)
    pages.trade(request.user, competition, trade_id)
    return _picture(competition, "trade", str(trade_id), lambda: shared.trade_card(competition, trade_id))


def _picture(competition: Competition, kind: str, name: str, make: Callable[[], Card]) -> HttpResponse:
    """Give a card that is drawn at most once a minute while things move.

    Guarantees: who asks is judged before a kept picture is given out.
    """
    refusal = visibility.watching_refusal(STRANGER, competition)
    if refusal is not None and kind != "contest":  # that of a contest then says no more than that there is one
        raise refusal
    moving = competition.status in {Status.OPEN, Status.RUNNING, Status.SETTLING}
    turn = int(time.time()) // MINUTE_S if moving else competition.status
    key = f"card-{kind}-{competition.pk}-{cards.digest(name)}-{turn}-{refusal.code if refusal else 'open'}"
    picture = cache.get(key)
    if picture is None:
        picture = cards.draw(make())
        cache.set(key, picture, MINUTE_S if moving else KEPT_S)
    age_s = MINUTE_S if moving else KEPT_S
    return HttpResponse(picture, content_type="image/png", headers={"Cache-Control": f"public, max-age={age_s}"})
