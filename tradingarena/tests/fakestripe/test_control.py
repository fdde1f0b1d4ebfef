"""The control over HTTP: every verb with JSON, from programs on this machine alone."""

import json
from typing import Any

import pytest
import stripe as sdk

from tradingarena.localstack.fakestripe import FakeStripe
from tradingarena.tests.fakestripe.support import Receiver, client_of, control, new_session, raw, types


@pytest.fixture
def session(stripe: FakeStripe, client: sdk.StripeClient) -> str:
    return str(new_session(client).id)


def test_a_payment_lives_through_the_control(stripe: FakeStripe, client: sdk.StripeClient, session: str) -> None:
    assert control(stripe, "decline", session=session, code="insufficient_funds")[1]["status"] == "open"
    assert control(stripe, "ask", session=session)[0] == 200
    assert control(stripe, "refuse", session=session)[0] == 200
    paid = control(stripe, "pay", session=session)[1]
    assert (paid["status"], paid["payment_status"]) == ("complete", "paid")
    refund = control(stripe, "refund", payment=session, amount=100, status="pending", reason="duplicate")[1]
    assert (refund["amount"], refund["status"]) == (100, "pending")
    assert control(stripe, "refund_settle", refund=refund["id"])[1]["status"] == "succeeded"
    assert control(stripe, "refund_fail", refund=refund["id"])[1]["status"] == "failed"
    dispute = control(stripe, "dispute", payment=paid["payment_intent"], reason="fraudulent")[1]
    assert control(stripe, "dispute_win", dispute=dispute["id"])[1]["status"] == "won"
    later, lost, closed = (new_session(client).id for _ in range(3))
    assert control(stripe, "pay_later", session=later, settles_in_s=5)[1]["payment_status"] == "unpaid"
    assert control(stripe, "settle", session=later)[1]["payment_status"] == "paid"
    assert control(stripe, "pay_later", session=lost, fails=True)[0] == 200
    assert control(stripe, "fail_payment", session=lost)[0] == 200
    assert control(stripe, "alter", session=closed, amount_total=7, currency="eur")[1]["amount_total"] == 7
    assert control(stripe, "expire", session=closed)[1]["status"] == "expired"
    assert control(stripe, "dispute_lose", dispute=control(stripe, "dispute", payment=later)[1]["id"])[0] == 200


def test_time_faults_and_refunds_are_steered(stripe: FakeStripe, client: sdk.StripeClient, session: str) -> None:
    assert control(stripe, "advance", seconds=90_000)[1]["ahead_s"] == 90_000
    assert types(stripe) == ["checkout.session.expired"]
    assert control(stripe, "reset_clock")[1]["ahead_s"] == 0
    status, planned = control(stripe, "fault", kind="500", times=2, path="/v1/refunds", when="after", kept=True)
    assert (status, planned[0]["times"]) == (200, 2)
    assert control(stripe, "heal") == (200, [])
    assert control(stripe, "next_refunds", status="pending")[0] == 200
    intent = stripe.pay(new_session(client).id)["payment_intent"]
    assert client.v1.refunds.create(params={"payment_intent": intent}).status == "pending"


def test_webhooks_are_steered(telling: FakeStripe, receiver: Receiver) -> None:
    assert control(telling, "webhooks", paused=True, copies=2, order="reversed", drop=1)[1]["copies"] == 2
    telling.pay(new_session(client_of(telling)).id)
    last = telling.events()[-1]["id"]
    assert control(telling, "send", event=last, times=3, at_once=True) == (200, [200, 200, 200])
    assert control(telling, "send", event=last, stamp_off_s=-400, secrets=["whsec_local"]) == (200, [400])
    assert control(telling, "wait_delivered", within_s=0) == (200, False)
    assert control(telling, "webhooks", paused=False, copies=1, order="as made")[0] == 200
    assert control(telling, "wait_delivered", within_s=20) == (200, True)
    assert len(receiver.events) == 9


