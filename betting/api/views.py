"""REST: markets and odds, placing bets, one's own bets, receipts and records. Each view parses, calls one door, renders."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.countries import country_of
from accounts.permissions import Public
from accounts.selectors import user_by_name
from betting.api import inputs, outputs
from betting.models import Bet
from betting.selectors import bets, boards, history, markets, pools, receipts, records
from betting.services.bets import bet_place
from competitions.messages import when
from tradingarena.core.api import ArenaView, ListView, etagged

TAG = ["betting"]
LATEST = 50


class MarketsView(ArenaView):
    permission_classes = [Public]
    more_problems = ("403",)

    @extend_schema(operation_id="bet_markets", tags=TAG, responses=outputs.MarketsOut)
    def get(self, request: Request, competition_id: UUID) -> Response:
        """Read every market of a contest with pools and prices, one's own bets, and why one cannot bet, if so."""
        competition = markets.contest_of(request.user, competition_id)
        board = boards.board(request.user, competition, country_of(request.META))
        return Response(
            {
                "competition_id": str(competition.pk),
                "room": board.head,
                "now": when(board.now),
                "min_stake_tokens": board.listing.min_stake_tokens if board.listing else 0,
                "max_stake_tokens": board.listing.max_stake_tokens if board.listing else 0,
                "balance_tokens": board.balance_tokens,
                "reasons": outputs.reason_rows(board.reasons),
                "markets": [outputs.market_row(one) for one in board.markets],
            }
        )


class HistoryView(ArenaView):
    permission_classes = [Public]
    more_problems = ("403",)

    @extend_schema(operation_id="bet_history", tags=TAG, responses=outputs.BetHistoryOut)
    def get(self, request: Request, competition_id: UUID) -> Response:
        """Read how the pools of a contest's markets grew over time."""
        competition = markets.contest_of(request.user, competition_id)
        found = [one.market.pk for one in markets.of_contest(request.user, competition)]
        return etagged(request, {"competition_id": str(competition.pk), "lines": history.histories(found)})


class BetsView(ListView):
    scope = {"GET": "read", "POST": "bet"}
    query_serializer = inputs.BetsQuery
    more_problems = ("404",)
    page_key = "-placed_at"

    def rows(self) -> QuerySet[Bet]:
        status = self.params.get("status")
        return bets.own(self.request.user.pk, settled=None if status is None else status == "settled")

    def show(self, row: Bet) -> Any:
        return row

    @extend_schema(operation_id="bets", tags=TAG, responses=outputs.BetOut(many=True))
    def get(self, request: Request) -> Response:
        """List one's own bets, the latest first, with what each would receive or has received."""
        response = super().get(request)
        rows: list[Bet] = response.data["results"]
        summed = pools.of_lines({bet.line_id for bet in rows})
        response.data["results"] = [outputs.bet_row(bet, summed) for bet in rows]
        return response

    @extend_schema(operation_id="bet_place", tags=TAG, request=inputs.BetBody, responses={201: outputs.PlacedOut})
    def post(self, request: Request) -> Response:
        """Bet on a trader. The stake is taken at once; the same `id` again is the same bet."""
        body = inputs.BetBody(data=request.data)
        body.is_valid(raise_exception=True)
        placed = bet_place(request.user, country=country_of(request.META), **body.validated_data)
        response = Response(outputs.placed_row(placed), status=201)
        if placed.replayed:
            response["Idempotent-Replayed"] = "true"
        return response


class BetView(ArenaView):
    @extend_schema(operation_id="bet", tags=TAG, responses=outputs.BetOut)
    def get(self, request: Request, bet_id: UUID) -> Response:
        """Read one of one's own bets."""
        bet = bets.own_bet(request.user.pk, bet_id)
        return Response(outputs.bet_row(bet, pools.of_lines([bet.line_id])))


class ReceiptView(ArenaView):
    permission_classes = [Public]
    more_problems = ("403", "409")

    @extend_schema(operation_id="bet_receipt", tags=TAG, responses=outputs.SettlementReceiptOut)
    def get(self, request: Request, market_id: UUID) -> Response:
        """Read the receipt of a market that is settled or void: every stake, weight and payout, to be computed again."""
        return etagged(request, receipts.market_receipt(request.user, market_id), shared=False)


class TraderView(ArenaView):
    permission_classes = [Public]

    @extend_schema(operation_id="bet_trader", tags=TAG, responses=outputs.BetBehindRecordOut)
    def get(self, request: Request, username: str) -> Response:
        """Read a trader's bet-behind record: how often they beat each line, in public contests."""
        trader = user_by_name(username).user
        found = records.markets_on(trader.pk)[:LATEST]
        return Response(
            {
                "trader": {"user_id": str(trader.pk), "username": trader.username},
                **records.trader_record(trader.pk),
                "results": [outputs.trader_market_row(market) for market in found],
            }
        )


class RecordView(ArenaView):
    @extend_schema(operation_id="bet_record", tags=TAG, responses=outputs.BettorRecordOut)
    def get(self, request: Request) -> Response:
        """Read one's own record as a bettor: hit rate, return, and how well the pools' estimates held."""
        return Response(records.bettor_record(request.user.pk))
