"""Whatever leaves the stand-in has every field that the vendor's SDK knows of, except those that Stripe leaves out as well."""

from typing import Any

import pytest
import stripe as sdk

from tradingarena.localstack.fakestripe import FakeStripe
from tradingarena.tests.fakestripe.support import new_session

# Only there when it is expanded, or when a thing happened that the stand-in does not do.
LEFT_OUT = {
    "line_items", "presentment_details", "refunds", "account", "context", "currency_options", "tiers", "deleted",
    "discounts", "taxes", "breakdown",
}  # fmt: skip


def fields(kind: Any) -> set[str]:
    return set(kind.__annotations__) - LEFT_OUT - {"OBJECT_NAME"}


@pytest.fixture
def seen(stripe: FakeStripe, client: sdk.StripeClient) -> dict[str, Any]:
    made = new_session(client, customer_email="ann@example.com")
    stripe.pay(made.id)
    session = client.v1.checkout.sessions.retrieve(made.id)
    intent = client.v1.payment_intents.retrieve(session.payment_intent)  # type: ignore[arg-type]
    refund = client.v1.refunds.create(params={"payment_intent": intent.id, "amount": 100})
    dispute = client.v1.disputes.retrieve(stripe.dispute(made.id)["id"])
    return {
        "session": session,
        "line": client.v1.checkout.sessions.line_items.list(made.id).data[0],
        "intent": intent,
        "charge": client.v1.charges.retrieve(intent.latest_charge),  # type: ignore[arg-type]
        "refund": refund,
        "dispute": dispute,
        "event": client.v1.events.list().data[0],
    }


def test_every_field_is_there(seen: dict[str, Any]) -> None:
    kinds = {
        "session": sdk.checkout.Session,
        "line": sdk.LineItem,
        "intent": sdk.PaymentIntent,
        "charge": sdk.Charge,
        "refund": sdk.Refund,
        "dispute": sdk.Dispute,
        "event": sdk.Event,
    }
    lacking = {name: fields(kind) - seen[name].to_dict().keys() for name, kind in kinds.items()}
    assert not any(lacking.values()), lacking
    more = {
        name: {key for key in seen[name].to_dict() if key not in kind.__annotations__} for name, kind in kinds.items()
    }
    assert not any(more.values()), more


def test_every_field_inside_is_there(seen: dict[str, Any]) -> None:
    inside = [
        (seen["line"].price, sdk.Price),
        (seen["session"].customer_details, sdk.checkout.Session.CustomerDetails),
        (seen["session"].total_details, sdk.checkout.Session.TotalDetails),
        (seen["session"].automatic_tax, sdk.checkout.Session.AutomaticTax),
        (seen["charge"].billing_details, sdk.Charge.BillingDetails),
        (seen["dispute"].evidence, sdk.Dispute.Evidence),
        (seen["dispute"].evidence_details, sdk.Dispute.EvidenceDetails),
    ]
    for value, kind in inside:
        assert fields(kind) <= value.to_dict().keys(), kind


def test_nothing_of_its_own_leaves_it(stripe: FakeStripe, seen: dict[str, Any]) -> None:
    def names(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*map(names, value.values()))
        return set().union(*map(names, value)) if isinstance(value, list) else set()

    assert seen
    assert not {name for name in names(stripe.dump()["objects"]) if name.startswith("_")}


def test_the_client_secret_and_the_ids_look_as_stripes_do(seen: dict[str, Any]) -> None:
    assert seen["intent"].client_secret.startswith(f"{seen['intent'].id}_secret_")
    begins = {
        "session": "cs_test_",
        "intent": "pi_",
        "charge": "ch_",
        "refund": "re_",
        "dispute": "dp_",
        "event": "evt_",
    }
    assert all(seen[name].id.startswith(begin) for name, begin in begins.items())
