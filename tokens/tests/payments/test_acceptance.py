"""What must hold of card payments, whatever is lost, doubled, late or altered: rows S1 to S12 of docs/rules/payments.md#faults."""

import json
import time
from typing import Any

import pytest
import stripe as sdk
from django.utils import timezone

from accounts.models import AuditLog, User
from tokens import ledger
from tokens.models import Fulfilment, Payment, StripeEvent
from tokens.services import payments, reconcile, refunds
from tokens.tests.ledger.book import broken, owed, pay
from tokens.tests.payments.shop import PACKAGE_TOKENS, Shop, effects, purchases
from tradingarena.tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_purchase_ends_in_the_wallet(shop: Shop) -> None:
    payment = shop.buy()
    assert (payment.status, shop.balance) == ("paid", PACKAGE_TOKENS)
    assert payment.paid_at is not None
    assert Fulfilment.objects.get().session_id == payment.session_id
    assert "credited 1100 tokens" in effects()["checkout.session.completed"]
    assert broken() == []


def test_s1_an_event_before_the_answer_that_would_have_told_of_the_session(shop: Shop) -> None:
    shop.stripe.fault("timeout", method="POST", path="/v1/checkout/sessions", when="after", times=3, hold_s=0.2)
    assert shop.checkout(key="one").status_code == 503
    payment = Payment.objects.get()
    assert (payment.status, payment.session_id) == ("created", None)
    session = shop.stripe.dump()["objects"]["checkout.session"][0]
    shop.stripe.pay(session["id"])
    shop.settle()
    payment = shop.look(payment)
    assert (payment.status, payment.session_id, shop.balance) == ("paid", session["id"], PACKAGE_TOKENS)


def test_s2_the_return_page_before_the_event(shop: Shop) -> None:
    payment = shop.begin()
    shop.stripe.webhooks(paused=True)
    shop.stripe.pay(payment.session_id)
    assert shop.confirm(payment).json()["status"] == "paid"
    assert shop.balance == PACKAGE_TOKENS
    shop.stripe.webhooks(paused=False)
    shop.settle()
    assert (shop.balance, purchases(shop.buyer.pk)) == (PACKAGE_TOKENS, 1)


def test_s3_the_same_event_twenty_times_at_once(shop: Shop) -> None:
    payment = shop.begin()
    shop.stripe.webhooks(paused=True)
    shop.stripe.pay(payment.session_id)
    done = next(event for event in shop.stripe.events() if event["type"] == "checkout.session.completed")
    assert set(shop.stripe.send(done["id"], times=20, at_once=True)) == {200}
    assert (shop.balance, purchases(shop.buyer.pk)) == (PACKAGE_TOKENS, 1)
    assert StripeEvent.objects.filter(pk=done["id"]).count() == 1


def test_s3_events_page_and_reconciler_at_once(shop: Shop) -> None:
    payment = shop.begin()
    shop.stripe.webhooks(copies=3, order="shuffled", at_once=True)
    shop.stripe.pay(payment.session_id)
    looks = [
        lambda: payments.payment_settle(payment.pk),
        reconcile.settle_due,
        lambda: payments.payment_settle(payment.pk, deep=True),
    ]
    outcomes = race(looks * 6)
    assert [one for one in outcomes if isinstance(one, Exception)] == []
    shop.settle()
    assert (shop.balance, purchases(shop.buyer.pk), Fulfilment.objects.count()) == (PACKAGE_TOKENS, 1, 1)
    assert broken() == []


@pytest.mark.parametrize("order", ["as made", "reversed", "shuffled"])
def test_s4_a_bank_payment_credits_when_it_has_settled_and_not_before(shop: Shop, order: str) -> None:
    payment = shop.begin()
    shop.stripe.webhooks(order=order)
    shop.stripe.pay_later(payment.session_id, settles_in_s=10_000)
    shop.settle()
    assert (shop.look(payment).status, shop.balance) == ("processing", 0)
    assert shop.confirm(payment).json()["status"] == "processing"
    shop.stripe.settle(payment.session_id)
    shop.settle()
    assert (shop.look(payment).status, shop.balance) == ("paid", PACKAGE_TOKENS)


