"""REST: orders, positions, fills, deals, trades and equity of one entry. Each view parses, calls one door, renders."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Public
from competitions import messages
from competitions.api import inputs, outputs
from competitions.api.base import CompetitionView, applied, csv_answer, read_body, wait_for_amendment, wait_s
from competitions.models import Deal, Entry, Fill, Order, Trade
from competitions.selectors import hindsight, journal, standings, trading
from competitions.selectors.visibility import EVERYTHING, Sight, entry_for, own_entry
from competitions.services import orders
from tradingarena.core.api import ListView
from tradingarena.core.errors import Malformed
from tradingarena.core.idempotency import KeyMissing, KeyReused
from tradingarena.core.ids import derived_id

TAG = ["trading"]
PREFER = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    description="`wait=3`: answer when the engine has decided, at the latest after 3 s",
)


class TradingView(CompetitionView):
    """A view of the asker's own entry."""

    scope = {"GET": "read", "POST": "trade", "PATCH": "trade", "DELETE": "trade"}

    def own_entry(self) -> Entry:
        """Find the asker's own entry.

        Raises: NotFound `no_entry`.
        """
        return own_entry(self.request.user, self.kwargs["competition_id"])

    def entry(self) -> tuple[Entry, Sight]:
        """Find whose rows are asked for (one's own without `entry_id`), and how many of them may be seen.

        Raises: NotFound: no such contest or entry; `no_entry`: none is named, and one has none.
        """
        named = self.params.get("entry_id")
        if named is None:
            return self.own_entry(), EVERYTHING
        return entry_for(self.request.user, self.competition(), named)


class SeenList(ListView, TradingView):
    """A list of one entry's rows: one's own, or what may be seen of another's."""

    permission_classes = [Public]
    query_serializer = inputs.EntryPageQuery
    page_key = "-number"


class OrdersView(ListView, TradingView):
    query_serializer = inputs.OrdersQuery
    page_key = "-seq"

    def rows(self) -> QuerySet[Order]:
        status, pair = self.params.get("status"), self.params.get("pair", "")
        found = trading.orders(self.own_entry(), open_only=status == "open", pair=pair)
        return found if status in {None, "open"} else found.filter(status=status)

    def show(self, row: Order) -> dict[str, Any]:
        return messages.order(row)

    @extend_schema(operation_id="orders", tags=TAG, responses=outputs.OrderOut(many=True))
    def get(self, request: Request, competition_id: UUID) -> Response:
        """List one's own orders, the newest first."""
        return super().get(request)

    @extend_schema(
        operation_id="order_place",
        tags=TAG,
        parameters=[PREFER],
        request=inputs.OrderBody,
        responses={201: outputs.OrderOut},
    )
    def post(self, request: Request, competition_id: UUID) -> Response:
        """Place an order. It is `accepted` at once and decided by the engine; the same `id` again is the same order."""
        order, created = orders.order_place(request.user, competition_id, **read_body(inputs.OrderBody, request))
        return _order_made(request, order, created=created)


class OrderView(TradingView):
    @extend_schema(operation_id="order", tags=TAG, responses=outputs.OrderOut)
    def get(self, request: Request, competition_id: UUID, order_id: UUID) -> Response:
        """Read one of one's own orders."""
        return Response(messages.order(trading.order(self.own_entry(), order_id)))

    @extend_schema(
        operation_id="order_change",
        tags=TAG,
        parameters=[PREFER],
        request=inputs.OrderPatch,
        responses={200: outputs.OrderOut, 202: outputs.OrderOut},
    )
    def patch(self, request: Request, competition_id: UUID, order_id: UUID) -> Response:
        """Change a pending order: 200 when the engine has done it, 202 while it has not."""
        wanted = _something(read_body(inputs.OrderPatch, request))
        entry = self.own_entry()
        orders.order_modify(request.user, entry.competition_id, order_id, **wanted)
        return self._amended(request, entry, order_id)

    @extend_schema(
        operation_id="order_cancel",
        tags=TAG,
        parameters=[PREFER],
        request=None,
        responses={200: outputs.OrderOut, 202: outputs.OrderOut},
    )
    def delete(self, request: Request, competition_id: UUID, order_id: UUID) -> Response:
        """Cancel a pending order: 200 when the engine has done it, 202 while it has not."""
        entry = self.own_entry()
        orders.order_cancel(request.user, entry.competition_id, order_id)
        return self._amended(request, entry, order_id)

    def _amended(self, request: Request, entry: Entry, order_id: UUID) -> Response:
        done = wait_for_amendment(request, order=order_id)
        order = trading.order(entry, order_id)
        return applied(Response(messages.order(order), status=200 if done else 202), wait_s(request))


class PositionsView(TradingView):
    permission_classes = [Public]
    query_serializer = inputs.EntryQuery

    @extend_schema(operation_id="positions", tags=TAG, responses=outputs.PositionsOut)
    def get(self, request: Request, competition_id: UUID) -> Response:
        """List open positions: one's own with their value now, or another's as far as they may be seen."""
        entry, seen = self.entry()
        if entry.user_id == request.user.pk:
            found: list[Any] = standings.account(entry)["positions"]
        else:
            found = list(trading.positions(entry, seen))
        return Response({"next": None, "previous": None, "results": found})


