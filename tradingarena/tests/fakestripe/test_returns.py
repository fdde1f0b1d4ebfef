"""Money that goes back through the vendor's SDK: refunds whole, partial, pending, failed and cancelled; disputes won and lost."""

from typing import Any

import pytest
import stripe as sdk

from tradingarena.localstack.fakestripe import ApiError, FakeStripe
from tradingarena.tests.fakestripe.support import PAID, new_session, types

REFUNDED = ["charge.refunded", "refund.created", "refund.updated"]


@pytest.fixture
def intent(stripe: FakeStripe, client: sdk.StripeClient) -> str:
    """A PaymentIntent of 500 cents that was paid."""
    return str(stripe.pay(new_session(client).id)["payment_intent"])


def charge_of(client: sdk.StripeClient, intent: str) -> Any:
    seen: Any = client.v1.payment_intents.retrieve(intent, params={"expand": ["latest_charge.refunds"]})
    return seen.latest_charge


def refund(client: sdk.StripeClient, **params: Any) -> Any:
    return client.v1.refunds.create(params=params)  # type: ignore[arg-type]


def test_a_whole_refund(stripe: FakeStripe, client: sdk.StripeClient, intent: str) -> None:
    made = refund(client, payment_intent=intent, reason="requested_by_customer", metadata={"why": "test"})
    charge = charge_of(client, intent)
    assert (made.amount, made.currency, made.status, made.reason) == (500, "usd", "succeeded", "requested_by_customer")
    assert (made.payment_intent, made.charge, made.metadata.why) == (intent, charge.id, "test")
    assert (charge.amount_refunded, charge.refunded, charge.refunds.data[0].id) == (500, True, made.id)
    assert types(stripe) == PAID + REFUNDED
    told = stripe.events(of=charge.id)[-1]
    assert told["data"]["previous_attributes"] == {"amount_refunded": 0, "refunded": False}


def test_partial_refunds_add_up_and_no_more_than_was_paid(
    stripe: FakeStripe, client: sdk.StripeClient, intent: str
) -> None:
    charge = charge_of(client, intent).id
    first = refund(client, payment_intent=intent, amount=200)
    second = refund(client, charge=charge, amount=100)
    assert (charge_of(client, intent).amount_refunded, charge_of(client, intent).refunded) == (300, False)
    with pytest.raises(
        sdk.InvalidRequestError, match=r"\$2\.01\) is greater than unrefunded amount on charge \(\$2\.00"
    ):
        refund(client, payment_intent=intent, amount=201)
    rest = refund(client, payment_intent=intent)
    assert (rest.amount, charge_of(client, intent).refunded) == (200, True)
    with pytest.raises(sdk.InvalidRequestError) as caught:
        refund(client, payment_intent=intent)
    assert (caught.value.http_status, caught.value.code) == (400, "charge_already_refunded")

    assert client.v1.refunds.retrieve(first.id).amount == 200
    for params in ({"payment_intent": intent}, {"charge": charge}, {}):
        listed = client.v1.refunds.list(params=params)  # type: ignore[arg-type]
        assert [each.id for each in listed.data] == [rest.id, second.id, first.id]
    assert client.v1.refunds.list(params={"charge": "ch_other"}).data == []


@pytest.mark.parametrize(
    ("params", "status", "code", "param"),
    [
        ({}, 400, "parameter_missing", "payment_intent"),
        ({"payment_intent": "pi_none"}, 404, "resource_missing", "payment_intent"),
        ({"charge": "ch_none"}, 404, "resource_missing", "id"),
        ({"payment_intent": "pi_1", "charge": "ch_1"}, 400, None, "charge"),
        ({"payment_intent": "PAID", "amount": 0}, 400, "parameter_invalid_integer", "amount"),
        ({"payment_intent": "PAID", "amount": "1.5"}, 400, "parameter_invalid_integer", "amount"),
        ({"payment_intent": "PAID", "amount": 501}, 400, None, "amount"),
        ({"payment_intent": "PAID", "reason": "boredom"}, 400, None, "reason"),
        ({"payment_intent": "PAID", "colour": "red"}, 400, "parameter_unknown", "colour"),
    ],
)
def test_a_wrong_refund_is_refused(
    client: sdk.StripeClient, intent: str, params: dict[str, Any], status: int, code: str | None, param: str
) -> None:
    given = {name: intent if value == "PAID" else value for name, value in params.items()}
    with pytest.raises(sdk.InvalidRequestError) as caught:
        refund(client, **given)
    assert (caught.value.http_status, caught.value.code, caught.value.param) == (status, code, param)
    assert charge_of(client, intent).amount_refunded == 0