def test_s4_a_bank_payment_that_fails_credits_nothing(shop: Shop) -> None:
    payment = shop.begin()
    shop.stripe.pay_later(payment.session_id, settles_in_s=10_000, fails=True)
    shop.stripe.fail_payment(payment.session_id)
    shop.settle()
    assert (shop.look(payment).status, shop.balance) == ("failed", 0)


@pytest.mark.parametrize("altered", [{"amount_total": 1}, {"currency": "eur"}, {"amount_total": 100_000}])
def test_s5_another_amount_or_currency_is_quarantined(shop: Shop, altered: dict[str, Any]) -> None:
    payment = shop.begin()
    shop.stripe.alter(payment.session_id, **altered)
    shop.stripe.pay(payment.session_id)
    shop.settle()
    payment = shop.look(payment)
    assert (payment.status, shop.balance) == ("quarantined", 0)
    assert "instead of" in payment.note
    assert AuditLog.objects.filter(action="payment.quarantined").exists()
    assert reconcile.reconcile().troubles
    shop.confirm(payment)
    assert shop.balance == 0


def test_s5_a_session_of_another_payment_credits_nobody(shop: Shop, ben: User) -> None:
    mine, other = shop.begin(), Shop(shop.stripe, ben).begin()
    Payment.objects.filter(pk__in=[mine.pk, other.pk]).update(session_id=None)
    Payment.objects.filter(pk=mine.pk).update(session_id=other.session_id)
    shop.stripe.pay(other.session_id)
    payments.payment_settle(mine.pk)
    assert (shop.look(mine).status, shop.balance) == ("quarantined", 0)


def post(client: Any, body: bytes, signature: str) -> int:
    return client.post(
        "/api/stripe/webhook", body, content_type="application/json", headers={"Stripe-Signature": signature}
    ).status_code


def signed(body: str, secret: str, *, off_s: int = 0) -> str:
    return sdk.WebhookSignature.generate_signature_header(body, secret, timestamp=int(time.time()) + off_s)


def event_text() -> str:
    subject = {"id": "cs_test_1", "object": "checkout.session", "client_reference_id": None, "metadata": {}}
    said = {"id": "evt_1", "type": "checkout.session.completed", "created": int(time.time()), "livemode": False}
    return json.dumps({**said, "data": {"object": subject}})


def test_s6_what_is_not_signed_by_the_provider_now_is_refused_and_not_stored(shop: Shop, client: Any) -> None:
    body, secret = event_text(), shop.stripe.secrets[0]
    for signature in (
        "",
        "nonsense",
        "t=1,v1=abc",
        signed(body, "whsec_other"),
        signed(body, secret, off_s=-301),
        signed(body, secret, off_s=302),
        signed(body + " ", secret),
        signed(body, secret).replace("v1=", "v0="),
    ):
        assert post(client, body.encode(), signature) == 400, signature
    again = json.dumps(json.loads(body), separators=(",", ":"))
    assert post(client, again.encode(), signed(body, secret)) == 400
    assert not StripeEvent.objects.exists()
    for unreadable in ("[]", "{}", '{"id": "evt_2"}', "not json", '{"id": 1, "type": 2, "created": "x", "data": {}}'):
        assert post(client, unreadable.encode(), signed(unreadable, secret)) == 400, unreadable
    assert post(client, b"\xff\xfe", signed("x", secret)) == 400
    assert not StripeEvent.objects.exists()
    assert post(client, body.encode(), signed(body, secret)) == 200
    assert StripeEvent.objects.get().status == "ignored"


def test_s6_two_secrets_are_good_while_one_replaces_the_other(shop: Shop, client: Any, settings: Any) -> None:
    settings.STRIPE_WEBHOOK_SECRET = f"whsec_new, {shop.stripe.secrets[0]}"
    body = event_text()
    assert post(client, body.encode(), signed(body, "whsec_new")) == 200
    assert post(client, body.encode(), signed(body, shop.stripe.secrets[0])) == 200


def test_s7_a_failure_that_the_provider_repeats_makes_no_second_session(shop: Shop) -> None:
    shop.stripe.fault("500", method="POST", path="/v1/checkout/sessions", when="after", times=2)
    answer = shop.checkout(key="one")
    assert answer.status_code == 201
    assert len(shop.stripe.dump()["objects"]["checkout.session"]) == 1


