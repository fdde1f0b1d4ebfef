"""Where the payment provider tells what has happened: verified, stored, answered; the work comes afterwards.

Rules: docs/rules/payments.md#events.
"""

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Public
from tokens import tasks
from tokens.payments.stripe_gateway import gateway
from tokens.services import stripe_events
from tradingarena.core.api import ArenaView


class StripeWebhookView(ArenaView):
    permission_classes = [Public]
    authentication_classes = []  # the signature is the authentication, and there is no session to forge

    @extend_schema(
        operation_id="stripe_webhook",
        tags=["tokens"],
        request={"application/json": {"type": "object", "description": "an event, as the provider signs it"}},
        responses={200: {"type": "object", "properties": {"received": {"type": "boolean"}}}},
    )
    def post(self, request: Request) -> Response:
        """Take an event of the payment provider. Its signature is checked over the raw body."""
        raw = request._request.body
        event = gateway().read_event(raw, request.headers.get("Stripe-Signature", ""))
        with transaction.atomic():
            stripe_events.event_store(event)
            transaction.on_commit(lambda: tasks.look_at_event(event.id), robust=True)
        return Response({"received": True})
