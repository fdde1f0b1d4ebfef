"""Checkout Sessions through the vendor's SDK: made, read, listed, expired, and refused with Stripe's errors."""

import time
from typing import Any

import pytest
import stripe as sdk

from tradingarena.localstack.fakestripe import FakeStripe
from tradingarena.tests.fakestripe.support import CANCEL, SUCCESS, client_of, new_session, raw, types, wanted

HALF_HOUR = 1_800


def line(amount: int, quantity: int = 1, **price: Any) -> dict[str, Any]:
    data = {"currency": "usd", "unit_amount": amount, "product_data": {"name": f"at {amount}"}} | price
    return {"quantity": quantity, "price_data": data}


def test_a_session_has_what_was_asked_for(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    made = new_session(client, customer_email="ann@example.com", line_items=[line(500, 2), line(250)])
    assert made.id.startswith("cs_test_")
    assert (made.object, made.mode, made.ui_mode, made.livemode) == (
        "checkout.session",
        "payment",
        "hosted_page",
        False,
    )
    assert (made.status, made.payment_status, made.payment_intent) == ("open", "unpaid", None)
    assert (made.amount_subtotal, made.amount_total, made.currency) == (1250, 1250, "usd")
    assert (made.client_reference_id, made.customer_email) == ("order-1", "ann@example.com")
    assert made.metadata.to_dict() == {"order_id": "1", "kind": "tokens"}
    assert (made.success_url, made.cancel_url) == (SUCCESS, CANCEL)
    assert made.url == f"{stripe.url}/c/pay/{made.id}"
    assert made.expires_at == made.created + 24 * 3_600
    assert types(stripe) == []


def test_on_every_address_the_page_is_on_the_host_where_the_customer_already_is() -> None:
    with FakeStripe(host="0.0.0.0") as stripe:
        client = client_of(stripe)
        assert stripe.url == f"http://127.0.0.1:{stripe.port}"
        for host in ("arena.example.com", "[2001:db8::1]", "192.0.2.7"):
            made = new_session(client, success_url=f"https://{host}:8443/return")
            assert made.url == f"http://{host}:{stripe.port}/c/pay/{made.id}"


def test_it_is_read_again_by_its_id(client: sdk.StripeClient) -> None:
    made = new_session(client)
    assert client.v1.checkout.sessions.retrieve(made.id).to_dict() == made.to_dict()


def test_its_lines_are_listed(client: sdk.StripeClient) -> None:
    made = new_session(client, line_items=[line(500, 2), line(250), line(75, 10)])
    first = client.v1.checkout.sessions.line_items.list(made.id, params={"limit": 2})
    assert [(each.description, each.quantity, each.amount_total) for each in first.data] == [
        ("at 500", 2, 1000), ("at 250", 1, 250),
    ]  # fmt: skip
    assert first.has_more
    assert [each.amount_total for each in first.auto_paging_iter()] == [1000, 250, 750]
    price = first.data[0].price
    assert price is not None
    assert (price.unit_amount, price.currency, price.type) == (500, "usd", "one_time")


def test_other_objects_are_put_in_the_place_of_their_ids(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    made = new_session(client)
    stripe.pay(made.id)
    ways = ["payment_intent", "payment_intent.latest_charge", "line_items"]
    seen: Any = client.v1.checkout.sessions.retrieve(made.id, params={"expand": ways})
    assert seen.payment_intent.status == "succeeded"
    assert seen.payment_intent.latest_charge.paid is True
    assert seen.line_items.data[0].amount_total == 500
    listed: Any = client.v1.checkout.sessions.list(params={"expand": ["data.payment_intent"]})
    assert listed.data[0].payment_intent.amount == 500
    with pytest.raises(sdk.InvalidRequestError, match="cannot be expanded"):
        client.v1.checkout.sessions.retrieve(made.id, params={"expand": ["customers"]})


def test_sessions_are_listed_newest_first_and_page_by_page(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    made = [new_session(client).id for _ in range(5)]
    page = client.v1.checkout.sessions.list(params={"limit": 2})
    assert [each.id for each in page.data] == [made[4], made[3]]
    assert page.has_more
    assert [each.id for each in page.auto_paging_iter()] == made[::-1]
    before = client.v1.checkout.sessions.list(params={"limit": 2, "ending_before": made[1]})
    assert [each.id for each in before.data] == [made[3], made[2]]
    stripe.pay(made[2])
    paid = client.v1.checkout.sessions.list(params={"status": "complete"})
    assert [each.id for each in paid.data] == [made[2]]
    of = client.v1.checkout.sessions.list(params={"payment_intent": str(paid.data[0].payment_intent)})
    assert [each.id for each in of.data] == [made[2]]


def test_an_open_session_can_be_expired_once(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    made = new_session(client)
    closed = client.v1.checkout.sessions.expire(made.id)
    assert (closed.status, closed.url, closed.payment_status) == ("expired", None, "unpaid")
    assert types(stripe) == ["checkout.session.expired"]
    with pytest.raises(sdk.InvalidRequestError, match=r'status in \["open"\] can be expired.*`expired`'):
        client.v1.checkout.sessions.expire(made.id)


def test_an_unknown_session_is_missing(client: sdk.StripeClient) -> None:
    with pytest.raises(sdk.InvalidRequestError) as caught:
        client.v1.checkout.sessions.retrieve("cs_test_nobody")
    error = caught.value
    assert (error.http_status, error.code, error.param) == (404, "resource_missing", "session")
    assert error.user_message == "No such checkout.session: 'cs_test_nobody'"


@pytest.mark.parametrize(("ahead_s", "fits"), [(HALF_HOUR + 60, True), (86_300, True), (1_700, False), (86_500, False)])
def test_it_stays_open_for_half_an_hour_to_a_day(client: sdk.StripeClient, ahead_s: int, fits: bool) -> None:
    at = int(time.time()) + ahead_s
    if fits:
        assert new_session(client, expires_at=at).expires_at == at
        return
    with pytest.raises(sdk.InvalidRequestError) as caught:
        new_session(client, expires_at=at)
    assert caught.value.param == "expires_at"


def test_half_an_hour_by_the_callers_clock_is_enough(client: sdk.StripeClient) -> None:
    """A request takes a moment, and the caller counts from before it."""
    assert new_session(client, expires_at=int(time.time()) - 5 + HALF_HOUR)


def test_metadata_has_stripes_limits(client: sdk.StripeClient) -> None:
    largest = {f"key{number:02}".ljust(40, "x"): "v" * 500 for number in range(50)}
    assert new_session(client, metadata=largest).metadata.to_dict() == largest
    for metadata, param in [
        ({f"key{number}": "v" for number in range(51)}, "metadata"),
        ({"k" * 41: "v"}, f"metadata[{'k' * 41}]"),
        ({"key": "v" * 501}, "metadata[key]"),
    ]:
        with pytest.raises(sdk.InvalidRequestError) as caught:
            new_session(client, metadata=metadata)
        assert (caught.value.http_status, caught.value.param) == (400, param)


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"mode": None}, "parameter_missing", "mode"),
        ({"mode": "gift"}, None, "mode"),
        ({"mode": "subscription"}, None, "mode"),
        ({"ui_mode": "elements"}, None, "ui_mode"),
        ({"line_items": None}, "parameter_missing", "line_items"),
        ({"line_items": "nothing"}, None, "line_items"),
        ({"line_items": [{"quantity": 1}]}, "parameter_missing", "line_items[0][price_data]"),
        ({"line_items": [{"quantity": 1, "price": "price_1"}]}, "resource_missing", "line_items[0][price]"),
        ({"line_items": [line(500, currency="dollars")]}, None, "line_items[0][price_data][currency]"),
        (
            {"line_items": [line(500, product_data=None)]},
            "parameter_missing",
            "line_items[0][price_data][product_data]",
        ),
        (
            {"line_items": [line(500, unit_amount="5.00")]},
            "parameter_invalid_integer",
            "line_items[0][price_data][unit_amount]",
        ),
        ({"line_items": [line(-5)]}, "parameter_invalid_integer", "line_items[0][price_data][unit_amount]"),
        ({"line_items": [line(500, 0)]}, "parameter_invalid_integer", "line_items[0][quantity]"),
        ({"line_items": [line(500), line(500, currency="eur")]}, "currency_mismatch", "line_items"),
        ({"line_items": [line(49)]}, "amount_too_small", "line_items"),
        ({"line_items": [line(99_999_999), line(1)]}, "amount_too_large", "line_items"),
        ({"line_items": [line(500)] * 101}, None, "line_items"),
        ({"success_url": None}, "parameter_missing", "success_url"),
        ({"success_url": ""}, "parameter_invalid_empty", "success_url"),
        ({"success_url": "javascript:alert(1)"}, "url_invalid", "success_url"),
        ({"success_url": "http://[::1"}, "url_invalid", "success_url"),
        ({"success_url": "http://a/\r\nSet-Cookie: x=1"}, "url_invalid", "success_url"),
        ({"cancel_url": "/back"}, "url_invalid", "cancel_url"),
        ({"customer_email": "nobody"}, "email_invalid", "customer_email"),
        ({"client_reference_id": "x" * 201}, None, "client_reference_id"),
        (
            {"payment_intent_data": {"capture_method": "manual"}},
            "parameter_unknown",
            "payment_intent_data[capture_method]",
        ),
        ({"metadata": {"a": {"b": "c"}}}, None, "metadata[a]"),
        ({"colour": "red"}, "parameter_unknown", "colour"),
    ],
)
def test_what_stripe_would_refuse_is_refused_as_stripe_does(
    stripe: FakeStripe, client: sdk.StripeClient, changes: dict[str, Any], code: str | None, param: str
) -> None:
    with pytest.raises(sdk.InvalidRequestError) as caught:
        new_session(client, **changes)
    error: Any = caught.value
    assert (error.http_status, error.code, error.param) == (400, code, param)
    assert error.error.type == "invalid_request_error"
    assert error.user_message
    assert error.request_id.startswith("req_")
    assert client.v1.checkout.sessions.list().data == []


