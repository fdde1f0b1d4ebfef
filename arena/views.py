"""The arena's pages: browsing what is live, one session, the way in where there is a gate, and the replay. Trading is not here.

Who may watch is judged in `selectors/access.py`; going in is `services.audience`'s. Overlays and cards are in `share.py`.
"""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from accounts.countries import country_of
from accounts.models import User
from arena.selectors import listings, sessions
from arena.selectors import replay as films
from arena.selectors.access import Mode
from arena.services import audience
from competitions.models import Competition
from competitions.selectors import competitions as find
from competitions.selectors import pages, visibility
from tokens.selectors import wallet
from tradingarena.core.errors import DomainError

NEXT = 6
Status = Competition.Status
ENDED = (Status.SETTLING, Status.COMPLETED)
VIEWER_STEPS = (0, 10, 50, 100)


@require_safe
def session_list(request: HttpRequest) -> HttpResponse:
    """Show what can be watched now, as filtered, and what starts next."""
    filters = _filters(request)
    found = listings.browse(
        featured=True if filters["featured"] else None,
        min_viewers=filters["min_viewers"],
        bet_behind=True if filters["bet_behind"] else None,
        q=filters["q"],
    )
    filtered = any(filters.values())
    context = {
        "sessions": sessions.sessions(request.user, found[: listings.MOST_SESSIONS]),
        "coming": [] if filtered else sessions.sessions(request.user, listings.browse(live=False)[:NEXT]),
        "filters": filters,
        "filtered": filtered,
        "viewer_steps": VIEWER_STEPS,
        "betting_exists": bool(optional("betting:panel", "00000000-0000-0000-0000-000000000000")),
    }
    return render(request, "arena/list.html", context)


def _filters(request: HttpRequest) -> dict[str, Any]:
    least = request.GET.get("min_viewers", "")
    return {
        "q": request.GET.get("q", "").replace("\0", "").strip()[:80],
        "featured": request.GET.get("featured") == "1",
        "bet_behind": request.GET.get("bet_behind") == "1",
        "min_viewers": int(least) if least.isascii() and least.isdigit() and len(least) < 8 else 0,
    }


@require_safe
@never_cache
@ensure_csrf_cookie
def session(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a contest live; where there is a gate, show the way through it. One that is over leads to its results."""
    competition = find.find(request.user, slug)
    if competition.status in ENDED:
        return redirect("competitions:results", slug)
    if competition.status == Status.CANCELLED:
        return redirect("competitions:detail", slug)
    refusal = visibility.watching_refusal(request.user, competition)
    if refusal is not None:
        return _gate(request, competition, refusal)
    room = pages.room_data(request.user, competition)
    context = {
        "competition": competition,
        "room": room,
        "names": {row["entry_id"]: row["username"] for row in room["rankings"]},
        "instruments": pages.instruments_for(competition.pairs),
        "chat_url": optional("chat:panel", competition.pk),
        "betting_url": optional("betting:panel", competition.pk),
    }
    return render(request, "arena/session.html", context)


@require_POST
def join(request: HttpRequest, slug: str) -> HttpResponse:
    """Go through the gate: follow an invitation or pay the pass, then watch; a refusal is said at the gate."""
    competition = find.find(request.user, slug)
    invite = _invite(request.POST)
    try:
        audience.session_join(request.user, competition.pk, invite_code=invite, country=country_of(request.META))
    except DomainError as refusal:
        messages.error(request, refusal.message)
        query = f"?{urlencode({'invite': invite})}" if invite else ""
        return redirect(reverse("arena:session", args=[slug]) + query)
    return redirect("arena:session", slug)


@require_safe
def replay(request: HttpRequest, slug: str) -> HttpResponse:
    """Play a finished contest again, from its stored rows."""
    competition = find.find(request.user, slug)
    if competition.status not in ENDED:
        return redirect("arena:session", slug)
    refusal = visibility.watching_refusal(request.user, competition)
    if refusal is not None:
        return _gate(request, competition, refusal)
    context = {
        "competition": competition,
        "film": films.replay(request.user, competition),
        "chat_url": optional("chat:replay", competition.pk),
        "betting_url": optional("betting:replay", competition.pk),
    }
    return render(request, "arena/replay.html", context)


def _gate(request: HttpRequest, competition: Competition, refusal: DomainError) -> HttpResponse:
    """Say why somebody may not watch, and offer what would let them."""
    listing = listings.of_contest(competition)
    mode = listing.mode if listing else Mode.PRIVATE
    balance = wallet.balance_of(request.user.pk) if isinstance(request.user, User) else None
    context = {
        "balance_tokens": balance,
        "balance_after_tokens": balance - listing.spectator_token_cost if listing and balance is not None else None,
        "competition": competition,
        "listing": listing,
        "mode": mode,
        "refusal": refusal,
        "invite": _invite(request.GET),
        "over": competition.status in ENDED,
    }
    return render(request, "arena/gate.html", context, status=refusal.status)


def _invite(fields: Any) -> str:
    return str(fields.get("invite", "")).replace("\0", "").strip()[:64]


def optional(name: str, key: object) -> str:
    """Give the address of a panel that another app fills, or "" while there is no such app."""
    try:
        return reverse(name, args=[key])
    except NoReverseMatch:
        return ""
