"""GET and POST …/orders, GET, PATCH and DELETE …/orders/{id}."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from competitions.models import Amendment, Order
from competitions.tests.factories import Desk, make_order_body
from tradingarena.tests.cast import Cast, anonymous, by_session, by_token, problem_of


def test_it_accepts_an_order_and_answers_before_the_engine_has_decided(cast: Cast) -> None:
    body = make_order_body()
    response = by_token(cast.alice, "trade").post(cast.path("/orders"), body, format="json")
    assert response.status_code == 201, response.content
    answer = response.json()
    assert answer["id"] == body["id"]
    assert (answer["status"], answer["units"], answer["price"], answer["decided_at"]) == (
        "accepted",
        100_000,
        None,
        None,
    )
    assert response["Location"] == cast.path(f"/orders/{body['id']}")
    accepted = datetime.fromisoformat(answer["accepted_at"])
    assert abs((datetime.now(UTC) - accepted).total_seconds()) < 60
    assert Order.objects.get().entry == cast.alices


def test_the_same_order_again_is_the_same_order(cast: Cast) -> None:
    client, body = by_token(cast.alice), make_order_body()
    first = client.post(cast.path("/orders"), body, format="json")
    again = client.post(cast.path("/orders"), body, format="json")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"
    assert Order.objects.count() == 1


def test_the_same_id_with_another_content_is_refused(cast: Cast) -> None:
    client, body = by_token(cast.alice), make_order_body()
    client.post(cast.path("/orders"), body, format="json")
    problem_of(client.post(cast.path("/orders"), body | {"units": 200_000}, format="json"), 422, "order_id_reused")
    bobs = by_token(cast.bob).post(cast.path("/orders"), body, format="json")
    problem_of(bobs, 422, "order_id_reused")


def test_it_shows_the_fill_that_the_engine_made(cast: Cast, desk: Desk) -> None:
    client, body = by_token(cast.alice), make_order_body()
    client.post(cast.path("/orders"), body, format="json")
    desk.decide("EUR/USD", "1.08600", "1.08610")
    answer = client.get(cast.path(f"/orders/{body['id']}")).json()
    assert answer["status"] == "filled"
    fill = client.get(cast.path("/fills")).json()["results"][0]
    assert (fill["price"], fill["bid"], fill["ask"], fill["order_id"]) == ("1.08610", "1.08600", "1.08610", body["id"])


def test_prefer_wait_answers_when_the_engine_has_decided(
    cast: Cast, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the wait's first pause is where the engine gets its turn: nothing sleeps, nothing races
    monkeypatch.setattr("competitions.services.orders.time.sleep", lambda _: desk.decide())
    response = by_token(cast.alice).post(
        cast.path("/orders"), make_order_body(), format="json", headers={"Prefer": "wait=3"}
    )
    assert (response.status_code, response.json()["status"]) == (201, "filled")
    assert response["Preference-Applied"] == "wait=3"


def test_a_preference_that_cannot_be_read_is_ignored(cast: Cast) -> None:
    response = by_token(cast.alice).post(
        cast.path("/orders"), make_order_body(), format="json", headers={"Prefer": "wait=-1, respond-async"}
    )
    assert (response.status_code, response.json()["status"]) == (201, "accepted")


def test_a_page_sends_orders_with_its_session_and_csrf_token(cast: Cast) -> None:
    client = by_session(cast.alice)
    refused = client.post(cast.path("/orders"), make_order_body(), content_type="application/json")
    problem_of(refused, 403, "csrf_failed")
    client.cookies["csrftoken"] = "a" * 32
    accepted = client.post(
        cast.path("/orders"), make_order_body(), content_type="application/json", headers={"X-CSRFToken": "a" * 32}
    )
    assert accepted.status_code == 201, accepted.content


def test_who_has_no_entry_is_told_so(cast: Cast) -> None:
    for user in (cast.carol, cast.mallory, cast.operator):
        problem_of(by_token(user).post(cast.path("/orders"), make_order_body(), format="json"), 404, "no_entry")
    problem_of(anonymous().post(cast.path("/orders"), make_order_body(), format="json"), 401, "not_signed_in")


def test_a_token_without_the_scope_may_read_and_not_trade(cast: Cast) -> None:
    client = by_token(cast.alice, "read")
    problem_of(client.post(cast.path("/orders"), make_order_body(), format="json"), 403, "scope_missing")
    assert client.get(cast.path("/orders")).status_code == 200
    problem_of(by_token(cast.alice, "chat").get(cast.path("/orders")), 403, "scope_missing")


def test_it_refuses_what_a_rule_forbids(cast: Cast) -> None:
    client = by_token(cast.alice)
    refusals = [
        (make_order_body(pair="EUR/GBP"), "pair_not_traded"),
        (make_order_body(units=500), "units_out_of_range"),
        (make_order_body(units=1_500), "units_off_step"),
        (make_order_body(type="limit"), "price_with_type"),
        (make_order_body(price="1.08000"), "price_with_type"),
        (make_order_body(type="limit", pair="USD/JPY", price="150.0001"), "price_digits"),
        (make_order_body(stop_loss="1.20000"), "stop_loss_wrong_side"),
        (make_order_body(take_profit="1.00000"), "take_profit_wrong_side"),
        (make_order_body(units=40_000_000), "insufficient_margin"),
    ]
    for body, code in refusals:
        problem_of(client.post(cast.path("/orders"), body, format="json"), 422, code)
    assert not Order.objects.exists()


def test_it_lists_only_ones_own_orders_by_pages(cast: Cast) -> None:
    alice, bob = by_token(cast.alice), by_token(cast.bob)
    sent = [make_order_body(type="limit", price=f"1.0{number}000") for number in range(1, 6)]
    for body in sent:
        assert alice.post(cast.path("/orders"), body, format="json").status_code == 201
    bob.post(cast.path("/orders"), make_order_body(), format="json")
    page = alice.get(cast.path("/orders?limit=2")).json()
    seen = [row["id"] for row in page["results"]]
    assert page["previous"] is None
    # an order that comes in between moves nothing
    alice.post(cast.path("/orders"), make_order_body(type="limit", price="1.06000"), format="json")
    while page["next"]:
        page = alice.get(page["next"]).json()
        seen += [row["id"] for row in page["results"]]
    assert seen == [body["id"] for body in reversed(sent)]
    back = alice.get(page["previous"]).json()
    assert [row["id"] for row in back["results"]] == seen[2:4]
    assert [row["entry_id"] for row in bob.get(cast.path("/orders")).json()["results"]] == [str(cast.bobs.pk)]


def test_it_filters_by_status_and_pair(cast: Cast, desk: Desk) -> None:
    client = by_token(cast.alice)
    filled, waiting = make_order_body(), make_order_body(type="limit", price="1.00000")
    for body in (filled, waiting):
        client.post(cast.path("/orders"), body, format="json")
    desk.decide()
    assert [row["id"] for row in client.get(cast.path("/orders?status=open")).json()["results"]] == [waiting["id"]]
    assert [row["id"] for row in client.get(cast.path("/orders?status=filled")).json()["results"]] == [filled["id"]]
    assert client.get(cast.path("/orders?pair=USD/JPY")).json()["results"] == []


def test_others_orders_do_not_exist(cast: Cast) -> None:
    body = make_order_body(type="limit", price="1.00000")
    by_token(cast.alice).post(cast.path("/orders"), body, format="json")
    path = cast.path(f"/orders/{body['id']}")
    for user in (cast.bob, cast.mallory, cast.operator):
        client = by_token(user)
        for answer in (client.get(path), client.delete(path), client.patch(path, {"units": 2_000}, format="json")):
            assert answer.status_code == 404, answer.content
    # neither through a contest that one is in
    problem_of(by_token(cast.mallory).get(cast.path(f"/orders/{body['id']}", cast.elsewhere)), 404, "not_found")
    assert Order.objects.get().status == "accepted"


def test_it_cancels_and_changes_a_pending_order(cast: Cast, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    client, body = by_token(cast.alice), make_order_body(type="limit", price="1.00000")
    path = cast.path(f"/orders/{body['id']}")
    client.post(cast.path("/orders"), body, format="json")
    desk.decide()
    pending = client.patch(path, {"price": "1.01000", "take_profit": "1.20000"}, format="json")
    assert pending.status_code == 202, pending.content
    desk.decide()
    changed = client.get(path).json()
    assert (changed["price"], changed["take_profit"], changed["status"]) == ("1.01000", "1.20000", "working")
    monkeypatch.setattr("competitions.api.base.time.sleep", lambda _: desk.decide())
    done = client.delete(path, headers={"Prefer": "wait=3"})
    assert (done.status_code, done.json()["status"]) == (200, "cancelled")
    problem_of(client.delete(path), 409, "order_decided")


def test_a_change_must_change_something(cast: Cast) -> None:
    client, body = by_token(cast.alice), make_order_body(type="limit", price="1.00000")
    client.post(cast.path("/orders"), body, format="json")
    problem_of(client.patch(cast.path(f"/orders/{body['id']}"), {}, format="json"), 400, "nothing_to_change")
    problem_of(client.patch(cast.path(f"/orders/{uuid4()}"), {"units": 1_000}, format="json"), 404, "not_found")


def test_a_stale_market_takes_no_market_order(cast: Cast) -> None:
    type(cast.sprint).objects.filter(pk=cast.sprint.pk).update(quote_stale_ms=0)
    problem_of(by_token(cast.alice).post(cast.path("/orders"), make_order_body(), format="json"), 422, "quote_stale")


def test_who_waits_is_told_that_the_engine_could_not_do_it(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    client, body = by_token(cast.alice), make_order_body(type="limit", price="1.00000")
    client.post(cast.path("/orders"), body, format="json")

    def too_late(_: float) -> None:
        Amendment.objects.update(status=Amendment.Status.REJECTED, reason="order_decided")

    monkeypatch.setattr("competitions.api.base.time.sleep", too_late)
    response = client.delete(cast.path(f"/orders/{body['id']}"), headers={"Prefer": "wait=3"})
    problem_of(response, 409, "order_decided")
