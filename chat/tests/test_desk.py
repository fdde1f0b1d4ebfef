"""What contests tell their chats, what the arena notices by itself, and the pages of moderators and operators."""

import secrets
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import IntegrityCase, User
from accounts.rules import roles
from accounts.services import integrity
from chat import tasks
from chat.models import Case, Channel, Message, Sanction
from chat.selectors.channels import of_competition
from chat.services import channels, queue
from chat.services.narration import narrate
from chat.services.posting import Draft, message_post
from chat.services.sanctions import sanction_impose
from chat.tests.conftest import settle
from competitions.models import Competition, Trade
from competitions.services.lifecycle import advance, competition_transition
from competitions.tests.factories import make_competition, make_entry, make_open_competition, make_user

pytestmark = pytest.mark.django_db


def lines_of(contest: Competition) -> list[str]:
    rows = Message.objects.filter(channel=of_competition(contest.pk)).order_by("seq")
    return list(rows.values_list("text", flat=True))


@pytest.mark.django_db(transaction=True)
def test_a_contest_tells_its_chat_when_it_starts_and_when_it_is_cancelled() -> None:
    contest = make_open_competition(min_entries=1, starts_at=timezone.now() - timedelta(seconds=1))
    make_entry(contest, make_user("ann"))
    make_entry(contest, make_user("ben"))
    advance()
    contest.refresh_from_db()
    assert contest.status == "running"
    competition_transition(make_user("olga", role=roles.ADMIN), contest.pk, "cancelled", "The feed is down.")
    assert lines_of(contest) == [
        "The contest has started. Good luck to everybody.",
        "The contest was cancelled: The feed is down.",
    ]
    assert Channel.objects.get(competition=contest).archived_at is not None


def test_another_leader_and_a_large_trade_are_said_once_and_not_before_the_crowd_may_know(ann: User, ben: User) -> None:
    contest = make_competition()
    channels.competition_channel(contest)
    first = make_entry(contest, ann, last_equity_cents=10_123_000, fills_count=1, last_fill_at=timezone.now())
    second = make_entry(contest, ben, last_equity_cents=10_000_000, fills_count=1, last_fill_at=timezone.now())
    for entry, cents in ((first, 100_000), (second, -99_999)):
        Trade.objects.create(
            entry=entry, pair="EUR/USD", side="buy", opened_at=timezone.now(), opened_units=1_000, opened_cost_points=1,
            closed_at=timezone.now(), closed_units=1_000, closed_cost_points=1, pnl_cents=cents, close_reason="market",
        )  # fmt: skip
    assert narrate() == {"leads": 1, "trades": 1}
    assert narrate() == {"leads": 0, "trades": 0}
    assert lines_of(contest) == ["ann leads at +1.23%.", "ann closed EUR/USD with +$1,000.00."]
    second.last_equity_cents = 10_200_000
    second.save()
    assert tasks.narrate()["leads"] == 0  # the lead changes in words at most every 20 s
    Message.objects.filter(data__fact="lead").update(created_at=timezone.now() - timedelta(seconds=21))
    assert tasks.narrate()["leads"] == 1
    assert lines_of(contest)[-1] == "ben takes the lead at +2.00%."


def test_a_paid_contests_trades_are_told_late(ann: User) -> None:
    contest = make_competition(buy_in_cents=1_000)
    channels.competition_channel(contest)
    trade = Trade.objects.create(
        entry=make_entry(contest, ann), pair="EUR/USD", side="buy", opened_at=timezone.now(), opened_units=1_000, opened_cost_points=1,
        closed_at=timezone.now(), closed_units=1_000, closed_cost_points=1, pnl_cents=500_000, close_reason="market",
    )  # fmt: skip
    assert narrate()["trades"] == 0
    Trade.objects.filter(pk=trade.pk).update(closed_at=timezone.now() - timedelta(seconds=11))
    assert narrate()["trades"] == 1


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_desk_is_for_those_who_moderate_something(ann: User, ben: User, mona: User, hall: Channel) -> None:
    said = message_post(ben, hall.pk, Draft("an insult", "1")).message
    case = queue.message_report(ann, hall.pk, said.pk, reason="abuse").case
    host = make_user("hanna")
    arena = channels.competition_channel(make_competition(host=host))
    for path in ("/moderation", "/moderation/rooms", "/moderation/people/ben"):
        assert signed_in(ann).get(path).status_code == 404
        assert signed_in(mona).get(path).status_code == 200
        assert Client().get(path).status_code == 302
    assert "an insult" in signed_in(mona).get("/moderation").content.decode()
    hosts = signed_in(host).get("/moderation").content.decode()
    assert "an insult" not in hosts
    assert signed_in(host).get("/moderation/people/ben").status_code == 403
    rooms = signed_in(host).get("/moderation/rooms").content.decode()
    assert str(arena.pk) in rooms
    assert str(hall.pk) not in rooms
    assert signed_in(host).post(f"/moderation/cases/{case.pk}", {"decision": "dismiss"}).status_code == 302
    assert Case.objects.get(pk=case.pk).closed_at is None
    signed_in(mona).post(f"/moderation/cases/{case.pk}", {"decision": "dismiss"})
    assert Case.objects.get(pk=case.pk).outcome == "dismissed"
    signed_in(mona).post("/moderation/people/ben/note", {"text": "Promised to stop."})
    signed_in(mona).post("/moderation/people/ben/sanction", {"action": "mute", "preset": "24h", "reason": "Again."})
    signed_in(mona).post("/moderation/people/ben/sanction", {"action": "mute", "preset": "24h", "reason": ""})
    page = signed_in(mona).get("/moderation/people/ben").content.decode()
    for words in ("Promised to stop.", "Again.", "Already holds"):
        assert words in page
    assert Sanction.objects.filter(user=ben).count() == 1