def test_what_was_not_paid_is_not_refunded(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    made = new_session(client)
    later = stripe.pay_later(made.id)["payment_intent"]
    with pytest.raises(sdk.InvalidRequestError, match="does not have a successful charge to refund"):
        refund(client, payment_intent=later)
    charge = client.v1.payment_intents.retrieve(later).latest_charge
    with pytest.raises(sdk.InvalidRequestError, match="was not paid"):
        refund(client, charge=charge)


def test_a_refund_can_be_pending_and_arrive_later(stripe: FakeStripe, client: sdk.StripeClient, intent: str) -> None:
    stripe.next_refunds("pending")
    made = refund(client, payment_intent=intent)
    assert (made.status, made.pending_reason) == ("pending", "processing")
    assert charge_of(client, intent).amount_refunded == 500
    assert types(stripe) == [*PAID, "charge.refunded", "refund.created"]
    stripe.refund_settle(made.id)
    assert client.v1.refunds.retrieve(made.id).status == "succeeded"
    assert types(stripe)[-1] == "refund.updated"
    assert stripe.events()[-1]["data"]["previous_attributes"] == {"status": "pending"}


@pytest.mark.parametrize("status", ["pending", "succeeded"])
def test_a_refund_can_fail_later(stripe: FakeStripe, client: sdk.StripeClient, intent: str, status: str) -> None:
    stripe.next_refunds(status)
    made = refund(client, payment_intent=intent, amount=200)
    before = len(types(stripe))
    stripe.refund_fail(made.id)
    failed = client.v1.refunds.retrieve(made.id)
    assert (failed.status, failed.failure_reason) == ("failed", "lost_or_stolen_card")
    assert (charge_of(client, intent).amount_refunded, charge_of(client, intent).refunded) == (0, False)
    assert types(stripe)[before:] == ["refund.updated", "charge.refund.updated", "refund.failed"]
    with pytest.raises(ApiError):
        stripe.refund_fail(made.id)
    stripe.next_refunds("succeeded")
    assert refund(client, payment_intent=intent).amount == 500


def test_only_a_refund_that_waits_for_the_customer_is_cancelled(
    stripe: FakeStripe, client: sdk.StripeClient, intent: str
) -> None:
    done = refund(client, payment_intent=intent, amount=100)
    with pytest.raises(sdk.InvalidRequestError, match="requires_action"):
        client.v1.refunds.cancel(done.id)
    stripe.next_refunds("requires_action")
    waits = refund(client, payment_intent=intent, amount=100)
    cancelled = client.v1.refunds.cancel(waits.id)
    assert (cancelled.status, cancelled.failure_reason) == ("canceled", "merchant_request")
    assert charge_of(client, intent).amount_refunded == 100
    assert types(stripe)[-2:] == ["refund.updated", "charge.refund.updated"]


def test_a_refund_from_the_dashboard_has_no_request_behind_it(
    stripe: FakeStripe, client: sdk.StripeClient, intent: str
) -> None:
    client.v1.refunds.create(params={"payment_intent": intent, "amount": 100}, options={"idempotency_key": "ours"})
    stripe.refund(intent, amount=150)
    by_program, by_hand = (each for each in stripe.events() if each["type"] == "refund.created")
    assert by_program["request"]["idempotency_key"] == "ours"
    assert by_program["request"]["id"].startswith("req_")
    assert by_hand["request"] == {"id": None, "idempotency_key": None}
    assert charge_of(client, intent).amount_refunded == 250


@pytest.mark.parametrize(("won", "status"), [(True, "won"), (False, "lost")])
def test_a_dispute_is_opened_and_decided(
    stripe: FakeStripe, client: sdk.StripeClient, intent: str, won: bool, status: str
) -> None:
    made = client.v1.disputes.retrieve(stripe.dispute(intent, reason="product_not_received")["id"])
    charge = charge_of(client, intent)
    assert (made.amount, made.charge, made.payment_intent) == (500, charge.id, intent)
    assert (made.status, made.reason, made.is_charge_refundable) == ("needs_response", "product_not_received", False)
    assert charge.disputed is True
    assert types(stripe) == [*PAID, "charge.dispute.created", "charge.dispute.funds_withdrawn"]
    with pytest.raises(sdk.InvalidRequestError) as caught:
        refund(client, payment_intent=intent)
    assert caught.value.code == "charge_disputed"

    (stripe.dispute_win if won else stripe.dispute_lose)(made.id)
    assert client.v1.disputes.retrieve(made.id).status == status
    closing = ["charge.dispute.updated", "charge.dispute.closed", *["charge.dispute.funds_reinstated"] * won]
    assert types(stripe)[len(PAID) + 2 :] == closing
    assert [each["data"]["object"]["status"] for each in stripe.events(of=made.id)][2:] == [
        "under_review", status, *["won"] * won,
    ]  # fmt: skip
    with pytest.raises(ApiError):
        stripe.dispute_lose(made.id)
    if won:
        assert refund(client, payment_intent=intent).amount == 500


def test_disputes_are_listed_and_about_a_part_if_so_asked(
    stripe: FakeStripe, client: sdk.StripeClient, intent: str
) -> None:
    made = stripe.dispute(intent, amount=120)
    assert [each.amount for each in client.v1.disputes.list(params={"payment_intent": intent}).data] == [120]
    assert client.v1.disputes.list(params={"charge": "ch_other"}).data == []
    with pytest.raises(ApiError, match="disputed already"):
        stripe.dispute(intent)
    with pytest.raises(sdk.InvalidRequestError) as caught:
        client.v1.disputes.retrieve("dp_none")
    assert (caught.value.code, caught.value.param) == ("resource_missing", "dispute")
    assert made["evidence_details"]["due_by"] > made["created"]
