"""Whoever follows a trader hears that bets open; whoever bet hears what became of it. Each once, event or no event."""

import pytest

from accounts.models import Notification
from accounts.services import social
from betting.services import notes, settlement
from betting.tests.stage import set_up
from tradingarena.tests.fresh import fresh_redis

pytestmark = pytest.mark.django_db(transaction=True)


def told(kind: str) -> dict[str, str]:
    return {row.user.username: row.text for row in Notification.objects.filter(kind=kind).select_related("user")}


def test_openings_and_results_are_told() -> None:
    fresh_redis()
    stage = set_up()
    rich, poor = list(stage.bettors)[:2]
    social.follow(stage.bettors[rich], stage.traders["tara"].user)
    market = stage.market()
    for _ in range(2):
        notes.opened((market.pk,))
    title = stage.contest.title
    assert told("followed_market_opened") == {rich: f"Bets are open on tara in {title}."}
    stage.bet(rich, "positive", 100)
    stage.bet(poor, "negative", 100)
    stage.lock_in(-1)
    stage.end(tara=11_000_000)
    settlement.settle_contest(stage.contest.pk)
    notes.sweep()
    market.refresh_from_db()
    assert notes.settled(market.pk) == 0
    heard = told("bet_settled")
    assert set(heard) == {rich, poor}
    assert f"Your bet on tara in {title} is settled: you receive " in heard[rich]
    assert heard[poor].endswith("you receive nothing for 100 tokens.")
