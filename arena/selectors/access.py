"""Who may watch which contest: the one judge for pages, REST and sockets, put up as the gate of contests.

What they then see of somebody's trading is decided in `competitions.selectors.visibility`. Rules: docs/rules/arena.md#modes.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from accounts.models import User
from accounts.selectors import acts_as_staff
from arena.models import Admission, Listing
from competitions.models import Competition
from competitions.selectors import watching
from competitions.selectors.watching import OVER, InvitedOnly, Question, Viewer
from tradingarena.core.errors import DomainError, Forbidden

Mode = Listing.Mode
ADMITS = {Mode.TOKEN_GATED: Admission.Kind.PASS, Mode.PRIVATE: Admission.Kind.INVITATION}


class PassRequired(Forbidden):
    """Raised when a contest is watched with a pass and the person has none."""

    code, message = "pass_required", "Watching this contest needs a pass."


class WatchingClosed(Forbidden):
    """Raised when nobody but its entrants watches a contest."""

    code, message = "watching_closed", "This contest is not open to spectators."


def admit(asked: Sequence[Question]) -> list[DomainError | None]:
    """Answer for contests whether people from outside may watch, with two queries for all of them."""
    listings = listings_of({competition.pk for _, competition in asked})
    let_in = _let_in(listings.values(), {viewer.pk for viewer, _ in asked if isinstance(viewer, User)})
    return [_refusal(viewer, competition, listings.get(competition.pk), let_in) for viewer, competition in asked]


def delay_s(competition: Competition) -> int:
    """Tell how late the crowd hears of a contest's deals. Units: seconds."""
    delay = Listing.objects.filter(competition=competition).values_list("delay_s", flat=True).first()
    return watching.default_delay_s(competition) if delay is None else delay


def listings_of(competition_ids: Collection[UUID]) -> dict[UUID, Listing]:
    """Find the listings of some contests, by contest."""
    return {row.competition_id: row for row in Listing.objects.filter(competition__in=competition_ids)}


def _let_in(listings: Collection[Listing], user_ids: Collection[UUID]) -> set[tuple[UUID, UUID]]:
    gated = [listing.pk for listing in listings if listing.mode in ADMITS]
    if not gated or not user_ids:
        return set()
    found = Admission.objects.filter(listing__in=gated, user__in=user_ids).select_related("listing")
    return {(one.listing_id, one.user_id) for one in found if ADMITS[one.listing.mode] == one.kind}


def _refusal(
    viewer: Viewer, competition: Competition, listing: Listing | None, let_in: set[tuple[UUID, UUID]]
) -> DomainError | None:
    if _is_always_let_in(viewer, competition):
        return None
    if competition.kind == Competition.Kind.PUBLIC and competition.status in OVER:
        return None  # what happened in a public contest is public: anybody may check it
    if listing is None:
        return watching.default_refusal(competition)
    if listing.mode == Mode.OPEN or (listing.pk, viewer.pk) in let_in:
        return None
    if listing.mode == Mode.TOKEN_GATED:
        return PassRequired(
            f"Watching this contest needs a pass. It costs {listing.spectator_token_cost} tokens, once.",
            spectator_token_cost=listing.spectator_token_cost,
        )
    return WatchingClosed() if listing.mode == Mode.CLOSED else InvitedOnly()


def _is_always_let_in(viewer: Viewer, competition: Competition) -> bool:
    """The host and the staff see what they are answerable for, as late as every spectator."""
    if not isinstance(viewer, User) or not viewer.may_sign_in():
        return False
    return viewer.pk == competition.host_id or acts_as_staff(viewer)


GATE = watching.Gate(admit, delay_s)
