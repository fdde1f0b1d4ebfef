"""Browsing: what is listed, in which order, with which filters; over REST and on the page. docs/rules/arena.md#browsing."""

from collections.abc import Callable

import pytest
from django.test import Client

from arena.models import Listing
from arena.services import listings
from competitions.models import Competition
from competitions.services import presence
from competitions.tests.factories import make_competition, make_entry, make_open_competition
from tradingarena.tests.cast import Cast, anonymous, by_token


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast.assemble()


@pytest.fixture
def hall(cast: Cast) -> Callable[[str], list[str]]:
    """Five running sessions; gives the titles that a query finds, in order."""
    for title, viewers, settings in (
        ("Quiet", 0, {}),
        ("Crowded", 50, {"bets_allowed": False}),
        ("Starred", 3, {"featured": True}),
        ("Gated", 20, {"mode": "token_gated", "spectator_token_cost": 9}),
        ("Shut", 90, {"mode": "closed"}),
    ):
        contest = make_competition(title=title, buy_in_cents=1_000 if title == "Crowded" else 0, rake_bps=1_000)
        listing = listings.listing_make(cast.operator, contest.pk, **settings)
        Listing.objects.filter(pk=listing.pk).update(viewers=viewers)
        make_entry(contest, cast.carol, fills_count=1, last_equity_cents=10_250_000)
    listings.listing_make(None, make_competition(title="Secret", kind="private").pk)
    listings.listing_make(None, make_open_competition(title="Later").pk)
    return lambda query: [row["title"] for row in anonymous().get(f"/api/arena/listings{query}").json()["results"]]


def test_featured_come_first_then_who_has_most_viewers(hall: Callable[[str], list[str]]) -> None:
    assert hall("") == ["Starred", "Crowded", "Gated", "Quiet"]


def test_filters_narrow_the_list(hall: Callable[[str], list[str]]) -> None:
    assert hall("?featured=true") == ["Starred"]
    assert hall("?featured=false") == ["Crowded", "Gated", "Quiet"]
    assert hall("?min_viewers=20") == ["Crowded", "Gated"]
    assert hall("?bet_behind=true") == ["Starred", "Gated", "Quiet"]
    assert hall("?q=qui") == ["Quiet"]
    assert hall("?q=CAROL&min_viewers=3") == ["Starred", "Crowded", "Gated"]
    assert hall("?q=nobody") == []


def test_the_list_is_paged_by_place(hall: Callable[[str], list[str]]) -> None:
    first = anonymous().get("/api/arena/listings?limit=3").json()
    assert (first["total"], len(first["results"]), first["previous"]) == (4, 3, None)
    assert [row["title"] for row in anonymous().get(first["next"]).json()["results"]] == ["Quiet"]
    assert hall("?place=9") == []


def test_each_row_has_leader_return_viewers_pool_and_time(cast: Cast, hall: Callable[[str], list[str]]) -> None:
    rows = {row["title"]: row for row in anonymous().get("/api/arena/listings").json()["results"]}
    presence.confirm({f"arena.{rows['Crowded']['competition_id']}": {"a", "b"}})
    row = anonymous().get(f"/api/arena/{rows['Crowded']['id']}").json()
    assert (row["viewers"], row["entrants"], row["prize_pool_cents"], row["delay_s"]) == (2, 1, 0, 10)
    assert row["leader"] == {"user_id": str(cast.carol.pk), "username": "carol", "return_bps": 250}
    assert rows["Gated"]["access"] == {
        "may_watch": False, "code": "pass_required", "detail": "Watching this contest needs a pass. It costs 9 tokens, once.",
    }  # fmt: skip
    # the same by the contest's id, and for who may watch
    assert by_token(cast.moderator).get(f"/api/arena/{rows['Gated']['competition_id']}").json()["access"]["may_watch"]


def test_the_page_filters_alike_and_takes_any_query(hall: Callable[[str], list[str]]) -> None:
    def titles(query: str) -> list[str]:
        response = Client().get(f"/arena{query}")
        assert response.status_code == 200
        return [session.card.competition.title for session in response.context["sessions"]]

    assert titles("") == ["Starred", "Crowded", "Gated", "Quiet"]
    assert titles("?featured=1") == ["Starred"]
    assert titles("?min_viewers=20&q=cro") == ["Crowded"]
    content = Client().get("/arena").content.decode()
    assert "Later" in content
    assert "Shut" not in content
    assert "Secret" not in content
    for query in (
        "?min_viewers=x",
        "?min_viewers=-1",
        "?min_viewers=²",
        "?q=%00",
        "?q=" + "x" * 900,
        "?featured=maybe",
    ):
        assert titles(query) is not None


def test_who_may_not_watch_sees_the_leader_of_a_gated_session_and_no_curve(hall: Callable[[str], list[str]]) -> None:
    from django.utils import timezone

    from competitions.models import EquitySnapshot

    gated = Competition.objects.get(title="Gated")
    for second in range(3):
        EquitySnapshot.objects.create(
            competition=gated,
            at=timezone.now().replace(microsecond=second),
            quote_id=second,
            equity_cents=[10_000_000 + second],
        )
    (card,) = [one for one in Client().get("/arena").context["sessions"] if one.card.competition == gated]
    assert (card.card.leader["username"], card.card.curve) == ("carol", [])