def test_what_looks_unfair_waits_in_the_same_queue(ann: User, ben: User, mona: User) -> None:
    integrity.case_open(
        "test_signal",
        cause="c",
        people=[ann.pk, ben.pk],
        summary="Two share a device.",
        evidence={"bet_ids": ["1", "2"]},
    )
    case = IntegrityCase.objects.get()
    page = signed_in(mona).get("/moderation").content.decode()
    for words in ("Two share a device.", "bet ids", "1, 2", "/moderation/people/ann"):
        assert words in page
    path = f"/moderation/integrity/{case.pk}"
    signed_in(ann).post(path, {"decision": "dismissed", "note": "Fine."})
    signed_in(mona).post(path, {"decision": "open", "note": "Fine."})
    signed_in(mona).post(path, {"decision": "dismissed", "note": ""})
    case.refresh_from_db()
    assert case.status == "open"
    signed_in(mona).post(path, {"decision": "dismissed", "note": "They are siblings."})
    case.refresh_from_db()
    assert (case.status, case.decided_by, case.note) == ("dismissed", mona, "They are siblings.")
    assert "Nothing waits." in signed_in(mona).get("/moderation").content.decode()


def test_a_finished_contest_is_replayed_with_what_was_said(ann: User) -> None:
    contest = make_competition()
    arena = channels.competition_channel(contest)
    make_entry(contest, ann)
    message_post(ann, arena.pk, Draft("long now", secrets.token_hex(4)))
    page = signed_in(ann).get(f"/chat/contest/{contest.pk}/replay")
    assert page.status_code == 200
    assert "long now" in page.content.decode()
    assert Client().get(f"/chat/contest/{arena.pk}/replay").status_code == 404


def test_operators_read_the_rows_and_act_through_the_doors(ann: User, ben: User, mona: User, hall: Channel) -> None:
    olga = settle(make_user("olga", role=roles.ADMIN))
    said = message_post(ben, hall.pk, Draft("an insult", "1")).message
    secret = message_post(ben, channels.direct_channel(ann, ben).pk, Draft("between us", "2")).message
    sanction_impose(mona, ann.pk, "mute", channel_id=hall.pk, reason="Too loud.", preset="1h")
    queue.message_report(ann, hall.pk, said.pk, reason="abuse")
    client = signed_in(olga)
    for name in ("channel", "message", "sanction", "case", "report", "appeal", "note", "refusal"):
        page = client.get(f"/admin/chat/{name}/")
        assert page.status_code == 200, name
        assert "between us" not in page.content.decode()
    assert client.get(f"/admin/chat/message/{secret.pk}/change/").status_code == 302
    client.post("/admin/chat/message/", {"action": "bury", "_selected_action": [str(said.pk)], "reason": "Insult."})
    said.refresh_from_db()
    assert said.deleted_by == olga
    lifted = {"action": "lift", "_selected_action": [str(Sanction.objects.get().pk)], "reason": "Enough."}
    client.post("/admin/chat/sanction/", lifted)
    assert Sanction.objects.filter(user=ann).order_by("at").last().action == "unmute"  # type: ignore[union-attr]
    client.post("/admin/chat/channel/", {"action": "archive", "_selected_action": [str(hall.pk)], "reason": "Over."})
    hall.refresh_from_db()
    assert hall.archived_at is not None
