"""REST: contests, who is in them, how they stand and how they ended. Each view parses, calls one door, renders."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.text import slugify
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.countries import country_of
from accounts.models import User
from accounts.permissions import IsOperator, Public
from competitions.api import inputs, outputs, rows
from competitions.api.base import CompetitionView, csv_answer, read_body
from competitions.models import Competition, Entry
from competitions.selectors import competitions, results, room, standings, visibility
from competitions.services import drafts, entries, lifecycle, seats
from tradingarena.core.api import ListView, etagged, idempotent, keyed
from tradingarena.core.errors import NotSignedIn
from tradingarena.core.paging import RankQuery, rank_page

TAG = ["competitions"]


def _detail(request: Request, competition: Competition) -> dict[str, Any]:
    user = request.user
    own = None
    if isinstance(user, User):
        reasons = entries.entry_reasons(user, competition, country=country_of(request.META))
        own = rows.own_place(competitions.entry_of(user, competition), reasons)
    return rows.competition_detail(competition, own)


class CompetitionsView(ListView):
    query_serializer = inputs.CompetitionsQuery
    scope = {"GET": "read", "POST": "trade"}

    def get_permissions(self) -> list[Any]:
        return [IsOperator() if self.request.method == "POST" else Public()]

    def rows(self) -> QuerySet[Competition]:
        asked, user = self.params, self.request.user
        if asked.get("mine") and not user.is_authenticated:
            raise NotSignedIn
        return competitions.listing(
            user,
            status=asked.get("status"),
            q=asked.get("q", ""),
            free=asked.get("free"),
            bots_only=asked.get("bots_only"),
            mine=bool(asked.get("mine")),
        )

    def show(self, row: Competition) -> dict[str, Any]:
        return rows.competition_row(row)

    @extend_schema(operation_id="competitions", tags=TAG, responses=outputs.CompetitionRow(many=True))
    def get(self, request: Request) -> Response:
        """List contests, the newest first: public ones, and those that one is in or hosts."""
        return super().get(request)

    @extend_schema(
        operation_id="competition_create",
        tags=TAG,
        request=inputs.CompetitionBody,
        responses={201: outputs.CompetitionDetail},
    )
    def post(self, request: Request) -> Response:
        """Make a contest (operators). It is a draft unless `open_now` is true."""
        made = drafts.competition_create(request.user, **read_body(inputs.CompetitionBody, request))
        found = competitions.find(request.user, made.pk)
        return Response(_detail(request, found), status=201, headers={"Location": f"/api/competitions/{made.pk}"})


class CompetitionDetailView(CompetitionView):
    scope = {"GET": "read", "PATCH": "trade"}

    def get_permissions(self) -> list[Any]:
        return [IsOperator() if self.request.method == "PATCH" else Public()]

    @extend_schema(operation_id="competition", tags=TAG, responses=outputs.CompetitionDetail)
    def get(self, request: Request, competition_id: UUID) -> Response:
        """Read a contest with all its rules and, for who is signed in, whether they can join and why not."""
        return etagged(request, _detail(request, self.competition()), shared=not request.user.is_authenticated)

    @extend_schema(
        operation_id="competition_change",
        tags=TAG,
        request=inputs.CompetitionPatch,
        responses=outputs.CompetitionDetail,
    )
    def patch(self, request: Request, competition_id: UUID) -> Response:
        """Change a contest's terms (operators); they freeze when the first entrant has joined."""
        found = self.competition()
        drafts.competition_update(request.user, found.pk, **read_body(inputs.CompetitionPatch, request))
        return Response(_detail(request, self.competition()))


class JoinView(CompetitionView):
    scope = "trade"

    @extend_schema(
        operation_id="competition_join",
        tags=TAG,
        request=inputs.JoinBody,
        responses={201: outputs.EntryOut, 202: outputs.SeatOut},
    )
    @keyed
    def post(self, request: Request, competition_id: UUID, *, key: str) -> Response:
        """Enter a contest, paying its tokens if it takes any: 201. With a buy-in by card a seat is held: 202, and the entry is made when
        what is at `checkout_url` has been paid. The refusal's code is the first condition that is not met.
        """
        wanted = read_body(inputs.JoinBody, request)
        if self.competition().buy_in_cents:
            return self._take_seat(request, wanted["invite_code"], key)
        return self._join(request)

    def _take_seat(self, request: Request, invite_code: str, key: str) -> Response:
        seat = seats.seat_take(
            request.user,
            self.kwargs["competition_id"],
            key=key,
            site_url=request.build_absolute_uri("/").rstrip("/"),
            invite_code=invite_code,
            country=country_of(request.META),
        )
        return Response(rows.seat_row(seat), status=202)

    @idempotent
    def _join(self, request: Request) -> Response:
        wanted = read_body(inputs.JoinBody, request)
        found, country = self.competition(), country_of(request.META)
        entry = entries.entry_join(request.user, found.pk, invite_code=wanted["invite_code"], country=country)
        entry.user = request.user
        return Response(rows.entry_row(entry), status=201)


