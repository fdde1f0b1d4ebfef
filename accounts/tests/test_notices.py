"""What people are told: once for each cause, by the channels they chose, and live."""

from typing import Any
from uuid import uuid4

import pytest
from django.core import mail as outbox
from django.db import transaction

from accounts import broadcast
from accounts.models import Mail, MailStop, Notification, User
from accounts.rules import letters
from accounts.rules.notices import KINDS, variables
from accounts.selectors import notices as reading
from accounts.services import notices, people
from tradingarena.core import realtime
from tradingarena.tests.asyncapi import assert_frame, sent
from tradingarena.tests.callers import by_token, problem_of
from tradingarena.tests.described import check
from tradingarena.tests.racing import race

VALUES = {"other": "mika", "stake": "100 tokens", "duration": "30 min", "result": "You won 190 tokens."}


def told(user: User, **options: Any) -> int:
    return notices.tell("challenge_completed", [user.pk], url="/pvp/1", values=VALUES, **{"cause": "one"} | options)


@pytest.mark.django_db(transaction=True)
def test_one_cause_is_told_once_whoever_tells_it_how_often(alice: User, bob: User) -> None:
    race([lambda: told(alice)] * 10)
    told(alice, cause="another")
    told(bob)
    assert Notification.objects.filter(user=alice).count() == 2
    assert [row.text for row in reading.notifications(bob)] == [
        "Your challenge against mika is decided. You won 190 tokens."
    ]
    assert sorted(Mail.objects.values_list("address", flat=True)) == ["alice@example.com"] * 2 + ["bob@example.com"]
    assert len(outbox.outbox) == 3


@pytest.mark.django_db(transaction=True)
def test_each_person_chooses_by_kind_and_channel(alice: User) -> None:
    client = by_token(alice)
    before = {row["kind"]: row for row in check(client, "get", "/api/me/notice-choices").json()["choices"]}
    assert (before["challenge_completed"]["site"], before["challenge_completed"]["email"]) == (True, True)
    assert "sanction" not in before
    for site, email in ((True, False), (False, True), (False, False)):
        wanted = {"choices": [{"kind": "challenge_completed", "site": site, "email": email}]}
        after = check(client, "put", "/api/me/notice-choices", body=wanted).json()["choices"]
        assert next((one["site"], one["email"]) for one in after if one["kind"] == "challenge_completed") == (
            site,
            email,
        )
        Notification.objects.all().delete()
        Mail.objects.all().delete()
        told(alice, cause=str(uuid4()))
        assert (Notification.objects.exists(), Mail.objects.exists()) == (site, email)
    wrong = {"choices": [{"kind": "sanction", "site": False, "email": False}]}
    problem_of(check(client, "put", "/api/me/notice-choices", body=wrong), 400, "invalid")


@pytest.mark.django_db(transaction=True)
def test_nobody_is_mailed_who_did_not_confirm_or_wants_none(alice: User, bob: User) -> None:
    quiet = people.person_add("quiet@example.com", "quiet")
    MailStop.objects.create(address="bob@example.com", kind="")
    for user in (alice, bob, quiet):
        told(user)
    assert Notification.objects.count() == 3
    assert [one.address for one in Mail.objects.all()] == ["alice@example.com"]


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_cause_was_never_told(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []
    monkeypatch.setattr(realtime, "publish_many", heard.extend)
    with transaction.atomic():
        told(alice)
        transaction.set_rollback(True)
    assert (heard, Notification.objects.count(), Mail.objects.count()) == ([], 0, 0)
    told(alice)
    (message,) = heard
    assert message.room == f"user.{alice.pk}"
    monkeypatch.undo()
    assert_frame(sent(broadcast.notification(Notification.objects.get())))


@pytest.mark.django_db(transaction=True)
def test_reading_over_rest(alice: User, bob: User) -> None:
    for number in range(3):
        told(alice, cause=number)
    told(bob)
    client = by_token(alice)
    listed = check(client, "get", "/api/me/notifications").json()
    assert (listed["unread"], len(listed["results"])) == (3, 3)
    bobs = str(Notification.objects.get(user=bob).pk)
    one = {"ids": [listed["results"][0]["id"], bobs]}
    assert check(client, "post", "/api/me/notifications/read", body=one).json() == {"unread": 2}
    assert reading.unread_count(bob.pk) == 1
    assert (
        len(check(client, "get", "/api/me/notifications", "/api/me/notifications?unread=true").json()["results"]) == 2
    )
    assert check(client, "post", "/api/me/notifications/read", body={}).json() == {"unread": 0}


def test_every_kinds_words_hold() -> None:
    for kind in KINDS.values():
        for words in (kind.text, kind.subject, kind.body):
            assert letters.problems(words, variables(kind)) == [], kind.name
        assert "{{" not in letters.fill(kind.text, kind.sample)
        assert bool(kind.subject) == bool(kind.body)


def test_words_have_no_logic_and_values_stay_values() -> None:
    values = {"name": "{{ secret }} https://evil.example\r\nBcc: x@example.com", "url": "https://arena.example/pvp/1"}
    filled = letters.fill("Hi {{ name }}: {{url}}{{ nothing }}", values)
    assert filled == "Hi {{ secret }} evil.example Bcc: x@example.com: https://arena.example/pvp/1"
    page = letters.as_html("Hi {{ name }}\n\n{{ url }}", {"name": "<script>alert(1)</script>", "url": values["url"]})
    assert "<script>" not in page
    assert '<a href="https://arena.example/pvp/1">' in page
    assert 'href="javascript' not in letters.as_html("{{ url }}", {"url": "javascript:alert(1)"})
    for wrong in ("{% if x %}", "{{ name.upper }}", "{{ name|safe }}", "{{", "{{ name }}}}", "{{ other }}"):
        assert letters.problems(wrong, {"name"})
