"""What contests tell people, and the badges they give: each once, whether the event was heard or the sweep found it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import Mail, Notification, User
from accounts.services import social
from competitions.models import Award, Competition
from competitions.services import lifecycle, notes, prizes
from competitions.services.entries import entry_join
from competitions.tests.factories import make_entry, make_user
from competitions.tests.lifecycle.world import contest, freeze, make_due, operator
from competitions.tests.money import charge
from tradingarena.core.clock import database_now
from tradingarena.tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ("alice", "bob", "carol", "dave")


@pytest.fixture
def people() -> dict[str, User]:
    return {name: make_user(name) for name in (*NAMES, "fan")}


def told(kind: str) -> list[tuple[str, str]]:
    return [(row.user.username, row.text) for row in Notification.objects.filter(kind=kind).order_by("user__username")]


def play(made: Competition, equities: dict[User, int], **final: Any) -> Competition:
    """Let a contest run and end with these equities."""
    make_due(made)
    lifecycle.advance()
    for entry in made.entries.select_related("user"):
        freeze(entry, equities[entry.user], **final)
    with transaction.atomic():
        lifecycle.finish(made.pk, database_now())
    Competition.objects.filter(pk=made.pk).update(objection_ends_at=database_now() - timedelta(seconds=1))
    lifecycle.advance()
    made.refresh_from_db()
    return made


def test_a_contest_from_joining_to_the_result(people: dict[str, User]) -> None:
    fan, alice = people["fan"], people["alice"]
    social.follow(fan, alice)
    made = contest(reward_tokens=[50])
    for name in NAMES:
        entry_join(people[name], made.pk)
    assert told("followed_joined") == [("fan", "alice has joined Spring Sprint.")]
    Competition.objects.filter(pk=made.pk).update(starts_at=database_now() + timedelta(minutes=14))
    race([notes.sweep] * 4)
    assert [name for name, _ in told("competition_starting")] == sorted(NAMES)
    assert Mail.objects.filter(kind="competition_starting").count() == 4
    equities = {people[name]: 11_000_000 - place * 100_000 for place, name in enumerate(NAMES)}
    play(made, equities)
    notes.sweep()
    assert ("alice", "Spring Sprint is final. Your place: 1. You receive 50 tokens.") in told("competition_finished")
    assert told("followed_result") == [("fan", "alice finished Spring Sprint on place 1.")]
    assert Mail.objects.filter(kind="competition_finished").count() == 4
    assert set(Award.objects.values_list("user__username", "badge")) == {
        ("alice", "first_win"), ("alice", "podium"), ("alice", "steady_hand"), ("bob", "podium"), ("carol", "podium"),
    }  # fmt: skip
    assert len(told("badge")) == 5


def test_who_leads_is_told_once_to_those_who_follow(people: dict[str, User]) -> None:
    for name in NAMES:
        social.follow(people["fan"], people[name])
    made = contest()
    for place, name in enumerate(NAMES):
        make_entry(
            made, people[name], last_equity_cents=10_500_000 - place * 1_000, fills_count=1, last_fill_at=database_now()
        )
    make_due(made)
    lifecycle.advance()
    for _ in range(2):
        notes.sweep()
    assert sorted(text for _, text in told("followed_top3")) == [
        f"{name} is among the first three of Spring Sprint." for name in NAMES[:3]
    ]


def test_private_contests_and_challenges_are_not_told_to_followers(people: dict[str, User]) -> None:
    social.follow(people["fan"], people["alice"])
    made = contest(kind="private", invite_code="between-us")
    entry_join(people["alice"], made.pk, invite_code="between-us")
    make_entry(made, people["bob"])
    play(made, {people["alice"]: 11_000_000, people["bob"]: 9_000_000})
    assert not Notification.objects.filter(user=people["fan"]).exists()


def test_a_badge_is_given_once_with_the_contest_that_earned_it(people: dict[str, User]) -> None:
    alice, bob = people["alice"], people["bob"]
    first: Competition | None = None
    for _ in range(3):
        made = contest()
        for user in (alice, bob):
            make_entry(made, user)
        play(made, {alice: 11_000_000, bob: 10_500_000}, drawdown_bps=500)
        first = first or made
    race([notes.sweep] * 4)
    got = dict(Award.objects.filter(user=alice).values_list("badge", "competition"))
    assert first is not None
    assert got == {"first_win": first.pk, "hat_trick": made.pk, "green_week": made.pk}
    made = contest()
    for user in (alice, bob):
        make_entry(made, user)
    play(made, {alice: 9_000_000, bob: 10_500_000}, drawdown_bps=500)
    assert dict(Award.objects.filter(user=bob).values_list("badge", "competition")) == {
        "green_week": Award.objects.get(user=bob, badge="green_week").competition_id,
        "first_win": made.pk,
        "giant_slayer": made.pk,
    }


def test_a_payout_that_was_paid_is_told(people: dict[str, User]) -> None:
    alice, bob = people["alice"], people["bob"]
    made = contest()
    for user in (alice, bob):
        make_entry(made, user)
    charge(made, 1_000, prize_split_bps=[10_000])
    play(made, {alice: 11_000_000, bob: 10_500_000})
    payout = made.payouts.get()
    prizes.payout_move(operator(), payout.pk, "approved")
    prizes.payout_move(operator(), payout.pk, "paid", "By transfer.")
    assert told("payout") == [("alice", "$20.00 for Spring Sprint has been paid to you.")]
    assert "By transfer." in Mail.objects.get(kind="payout").text


def test_a_traders_page_shows_record_badges_and_buttons(people: dict[str, User]) -> None:
    alice, fan = people["alice"], people["fan"]
    made = contest()
    for name in NAMES:
        make_entry(made, people[name])
    play(made, {people[name]: 11_000_000 - place * 100_000 for place, name in enumerate(NAMES)})
    client = Client()
    page = client.get("/traders/alice").content.decode()
    for words in ("First win", "+10.00%", "Spring Sprint", "0 followers", "Sign in to follow"):
        assert words in page, words
    client.force_login(fan)
    assert client.post("/traders/alice/follow", {"on": "1"}).status_code == 302
    page = client.get("/traders/alice").content.decode()
    assert "1 follower" in page
    assert "/pvp/new?to=alice" in page
    client.post("/traders/alice/block", {"on": "1"})
    page = client.get("/traders/alice").content.decode()
    assert "You have blocked alice" in page
    assert "/pvp/new?to=alice" not in page
    assert "0 followers" in page
    client.force_login(alice)
    assert "traders/alice/follow" not in client.get("/traders/alice").content.decode()
