"""Planned faults, seen through the vendor's SDK: what its retries get over, and what is there in the end."""

import threading
from typing import Any

import pytest
import stripe as sdk

from tradingarena.localstack.fakestripe import FakeStripe, Fault, FaultError
from tradingarena.tests.fakestripe.support import PAID, client_of, new_session, types, until

CREATE = "/v1/checkout/sessions"


def sessions(stripe: FakeStripe) -> list[str]:
    return [each.id for each in client_of(stripe).v1.checkout.sessions.list().data]


def statuses(stripe: FakeStripe) -> list[int]:
    return [each.status for each in stripe.requests if (each.method, each.path) == ("POST", CREATE)]


def in_vain(stripe: FakeStripe) -> None:
    with pytest.raises(sdk.APIConnectionError):
        new_session(client_of(stripe, timeout_s=300))


@pytest.mark.parametrize(("kind", "status"), [("500", 500), ("409", 409), ("reset", 0)])
def test_the_sdks_retry_gets_over_a_fault_before_the_work(stripe: FakeStripe, kind: str, status: int) -> None:
    stripe.fault(kind, path=CREATE, method="POST")
    made = new_session(client_of(stripe, retries=2))
    assert statuses(stripe) == [status, 200]
    assert sessions(stripe) == [made.id]
    keys = {each.key for each in stripe.requests if each.method == "POST"}
    assert len(keys) == 1


@pytest.mark.parametrize("kind", ["500", "reset"])
def test_the_sdks_retry_finds_the_answer_of_work_that_was_done(stripe: FakeStripe, kind: str) -> None:
    stripe.fault(kind, when="after", path=CREATE, method="POST")
    made = new_session(client_of(stripe, retries=2))
    assert sessions(stripe) == [made.id]
    assert made.last_response.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_kept_500_is_replayed_for_its_key(stripe: FakeStripe, when: str, made: int) -> None:
    """As Stripe does when the endpoint had begun: only another key, or looking, gets further."""
    client = client_of(stripe)
    stripe.fault("500", when=when, kept=True, path=CREATE, method="POST")
    for _ in range(2):
        with pytest.raises(sdk.APIError) as caught:
            new_session(client, key="order-1-v1")
        assert caught.value.http_status == 500
    assert (caught.value.headers or {})["Idempotent-Replayed"] == "true"
    assert len(sessions(stripe)) == made
    assert new_session(client, key="order-1-v2").id
    assert len(sessions(stripe)) == made + 1


def test_too_many_requests_are_not_retried(stripe: FakeStripe) -> None:
    stripe.fault("429")
    with pytest.raises(sdk.RateLimitError) as caught:
        new_session(client_of(stripe, retries=2))
    assert caught.value.http_status == 429
    assert statuses(stripe) == [429]


def test_a_time_out_before_the_work_leaves_nothing(stripe: FakeStripe) -> None:
    stripe.fault("timeout", path=CREATE, method="POST")
    with pytest.raises(sdk.APIConnectionError):
        new_session(client_of(stripe, timeout_s=0.2), key="a")
    assert sessions(stripe) == []
    assert new_session(client_of(stripe), key="a").id


def test_a_time_out_after_the_work_leaves_a_session_that_nobody_was_told_of(stripe: FakeStripe) -> None:
    stripe.fault("timeout", when="after", path=CREATE, method="POST")
    with pytest.raises(sdk.APIConnectionError):
        new_session(client_of(stripe, timeout_s=0.2), key="a")
    found = sessions(stripe)
    assert len(found) == 1
    assert new_session(client_of(stripe), key="a").id == found[0]
    assert sessions(stripe) == found


def test_a_held_request_is_let_go_by_healing(stripe: FakeStripe) -> None:
    stripe.fault("timeout", hold_s=600)
    asking = threading.Thread(target=in_vain, args=(stripe,))
    asking.start()
    until("the fault has happened", lambda: not stripe.plan.faults)
    stripe.heal()
    asking.join(30)
    assert not asking.is_alive()
    assert statuses(stripe) == [0]


def test_faults_come_one_by_one_to_whom_they_are_for(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    stripe.fault("429", times=2, path="/v1/refunds")
    stripe.fault("500", method="get", path="/v1/events")
    made = new_session(client)
    intent = stripe.pay(made.id)["payment_intent"]
    for _ in range(2):
        with pytest.raises(sdk.RateLimitError):
            client.v1.refunds.create(params={"payment_intent": intent})
    assert client.v1.refunds.create(params={"payment_intent": intent}).status == "succeeded"
    with pytest.raises(sdk.APIError):
        client.v1.events.list()
    assert client.v1.events.list().data
    assert stripe.plan.shown() == []


def test_customers_and_the_control_meet_no_fault(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    made = new_session(client)
    stripe.fault("500", path="/")
    stripe.pay(made.id)
    assert types(stripe) == PAID
    assert len(stripe.plan.faults) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "418"},
        {"kind": "429", "when": "after"},
        {"kind": "500", "when": "later"},
        {"kind": "reset", "kept": True},
        {"kind": "500", "times": 0},
        {"kind": "timeout", "hold_s": -1},
        {"kind": "timeout", "hold_s": float("nan")},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(stripe: FakeStripe, wrong: dict[str, Any]) -> None:
    with pytest.raises(FaultError):
        Fault(**wrong).check()
    with pytest.raises(FaultError):
        stripe.fault(**wrong)
    assert stripe.plan.faults == []


def test_it_ends_at_once_while_a_request_is_held() -> None:
    with FakeStripe() as stripe:
        stripe.fault("timeout", hold_s=600)
        asking = threading.Thread(target=in_vain, args=(stripe,))
        asking.start()
        until("the fault has happened", lambda: not stripe.plan.faults)
    asking.join(30)
    assert not asking.is_alive()