def test_the_state_is_told(stripe: FakeStripe, session: str) -> None:
    stripe.pay(session)
    stripe.fault("429")
    status, _, told = raw(stripe, "GET", "/_control/state")
    assert status == 200
    assert [each["id"] for each in told["objects"]["checkout.session"]] == [session]
    assert len(told["objects"]["event"]) == 4
    assert told["faults"][0]["kind"] == "429"
    assert told["webhooks"]["pending"] == 0
    assert told["requests"][0] | {"key": ""} == {
        "method": "POST", "path": "/v1/checkout/sessions", "key": "", "status": 200,
    }  # fmt: skip


def test_an_unknown_verb_lists_those_that_there_are(stripe: FakeStripe) -> None:
    for method, path in [("POST", "/_control/steal"), ("GET", "/_control/pay"), ("POST", "/_control/__init__")]:
        status, _, body = raw(stripe, method, path, b"{}" if method == "POST" else b"")
        assert status == 404
        assert body["verbs"]["alter"] == ["session", "amount_total", "currency"]


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("pay", b"not json"),
        ("pay", b"[]"),
        ("pay", b"{}"),
        ("pay", b'{"session": 5}'),
        ("pay", b'{"session": "cs", "amount": 1}'),
        ("pay", b"[" * 100_000),
        ("advance", b'{"seconds": "1"}'),
        ("advance", b'{"seconds": true}'),
        ("advance", b'{"seconds": -1}'),
        ("advance", b'{"seconds": 1e9}'),
        ("advance", b'{"seconds": 99999999999999999999}'),
        ("webhooks", b'{"secrets": "whsec"}'),
        ("webhooks", b'{"delay_s": NaN}'),
        ("webhooks", b'{"self": 1}'),
        ("fault", b'{"kind": "418"}'),
        ("fault", b'{"kind": "500", "times": 1.5}'),
        ("refund", b'{"payment": "SESSION", "amount": 0}'),
        ("refund", b'{"payment": "SESSION", "status": "done"}'),
        ("dispute", b'{"payment": "SESSION", "amount": 9999}'),
        ("decline", b'{"session": "SESSION", "code": "rain"}'),
        ("alter", b'{"session": "SESSION", "amount_total": -1}'),
        ("pay_later", b'{"session": "SESSION", "settles_in_s": -1}'),
        ("next_refunds", b'{"status": "done"}'),
        ("send", b'{"event": "evt_1", "times": 0}'),
        ("refund_settle", b'{"refund": "re_none"}'),
        ("pay", b'{"session": "\\u0000\\ud800"}'),
    ],
)
def test_a_wrong_argument_is_refused(stripe: FakeStripe, session: str, verb: str, body: bytes) -> None:
    status, _, told = raw(stripe, "POST", f"/_control/{verb}", body.replace(b"SESSION", session.encode()))
    assert status in {400, 404}
    assert told["error"]
    assert stripe.events() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Host": "evil.example:8001"},
        {"Host": "evil.example"},
        {"X_Forwarded_For": "203.0.113.5"},
        {"Forwarded": "for=203.0.113.5"},
    ],
)
def test_a_web_page_or_a_stranger_cannot_control_it(stripe: FakeStripe, session: str, headers: dict[str, str]) -> None:
    body = json.dumps({"session": session}).encode()
    status, _, told = raw(stripe, "POST", "/_control/pay", body, **headers)
    assert (status, stripe.events()) == (403, [])
    assert "may control it" in told["error"]


def test_only_loopback_may_control_it(stripe: FakeStripe, session: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from tradingarena.localstack.fakestripe import remote
    from tradingarena.localstack.fakestripe.wire import Request

    def asked(client: str) -> Any:
        request = Request("POST", "/_control/pay", "", {"host": "127.0.0.1:1"}, b'{"session": "x"}', client)
        return remote.answer(stripe, request).status

    assert asked("192.0.2.7") == asked("") == 403
    assert asked("127.0.0.1") == asked("::1") == 404
