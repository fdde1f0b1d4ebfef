"""The browser, the server, and a running contest with markets and two people who bet."""

from dataclasses import dataclass

import pytest

from accounts.models import User
from arena.services.listings import listing_make
from betting.models import Market
from betting.services.markets import markets_open
from competitions.models import Competition
from competitions.tests.factories import make_user
from competitions.tests.pages.conftest import Scene, browser, scene, visit, web
from tokens.tests.ledger.book import give

__all__ = ["browser", "scene", "visit", "web"]


@dataclass
class Bets:
    """A contest that runs, the market on alice, and two bettors with tokens."""

    scene: Scene
    carol: User
    dora: User

    @property
    def contest(self) -> Competition:
        return self.scene.running

    def market(self, name: str = "alice") -> Market:
        """Read the market on somebody."""
        return Market.objects.get(competition=self.contest, trader__username=name)


@pytest.fixture
def bets(scene: Scene) -> Bets:
    listing_make(None, scene.running.pk)
    markets_open(scene.running.pk)
    found = Bets(scene, scene.cast.carol, make_user("dora"))
    give(found.carol.pk, 1_000)
    give(found.dora.pk, 1_000)
    return found
