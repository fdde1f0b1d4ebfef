"""What a session can come to, with Stripe's events in Stripe's order: paid, settled or failed later, declined, confirmed."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe as sdk

from tradingarena.localstack.fakestripe import ApiError, FakeStripe
from tradingarena.tests.fakestripe.support import PAID, new_session, types

LATER = ["payment_intent.created", "payment_intent.processing", "charge.pending", "checkout.session.completed"]


def parts(client: sdk.StripeClient, session: str) -> tuple[Any, Any, Any]:
    """Read a session with its PaymentIntent and charge."""
    seen: Any = client.v1.checkout.sessions.retrieve(session, params={"expand": ["payment_intent.latest_charge"]})
    intent = seen.payment_intent
    return seen, intent, intent and intent.latest_charge


def test_paying_by_card_is_done_at_once(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    made = new_session(client, customer_email="ann@example.com", payment_intent_data={"metadata": {"order_id": "7"}})
    stripe.pay(made.id)
    session, intent, charge = parts(client, made.id)
    assert (session.status, session.payment_status, session.url) == ("complete", "paid", None)
    assert session.customer_details.email == "ann@example.com"
    assert (intent.status, intent.amount, intent.amount_received, intent.currency) == ("succeeded", 500, 500, "usd")
    assert (charge.status, charge.paid, charge.amount_captured, charge.payment_intent) == (
        "succeeded", True, 500, intent.id,
    )  # fmt: skip
    assert (charge.amount_refunded, charge.refunded, charge.disputed) == (0, False, False)
    assert charge.receipt_url == f"{stripe.url}/receipts/{charge.id}"
    assert intent.metadata.to_dict() == charge.metadata.to_dict() == {"order_id": "7"}
    assert types(stripe) == PAID


def test_paying_from_a_bank_account_is_complete_but_unpaid_until_it_settles(
    stripe: FakeStripe, client: sdk.StripeClient
) -> None:
    made = new_session(client)
    stripe.pay_later(made.id)
    session, intent, charge = parts(client, made.id)
    assert (session.status, session.payment_status) == ("complete", "unpaid")
    assert (intent.status, charge.status, charge.paid) == ("processing", "pending", False)
    assert types(stripe) == LATER
    assert stripe.events()[-1]["data"]["object"]["payment_status"] == "unpaid"

    stripe.settle(made.id)
    session, intent, settled = parts(client, made.id)
    assert (session.payment_status, intent.status, settled.status) == ("paid", "succeeded", "succeeded")
    assert settled.id == charge.id
    assert types(stripe)[4:] == [
        "payment_intent.succeeded", "charge.succeeded", "checkout.session.async_payment_succeeded",
    ]  # fmt: skip
    with pytest.raises(ApiError, match="no payment that is still processing"):
        stripe.settle(made.id)


def test_a_bank_payment_can_fail(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    made = new_session(client)
    stripe.pay_later(made.id)
    stripe.fail_payment(made.id)
    session, intent, charge = parts(client, made.id)
    assert (session.status, session.payment_status) == ("complete", "unpaid")
    assert (intent.status, charge.status) == ("requires_payment_method", "failed")
    assert intent.last_payment_error.charge == charge.id
    assert types(stripe)[4:] == [
        "payment_intent.payment_failed", "charge.failed", "checkout.session.async_payment_failed",
    ]  # fmt: skip


def test_time_settles_or_fails_bank_payments_and_expires_sessions(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    settles, fails, waits = (new_session(client).id for _ in range(3))
    stripe.pay_later(settles, settles_in_s=3_600)
    stripe.pay_later(fails, settles_in_s=3_600, fails=True)
    stripe.advance(3_000)
    assert parts(client, settles)[0].payment_status == "unpaid"
    stripe.advance(700)
    assert parts(client, settles)[0].payment_status == "paid"
    assert parts(client, fails)[1].status == "requires_payment_method"
    assert parts(client, waits)[0].status == "open"
    stripe.advance(86_400)
    assert parts(client, waits)[0].status == "expired"
    assert types(stripe)[-1] == "checkout.session.expired"
    assert stripe.events()[-1]["created"] >= client.v1.checkout.sessions.retrieve(waits).expires_at
    assert stripe.reset_clock()["ahead_s"] == 0


def test_a_declined_card_leaves_the_session_open_for_another_try(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    made = new_session(client)
    stripe.decline(made.id)
    session, intent, charge = parts(client, made.id)
    assert (session.status, session.payment_status, session.url) == ("open", "unpaid", made.url)
    assert (intent.status, charge.status, charge.failure_code) == ("requires_payment_method", "failed", "card_declined")
    assert (intent.last_payment_error.code, intent.last_payment_error.decline_code) == (
        "card_declined", "generic_decline",
    )  # fmt: skip
    declined = ["payment_intent.created", "payment_intent.payment_failed", "charge.failed"]
    assert types(stripe) == declined

    stripe.pay(made.id)
    session, paid, second = parts(client, made.id)
    assert (session.payment_status, paid.id, paid.last_payment_error) == ("paid", intent.id, None)
    assert second.id != charge.id
    assert types(stripe) == declined + PAID[1:]


def test_a_bank_may_ask_for_confirmation(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    made = new_session(client)
    stripe.ask(made.id)
    _, intent, _ = parts(client, made.id)
    assert (intent.status, intent.next_action.type) == ("requires_action", "use_stripe_sdk")
    stripe.refuse(made.id)
    session, intent, charge = parts(client, made.id)
    assert (session.status, intent.status, charge) == ("open", "requires_payment_method", None)
    assert intent.last_payment_error.code == "payment_intent_authentication_failure"
    stripe.ask(made.id)
    stripe.pay(made.id)
    session, intent, _ = parts(client, made.id)
    assert (session.payment_status, intent.status, intent.next_action) == ("paid", "succeeded", None)
    asked = "payment_intent.requires_action"
    assert types(stripe) == [PAID[0], asked, "payment_intent.payment_failed", asked, *PAID[1:]]


def test_what_was_tried_in_a_session_is_cancelled_when_it_expires(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    made = new_session(client)
    stripe.decline(made.id)
    stripe.expire(made.id)
    _, intent, _ = parts(client, made.id)
    assert (intent.status, intent.cancellation_reason) == ("canceled", "expired")
    assert types(stripe)[-2:] == ["payment_intent.canceled", "checkout.session.expired"]


def test_nothing_happens_to_a_session_twice(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    paid, expired = new_session(client).id, new_session(client).id
    stripe.pay(paid)
    stripe.expire(expired)
    before = types(stripe)
    for session in (paid, expired):
        for step in (
            stripe.pay,
            stripe.pay_later,
            stripe.decline,
            stripe.ask,
            stripe.refuse,
            stripe.expire,
            stripe.settle,
        ):
            with pytest.raises(ApiError):
                step(session)
    assert types(stripe) == before


def test_a_session_for_nothing_needs_no_payment(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    free = {"currency": "usd", "unit_amount": 0, "product_data": {"name": "a gift"}}
    made = new_session(client, line_items=[{"quantity": 1, "price_data": free}])
    stripe.pay(made.id)
    session, intent, _ = parts(client, made.id)
    assert (session.status, session.payment_status, intent) == ("complete", "no_payment_required", None)
    assert types(stripe) == ["checkout.session.completed"]


def test_intents_are_listed_and_what_is_unknown_is_missing(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    made = [new_session(client).id for _ in range(3)]
    for session in made:
        stripe.pay(session)
    of = [client.v1.checkout.sessions.retrieve(session).payment_intent for session in made]
    assert [each.id for each in client.v1.payment_intents.list().data] == of[::-1]
    reads: list[tuple[Callable[[], object], str]] = [
        (lambda: client.v1.payment_intents.retrieve("pi_none"), "intent"),
        (lambda: client.v1.charges.retrieve("ch_none"), "id"),
    ]
    for read, param in reads:
        with pytest.raises(sdk.InvalidRequestError) as caught:
            read()
        assert (caught.value.http_status, caught.value.code, caught.value.param) == (404, "resource_missing", param)


def test_amount_and_currency_can_be_altered_as_no_customer_could(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    made = new_session(client)
    stripe.alter(made.id, amount_total=1, currency="eur")
    stripe.pay(made.id)
    session, intent, _ = parts(client, made.id)
    assert (session.amount_total, session.currency, session.payment_status) == (1, "eur", "paid")
    assert (intent.amount, intent.currency) == (1, "eur")
    stripe.alter(made.id, amount_total=2)
    assert client.v1.checkout.sessions.retrieve(made.id).amount_total == 2
    assert types(stripe) == PAID
