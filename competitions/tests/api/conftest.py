"""The cast is on for every test of the API here."""

import pytest

from competitions.tests.factories import Desk
from tradingarena.tests.cast import Cast


@pytest.fixture
def cast(db: None) -> Cast:
    """The people, a running contest and a market."""
    return Cast.assemble()


@pytest.fixture
def desk(cast: Cast) -> Desk:
    """An engine that decides when the test says so."""
    return Desk()
