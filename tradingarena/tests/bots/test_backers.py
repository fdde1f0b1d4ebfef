"""The demo's backers at work on the real API: they bet where they may, and live through refusals."""

from pathlib import Path

import pytest

from arena.services.listings import listing_make
from betting.models import Bet
from betting.services.markets import markets_open
from betting.services.pauses import pause_begin
from betting.tests.stage import set_up
from competitions.tests.bots.arena import StraightClient
from competitions.tests.factories import make_entry, make_open_competition
from tradingarena import demo
from tradingarena.bots import runner as work
from tradingarena.bots.runner import Runner, read_accounts, read_backers

pytestmark = pytest.mark.django_db


def test_backers_bet_on_traders_of_contests_that_they_are_not_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "_contests", lambda bots: [])
    monkeypatch.setattr(work, "ArenaClient", StraightClient)
    demo.seed(tmp_path)
    backers = read_backers(tmp_path / "bots.json")
    runner = Runner("http://arena.test", read_accounts(tmp_path / "bots.json")[0], backers=backers, seed=1)
    stage = set_up()
    shut = make_open_competition()
    make_entry(shut, stage.bettors["ben"])
    listing_make(None, shut.pk, bets_allowed=False)
    markets_open(shut.pk)
    for _ in range(12):
        runner.backers.look_around([str(stage.contest.pk), str(shut.pk)])
    assert runner.backers.done["bets"] == Bet.objects.count() > 0
    assert set(Bet.objects.values_list("user__username", flat=True)) <= {name for name, _ in backers}
    pause_begin(stage.operator, None, "Being looked at")
    made = Bet.objects.count()
    for _ in range(12):
        runner.backers.look_around([str(stage.contest.pk)])
    assert Bet.objects.count() == made
    assert read_backers(tmp_path / "nothing.json") == []
