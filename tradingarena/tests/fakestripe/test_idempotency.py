"""Idempotency keys through the vendor's SDK: one effect for one key, the first answer again, mismatches and clashes refused."""

import threading
from typing import Any

import pytest
import stripe as sdk

from tradingarena.localstack.fakestripe import FakeStripe
from tradingarena.tests.fakestripe.support import client_of, new_session, raw, until


def sessions(client: sdk.StripeClient) -> list[str]:
    return [each.id for each in client.v1.checkout.sessions.list(params={"limit": 100}).data]


def test_the_same_key_gives_the_same_session(client: sdk.StripeClient) -> None:
    first, again = new_session(client, key="order-1-v1"), new_session(client, key="order-1-v1")
    assert again.id == first.id
    assert sessions(client) == [first.id]
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert again.last_response.body == first.last_response.body
    assert again.last_response.headers["Idempotency-Key"] == "order-1-v1"


def test_another_key_is_another_session(client: sdk.StripeClient) -> None:
    assert new_session(client, key="a").id != new_session(client, key="b").id


def test_the_first_answer_is_given_even_when_the_session_has_changed(
    stripe: FakeStripe, client: sdk.StripeClient
) -> None:
    first = new_session(client, key="a")
    stripe.pay(first.id)
    assert new_session(client, key="a").status == "open"


def test_the_order_of_the_parameters_does_not_matter(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    intent = stripe.pay(new_session(client).id)["payment_intent"]
    first = raw(stripe, "POST", "/v1/refunds", f"payment_intent={intent}&amount=5".encode(), Idempotency_Key="k")
    again = raw(stripe, "POST", "/v1/refunds", f"amount=5&payment_intent={intent}".encode(), Idempotency_Key="k")
    assert (first[0], again[0], again[2]) == (200, 200, first[2])


def test_other_parameters_or_another_path_with_the_same_key_are_refused(client: sdk.StripeClient) -> None:
    new_session(client, key="a")
    with pytest.raises(sdk.IdempotencyError, match="same parameters they were first used with") as caught:
        new_session(client, key="a", client_reference_id="order-2")
    error: Any = caught.value
    assert (error.http_status, error.error.type) == (400, "idempotency_error")
    with pytest.raises(sdk.IdempotencyError, match="for the same endpoint"):
        client.v1.refunds.create(params={"charge": "ch_1"}, options={"idempotency_key": "a"})
    assert len(sessions(client)) == 1


def test_a_refused_parameter_leaves_the_key_free(client: sdk.StripeClient) -> None:
    with pytest.raises(sdk.InvalidRequestError):
        new_session(client, key="a", mode=None)
    assert new_session(client, key="a").status == "open"


def test_a_refusal_of_the_work_itself_is_kept_with_its_key(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    intent = stripe.pay(new_session(client).id)["payment_intent"]

    def refund(key: str) -> Any:
        return client.v1.refunds.create(params={"payment_intent": intent}, options={"idempotency_key": key})

    made = refund("a")
    with pytest.raises(sdk.InvalidRequestError) as first:
        refund("b")
    stripe.refund_fail(made.id)
    with pytest.raises(sdk.InvalidRequestError) as again:
        refund("b")
    assert again.value.http_body == first.value.http_body
    assert (again.value.headers or {})["Idempotent-Replayed"] == "true"
    assert refund("c").status == "succeeded"


def test_a_key_is_forgotten_after_a_day_and_has_at_most_255_characters(
    stripe: FakeStripe, client: sdk.StripeClient
) -> None:
    first = new_session(client, key="k" * 255)
    stripe.advance(24 * 3_600 + 1)
    assert new_session(client, key="k" * 255).id != first.id
    with pytest.raises(sdk.InvalidRequestError, match="up to 255 characters"):
        new_session(client, key="k" * 256)


def test_keys_do_not_count_for_reading(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    assert raw(stripe, "GET", "/v1/refunds", Idempotency_Key="a")[0] == 200
    assert raw(stripe, "GET", "/v1/events", Idempotency_Key="a")[0] == 200
    assert new_session(client, key="a").id


def test_a_key_whose_request_is_under_way_is_refused_until_it_is_answered(
    stripe: FakeStripe, client: sdk.StripeClient
) -> None:
    stripe.fault("slow", hold_s=60)
    made: list[Any] = []

    def impatient() -> None:
        made.append(new_session(client_of(stripe), key="a"))

    first = threading.Thread(target=impatient)
    first.start()
    until("the first request is under way", lambda: "a" in stripe.rest.keys.busy)
    with pytest.raises(sdk.APIError, match="another in-progress request") as caught:
        new_session(client, key="a")
    error: Any = caught.value
    assert (error.http_status, error.error.code) == (409, "idempotency_key_in_use")
    assert error.headers["Stripe-Should-Retry"] == "true"
    assert new_session(client, key="b").id
    assert not made
    stripe.heal()
    first.join(30)
    assert new_session(client, key="a").id == made[0].id
    assert len(sessions(client)) == 2


def test_twenty_at_once_with_one_key_make_one_session(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.append(new_session(client_of(stripe, retries=5), key="a").id))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(made) == 20
    assert set(made) == set(sessions(client))
    assert len(sessions(client)) == 1