class WithdrawView(CompetitionView):
    scope = "trade"

    @extend_schema(operation_id="competition_withdraw", tags=TAG, request=inputs.EmptyBody, responses=outputs.EntryOut)
    @idempotent
    def post(self, request: Request, competition_id: UUID) -> Response:
        """Leave a contest before it starts: what was paid comes back, tokens at once, money to the card. A seat that is only held is
        given up by closing its checkout, or by letting it end.
        """
        read_body(inputs.EmptyBody, request)
        entry = entries.entry_withdraw(request.user, self.competition().pk)
        entry.user = request.user
        return Response(rows.entry_row(entry))


class TransitionView(CompetitionView):
    permission_classes = [IsOperator]
    scope = "trade"

    @extend_schema(
        operation_id="competition_transition",
        tags=TAG,
        request=inputs.TransitionBody,
        responses=outputs.CompetitionDetail,
    )
    def post(self, request: Request, competition_id: UUID) -> Response:
        """Take a contest one step further (operators): open, start when due, complete, or cancel with a reason."""
        found = self.competition()
        wanted = read_body(inputs.TransitionBody, request)
        lifecycle.competition_transition(request.user, found.pk, wanted["to"], wanted["reason"])
        return Response(_detail(request, self.competition()))


class EntriesView(ListView, CompetitionView):
    permission_classes = [Public]
    page_key = "number"

    def rows(self) -> QuerySet[Entry]:
        return competitions.entrants(self.competition())

    def show(self, row: Entry) -> dict[str, Any]:
        return rows.entry_row(row)

    @extend_schema(operation_id="competition_entries", tags=TAG, responses=outputs.EntryOut(many=True))
    def get(self, request: Request, competition_id: UUID) -> Response:
        """List who is in a contest, in order of joining."""
        return super().get(request)


class LeaderboardView(CompetitionView):
    permission_classes = [Public]
    query_serializer = RankQuery

    @extend_schema(operation_id="competition_leaderboard", tags=TAG, responses=outputs.BoardOut)
    def get(self, request: Request, competition_id: UUID) -> Response:
        """Read the standings by place. Of a running contest the first 100 are a second old at most, the others 15 s."""
        found = self.competition()
        visibility.require_watching(request.user, found)
        place, limit = self.params["place"], self.params["limit"]
        board, total = standings.board_page(found, place=place, limit=limit)
        page = rank_page(request, board["rankings"], total=total, place=place, limit=limit, as_of=board["as_of"])
        return etagged(
            request, page, shared=found.kind == Competition.Kind.PUBLIC and not request.user.is_authenticated
        )


class ResultsView(CompetitionView):
    permission_classes = [Public]

    @extend_schema(operation_id="competition_results", tags=TAG, responses=outputs.ResultsOut)
    def get(self, request: Request, competition_id: UUID) -> Response:
        """Read how a contest ended: final equities, ranks and prizes. `final` is false during the objection window."""
        return etagged(request, results.results(self.competition()))


class ResultsCsvView(CompetitionView):
    permission_classes = [Public]

    @extend_schema(
        operation_id="competition_results_csv",
        tags=TAG,
        responses={(200, "text/csv"): OpenApiResponse(str, "The final board, the first line names the columns.")},
    )
    def get(self, request: Request, competition_id: UUID) -> HttpResponse:
        """Read the final board as CSV."""
        found = self.competition()
        return csv_answer(f"{slugify(found.slug) or 'contest'}-results.csv", list(results.csv_rows(found)))


class RoomView(CompetitionView):
    permission_classes = [Public]

    @extend_schema(operation_id="competition_room", tags=TAG, responses=outputs.RoomOut)
    def get(self, request: Request, competition_id: UUID) -> Response:
        """Read everything an arena shows at once; then join the room on the socket with the `seq` given here."""
        found = self.competition()
        snapshot = room.snapshot(request.user, found)
        return Response({"competition": rows.competition_row(found), **snapshot}, headers={"Cache-Control": "no-store"})