class PositionView(TradingView):
    @extend_schema(
        operation_id="position_protect",
        tags=TAG,
        parameters=[PREFER],
        request=inputs.ProtectionPatch,
        responses={200: outputs.PositionOut, 202: outputs.PositionOut},
    )
    def patch(self, request: Request, competition_id: UUID, position_id: UUID) -> Response:
        """Set a position's stop-loss and take-profit: 200 when the engine has done it, 202 while it has not."""
        wanted = _something(read_body(inputs.ProtectionPatch, request))
        entry = self.own_entry()
        held = trading.position(entry, position_id)
        now = {"stop_loss": held.stop_loss, "take_profit": held.take_profit}
        orders.position_protect(request.user, entry.competition_id, position_id, **(now | wanted))
        done = wait_for_amendment(request, position=position_id)
        held.refresh_from_db()
        return applied(Response(messages.position_of(held), status=200 if done else 202), wait_s(request))


class PositionCloseView(TradingView):
    @extend_schema(
        operation_id="position_close",
        tags=TAG,
        parameters=[
            PREFER,
            OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, description="instead of `id`"),
        ],
        request=inputs.CloseBody,
        responses={201: outputs.OrderOut},
    )
    def post(self, request: Request, competition_id: UUID, position_id: UUID) -> Response:
        """Close a position, or `units` of it, at the market. Send the closing order's `id` or an Idempotency-Key."""
        wanted = read_body(inputs.CloseBody, request)
        key = request.headers.get("Idempotency-Key", "")
        if "id" not in wanted and not (key and key.isascii() and key.isprintable() and len(key) <= 255):
            raise KeyMissing
        order_id = wanted.get("id") or derived_id(request.user.pk, f"close:{position_id}:{key}")
        order, created = orders.position_close(
            request.user, competition_id, position_id, units=wanted["units"], id=order_id
        )
        if not created and wanted["units"] not in {None, order.units}:
            raise KeyReused
        return _order_made(request, order, created=created)


class FillsView(SeenList):
    def rows(self) -> QuerySet[Fill]:
        return trading.fills(*self.entry())

    def show(self, row: Fill) -> dict[str, Any]:
        return messages.fill(row)

    @extend_schema(operation_id="fills", tags=TAG, responses=outputs.FillOut(many=True))
    def get(self, request: Request, competition_id: UUID) -> Response:
        """List an entry's fills with their evidence, the newest first."""
        return super().get(request)


class DealsView(SeenList):
    def rows(self) -> QuerySet[Deal]:
        return trading.deals(*self.entry())

    def show(self, row: Deal) -> dict[str, Any]:
        return messages.deal(row)

    @extend_schema(operation_id="deals", tags=TAG, responses=outputs.DealOut(many=True))
    def get(self, request: Request, competition_id: UUID) -> Response:
        """List an entry's deals with the conversion rates used, the newest first."""
        return super().get(request)


class TradesView(SeenList):
    page_key = "-id"

    def rows(self) -> QuerySet[Trade]:
        entry, self.seen = self.entry()
        return trading.trades(entry, self.seen)

    def show(self, row: Trade) -> dict[str, Any]:
        return messages.trade(hindsight.trade_at(row, self.seen.until))

    @extend_schema(operation_id="trades", tags=TAG, responses=outputs.TradeOut(many=True))
    def get(self, request: Request, competition_id: UUID) -> Response:
        """List an entry's trades, each from flat to flat."""
        return super().get(request)


class EquityView(TradingView):
    permission_classes = [Public]
    query_serializer = inputs.EquityQuery

    @extend_schema(operation_id="equity", tags=TAG, responses=outputs.EquityOut)
    def get(self, request: Request, competition_id: UUID) -> Response:
        """Read the stored curve of an entry's equity, oldest first."""
        entry, _ = self.entry()
        curve = trading.equity_curve(entry, points=self.params["points"])
        points = [{"at": messages.when(at), "equity_cents": cents} for at, cents in curve]
        return Response({"entry_id": str(entry.pk), "points": points})


class StatisticsView(TradingView):
    permission_classes = [Public]
    query_serializer = inputs.EntryQuery

    @extend_schema(operation_id="statistics", tags=TAG, responses=outputs.StatisticsOut)
    def get(self, request: Request, competition_id: UUID) -> Response:
        """Read what an entry's closed trades amount to, as far as they may be seen."""
        return Response(journal.summary(*self.entry()))


class TradesCsvView(TradingView):
    permission_classes = [Public]
    query_serializer = inputs.EntryQuery

    @extend_schema(
        operation_id="trades_csv",
        tags=TAG,
        responses={(200, "text/csv"): OpenApiResponse(str, "Closed trades, the first line names the columns.")},
    )
    def get(self, request: Request, competition_id: UUID) -> HttpResponse:
        """Read an entry's closed trades as CSV, oldest first, as far as they may be seen."""
        return csv_answer(f"trades-{self.kwargs['competition_id']}.csv", journal.csv_rows(*self.entry()))


def _order_made(request: Request, order: Order, *, created: bool) -> Response:
    waited_s = wait_s(request)
    if waited_s:
        order = orders.wait_for_decision(order.pk, waited_s)
    response = Response(messages.order(order), status=201)
    response["Location"] = f"/api/competitions/{order.competition_id}/orders/{order.pk}"
    if not created:
        response["Idempotent-Replayed"] = "true"
    return applied(response, waited_s)


def _something(wanted: dict[str, Any]) -> dict[str, Any]:
    if not wanted:
        raise Malformed("Send at least one field to change.", code="nothing_to_change")
    return wanted
