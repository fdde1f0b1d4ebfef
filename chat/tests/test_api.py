"""The chat over REST: each path held against the schema, and nobody gets further than they may."""

import secrets
from typing import Any

import pytest

from accounts.models import User
from chat.models import Channel, Message
from chat.services import channels
from chat.tests.conftest import settle
from competitions.models import Competition
from competitions.tests.factories import make_competition, make_entry, make_user
from tokens.tests.ledger.book import balance, give
from tradingarena.tests.callers import anonymous, by_token, problem_of
from tradingarena.tests.described import check

ONE = "/api/chat/{channel_id}"
pytestmark = pytest.mark.django_db


def path(channel: Channel, tail: str = "") -> str:
    return f"/api/chat/{channel.pk}{tail}"


def say(client: Any, channel: Channel, text: str, **more: Any) -> Any:
    body = {"text": text, "client_id": secrets.token_hex(8), **more}
    return check(client, "post", ONE + "/messages", path(channel, "/messages"), body)


def read(client: Any, channel: Channel, query: str = "") -> Any:
    return check(client, "get", ONE + "/messages", path(channel, f"/messages{query}"))


def test_what_is_said_is_read_by_strangers_newest_first_and_whole(ann: User, ben: User, hall: Channel) -> None:
    first = say(by_token(ann), hall, "good morning").json()
    say(by_token(ben), hall, "morning @ann", reply_to_id=first["message_id"])
    rows = read(anonymous(), hall).json()["results"]
    assert [row["number"] for row in rows] == [2, 1]
    assert rows[0]["reply_to"] == {
        "message_id": first["message_id"], "username": "ann", "text": "good morning", "deleted": False
    }  # fmt: skip
    one = read(anonymous(), hall, "?limit=1").json()
    assert one["next"]
    older = anonymous().get(one["next"]).json()
    assert [row["number"] for row in older["results"]] == [1]


def test_saying_something_takes_a_person_with_the_scope(ann: User, hall: Channel) -> None:
    problem_of(say(anonymous(), hall, "hello"), 401, "not_signed_in")
    problem_of(say(by_token(ann, "read"), hall, "hello"), 403, "scope_missing")
    assert not Message.objects.exists()


def test_a_refusal_names_its_rule_and_its_wait(ann: User, hall: Channel) -> None:
    client = by_token(ann)
    assert say(client, hall, "buy the dip").status_code == 201
    refused = say(client, hall, "BUY the dip!")
    problem_of(refused, 429, "chat_duplicate")
    assert 1 <= int(refused["Retry-After"]) <= 30
    problem_of(say(client, hall, "kys"), 422, "chat_language")
    problem_of(say(client, hall, "x" * 301), 422, "chat_text")


def test_deleted_text_is_in_no_answer(ann: User, ben: User, mona: User, hall: Channel) -> None:
    secret = say(by_token(ann), hall, "call me at the swordfish hotel").json()["message_id"]
    say(by_token(ben), hall, "you should not", reply_to_id=secret)
    one = ONE + "/messages/{message_id}"
    problem_of(check(by_token(ben), "delete", one, path(hall, f"/messages/{secret}")), 403, "not_your_chat")
    assert check(by_token(mona), "delete", one, path(hall, f"/messages/{secret}")).json()["deleted"]
    everything = [read(anonymous(), hall), check(anonymous(), "get", one, path(hall, f"/messages/{secret}"))]
    assert not any(b"swordfish" in answer.content for answer in everything)
    answer = read(anonymous(), hall).json()["results"][0]
    assert answer["reply_to"] == {"message_id": secret, "username": "ann", "text": "", "deleted": True}


def test_reports_and_appeals_are_made_once(ann: User, ben: User, mona: User, hall: Channel) -> None:
    bad = say(by_token(ben), hall, "an insult").json()["message_id"]
    template, at = ONE + "/messages/{message_id}/report", path(hall, f"/messages/{bad}/report")
    first = check(by_token(ann), "post", template, at, {"reason": "abuse"})
    again = check(by_token(ann), "post", template, at, {"reason": "spam", "note": "still there"})
    assert (first.status_code, first.json()) == (201, again.json())
    problem_of(check(by_token(ben), "post", template, at, {"reason": "abuse"}), 422, "own_message")
    body = {"user_id": str(ben.pk), "action": "mute", "preset": "1h", "reason": "Insults.", "message_id": bad}
    moderate = ONE + "/moderate", path(hall, "/moderate")
    problem_of(check(by_token(ann), "post", *moderate, body), 403, "not_your_chat")
    done = check(by_token(mona), "post", *moderate, body)
    assert done.status_code == 201
    standing = check(by_token(ben), "get", "/api/chat/standing").json()["results"][0]
    assert (standing["by"], standing["reason"], standing["holds"], standing["appeal"]) == ("mona", "Insults.", True, "")
    assert standing["until"] == done.json()["until"]
    appeal = "/api/chat/standing/{sanction_id}/appeal", f"/api/chat/standing/{standing['sanction_id']}/appeal"
    assert check(by_token(ben), "post", *appeal, {"text": "It was a quote."}).status_code == 201
    problem_of(check(by_token(ben), "post", *appeal, {"text": "Please."}), 409, "appealed_before")
    problem_of(check(by_token(ann), "post", *appeal, {"text": "Not mine."}), 404, "not_found")
    assert check(by_token(ben), "get", "/api/chat/standing").json()["results"][0]["appeal"] == "open"


