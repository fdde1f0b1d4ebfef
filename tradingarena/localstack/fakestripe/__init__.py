"""A local server that speaks Stripe's protocol: REST, a hosted payment page, signed webhooks. For development and tests.

No app imports it. What it speaks, its buttons and its control API: docs/payments-stand-in.md.
"""

from tradingarena.localstack.fakestripe.errors import ApiError
from tradingarena.localstack.fakestripe.faults import Fault, FaultError
from tradingarena.localstack.fakestripe.server import DEFAULT_KEY, DEFAULT_SECRET, FakeStripe
from tradingarena.localstack.fakestripe.store import StoreError

__all__ = ["DEFAULT_KEY", "DEFAULT_SECRET", "ApiError", "FakeStripe", "Fault", "FaultError", "StoreError"]