def test_every_answer_has_a_request_id_and_the_version_that_was_asked_for(stripe: FakeStripe) -> None:
    status, headers, _ = raw(stripe, "GET", "/v1/events", Stripe_Version="2024-06-20")
    assert (status, headers["stripe-version"]) == (200, "2024-06-20")
    assert headers["request-id"].startswith("req_")
    _, headers, _ = raw(stripe, "GET", "/v1/events")
    assert headers["stripe-version"] == sdk.api_version


def test_a_wrong_key_is_refused(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    stranger = sdk.StripeClient("sk_test_somebody", base_addresses={"api": stripe.url})
    with pytest.raises(sdk.AuthenticationError, match="Invalid API Key provided") as caught:
        stranger.v1.checkout.sessions.create(params=wanted())  # type: ignore[arg-type]
    assert caught.value.http_status == 401
    for header in ("", "Bearer", "Basic ???", "Digest x"):
        status, headers, body = raw(stripe, "GET", "/v1/events", Authorization=header)
        assert (status, body["error"]["type"]) == (401, "invalid_request_error")
        assert headers["request-id"]
    basic = "Basic c2tfdGVzdF9sb2NhbDo="  # as curl -u sk_test_local: sends it
    assert raw(stripe, "GET", "/v1/events", Authorization=basic)[0] == 200


def test_an_unknown_path_or_method_is_not_found_in_stripes_form(stripe: FakeStripe) -> None:
    for method, path in [
        ("GET", "/v1/customers"),
        ("GET", "/nowhere"),
        ("DELETE", "/v1/refunds"),
        ("POST", "/v1/events"),
    ]:
        status, headers, body = raw(stripe, method, path)
        assert status == 404
        assert body["error"]["message"].startswith(f"Unrecognized request URL ({method}: {path})")
        assert headers["request-id"]
