"""Challenges over REST: answers as described, the safe meaning of each path, and nothing for whoever is no party."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import User
from pvp import broadcast
from pvp.models import Challenge
from pvp.tests.scene import IN_CENTS, agreed, dare, play
from tokens.tests.payments.conftest import stripe
from tradingarena.core import realtime
from tradingarena.localstack.fakestripe import FakeStripe
from tradingarena.tests.asyncapi import assert_frame, sent
from tradingarena.tests.callers import by_token, problem_of
from tradingarena.tests.described import check

__all__ = ["stripe"]
pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/api/pvp/challenges"
ONE = LIST + "/{challenge_id}"
TERMS = {"stake_tokens": 100, "pairs": ["EUR/USD"], "duration_s": 600}


def call(client: Any, method: str, challenge_id: str, tail: str = "", body: Any = None, **headers: str) -> Any:
    """Call a path of one challenge and hold the answer against its description."""
    return check(client, method, f"{ONE}{tail}", f"{LIST}/{challenge_id}{tail}", body, **headers)


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def test_a_challenge_is_made_argued_paid_and_played_again(ann: User, ben: User) -> None:
    anns, bens = by_token(ann, "read", "bet"), by_token(ben, "read", "bet")
    same = key()
    made = [check(anns, "post", LIST, body={"invitee": "BEN", "terms": TERMS}, **same) for _ in range(2)]
    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].json() == made[1].json()
    pk = made[0].json()["id"]
    seen = check(bens, "get", LIST).json()["results"]
    assert [(row["id"], row["side"], row["your_turn"]) for row in seen] == [(pk, "invitee", True)]
    changed = call(bens, "put", pk, body={"version": 1, "terms": TERMS | {"duration_s": 900}}).json()
    assert (changed["status"], changed["version"], changed["changed"]) == ("countered", 2, ["duration_s"])
    problem_of(call(anns, "post", pk, "/accept", {"accept": True, "version": 1}), 409, "terms_stale")
    accepted = call(anns, "post", pk, "/accept", {"accept": True, "version": 2}).json()
    assert (accepted["status"], accepted["your_turn"]) == ("accepted", True)
    assert (accepted["challenger_version"], accepted["invitee_version"], len(accepted["history"])) == (2, 2, 2)
    problem_of(call(anns, "post", pk, "/checkout", {}), 400, "idempotency_key_required")
    paid = call(anns, "post", pk, "/checkout", {}, **key())
    assert (paid.status_code, paid.json()["status"], paid.json()["checkout_url"]) == (201, "paid", None)
    assert call(bens, "post", pk, "/checkout", {}, **key()).status_code == 201
    assert call(bens, "post", pk, "/confirm-payment", {}).json()["status"] == "active"
    problem_of(call(bens, "post", pk, "/cancel", {}), 409, "challenge_over")
    play(Challenge.objects.get(), 1_000_00, 2_000_00)
    over = call(anns, "get", pk).json()
    assert (over["outcome"], over["winner"]["username"], over["head_to_head"]["lost"]) == ("won", "ben", 1)
    again = call(anns, "post", pk, "/rematch", {}, **key())
    assert (again.status_code, again.json()["rematch_of"]) == (201, pk)
    assert (
        call(bens, "post", again.json()["id"], "/accept", {"accept": False, "version": 1}).json()["status"]
        == "declined"
    )
    assert len(check(anns, "get", LIST, f"{LIST}?box=over").json()["results"]) == 2


def test_a_stake_by_card_leads_to_its_checkout(stripe: FakeStripe, ann: User, ben: User) -> None:
    challenge = agreed(ann, ben, IN_CENTS)
    anns = by_token(ann, "read", "bet")
    answer = call(anns, "post", str(challenge.pk), "/checkout", {}, **key()).json()
    assert answer["checkout_url"].startswith(stripe.url)
    assert call(anns, "get", str(challenge.pk)).json()["checkout_url"] == answer["checkout_url"]
    theirs = call(by_token(ben, "read"), "get", str(challenge.pk)).json()
    assert (theirs["checkout_url"], theirs["stakes"][0]["status"]) == (None, "held")
    assert call(anns, "post", str(challenge.pk), "/cancel", {}).json()["status"] == "cancelled"


def test_the_landing_page_shows_what_waits(ann: User, ben: User, eve: User, client: Client) -> None:
    dare(ann, ben)
    for user, words in ((ben, "your turn"), (ann, "Your challenges")):
        client.force_login(user)
        assert words in client.get("/").content.decode()
    client.force_login(eve)
    assert "Your challenges" not in client.get("/").content.decode()


def test_strangers_and_readers_find_nothing_to_do(ann: User, ben: User, eve: User) -> None:
    challenge = dare(ann, "friend@example.com")
    told = call(by_token(ann), "get", str(challenge.pk)).json()
    assert (told["invitee"], told["invitee_email"]) == (None, "friend@example.com")
    for method, tail, body, headers in (
        ("get", "", None, {}),
        ("put", "", {"version": 1, "terms": TERMS}, {}),
        ("post", "/accept", {"accept": True, "version": 1}, {}),
        ("post", "/checkout", {}, key()),
        ("post", "/confirm-payment", {}, {}),
        ("post", "/cancel", {}, {}),
        ("post", "/rematch", {}, key()),
    ):
        problem_of(call(by_token(eve), method, str(challenge.pk), tail, body, **headers), 404, "challenge_unknown")
    assert check(by_token(eve), "get", LIST).json()["results"] == []
    problem_of(call(by_token(ann, "read"), "post", str(challenge.pk), "/cancel", {}), 403, "scope_missing")
    wrong = {"invitee": "ben", "terms": TERMS | {"drawdown_rule": "peak"}}
    refused = problem_of(check(by_token(ann), "post", LIST, body=wrong, **key()), 422, "terms_refused")
    assert [error["pointer"] for error in refused["errors"]] == ["/terms/drawdown_limit_bps"]


def test_both_hear_of_each_step_as_documented(ann: User, ben: User, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []
    monkeypatch.setattr(realtime, "publish_many", heard.extend)
    challenge = agreed(ann, ben)
    told = [one for one in heard if one.type == "challenge_update"]
    assert [(one.room, one.data["status"]) for one in told] == [
        (f"user.{user.pk}", status) for status in ("proposed", "accepted") for user in (ann, ben)
    ]
    with transaction.atomic():
        broadcast.challenge_changed(challenge)
        transaction.set_rollback(True)
    assert len([one for one in heard if one.type == "challenge_update"]) == 4
    monkeypatch.undo()
    assert_frame(sent(replace(broadcast.challenge_update(ann.pk, challenge), keep_s=60)))
