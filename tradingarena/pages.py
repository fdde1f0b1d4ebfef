"""The pages that belong to no single app: the landing page, the rules and the terms."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.services import retention
from competitions.selectors import competitions as find
from competitions.selectors import pages
from pvp.selectors import challenges


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show what is live now, why it is fair, and the way in."""
    live = pages.cards(request.user, find.live(request.user)[:7])
    watchable = [card for card in live if card.watchable]
    featured = max(watchable, key=lambda card: (card.entrants, card.competition.ends_at), default=None)
    own = find.listing(request.user, mine=True).exclude(status="cancelled")[:3] if request.user.is_authenticated else []
    context = {
        "featured": featured,
        "live_cards": live[:6],
        "next_cards": pages.cards(request.user, find.upcoming(request.user)[:3]),
        "own_cards": pages.cards(request.user, own),
        "duels": challenges.waiting(request.user) if request.user.is_authenticated else [],
    }
    return render(request, "pages/home.html", context)


@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """Show the rules of trading and of contests, in short."""
    return render(request, "pages/rules.html")


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    """Show the terms of use."""
    return render(request, "pages/terms.html", {"terms_version": settings.TERMS_VERSION})


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """Show what is kept of people and for how long, from the list that throws it away."""
    return render(request, "pages/privacy.html", {"kept": retention.kept()})