def test_s7_the_same_key_is_the_same_checkout(shop: Shop) -> None:
    first = shop.checkout(key="one")
    again = [shop.checkout(key="one") for _ in range(3)]
    assert {answer.content for answer in again} == {first.content}
    other = shop.checkout(key="one", package="tokens-9")
    assert (other.status_code, other.json()["code"]) == (404, "package_unknown")
    assert (Payment.objects.count(), len(shop.stripe.dump()["objects"]["checkout.session"])) == (1, 1)


def test_s8_a_session_whose_answer_was_lost_is_found(shop: Shop) -> None:
    shop.stripe.webhooks(paused=True)
    shop.stripe.fault("reset", method="POST", path="/v1/checkout/sessions", when="after", times=3)
    assert shop.checkout(key="one").status_code == 503
    session = shop.stripe.dump()["objects"]["checkout.session"][0]
    shop.stripe.pay(session["id"])
    Payment.objects.update(created_at=timezone.now() - reconcile.ANSWER_LOST_AFTER)
    reconcile.reconcile()
    payment = Payment.objects.get()
    payments.payment_settle(payment.pk)
    assert (shop.look(payment).status, shop.balance) == ("paid", PACKAGE_TOKENS)
    assert len(shop.stripe.dump()["objects"]["checkout.session"]) == 1


def test_s9_a_refund_after_the_tokens_were_spent_makes_a_visible_debt(shop: Shop) -> None:
    payment = shop.buy()
    pay(shop.buyer.pk, 1_000)
    shop.stripe.refund(payment.session_id)
    shop.settle()
    payment = shop.look(payment)
    assert (payment.status, shop.balance, owed(shop.buyer.pk)) == ("refunded", 0, 1_000)
    with pytest.raises(ledger.WalletFrozen):
        pay(shop.buyer.pk, 1)
    shop.buy()
    assert (shop.balance, owed(shop.buyer.pk)) == (100, 0)
    assert broken() == []


def test_s9_partial_refunds_take_their_share_and_no_more(shop: Shop) -> None:
    payment = shop.buy()
    for cents, left in ((333, 734), (333, 368), (334, 0)):
        shop.stripe.refund(payment.session_id, amount=cents)
        shop.settle()
        assert shop.balance == left
    assert shop.look(payment).status == "refunded"
    assert (shop.balance, owed(shop.buyer.pk), broken()) == (0, 0, [])


def test_s9_a_refund_that_fails_later_gives_the_tokens_again(shop: Shop) -> None:
    payment = shop.buy()
    refund = shop.stripe.refund(payment.session_id, status="pending")
    shop.settle()
    assert (shop.look(payment).status, shop.balance) == ("refunded", 0)
    shop.stripe.refund_fail(refund["id"])
    shop.settle()
    assert (shop.look(payment).status, shop.balance) == ("paid", PACKAGE_TOKENS)
    assert broken() == []


def test_s10_an_expired_checkout_is_over_and_the_next_one_is_another(shop: Shop) -> None:
    payment = shop.begin()
    shop.stripe.advance(31 * 60 + 5)
    shop.settle()
    assert (shop.look(payment).status, shop.balance) == ("expired", 0)
    shop.stripe.reset_clock()
    assert shop.buy().pk != payment.pk
    assert shop.balance == PACKAGE_TOKENS


def test_s10_two_checkouts_paid_are_two_purchases(shop: Shop) -> None:
    first, second = shop.begin(), shop.begin()
    for payment in (first, second):
        shop.stripe.pay(payment.session_id)
    shop.settle()
    assert (shop.balance, purchases(shop.buyer.pk)) == (2 * PACKAGE_TOKENS, 2)


@pytest.mark.parametrize("order", ["as made", "reversed", "shuffled"])
def test_s11_a_dispute_takes_the_tokens_until_it_is_won(shop: Shop, order: str) -> None:
    payment = shop.buy()
    pay(shop.buyer.pk, 100)
    shop.stripe.webhooks(order=order, copies=2)
    dispute = shop.stripe.dispute(payment.session_id)
    shop.settle()
    assert (shop.balance, owed(shop.buyer.pk)) == (0, 100)
    shop.stripe.dispute_win(dispute["id"])
    shop.settle()
    assert (shop.balance, owed(shop.buyer.pk)) == (1_000, 0)
    assert [row.new["status"] for row in AuditLog.objects.filter(action__startswith="dispute.").order_by("id")] == [
        "open",
        "won",
    ]
    assert broken() == []


