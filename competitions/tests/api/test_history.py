"""GET …/fills, …/deals, …/trades, …/equity and …/positions of oneself and of others."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from competitions.models import Competition, EquitySnapshot
from competitions.tests.factories import Desk, make_order_body
from tradingarena.tests.cast import Cast, anonymous, by_token, problem_of

LISTS = ("/fills", "/deals", "/trades", "/positions")


@pytest.fixture
def traded(cast: Cast, desk: Desk) -> Cast:
    """Alice has closed a trade in USD/JPY and holds EUR/USD."""
    client = by_token(cast.alice)
    for pair, side in (("USD/JPY", "buy"), ("USD/JPY", "sell"), ("EUR/USD", "buy")):
        client.post(cast.path("/orders"), make_order_body(pair=pair, side=side), format="json")
        desk.decide(pair)
    return cast


def counts(client: Any, cast: Cast) -> dict[str, int]:
    answers = {tail: client.get(cast.path(f"{tail}?entry_id={cast.alices.pk}")) for tail in LISTS}
    assert all(answer.status_code == 200 for answer in answers.values()), answers
    return {tail: len(answer.json()["results"]) for tail, answer in answers.items()}


def test_one_sees_all_of_ones_own(traded: Cast) -> None:
    client = by_token(traded.alice)
    assert counts(client, traded) == {"/fills": 3, "/deals": 3, "/trades": 2, "/positions": 1}
    deals = client.get(traded.path("/deals")).json()["results"]
    closing = next(deal for deal in deals if deal["direction"] == "out")
    assert (closing["conversion_pair"], closing["conversion_rate"]) == ("USD/JPY", "150.005000")
    assert [deal["number"] for deal in deals] == [3, 2, 1]
    trades = client.get(traded.path("/trades")).json()["results"]
    assert {(trade["pair"], trade["closed_at"] is None) for trade in trades} == {("EUR/USD", True), ("USD/JPY", False)}


def test_a_rival_sees_only_what_is_over(traded: Cast) -> None:
    assert counts(by_token(traded.bob), traded) == {"/fills": 2, "/deals": 2, "/trades": 1, "/positions": 0}


def test_a_spectator_sees_everything(traded: Cast) -> None:
    for client in (anonymous(), by_token(traded.carol), by_token(traded.mallory)):
        assert counts(client, traded) == {"/fills": 3, "/deals": 3, "/trades": 2, "/positions": 1}


def test_when_the_contest_is_over_rivals_see_everything_too(traded: Cast) -> None:
    Competition.objects.filter(pk=traded.sprint.pk).update(status="settling")
    assert counts(by_token(traded.bob), traded)["/deals"] == 3


def test_without_an_entry_one_must_say_whose(traded: Cast) -> None:
    for tail in (*LISTS, "/equity"):
        problem_of(by_token(traded.carol).get(traded.path(tail)), 404, "no_entry")
        problem_of(anonymous().get(traded.path(tail)), 404, "no_entry")
        # an entry of another contest is not one of this
        problem_of(
            by_token(traded.alice).get(traded.path(f"{tail}?entry_id={traded.alices.pk}", traded.elsewhere)),
            404,
            "not_found",
        )


def test_others_rows_never_carry_values_that_are_their_owners(traded: Cast) -> None:
    shown = anonymous().get(traded.path(f"/positions?entry_id={traded.alices.pk}")).json()["results"][0]
    assert not {"unrealized_cents", "margin_cents", "mark_price"} & set(shown)


def test_the_equity_curve_is_thinned_and_keeps_its_ends(cast: Cast) -> None:
    start = timezone.now() - timedelta(minutes=5)
    EquitySnapshot.objects.bulk_create(
        EquitySnapshot(
            competition=cast.sprint, at=start + timedelta(seconds=n), quote_id=n, equity_cents=[n, 1_000 + n]
        )
        for n in range(101)
    )
    number = cast.alices.number
    client = by_token(cast.alice)
    offset = 0 if number == 1 else 1_000
    every = client.get(cast.path("/equity")).json()["points"]
    assert [point["equity_cents"] for point in every] == [offset + n for n in range(101)]
    for points in (2, 3, 10, 50, 100):
        thin = client.get(cast.path(f"/equity?points={points}")).json()["points"]
        assert len(thin) <= points
        assert (thin[0], thin[-1]) == (every[0], every[-1])
