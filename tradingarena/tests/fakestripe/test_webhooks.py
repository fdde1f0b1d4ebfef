"""Webhooks as they arrive: signed so that the vendor's SDK believes them, in order, again until taken, and wrong when told to."""

import itertools
import json
import re
import socket
import threading
import time
from functools import partial
from typing import Any

import pytest
import stripe as sdk

from tradingarena.localstack.fakestripe import DEFAULT_SECRET, FakeStripe
from tradingarena.tests.fakestripe.support import PAID, Receiver, client_of, new_session, types, until


@pytest.fixture
def session(telling: FakeStripe) -> str:
    return str(new_session(client_of(telling)).id)


def test_they_arrive_signed_and_in_order(telling: FakeStripe, receiver: Receiver, session: str) -> None:
    telling.pay(session)
    receiver.wait_for(4)
    assert receiver.types() == PAID
    assert receiver.refused == []
    head, body = receiver.heads[0], receiver.bodies[0]
    assert re.fullmatch(r"t=\d+,v1=[0-9a-f]{64}", head["stripe-signature"])
    assert head["content-type"] == "application/json; charset=utf-8"
    assert head["user-agent"].startswith("Stripe/1.0")
    sent = json.loads(body)
    kept = client_of(telling).v1.events.retrieve(sent["id"])
    assert (sent["pending_webhooks"], kept.pending_webhooks) == (1, 0)
    assert sent | {"pending_webhooks": 0} == kept.to_dict()


def test_the_signature_is_over_the_very_bytes(telling: FakeStripe, receiver: Receiver, session: str) -> None:
    telling.expire(session)
    receiver.wait_for(1)
    body, mark = receiver.bodies[0], receiver.heads[0]["stripe-signature"]
    sdk.Webhook.construct_event(body, mark, DEFAULT_SECRET)
    for other in (json.dumps(json.loads(body)).encode(), body + b" ", body.replace(b"usd", b"eur")):
        with pytest.raises(sdk.SignatureVerificationError):
            sdk.Webhook.construct_event(other, mark, DEFAULT_SECRET)


def test_each_is_sent_again_until_it_is_taken(telling: FakeStripe, receiver: Receiver, session: str) -> None:
    receiver.answers = [500, 404, 301, 200]
    telling.expire(session)
    receiver.wait_for(1)
    until("the stand-in knows", lambda: not telling.sender.pending())
    assert [each.status for each in telling.sender.attempts] == [500, 404, 301, 200]
    stamps = [each.at for each in telling.sender.attempts]
    waits = [later - earlier for earlier, later in itertools.pairwise(stamps)]
    assert all(wait >= least for wait, least in zip(waits, (0.02, 0.04, 0.08), strict=True))


def test_one_that_is_not_taken_does_not_hold_up_the_others(
    telling: FakeStripe, receiver: Receiver, session: str
) -> None:
    receiver.answers = [500, 200, 200, 200]
    telling.pay(session)
    receiver.wait_for(4)
    assert receiver.types() == [*PAID[1:], PAID[0]]


def test_an_endpoint_that_is_not_there_gets_them_when_it_is(receiver: Receiver) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # and never listens
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/hook"
        with FakeStripe(webhook_url=url, first_retry_s=0.02, longest_retry_s=0.02) as stripe:
            stripe.pay(new_session(client_of(stripe)).id)
            until("it was tried", lambda: len(stripe.sender.attempts) > 4)
            assert {each.status for each in stripe.sender.attempts} == {0}
            stripe.sender.url = receiver.url
            receiver.wait_for(4)


def test_a_webhook_may_arrive_before_the_request_behind_it_is_answered(telling: FakeStripe, receiver: Receiver) -> None:
    """The seller hears of a session before its own create call has returned, if somebody is that quick."""
    made: list[Any] = []
    telling.fault("slow", when="after", method="POST", hold_s=60)
    creating = threading.Thread(target=lambda: made.append(new_session(client_of(telling, timeout_s=60))))
    creating.start()
    until("the session is there", lambda: telling.state.store.count("checkout.session"))
    telling.pay(client_of(telling).v1.checkout.sessions.list().data[0].id)
    receiver.wait_for(4)
    assert made == []
    telling.heal()
    creating.join(30)
    assert receiver.events[-1].data.object["id"] == made[0].id
    assert made[0].status == "open"


def test_paused_ones_wait(telling: FakeStripe, receiver: Receiver, session: str) -> None:
    telling.webhooks(paused=True)
    telling.pay(session)
    assert telling.sender.pending() == 4
    assert [each.type for each in client_of(telling).v1.events.list().data] == PAID[::-1]
    assert receiver.types() == []
    telling.webhooks(paused=False)
    assert telling.wait_delivered()
    assert receiver.types() == PAID


def test_copies_of_each_arrive(telling: FakeStripe, receiver: Receiver, session: str) -> None:
    telling.webhooks(copies=3)
    telling.pay(session)
    assert telling.wait_delivered()
    ids = [event.id for event in receiver.events]
    assert len(ids) == 12
    assert len(set(ids)) == 4
    assert client_of(telling).v1.events.retrieve(ids[0]).pending_webhooks == 0