def test_s11_a_lost_dispute_keeps_them(shop: Shop) -> None:
    payment = shop.buy()
    dispute = shop.stripe.dispute(payment.session_id)
    shop.stripe.dispute_lose(dispute["id"])
    shop.settle()
    assert shop.balance == 0
    assert shop.look(payment).disputes.get().status == "lost"


def test_s12_an_endpoint_that_was_down_catches_up(shop: Shop) -> None:
    """Every delivery of the first purchase is lost; the reconciler alone brings the ledger where it must be."""
    payment = shop.begin()
    shop.stripe.webhooks(drop=50)
    shop.stripe.pay(payment.session_id)
    shop.settle()
    assert shop.balance == 0
    found = reconcile.reconcile()
    assert (found.events_missed, shop.balance) == (4, PACKAGE_TOKENS)
    assert reconcile.reconcile().events_missed == 0
    assert purchases(shop.buyer.pk) == 1


# -- what we ask for ----------------------------------------------------------------------------------------------------


def test_an_operators_refund_is_sent_until_the_provider_has_answered(shop: Shop, olga: User) -> None:
    payment = shop.buy()
    shop.stripe.fault("500", method="POST", path="/v1/refunds", when="before", times=3)
    refund = refunds.payment_refund(olga, payment.pk, "Bought by mistake")
    refund.refresh_from_db()
    assert (refund.status, shop.balance) == ("requested", PACKAGE_TOKENS)
    refund.next_try_at = timezone.now()
    refund.save()
    assert refunds.send_due()["sent"] == 1
    shop.settle()
    refund.refresh_from_db()
    assert (refund.status, shop.look(payment).status, shop.balance) == ("succeeded", "refunded", 0)
    assert len(shop.stripe.dump()["objects"]["refund"]) == 1


def test_refunds_sent_from_many_sides_are_one(shop: Shop, olga: User) -> None:
    payment = shop.buy()
    shop.stripe.fault("500", method="POST", path="/v1/refunds", when="before", times=3)
    refund = refunds.payment_refund(olga, payment.pk, "Bought by mistake")
    refund.next_try_at = timezone.now()
    refund.save()
    race([refunds.send_due] * 8)
    shop.settle()
    assert len(shop.stripe.dump()["objects"]["refund"]) == 1
    with pytest.raises(Exception, match="left to refund"):
        refunds.payment_refund(olga, payment.pk, "Again")


# -- doors --------------------------------------------------------------------------------------------------------------


def test_what_is_anothers_does_not_exist(shop: Shop, ben: User) -> None:
    payment = shop.begin()
    stranger = Shop(shop.stripe, ben)
    assert stranger.confirm(payment).status_code == 404
    assert stranger.client.get(f"/api/tokens/payments/{payment.pk}").status_code == 404
    assert stranger.client.get("/api/tokens/payments").json()["results"] == []
    body = {"session_id": payment.session_id}
    assert stranger.client.post("/api/tokens/confirm", body, format="json").status_code == 404


def test_a_pause_and_the_policy_stop_a_purchase(shop: Shop, settings: Any) -> None:
    from accounts.services import limits

    settings.COUNTRY_BLOCKS = {"purchase": {"FR": "Not licensed."}}
    settings.COUNTRY_SOURCE, settings.TRUSTED_PROXIES = "header:X-Country", 1
    headers = {"Idempotency-Key": "k", "X-Country": "FR"}
    answer = shop.client.post("/api/tokens/checkout", {"package": "tokens-1000"}, format="json", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (451, "country_refused")
    settings.COUNTRY_SOURCE = "none"
    limits.cool_off_begin(shop.buyer.pk, "24h")
    assert shop.checkout().json()["code"] == "cooling_off"
    assert not Payment.objects.exists()


def test_without_a_provider_it_says_so(shop: Shop, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""
    answer = shop.checkout()
    assert (answer.status_code, answer.json()["code"]) == (422, "payments_off")
    assert reconcile.settle_due() == {}
