"""What follows a settlement: cases for moderators, notices, boards; and what operators do in the admin site."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import IntegrityCase, Notification, Sighting
from accounts.rules import roles
from accounts.services.integrity import CaseDecided, ModeratorsOnly, NoteNeeded, case_decide
from betting.models import Bet, Market, Pause
from betting.rules import signals
from betting.services import aftermath, fairplay
from betting.services.settlement import settle_what_is_due
from betting.tests.stage import FUNDS, Stage, books_hold, set_up, somebody
from competitions.tests.factories import make_user
from tokens.selectors.boards import BOARDS
from tokens.tests.ledger.book import balance

pytestmark = pytest.mark.django_db(transaction=True)
WON = 10_300_000


@pytest.fixture
def stage() -> Stage:
    return set_up()


def seen_on(name: str, kind: str, digest: str) -> None:
    Sighting.objects.create(user=somebody(name), kind=kind, digest=digest, last_at=timezone.now())


def cases() -> dict[str, IntegrityCase]:
    return {case.kind: case for case in IntegrityCase.objects.all()}


def test_a_bettor_who_shares_a_device_and_an_address_with_the_trader_is_a_case(stage: Stage) -> None:
    for name in ("tara", "ben"):
        seen_on(name, "device", "d" * 64)
        seen_on(name, "address", "a" * 64)
    seen_on("bea", "device", "e" * 64)
    stage.bet("ben")
    stage.bet("bea", "negative")
    stage.end(tara=WON)
    settle_what_is_due()
    assert set(cases()) == {"bet_shared_device", "bet_shared_address"}
    case = cases()["bet_shared_device"]
    ben, tara = stage.bettors["ben"].pk, stage.traders["tara"].user_id
    assert case.people == [ben, tara]
    assert case.evidence["market_id"] == str(stage.market().pk)
    assert "a" * 64 not in str(case.evidence)
    assert balance(ben) > FUNDS  # nobody is punished
    assert fairplay.look_at(stage.market()) == 0


def test_concentrated_and_late_heavy_winnings_are_cases(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        stage.bet("ben", "positive", 10)
    stage.bet("bea", "negative", 600)
    now = timezone.now()
    Market.objects.update(
        opened_at=now - timedelta(hours=1), starts_at=now - timedelta(minutes=50), locks_at=now + timedelta(minutes=1)
    )
    stage.bet("ben", "positive", 500)
    stage.end(tara=WON)
    settle_what_is_due()
    assert set(cases()) == {"bet_concentration", "bet_late_heavy"}
    assert cases()["bet_late_heavy"].evidence["late_stakes_tokens"] == 540
    assert cases()["bet_concentration"].evidence["wins_on_trader"] == 5


def test_the_signals_have_the_bounds_of_the_rules() -> None:
    now = timezone.now()
    hour = timedelta(hours=1)
    assert signals.is_late(now + hour * 9 / 10, now, now + hour)
    assert not signals.is_late(now + hour * 9 / 10 - timedelta(microseconds=1), now, now + hour)
    assert signals.is_heavy(500, 1_000)
    assert not signals.is_heavy(499, 1_000)
    assert not signals.is_concentrated(5, 0, 0)


def test_a_case_is_decided_once_by_a_moderator_who_says_why(stage: Stage) -> None:
    test_a_bettor_who_shares_a_device_and_an_address_with_the_trader_is_a_case(stage)
    case = cases()["bet_shared_device"]
    moderator = make_user("mona", role=roles.MODERATOR)
    with pytest.raises(ModeratorsOnly):
        case_decide(stage.bettors["bea"], case.pk, "confirmed", "Mine")
    with pytest.raises(NoteNeeded):
        case_decide(moderator, case.pk, "confirmed", " ")
    client = Client()
    client.force_login(moderator)
    listed = client.get("/admin/accounts/integritycase/")
    assert "shares a device with tara" in listed.content.decode()
    act(client, "accounts/integritycase", "dismiss", case.pk, "Siblings")
    case.refresh_from_db()
    assert (case.status, case.note, case.decided_by) == ("dismissed", "Siblings", moderator)
    with pytest.raises(CaseDecided):
        case_decide(moderator, case.pk, "confirmed", "Again")


def act(client: Client, where: str, action: str, pk: object, reason: str) -> Any:
    fields = {"action": action, "_selected_action": str(pk), "reason": reason}
    return client.post(f"/admin/{where}/", fields, follow=True)


def test_bettors_are_told_once_and_the_board_counts_what_counted(stage: Stage) -> None:
    stage.bet("ben", "positive", 100)
    stage.bet("bea", "negative", 300)
    stage.bet("ben", "beat_2_pct", 50)
    stage.end(tara=WON)
    settle_what_is_due()
    market = stage.market()
    assert market.followed_up_at is not None
    Market.objects.update(followed_up_at=None)
    assert aftermath.follow_up_what_is_due() == 1  # what a killed process left is done again, and changes nothing
    told = {one.user_id: one.text for one in Notification.objects.filter(kind="bet_settled")}
    assert "you receive 430 for 150 tokens" in told[stage.bettors["ben"].pk]
    assert "you receive nothing for 300 tokens" in told[stage.bettors["bea"].pk]
    assert Notification.objects.filter(kind="bet_settled").count() == 2
    assert "bettors" in BOARDS
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT user_id, score, items, wins FROM tokens_boardrow WHERE board = 'bettors' AND period = 'all'"
        )
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
    assert rows[stage.bettors["ben"].pk] == (280, 1, 1)


def test_operators_void_and_pause_in_the_admin_site_and_moderators_only_look(stage: Stage) -> None:
    stage.bet("ben")
    operator, moderator = Client(), Client()
    operator.force_login(stage.operator)
    moderator.force_login(make_user("mona", role=roles.MODERATOR))
    for page in ("market", "bet", "settlement", "pause"):
        assert moderator.get(f"/admin/betting/{page}/").status_code == 200
    assert moderator.get("/admin/betting/pause/add/").status_code == 403
    act(moderator, "betting/market", "void", stage.market().pk, "I would")
    assert stage.market().status == "open"
    assert (
        operator.post("/admin/betting/pause/add/", {"competition": "", "reason": "Being looked at"}).status_code == 302
    )
    pause = Pause.objects.get()
    assert (pause.competition, pause.began_by) == (None, stage.operator)
    act(operator, "betting/pause", "end", pause.pk, "")
    pause.refresh_from_db()
    assert pause.ended_by == stage.operator
    act(operator, "betting/market", "void", stage.market().pk, "A bot ran wild")
    assert (stage.market().status, stage.market().note) == ("void", "A bot ran wild")
    assert balance(stage.bettors["ben"].pk) == FUNDS
    assert operator.get(f"/admin/betting/bet/{Bet.objects.get().pk}/change/").status_code == 200
    books_hold()
