"""REST: what can be watched, one session, going in and leaving. Each view parses, calls one door, renders."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.countries import country_of
from accounts.models import ApiToken
from accounts.permissions import WRITE, Public
from arena.api import inputs, outputs
from arena.models import Listing
from arena.selectors import listings, replay, sessions
from arena.services import audience
from tradingarena.core.api import ArenaView, etagged, idempotent
from tradingarena.core.errors import Forbidden
from tradingarena.core.paging import rank_page

TAG = ["arena"]
KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="needed where going in costs a pass"
)


class ListingsView(ArenaView):
    permission_classes = [Public]
    query_serializer = inputs.ListingsQuery

    @extend_schema(operation_id="arena_listings", tags=TAG, responses=outputs.ListingsOut)
    def get(self, request: Request) -> Response:
        """List what is live and can be watched, with or without a pass: featured first, then by viewers."""
        asked, place, limit = self.params, self.params["place"], self.params["limit"]
        found = listings.browse(
            featured=asked.get("featured"),
            min_viewers=asked["min_viewers"],
            bet_behind=asked.get("bet_behind"),
            q=asked.get("q", ""),
        )
        shown = sessions.sessions(request.user, found[place - 1 : place - 1 + limit])
        rows = [outputs.listing_row(one) for one in shown]
        return Response(rank_page(request, rows, total=found.count(), place=place, limit=limit))


class ListingView(ArenaView):
    permission_classes = [Public]

    @extend_schema(operation_id="arena_listing", tags=TAG, responses=outputs.ListingOut)
    def get(self, request: Request, listing_id: UUID) -> Response:
        """Read a session by the listing's id or the contest's, and whether one may watch it."""
        return Response(_shown(request, listings.find(request.user, listing_id)))


class JoinView(ArenaView):
    permission_classes = [Public]
    scope = "read"

    @extend_schema(
        operation_id="arena_join",
        tags=TAG,
        parameters=[KEY],
        request=inputs.WatchBody,
        responses=outputs.ListingOut,
    )
    def post(self, request: Request, listing_id: UUID) -> Response:
        """Go in to watch: follow an invitation, or pay the pass where one is needed. Again every 20 s to count as a viewer."""
        wanted = inputs.WatchBody(data=request.data)
        wanted.is_valid(raise_exception=True)
        pays = request.user.is_authenticated and audience.must_pay(request.user, listing_id)
        if pays and isinstance(request.auth, ApiToken) and not set(WRITE) & set(request.auth.scopes):
            raise Forbidden("A token that may only read pays nothing.", code="scope_missing")
        if pays or (request.user.is_authenticated and request.headers.get("Idempotency-Key")):
            return self._once(request, listing_id, wanted.validated_data["invite_code"])
        return self._join(request, listing_id, wanted.validated_data["invite_code"])

    @idempotent
    def _once(self, request: Request, listing_id: UUID, invite_code: str) -> Response:
        return self._join(request, listing_id, invite_code)

    def _join(self, request: Request, listing_id: UUID, invite_code: str) -> Response:
        listing = audience.session_join(
            request.user, listing_id, invite_code=invite_code, country=country_of(request.META)
        )
        return Response(_shown(request, listing))


class LeaveView(ArenaView):
    permission_classes = [Public]

    @extend_schema(operation_id="arena_leave", tags=TAG, request=inputs.LeaveBody, responses=outputs.ListingOut)
    def post(self, request: Request, listing_id: UUID) -> Response:
        """Count as a viewer no more. A socket in the room leaves it by `leave_room`."""
        inputs.LeaveBody(data=request.data).is_valid(raise_exception=True)
        return Response(_shown(request, audience.session_leave(request.user, listing_id)))


class ReplayView(ArenaView):
    permission_classes = [Public]

    @extend_schema(operation_id="arena_replay", tags=TAG, responses=outputs.ReplayOut)
    def get(self, request: Request, listing_id: UUID) -> Response:
        """Read a finished contest as one film: everybody's equity over time and the deals, thinned to what a screen shows."""
        listing = listings.find(request.user, listing_id)
        return etagged(request, replay.replay(request.user, listing.competition), max_age_s=60)


def _shown(request: Request, listing: Listing) -> dict[str, Any]:
    return outputs.listing_row(sessions.sessions(request.user, [listing])[0])
