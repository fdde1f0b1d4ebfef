"""Bots at work on the real API: they join, look, trade, host, and live through refusals."""

import json
import random
import stat
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from competitions.models import Competition, Entry, Order
from competitions.services.lifecycle import advance
from competitions.tests.bots.arena import StraightClient
from competitions.tests.lifecycle.world import contest, make_due
from competitions.tests.stage import Market as Bus
from tradingarena import demo
from tradingarena.bots import runner as work
from tradingarena.bots.hosting import DAILY, SERIES, SPRINT, host
from tradingarena.bots.runner import Misconfigured, Runner, read_accounts
from tradingarena.bots.strategies import STRATEGIES
from tradingarena.core.clock import database_now, to_ms
from tradingarena.core.errors import DomainError

pytestmark = pytest.mark.django_db
URL = "http://arena.test"


@pytest.fixture(autouse=True)
def quiet_bus():
    """No quotes but those that a test sends, and none left for others."""
    Bus()
    yield
    Bus()


@pytest.fixture
def world(tmp_path, monkeypatch):
    """The demo's accounts without its contests, and a runner that goes straight into Django."""
    monkeypatch.setattr(demo, "_contests", lambda bots: [])
    monkeypatch.setattr(work, "ArenaClient", StraightClient)
    demo.seed(tmp_path)
    return tmp_path


@pytest.fixture
def bots(world):
    accounts, host_token = read_accounts(world / "bots.json")
    return Runner(URL, accounts, host_token=None, seed=7), host_token


@pytest.fixture
def prices():
    """Fresh quotes on the bus; the same for the bots' eyes."""
    bus, now = Bus(), to_ms(database_now())
    for pair, bid, ask in (
        ("EUR/USD", "1.08500", "1.08510"),
        ("USD/JPY", "150.000", "150.010"),
        ("GBP/USD", "1.27000", "1.27010"),
    ):
        bus.send(bus.quote(0, pair, bid, ask)._replace(time_ms=now, received_ms=now))
    return [
        {"data": {"pair": "EUR/USD", "bid": f"1.08{520 + step}", "ask": f"1.08{530 + step}", "stale": False}}
        for step in range(130)
    ]


def _see(runner: Runner, frames) -> None:
    for number, frame in enumerate(frames):
        runner.market.quote(frame["data"], float(number))
    last = {"pair": "EUR/USD", "bid": "1.08500", "ask": "1.08510", "stale": False}
    runner.market.quote(last, 1e6)


def test_most_bots_join_an_open_contest_once(bots):
    runner, _ = bots
    made = contest(kind="public")
    runner.look_around()
    runner.look_around()
    joined = made.entries.count()
    assert joined == runner.done["joined"]
    assert 6 <= joined <= 12


def test_bots_leave_paid_private_and_botless_contests_alone(bots):
    runner, _ = bots
    contest(title="Paid", buy_in_cents=100, prize_split_bps=[10_000])
    contest(title="Private", kind="private", invite_code="abcd-efgh")
    contest(title="People only", bots_allowed=False)
    runner.look_around()
    assert not Entry.objects.exists()


def test_every_strategy_gets_its_orders_accepted(bots, prices):
    runner, _ = bots
    made = contest(pairs=["EUR/USD"], quote_stale_ms=600_000)
    runner.look_around()
    for bot in runner.bots:
        if not made.entries.filter(user__username=bot.account.username).exists():
            bot.client.join(str(made.pk))
    make_due(made)
    advance()
    runner.look_around()
    _see(runner, prices)
    assert all(set(bot.seats) == {str(made.pk)} for bot in runner.bots)
    for bot in runner.bots:
        for _ in range(3):
            runner._act(bot, str(made.pk), bot.seats[str(made.pk)])
    placed = {order.entry.user.username for order in Order.objects.select_related("entry__user")}
    strategies = {bot.account.strategy for bot in runner.bots if bot.account.username in placed}
    assert strategies == set(STRATEGIES)


def test_a_bot_whose_contest_is_over_gets_up(bots, prices):
    runner, _ = bots
    made = contest(pairs=["EUR/USD"])
    runner.look_around()
    make_due(made)
    advance()
    runner.look_around()
    _see(runner, prices)
    Competition.objects.filter(pk=made.pk).update(status="settling")
    runner.look_around()
    assert not any(bot.seats for bot in runner.bots)
    assert runner.contests == {}


def test_without_fresh_prices_nobody_trades(bots, prices):
    runner, _ = bots
    made = contest(pairs=["EUR/USD"])
    runner.look_around()
    make_due(made)
    advance()
    runner.look_around()
    _see(runner, prices)
    runner.market.silence()
    for bot in runner.bots:
        if bot.seats:
            runner._act(bot, str(made.pk), bot.seats[str(made.pk)])
    assert not Order.objects.exists()


