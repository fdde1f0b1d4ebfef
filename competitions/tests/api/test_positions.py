"""GET …/positions, PATCH …/positions/{id}, POST …/positions/{id}/close."""

from typing import Any
from uuid import uuid4

from competitions.models import Order
from competitions.tests.factories import Desk, make_order_body
from tradingarena.tests.cast import Cast, by_token, problem_of


def bought(cast: Cast, desk: Desk, units: int = 100_000) -> dict[str, Any]:
    client = by_token(cast.alice)
    client.post(cast.path("/orders"), make_order_body(units=units), format="json")
    desk.decide("EUR/USD", "1.08500", "1.08510")
    found: list[dict[str, Any]] = client.get(cast.path("/positions")).json()["results"]
    return found[0]


def test_ones_own_position_has_its_value_now(cast: Cast, desk: Desk) -> None:
    position = bought(cast, desk)
    assert (position["pair"], position["side"], position["units"]) == ("EUR/USD", "long", 100_000)
    assert position["average_price"] == "1.085100"
    assert (position["mark_price"], position["unrealized_cents"]) == ("1.08500", -1_000)
    assert position["margin_cents"] > 0


def test_stop_loss_and_take_profit_are_set_and_taken_away(cast: Cast, desk: Desk) -> None:
    path, client = cast.path(f"/positions/{bought(cast, desk)['position_id']}"), by_token(cast.alice)
    both = client.patch(path, {"stop_loss": "1.08000", "take_profit": "1.09000"}, format="json")
    assert both.status_code == 202, both.content
    desk.decide()
    position = client.get(cast.path("/positions")).json()["results"][0]
    assert (position["stop_loss"], position["take_profit"]) == ("1.08000", "1.09000")
    # what is not named stays as it is
    client.patch(path, {"take_profit": None}, format="json")
    desk.decide()
    position = client.get(cast.path("/positions")).json()["results"][0]
    assert (position["stop_loss"], position["take_profit"]) == ("1.08000", None)


def test_a_protection_on_the_wrong_side_is_refused(cast: Cast, desk: Desk) -> None:
    path, client = cast.path(f"/positions/{bought(cast, desk)['position_id']}"), by_token(cast.alice)
    problem_of(client.patch(path, {"stop_loss": "1.20000"}, format="json"), 422, "stop_loss_wrong_side")
    problem_of(client.patch(path, {"take_profit": "1.00000"}, format="json"), 422, "take_profit_wrong_side")
    problem_of(client.patch(path, {}, format="json"), 400, "nothing_to_change")


def test_a_position_is_closed_in_parts_and_whole(cast: Cast, desk: Desk) -> None:
    path, client = cast.path(f"/positions/{bought(cast, desk)['position_id']}/close"), by_token(cast.alice)
    part = client.post(path, {"id": str(uuid4()), "units": 40_000}, format="json")
    assert (part.status_code, part.json()["side"], part.json()["units"]) == (201, "sell", 40_000), part.content
    desk.decide()
    assert client.get(cast.path("/positions")).json()["results"][0]["units"] == 60_000
    client.post(path, {"id": str(uuid4())}, format="json")
    desk.decide()
    assert client.get(cast.path("/positions")).json()["results"] == []
    problem_of(client.post(path, {"id": str(uuid4())}, format="json"), 409, "position_closed")


def test_a_close_is_done_once_by_its_id_or_its_key(cast: Cast, desk: Desk) -> None:
    path, client = cast.path(f"/positions/{bought(cast, desk)['position_id']}/close"), by_token(cast.alice)
    header = {"Idempotency-Key": "close-1"}
    first = client.post(path, {"units": 1_000}, format="json", headers=header)
    again = client.post(path, {"units": 1_000}, format="json", headers=header)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    problem_of(client.post(path, {"units": 2_000}, format="json", headers=header), 422, "idempotency_key_reused")
    body = {"id": str(uuid4()), "units": 3_000}
    assert client.post(path, body, format="json").json() == client.post(path, body, format="json").json()
    assert Order.objects.filter(closes_position__isnull=False).count() == 2
    problem_of(client.post(path, {"units": 1_000}, format="json"), 400, "idempotency_key_required")


def test_one_closes_at_most_what_one_has(cast: Cast, desk: Desk) -> None:
    path, client = cast.path(f"/positions/{bought(cast, desk)['position_id']}/close"), by_token(cast.alice)
    problem_of(client.post(path, {"id": str(uuid4()), "units": 200_000}, format="json"), 422, "units_out_of_range")


def test_others_positions_cannot_be_touched(cast: Cast, desk: Desk) -> None:
    position_id = bought(cast, desk)["position_id"]
    for user in (cast.bob, cast.carol, cast.mallory, cast.operator):
        client = by_token(user)
        patched = client.patch(cast.path(f"/positions/{position_id}"), {"stop_loss": None}, format="json")
        closed = client.post(cast.path(f"/positions/{position_id}/close"), {"id": str(uuid4())}, format="json")
        assert (patched.status_code, closed.status_code) == (404, 404)
    assert by_token(cast.alice).get(cast.path("/positions")).json()["results"][0]["units"] == 100_000
