"""No quotes on the bus but those that a test sends: terms are judged by which pairs are quoted."""

import pytest

from competitions.marketdata.bus import QuoteBus


@pytest.fixture(autouse=True)
def quiet_bus() -> None:
    """Forget what other tests have quoted."""
    QuoteBus().clear()
