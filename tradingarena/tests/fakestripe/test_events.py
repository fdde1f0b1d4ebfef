"""`GET /v1/events` through the vendor's SDK: every event is kept, delivered or not, and found again by type and time."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import stripe as sdk

from tradingarena.localstack.fakestripe import FakeStripe
from tradingarena.tests.fakestripe.support import PAID, new_session


def test_an_event_holds_the_object_as_it_was_then(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    made = new_session(client)
    stripe.pay_later(made.id)
    completed = client.v1.events.list(params={"type": "checkout.session.completed"}).data[0]
    stripe.settle(made.id)
    again = client.v1.events.retrieve(completed.id)
    assert again.data.object["payment_status"] == "unpaid"
    assert client.v1.checkout.sessions.retrieve(made.id).payment_status == "paid"
    assert (again.object, again.api_version, again.livemode) == ("event", sdk.api_version, False)
    assert again.pending_webhooks == 0
    assert again.data.object["metadata"].to_dict() == {"order_id": "1", "kind": "tokens"}


def test_events_are_found_by_type(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    stripe.pay(new_session(client).id)
    stripe.expire(new_session(client).id)

    def found(**params: object) -> list[str]:
        return [each.type for each in client.v1.events.list(params=params).data]  # type: ignore[arg-type]

    assert found() == ["checkout.session.expired", *PAID[::-1]]
    assert found(type="charge.succeeded") == ["charge.succeeded"]
    assert found(type="checkout.session.*") == ["checkout.session.expired", "checkout.session.completed"]
    assert found(types=["charge.succeeded", "checkout.session.expired"]) == [
        "checkout.session.expired",
        "charge.succeeded",
    ]
    assert found(type="charge.refunded") == []


def test_events_are_found_by_time_and_page_by_page(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    first = new_session(client).id
    stripe.pay(first)
    began = client.v1.events.list().data[0].created
    stripe.advance(3_600)
    stripe.pay(new_session(client).id)

    def count(**created: int) -> int:
        return len(client.v1.events.list(params={"created": created}).data)  # type: ignore[arg-type]

    assert (count(gte=began), count(gt=began + 1_800), count(lte=began + 1_800), count(lt=began)) == (8, 4, 4, 0)
    assert count(gte=began, lt=began + 1_800) == 4
    page = client.v1.events.list(params={"limit": 3})
    assert page.has_more
    ids = [each.id for each in page.auto_paging_iter()]
    assert len(ids) == len(set(ids)) == 8
    last = client.v1.events.list(params={"limit": 3, "starting_after": ids[5]})
    assert ([each.id for each in last.data], last.has_more) == (ids[6:], False)


def test_an_unknown_event_is_missing(client: sdk.StripeClient) -> None:
    with pytest.raises(sdk.InvalidRequestError) as caught:
        client.v1.events.retrieve("evt_none")
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")


def test_events_are_forgotten_after_thirty_days(stripe: FakeStripe, client: sdk.StripeClient) -> None:
    stripe.pay(new_session(client).id)
    stripe.advance(29 * 86_400)
    stripe.state.forget()
    assert len(client.v1.events.list().data) == 4
    stripe.advance(86_400)
    stripe.state.forget()
    assert client.v1.events.list().data == []


def test_a_change_that_fails_in_the_middle_leaves_nothing(
    stripe: FakeStripe, client: sdk.StripeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = new_session(client)

    @contextmanager
    def failing() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(stripe.state, "on_event", lambda event: 1 / (event["type"] != "charge.succeeded"))
            yield

    with failing(), pytest.raises(ZeroDivisionError):
        stripe.pay(made.id)
    assert stripe.events() == []
    assert client.v1.checkout.sessions.retrieve(made.id).to_dict() == made.to_dict()
    assert client.v1.payment_intents.list().data == []
