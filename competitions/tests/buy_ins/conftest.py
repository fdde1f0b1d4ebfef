"""The payment provider for the tests of buy-ins by card."""

from tokens.tests.payments.conftest import stripe

__all__ = ["stripe"]
