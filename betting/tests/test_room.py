"""What the room hears is as documented, at most once a second and market, and a snapshot with what follows is a fresh snapshot."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from arena.services.listings import listing_change
from betting import broadcast, messages
from betting.models import Bet, Line, Market
from betting.routing import join_market
from betting.rules.lines import Side
from betting.rules.odds import Pool, Pools
from betting.rules.parimutuel import Stake, settle_line
from betting.rules.verdicts import Refund
from betting.selectors import boards
from betting.services import markets, telling
from betting.services.refusals import MarketClosed
from betting.services.settlement import settle_what_is_due
from betting.tests.stage import set_up
from competitions.models import Competition
from competitions.services.lifecycle import close_early
from tradingarena.core import realtime
from tradingarena.core.errors import DomainError, Malformed
from tradingarena.core.realtime import Fact
from tradingarena.tests.asyncapi import assert_frame, sent
from tradingarena.tests.fresh import fresh_redis

NOW = datetime(2026, 1, 7, 12, 30, tzinfo=UTC)
CONTEST, PERSON = uuid4(), uuid4()
MARKET = Market(id=uuid4(), competition_id=CONTEST, status="open", rake_bps=500, locks_at=NOW, starts_at=NOW)
LINE = Line(id=uuid4(), market=MARKET, threshold_bps=250)
PLAN = settle_line([Stake(Side.ABOVE, 10, 10_000), Stake(Side.BELOW, 10, 5_000)], Side.ABOVE, rake_bps=500)
BACK = settle_line([Stake(Side.ABOVE, 10, 10_000)], None, rake_bps=500)
SAID = [
    broadcast.odds(CONTEST, messages.odds(MARKET, [messages.line_row(LINE, Pools(), 500)])),
    broadcast.odds(
        CONTEST, messages.odds(MARKET, [messages.line_row(LINE, Pools(Pool(10, 10**5, 1), Pool(9, 9, 1)), 0)])
    ),
    broadcast.bet(CONTEST, MARKET.pk, PERSON, "beat_2.5_pct", 10, NOW),
    broadcast.own_bet(PERSON, MARKET.pk, uuid4(), "negative", 10, NOW),
    broadcast.changed(CONTEST, MARKET.pk, "open"),
    broadcast.changed(CONTEST, MARKET.pk, "locked"),
    broadcast.changed(CONTEST, MARKET.pk, "settling"),
    broadcast.closed(Market(id=uuid4(), competition_id=CONTEST, status="settled"), [(LINE, PLAN, None)]),
    broadcast.closed(
        Market(id=uuid4(), competition_id=CONTEST, status="void", void_reason="operator", note="Why"),
        [(LINE, BACK, Refund.OPERATOR)],
    ),
]


@pytest.mark.parametrize("message", SAID, ids=lambda message: message.type)
def test_what_the_room_hears_is_as_documented(message: Fact) -> None:
    frame = sent(message)
    assert_frame(frame)
    assert "seq" in frame


def test_a_join_names_a_contest_or_a_market() -> None:
    for frame in ({"competition_id": str(CONTEST)}, {"market_id": str(CONTEST), "since": 3, "epoch": ""}):
        assert_frame({"type": "join_market", "id": "1", **frame}, action="receive")
    with pytest.raises(AssertionError):
        assert_frame({"type": "join_market"}, action="receive")


def frames(room: str, since: dict[str, Any]) -> list[dict[str, Any]]:
    found = realtime.replay(room, since["seq"], since["epoch"])
    assert found != "resync"
    return [orjson.loads(one) for one in found]


def shown(stage: Any, viewer: Any) -> dict[str, Any]:
    """Say what a page knows of each market."""
    board = boards.board(viewer, stage.contest)
    return {
        str(one.market.pk): {
            "status": one.market.status,
            "lines": [messages.line_row(line, pools, one.market.rake_bps) for line, pools in one.lines],
        }
        for one in board.markets
    }


def apply(known: dict[str, Any], frame: dict[str, Any]) -> None:
    assert_frame(frame)
    data = frame["data"]
    market = known.setdefault(data["market_id"], {})
    if frame["type"] != "bet_placed":
        market["status"] = data["status"]
    if frame["type"] == "odds_update":
        market["lines"] = data["lines"]


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_and_what_follows_is_a_fresh_snapshot() -> None:
    fresh_redis()
    stage = set_up(traders=("tara", "tom"))
    room, nobody = messages.bets_room(stage.contest.pk), AnonymousUser()
    head = boards.board(nobody, stage.contest).head
    known = shown(stage, nobody)
    first = [stage.bet("ben", trader="tara").id, stage.bet("bea", "negative", trader="tara").id]
    second = [stage.bet("ben", "beat_5_pct", trader="tom").id]
    told = telling.tell({stage.market("tara").pk: first, stage.market("tom").pk: second})
    assert len(told) == 2
    stage.lock_in(-1)
    markets.lock_what_is_due()
    stage.end(tara=10_100_000, tom=None)
    settle_what_is_due()
    heard = frames(room, head)
    assert [frame["type"] for frame in heard] == [
        *["bet_placed"] * 3, *["odds_update"] * 2, *["market_locked"] * 2, *["market_update"] * 2, *["market_settled"] * 2,
    ]  # fmt: skip
    for frame in heard:
        apply(known, frame)
    assert known == shown(stage, nobody)
    assert {one["status"] for one in known.values()} == {"settled", "void"}
    assert str(stage.bettors["ben"].pk) not in str(heard)


@pytest.mark.django_db(transaction=True)
def test_odds_are_told_once_a_second_and_what_waits_is_told_later() -> None:
    fresh_redis()
    stage = set_up()
    market_id, bet_id = stage.market().pk, stage.bet("ben").id
    assert telling.tell({market_id: [bet_id]}) == {market_id}
    assert telling.tell({market_id: [bet_id]}) == set()
    teller = telling.Teller()
    teller.put_back({market_id: [bet_id]}, set())
    assert teller.waiting == {market_id: [bet_id]}
    assert Bet.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_room_is_for_who_may_watch() -> None:
    stage = set_up()
    room = messages.bets_room(stage.contest.pk)
    assert list(join_market(None, {"competition_id": str(stage.contest.pk)}).rooms) == [room]
    assert list(join_market(stage.bettors["ben"], {"market_id": str(stage.market().pk)}).rooms) == [room]
    for payload in ({}, {"competition_id": str(CONTEST), "market_id": str(CONTEST)}):
        with pytest.raises(Malformed):
            join_market(None, payload)
    listing_change(stage.operator, stage.listing.pk, mode="closed")
    with pytest.raises(DomainError, match="not open"):
        join_market(None, {"market_id": str(stage.market().pk)})


@pytest.mark.django_db(transaction=True)
def test_markets_are_locked_when_an_operator_closes_the_contest_early() -> None:
    stage = set_up()
    stage.bet("ben")
    now = timezone.now()
    times = {"starts_at": now - timedelta(minutes=1), "ends_at": now + timedelta(hours=1)}
    Competition.objects.filter(pk=stage.contest.pk).update(status="running", planned_ends_at=times["ends_at"], **times)
    close_early(stage.operator, stage.contest.pk, "The venue closes")
    assert stage.market().status == "locked"
    with pytest.raises(MarketClosed):
        stage.bet("bea", "negative")
    Market.objects.update(status="open")  # as when the event was lost: the sweep finds it
    assert markets.lock_what_is_due() == 1
