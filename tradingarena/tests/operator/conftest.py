"""The browser, the server and the scene of the contests' own page tests; and switches that no test leaves thrown."""

from collections.abc import Iterator

import pytest

from accounts.selectors.switches import look_again
from competitions.tests.pages.conftest import browser, scene, visit, web
from tradingarena.core import redis_client, wire

__all__ = ["browser", "scene", "visit", "web"]


@pytest.fixture(autouse=True)
def _switches() -> Iterator[None]:
    look_again()
    yield
    look_again()
    redis_client.client().delete(*wire.keys_of(wire.SITE_ROOM))
