"""Listings: made by events and found by the sweep, changed by operators alone, counted sparsely. docs/rules/arena.md#listings."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditLog
from arena import tasks
from arena.models import Listing
from arena.selectors import access
from arena.services import listings
from competitions.models import Competition
from competitions.selectors import watching
from competitions.services import presence, steps
from competitions.services.drafts import competition_create
from competitions.services.steps import OperatorsOnly
from competitions.tests.factories import make_competition, make_open_competition
from tradingarena.tests.cast import Cast
from tradingarena.tests.racing import race


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return Cast.assemble()


def draft(cast: Cast, **terms: Any) -> Competition:
    start = timezone.now() + timedelta(hours=1)
    plain = {"title": "Cup", "pairs": ["EUR/USD"], "starts_at": start, "ends_at": start + timedelta(hours=1)}
    return competition_create(cast.operator, **(plain | terms))


def test_a_public_contest_is_listed_when_it_opens_and_a_private_one_is_not(cast: Cast) -> None:
    public, private = draft(cast), draft(cast, kind="private", invite_code="x-12")
    assert not Listing.objects.exists()
    for contest in (public, private):
        with transaction.atomic():
            steps.open_for_entries(cast.operator, contest)
    (made,) = Listing.objects.all()
    assert (made.competition, made.mode, made.delay_s, made.bets_allowed) == (public, "open", 0, True)


def test_what_an_event_missed_the_sweep_lists(cast: Cast) -> None:
    found = {cast.sprint.pk, cast.elsewhere.pk, make_open_competition().pk}
    make_competition(kind="private")
    assert tasks.tend()["listed"] == 3
    assert {listing.competition_id for listing in Listing.objects.all()} == found
    assert tasks.tend()["listed"] == 0


def test_of_twenty_who_list_a_contest_at_once_one_does(cast: Cast) -> None:
    made = race([lambda: listings.listing_make(None, cast.sprint.pk)] * 20)
    assert len({listing.pk for listing in made}) == 1
    assert Listing.objects.count() == AuditLog.objects.filter(action="listing.made").count() == 1


def test_paid_contests_have_a_delay_and_free_ones_none(cast: Cast) -> None:
    paid = make_open_competition(entry_tokens=50)
    assert (watching.delay_s(paid), watching.delay_s(cast.sprint)) == (10, 0)
    assert listings.listing_make(None, paid.pk).delay_s == 10
    listings.listing_change(cast.operator, Listing.objects.get(competition=paid).pk, delay_s=3)
    assert watching.delay_s(paid) == 3
    paid.status = Competition.Status.SETTLING
    assert watching.delay_s(paid) == 0


def test_only_operators_change_a_listing_and_every_change_is_written_down(cast: Cast) -> None:
    listing = listings.listing_make(None, cast.sprint.pk)
    for person in (cast.alice, cast.moderator):
        with pytest.raises(OperatorsOnly):
            listings.listing_change(person, listing.pk, mode="closed")
    listings.listing_change(cast.operator, listing.pk, mode="token_gated", spectator_token_cost=40)
    listings.listing_change(cast.operator, listing.pk, mode="open")
    listings.listing_change(cast.operator, listing.pk, mode="open")
    rows = AuditLog.objects.filter(action="listing.changed").order_by("id")
    assert [(row.old, row.new) for row in rows] == [
        ({"mode": "open", "spectator_token_cost": 0}, {"mode": "token_gated", "spectator_token_cost": 40}),
        ({"mode": "token_gated", "spectator_token_cost": 40}, {"mode": "open", "spectator_token_cost": 0}),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "token_gated"}, {"mode": "ajar"}, {"spectator_token_cost": 5}, {"delay_s": 3_601}, {"delay_s": -1},
        {"mode": "token_gated", "spectator_token_cost": 1_000_001}, {"min_stake_tokens": 2_000}, {"min_stake_tokens": 0},
        {"bet_lock_bps": 5_001}, {"bet_rake_bps": 10_001}, {"bet_thresholds_bps": [1, 2, 3, 4]}, {"bet_thresholds_bps": [0]},
        {"bet_thresholds_bps": [500, 200]},
    ],
)  # fmt: skip
def test_settings_that_do_not_go_together_are_refused(cast: Cast, wrong: dict[str, Any]) -> None:
    listing = listings.listing_make(None, cast.sprint.pk)
    with pytest.raises(listings.ListingRefused):
        listings.listing_change(cast.operator, listing.pk, **wrong)
    listing.refresh_from_db()
    assert listing.mode == "open"


def test_the_database_itself_refuses_a_gate_without_a_price(cast: Cast) -> None:
    listing = listings.listing_make(None, cast.sprint.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        Listing.objects.filter(pk=listing.pk).update(mode="token_gated")


def test_viewers_are_written_down_by_the_sweep_and_forgotten_after_the_end(cast: Cast) -> None:
    listing = listings.listing_make(None, cast.sprint.pk)
    presence.confirm({f"arena.{cast.sprint.pk}": {"anonymous-1", "anonymous-2", str(cast.carol.pk)}})
    presence.arrive(cast.sprint.pk, str(cast.mallory.pk))
    listing.refresh_from_db()
    assert listing.viewers == 0
    tasks.tend()
    listing.refresh_from_db()
    assert listing.viewers == 4
    presence.depart(cast.sprint.pk, str(cast.mallory.pk))
    tasks.tend()
    listing.refresh_from_db()
    assert listing.viewers == 3
    Competition.objects.filter(pk=cast.sprint.pk).update(status="completed")
    tasks.tend()
    listing.refresh_from_db()
    assert listing.viewers == 0


def test_without_a_listing_public_contests_are_open_and_others_are_not(cast: Cast) -> None:
    asked = [
        (cast.carol, cast.sprint),
        (cast.carol, make_competition(kind="private")),
        (cast.carol, make_competition(kind="pvp")),
    ]
    assert [refusal and refusal.code for refusal in access.admit(asked)] == [
        None,
        "invitation_needed",
        "invitation_needed",
    ]


def test_operators_list_change_and_close_in_the_admin_site(cast: Cast, settings: Any) -> None:
    settings.STAFF_MFA_REQUIRED = False
    client = Client()
    client.force_login(cast.operator)
    form = {
        "competition": cast.sprint.pk, "mode": "token_gated", "spectator_token_cost": 15, "delay_s": 5, "min_stake_tokens": 10,
        "max_stake_tokens": 100, "bet_lock_bps": 2_500, "bet_thresholds_bps": "200,500", "bet_rake_bps": 500,
    }  # fmt: skip
    assert client.post(reverse("admin:arena_listing_add"), form | {"spectator_token_cost": 0}).status_code == 200
    assert client.post(reverse("admin:arena_listing_add"), form).status_code == 302
    listing = Listing.objects.get(competition=cast.sprint)
    assert (listing.mode, listing.spectator_token_cost, listing.bet_thresholds_bps) == ("token_gated", 15, [200, 500])
    change = reverse("admin:arena_listing_change", args=[listing.pk])
    assert listing.invite_code in client.get(change).content.decode()
    assert client.post(change, form | {"mode": "open"}).status_code == 302
    lists = reverse("admin:arena_listing_changelist")
    client.post(lists, {"action": "close", "_selected_action": [listing.pk]})
    listing.refresh_from_db()
    assert (listing.mode, listing.spectator_token_cost) == ("closed", 0)
    assert client.get(lists, {"q": "Sprint"}).status_code == 200
    assert client.get(reverse("admin:arena_admission_changelist")).status_code == 200
    client.force_login(cast.moderator)
    assert client.get(lists).status_code == 200
    assert client.get(change).status_code == 200
    assert client.post(change, form).status_code == 403