def test_a_host_moderates_their_own_arena_and_nothing_else(ann: User, ben: User, mona: User, hall: Channel) -> None:
    host = settle(make_user("hanna"))
    contest = make_competition(host=host)
    arena = channels.competition_channel(contest)
    body = {"user_id": str(ben.pk), "action": "mute", "preset": "10m", "reason": "Off topic."}
    moderate = ONE + "/moderate"
    assert check(by_token(host), "post", moderate, path(arena, "/moderate"), body).status_code == 201
    problem_of(check(by_token(host), "post", moderate, path(hall, "/moderate"), body), 403, "not_your_chat")
    everywhere = body | {"scope": "everywhere"}
    problem_of(check(by_token(host), "post", moderate, path(arena, "/moderate"), everywhere), 403, "not_your_chat")
    against_staff = body | {"user_id": str(mona.pk)}
    problem_of(check(by_token(host), "post", moderate, path(arena, "/moderate"), against_staff), 403, "not_your_chat")
    problem_of(say(by_token(ben), arena, "hello"), 403, "chat_muted")
    assert say(by_token(ben), hall, "hello").status_code == 201
    lift = {"user_id": str(ben.pk), "action": "unmute", "reason": "Enough."}
    assert check(by_token(mona), "post", moderate, path(arena, "/moderate"), lift).status_code == 201
    problem_of(check(by_token(mona), "post", moderate, path(arena, "/moderate"), lift), 409, "nothing_to_lift")
    assert say(by_token(ben), arena, "hello again").status_code == 201


def test_channels_tell_what_is_new(ann: User, ben: User, hall: Channel) -> None:
    talk = check(by_token(ann), "post", "/api/chat/direct", "", {"username": "Ben"}).json()
    assert talk["title"] == "ben"
    channel = Channel.objects.get(pk=talk["channel_id"])
    for number in range(3):
        say(by_token(ann), channel, f"number {number}")
    rows = {row["title"]: row for row in check(by_token(ben), "get", "/api/chat/channels").json()["results"]}
    assert list(rows) == ["Everybody", "ann"]
    assert rows["ann"]["unread"] == 3
    assert check(by_token(ben), "put", ONE + "/read", path(channel, "/read"), {"number": 2}).json() == {
        "read_number": 2
    }
    assert check(by_token(ben), "put", ONE + "/read", path(channel, "/read"), {"number": 1}).json() == {
        "read_number": 2
    }
    rows = {row["title"]: row for row in check(by_token(ben), "get", "/api/chat/channels").json()["results"]}
    assert rows["ann"]["unread"] == 1
    strangers = check(anonymous(), "get", "/api/chat/channels").json()["results"]
    assert [row["title"] for row in strangers] == ["Everybody"]


def test_a_tip_moves_once_and_is_seen(ann: User, ben: User, hall: Channel) -> None:
    give(ann.pk, 50)
    tips = ONE + "/tips", path(hall, "/tips")
    body = {"to_user_id": str(ben.pk), "amount_tokens": 30, "client_id": "tip-1"}
    first, again = (check(by_token(ann), "post", *tips, body) for _ in range(2))
    assert (first.status_code, first.json()) == (201, again.json())
    assert (balance(ann.pk), balance(ben.pk)) == (20, 30)
    line = read(anonymous(), hall).json()["results"][0]
    assert (line["kind"], line["data"]["amount_tokens"], line["data"]["to_username"]) == ("tip", 30, "ben")
    problem_of(check(by_token(ann), "post", *tips, body | {"client_id": "2"}), 422, "insufficient_tokens")
    problem_of(
        check(by_token(ann), "post", *tips, body | {"client_id": "3", "to_user_id": str(ann.pk)}), 422, "tip_to_oneself"
    )
    problem_of(check(by_token(ann), "post", *tips, body | {"amount_tokens": 1}), 409, "client_id_reused")
    assert Message.objects.count() == 1


def test_a_contests_chat_is_for_those_who_may_watch_it(ann: User, ben: User) -> None:
    contest = make_competition(kind=Competition.Kind.PRIVATE)
    arena = channels.competition_channel(contest)
    make_entry(contest, ann)
    assert say(by_token(ann), arena, "only us").status_code == 201
    assert read(by_token(ann), arena).status_code == 200
    for client in (anonymous(), by_token(ben)):
        problem_of(read(client, arena), 403, "invitation_needed")
    problem_of(say(by_token(ben), arena, "let me in"), 403, "invitation_needed")
    draft = Competition.objects.filter(pk=contest.pk)
    draft.update(status="draft")
    problem_of(read(by_token(ben), arena), 404, "not_found")


def test_nothing_can_be_edited(ann: User, hall: Channel) -> None:
    said = say(by_token(ann), hall, "as it stands").json()["message_id"]
    for method in ("patch", "put", "post"):
        answer = getattr(by_token(ann), method)(path(hall, f"/messages/{said}"), {"text": "changed"}, format="json")
        problem_of(answer, 405, "method_not_allowed")
