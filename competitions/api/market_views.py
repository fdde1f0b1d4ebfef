"""REST: instruments, quotes and candles, for everybody."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Public
from competitions.api import inputs, outputs
from competitions.selectors import market
from tradingarena.core.api import ArenaView, etagged


class InstrumentsView(ArenaView):
    permission_classes = [Public]

    @extend_schema(operation_id="instruments", tags=["market data"], responses=outputs.InstrumentOut(many=True))
    def get(self, request: Request) -> Response:
        """List the pairs that contests can trade."""
        return etagged(request, market.instruments(), max_age_s=300)


class QuotesView(ArenaView):
    permission_classes = [Public]
    query_serializer = inputs.QuotesQuery

    @extend_schema(operation_id="quotes", tags=["market data"], responses=outputs.QuotesOut)
    def get(self, request: Request) -> Response:
        """Read the newest quote of each fed pair, with its age. For a stream of them use the socket."""
        pair = self.params.get("pair")
        return Response(market.quotes([pair] if pair else None), headers={"Cache-Control": "no-store"})


class CandlesView(ArenaView):
    permission_classes = [Public]
    query_serializer = inputs.CandlesQuery

    @extend_schema(operation_id="candles", tags=["market data"], responses=outputs.CandlesOut)
    def get(self, request: Request) -> Response:
        """Read candles of one side of a pair, oldest first. A span without quotes has none."""
        asked = self.params
        page = market.candle_page(
            asked["pair"],
            asked["timeframe"],
            asked["side"],
            since=asked.get("from"),
            until=asked.get("to"),
            limit=asked["limit"],
        )
        return etagged(request, page)