def test_the_host_keeps_the_next_contest_of_every_series_open(bots):
    _, token = bots
    # tomorrow at nine: a quarter later no other series has a start of its own, whatever time it is now
    now = datetime.now(UTC).replace(hour=9, minute=1) + timedelta(days=1)
    client = StraightClient(URL, token)
    made = list(host(client, now))
    assert [title.rsplit(" ", 3)[0] for title in made] == [series.title for series in SERIES]
    assert list(host(client, now)) == []
    assert list(host(client, now + timedelta(minutes=15))) == [
        SPRINT.wanted(now + timedelta(minutes=15), lead=timedelta(seconds=20))["title"]
    ]
    assert set(Competition.objects.values_list("status", flat=True)) == {"open"}


def test_starts_of_a_series_lie_on_its_grid():
    moment = datetime(2026, 3, 2, 11, 59, 59, tzinfo=UTC)
    assert SPRINT.next_start(moment) == datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    assert SPRINT.next_start(datetime(2026, 3, 2, 12, 0, tzinfo=UTC)) == datetime(2026, 3, 2, 12, 15, tzinfo=UTC)
    assert DAILY.next_start(moment) == datetime(2026, 3, 3, tzinfo=UTC)


def test_dice_with_a_seed_fall_the_same_way(world):
    accounts, _ = read_accounts(world / "bots.json")
    rolls = [[bot.dice.random() for bot in Runner(URL, accounts, seed=3).bots] for _ in range(2)]
    assert rolls[0] == rolls[1]
    assert len(set(rolls[0])) == len(accounts)
    assert isinstance(Runner(URL, accounts).bots[0].dice, random.Random)


BROKEN = [
    ("{", "cannot be read"),
    ("[]", "cannot be read"),
    ('{"bots": [{"username": "a"}]}', "cannot be read"),
    ('{"bots": []}', "lists no bots"),
    ('{"bots": [{"username": "a", "strategy": "magic", "token": "t"}]}', "magic"),
]


@pytest.mark.parametrize(("text", "complaint"), BROKEN)
def test_a_broken_file_of_bots_is_explained(tmp_path, text, complaint):
    path = tmp_path / "bots.json"
    path.write_text(text)
    with pytest.raises(Misconfigured, match=complaint):
        read_accounts(path)
    with pytest.raises(CommandError, match=complaint):
        call_command("run_bots", "--file", str(path))


def test_the_command_says_where_the_accounts_come_from(tmp_path):
    with pytest.raises(CommandError, match="seed_demo"):
        call_command("run_bots", "--file", str(tmp_path / "none.json"))


def test_the_command_refuses_an_address_that_is_none(world):
    with pytest.raises(CommandError, match="must look like"):
        call_command("run_bots", "--file", str(world / "bots.json"), "--url", "nowhere")
    with pytest.raises(CommandError, match="from 1"):
        call_command("run_bots", "--file", str(world / "bots.json"), "--most", "0")


def test_a_demo_is_seeded_once_and_completed_later(tmp_path):
    first = demo.seed(tmp_path)
    files = {name: (tmp_path / name).read_text() for name in ("bots.json", "demo.json")}
    second = demo.seed(tmp_path)
    assert second.password == first.password
    assert second.contests_made == []
    assert files == {name: (tmp_path / name).read_text() for name in files}
    assert all(stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600 for name in files)
    peopled = Competition.objects.get(title=demo.OPENING)
    assert peopled.entries.count() == len(demo.BOTS)
    assert {contest.status for contest in Competition.objects.all()} == {"open"}
    (tmp_path / "bots.json").unlink()
    demo.seed(tmp_path)
    lost = json.loads(files["bots.json"])["bots"][0]["token"]
    assert (
        StraightClient(URL, json.loads((tmp_path / "bots.json").read_text())["bots"][0]["token"]).me()["username"]
        == "Tidewater"
    )
    with pytest.raises(Exception, match="401"):
        StraightClient(URL, lost).me()


def test_no_demo_is_made_where_real_people_may_be(tmp_path, settings):
    settings.SETTINGS_MODULE = "tradingarena.settings.production"
    with pytest.raises(demo.NotHere):
        demo.seed(tmp_path)
    with pytest.raises(CommandError, match="local settings"):
        call_command("seed_demo")
    assert list(tmp_path.iterdir()) == []


def test_a_banned_bot_stays_away_and_the_demo_stands(tmp_path, monkeypatch):
    def refuse(user, competition_id, **_):
        raise DomainError

    monkeypatch.setattr(demo, "entry_join", refuse)
    assert demo.OPENING in demo.seed(tmp_path).contests_made
    assert not Entry.objects.exists()


def test_a_demo_lists_only_pairs_that_are_quoted(tmp_path, prices):
    demo.seed(tmp_path)
    assert Competition.objects.get(title=demo.OPENING).pairs == ["EUR/USD", "GBP/USD", "USD/JPY"]


def test_a_recording_of_one_other_pair_still_makes_a_demo(tmp_path):
    bus, now = Bus(), to_ms(database_now())
    bus.send(bus.quote(0, "NZD/USD", "0.60000", "0.60010")._replace(time_ms=now, received_ms=now))
    demo.seed(tmp_path)
    assert Competition.objects.get(title=demo.OPENING).pairs == ["NZD/USD"]
