"""Finding listings: one, and those that may be browsed with the filters of the browse page and GET /api/arena/listings.

Who may watch is judged in `access.py`. Rules: docs/rules/arena.md#browsing.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.urls import reverse

from arena.models import Listing
from arena.selectors.access import Mode
from competitions.models import Competition, Entry
from competitions.selectors import competitions, visibility
from competitions.selectors.watching import Viewer
from tokens.selectors.references import Link
from tradingarena.core.errors import DomainError, NotFound

Status = Competition.Status
SHOWN_MODES = (Mode.OPEN, Mode.TOKEN_GATED)
MOST_SESSIONS = 60


def find(viewer: Viewer, key: UUID) -> Listing:
    """Find a listing by its own id or its contest's, with the contest as `competitions.find` gives it.

    Raises: NotFound: there is none, or the asker may not know of it: a private room is known to who may watch it.
    """
    listing = Listing.objects.filter(Q(pk=key) | Q(competition=key)).first()
    if listing is None:
        raise NotFound("There is no such session.")
    listing.competition = competitions.find(viewer, listing.competition_id)
    if listing.mode == Mode.PRIVATE and refusal(viewer, listing) is not None:
        raise NotFound("There is no such session.")
    return listing


def of_contest(competition: Competition) -> Listing | None:
    """Find the listing of a contest, with the contest."""
    listing = Listing.objects.filter(competition=competition).first()
    if listing is not None:
        listing.competition = competition
    return listing


def refusal(viewer: Viewer, listing: Listing) -> DomainError | None:
    """Say why somebody may not watch; None when they may."""
    return visibility.watching_refusal(viewer, listing.competition)


def browse(
    *,
    featured: bool | None = None,
    min_viewers: int = 0,
    bet_behind: bool | None = None,
    q: str = "",
    live: bool = True,
) -> QuerySet[Listing]:
    """List what may be browsed: public contests that run (or that start next), open or with a pass; featured first, then by viewers.

    Shapes: with the contest, its host and its number of entrants. q looks in titles and the names of those who compete.
    """
    shown = Listing.objects.filter(
        competition__kind=Competition.Kind.PUBLIC,
        competition__status=Status.RUNNING if live else Status.OPEN,
        mode__in=SHOWN_MODES,
    ).select_related("competition__host")
    if featured is not None:
        shown = shown.filter(featured=featured)
    if min_viewers:
        shown = shown.filter(viewers__gte=min_viewers)
    if bet_behind is not None:
        shown = shown.filter(bets_allowed=bet_behind)
    if q:
        named = Entry.objects.filter(user__username__icontains=q).exclude(status=Entry.Status.WITHDRAWN)
        shown = shown.filter(Q(competition__title__icontains=q) | Q(competition__in=named.values("competition_id")))
    order = ("-featured", "-viewers", "-id") if live else ("-featured", "competition__starts_at", "-id")
    return shown.order_by(*order)


def with_entrants(listings: list[Listing]) -> list[Listing]:
    """Count the entrants of the listed contests, onto the contests as `entrants`."""
    on_board = ~Q(entries__status=Entry.Status.WITHDRAWN)
    contests = Competition.objects.filter(pk__in=[row.competition_id for row in listings])
    counts: dict[Any, int] = dict(contests.annotate(n=Count("entries", filter=on_board)).values_list("pk", "n"))
    for row in listings:
        row.competition.entrants = counts[row.competition_id]  # type: ignore[attr-defined]  # as competitions.find does
    return listings


def links(pks: Collection[str]) -> dict[str, Link]:
    """Say where listings lead on a wallet's statement."""
    found = Listing.objects.filter(pk__in=pks).select_related("competition")
    return {
        str(row.pk): Link(row.competition.title, reverse("arena:session", args=[row.competition.slug])) for row in found
    }
