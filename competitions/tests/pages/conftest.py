"""A browser, a server and something to look at."""

import pytest

from competitions.tests.pages.scene import Scene, set_up
from tradingarena.tests.browsing import PHONE, WIDE, Visit, browser, visit
from tradingarena.tests.live import web

__all__ = ["PHONE", "WIDE", "Visit", "browser", "visit", "web"]


@pytest.fixture
def scene(transactional_db: None) -> Scene:
    return set_up()