def test_order_can_be_reversed_or_shuffled(telling: FakeStripe, receiver: Receiver, session: str) -> None:
    telling.webhooks(order="reversed")
    telling.pay(session)
    assert telling.wait_delivered()
    assert receiver.types() == PAID[::-1]
    receiver.events.clear()
    telling.webhooks(order="shuffled", copies=10)
    telling.refund(session)
    assert telling.wait_delivered()
    made = [kind for kind in types(telling) if "refund" in kind for _ in range(10)]
    assert sorted(receiver.types()) == sorted(made)
    assert receiver.types() != made


def test_all_of_a_batch_can_come_at_once(telling: FakeStripe, receiver: Receiver, session: str) -> None:
    everybody = threading.Barrier(20)
    receiver.meanwhile = partial(everybody.wait, 30)
    telling.webhooks(at_once=True, copies=5, timeout_s=60)
    telling.pay(session)
    receiver.wait_for(20)
    assert not everybody.broken


def test_dropped_ones_are_kept_and_never_delivered(telling: FakeStripe, receiver: Receiver, session: str) -> None:
    telling.webhooks(drop=3)
    telling.pay(session)
    assert telling.wait_delivered()
    assert receiver.types() == ["checkout.session.completed"]
    assert types(telling) == PAID
    telling.refund(session)
    assert telling.wait_delivered()
    assert len(receiver.types()) == 4


def test_delayed_ones_come_later(telling: FakeStripe, receiver: Receiver, session: str) -> None:
    telling.webhooks(delay_s=0.2)
    began = time.time()
    telling.expire(session)
    until("it was delivered", lambda: telling.sender.attempts)
    assert telling.sender.attempts[0].at >= began + 0.2


def test_a_wrong_secret_is_refused_until_it_is_right(telling: FakeStripe, receiver: Receiver, session: str) -> None:
    telling.webhooks(wrong_secret=True)
    telling.expire(session)
    until("it was refused", lambda: receiver.refused)
    assert "No signatures found matching" in receiver.refused[0]
    assert receiver.events == []
    telling.webhooks(secrets=[DEFAULT_SECRET])
    receiver.wait_for(1)


def test_a_stale_stamp_is_refused_and_a_future_one_is_the_receivers_business(
    telling: FakeStripe, receiver: Receiver, session: str
) -> None:
    telling.webhooks(stamp_off_s=-400)
    telling.expire(session)
    until("it was refused", lambda: receiver.refused)
    assert "outside the tolerance zone" in receiver.refused[0]
    telling.webhooks(stamp_off_s=400)
    receiver.wait_for(1)  # the SDK lets it pass
    stamp = int(re.search(r"t=(\d+)", receiver.heads[-1]["stripe-signature"])[1])  # type: ignore[index]
    assert stamp > time.time() + 300


def test_a_secret_can_be_rolled(receiver: Receiver) -> None:
    with FakeStripe(webhook_url=receiver.url, webhook_secret=["whsec_new", "whsec_old"]) as stripe:
        stripe.expire(new_session(client_of(stripe)).id)
        until("it has arrived", lambda: receiver.refused)
        assert receiver.heads[0]["stripe-signature"].count("v1=") == 2
        for secret in ("whsec_new", "whsec_old"):
            sdk.Webhook.construct_event(receiver.bodies[0], receiver.heads[0]["stripe-signature"], secret)


def test_one_event_can_be_sent_by_hand_in_any_manner(telling: FakeStripe, receiver: Receiver, session: str) -> None:
    telling.webhooks(paused=True)
    telling.pay(session)
    completed = telling.events()[-1]["id"]
    assert telling.send(completed) == [200]
    assert telling.send(completed, times=20, at_once=True) == [200] * 20
    assert telling.send(completed, stamp_off_s=-400) == [400]
    assert telling.send(completed, secrets=["whsec_x"]) == [400]
    assert telling.send(completed, secrets=["whsec_x", DEFAULT_SECRET]) == [200]
    assert {event.id for event in receiver.events} == {completed}
    assert len(receiver.events) == 22
    assert telling.sender.pending() == 4


def test_the_clock_may_be_ahead_and_signatures_are_still_good(
    telling: FakeStripe, receiver: Receiver, session: str
) -> None:
    telling.advance(90_000)
    receiver.wait_for(1)
    assert receiver.types() == ["checkout.session.expired"]
    assert receiver.events[0].created > time.time() + 80_000


def test_without_an_endpoint_events_are_only_kept(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    stripe.pay(new_session(client).id)
    assert stripe.sender.pending() == 0
    assert len(client.v1.events.list().data) == 4
    with pytest.raises(ValueError, match="no endpoint"):
        stripe.send(stripe.events()[0]["id"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"order": "random"}, {"copies": 0}, {"copies": 51}, {"drop": -1}, {"delay_s": -1}, {"delay_s": float("inf")},
        {"first_retry_s": 0}, {"timeout_s": float("nan")}, {"secrets": []}, {"secrets": [""]},
    ],
)  # fmt: skip
def test_a_manner_that_makes_no_sense_is_refused(telling: FakeStripe, wrong: dict[str, Any]) -> None:
    before = telling.sender.manner
    with pytest.raises(ValueError, match=r"is|are"):
        telling.webhooks(**wrong)
    assert telling.sender.manner is before
