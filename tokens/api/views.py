"""REST views of tokens: each parses, calls one door or selector, and renders."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.countries import country_of
from accounts.permissions import Public
from tokens.api import shapes
from tokens.models import Leg, Payment
from tokens.models.payments import CURRENCY
from tokens.payments.stripe_gateway import is_on
from tokens.selectors import wallet
from tokens.services import checkout, payments
from tradingarena.core.api import ArenaView, ListView, keyed

TAG = ["tokens"]


class WalletView(ArenaView):
    @extend_schema(operation_id="wallet", tags=TAG, responses=shapes.WalletOut)
    def get(self, request: Request) -> Response:
        """Read one's own wallet."""
        return Response(wallet.wallet_of(request.user.pk))


class HistoryView(ListView):
    query_serializer = shapes.HistoryQuery
    page_key = "-number"

    def rows(self) -> QuerySet[Leg]:
        asked = self.params
        which = wallet.StatementFilter(
            kinds=[asked["kind"]] if asked.get("kind") else [],
            way=asked.get("way", ""),
            start=asked.get("from"),
            end=asked.get("to"),
        )
        return wallet.statement(self.request.user.pk, which)

    def show(self, row: Leg) -> Any:
        return row

    @extend_schema(operation_id="wallet_history", tags=TAG, responses=shapes.StatementOut(many=True))
    def get(self, request: Request) -> Response:
        """List what moved on one's own wallet, the newest first, with the balance after each."""
        response = super().get(request)
        response.data["results"] = wallet.statement_rows(response.data["results"])
        return response


class PackagesView(ArenaView):
    permission_classes = [Public]

    @extend_schema(operation_id="token_packages", tags=TAG, responses=shapes.PackagesOut)
    def get(self, request: Request) -> Response:
        """List the packages of tokens that are sold."""
        rows = shapes.PackageOut(wallet.packages(), many=True).data
        told = {"currency": CURRENCY, "payments_on": is_on(), "play_money": settings.STRIPE_STAND_IN}
        return Response({**told, "packages": rows})


class CheckoutView(ArenaView):
    scope = "bet"

    @extend_schema(operation_id="checkout", tags=TAG, request=shapes.CheckoutIn, responses={201: shapes.CheckoutOut})
    @keyed
    def post(self, request: Request, *, key: str) -> Response:
        """Begin to buy a package: send the buyer to `checkout_url`. Tokens come when the payment has arrived."""
        reader = shapes.CheckoutIn(data=request.data)
        reader.is_valid(raise_exception=True)
        site_url = request.build_absolute_uri("/").rstrip("/")
        payment = checkout.checkout_start(
            request.user,
            reader.validated_data["package"],
            key=key,
            site_url=site_url,
            country=country_of(request.META),
        )
        return Response(shapes.CheckoutOut(payment).data, status=201)


class ConfirmView(ArenaView):
    scope = "bet"

    @extend_schema(operation_id="checkout_confirm", tags=TAG, request=shapes.ConfirmIn, responses=shapes.PaymentOut)
    def post(self, request: Request) -> Response:
        """Look at a payment now, as the return page does. It asks the provider and never credits by itself."""
        reader = shapes.ConfirmIn(data=request.data)
        reader.is_valid(raise_exception=True)
        payment = wallet.payment_by(request.user.pk, **reader.validated_data)
        payments.payment_settle(payment.pk)
        return Response(shapes.PaymentOut(wallet.payment_of(request.user.pk, payment.pk)).data)


class PaymentsView(ListView):
    def rows(self) -> QuerySet[Payment]:
        return wallet.payments_of(self.request.user.pk)

    def show(self, row: Payment) -> Any:
        return shapes.PaymentOut(row).data

    @extend_schema(operation_id="payments", tags=TAG, responses=shapes.PaymentOut(many=True))
    def get(self, request: Request) -> Response:
        """List one's own card payments, the newest first."""
        return super().get(request)


class PaymentView(ArenaView):
    @extend_schema(operation_id="payment", tags=TAG, responses=shapes.PaymentOut)
    def get(self, request: Request, payment_id: UUID) -> Response:
        """Read one of one's own card payments as we know it."""
        return Response(shapes.PaymentOut(wallet.payment_of(request.user.pk, payment_id)).data)
