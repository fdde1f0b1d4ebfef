"""Buying tokens in a real Chromium, on the stand-in's own page: each way ends on a page that says what is true."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from accounts.models import User
from tokens.models import Payment
from tokens.tests.ledger.book import balance, give, pay
from tradingarena.localstack.fakestripe import FakeStripe
from tradingarena.tests.browsing import PHONE, WIDE, Visit
from tradingarena.tests.live import Web

pytestmark = pytest.mark.page


def to_the_checkout(visit: Callable[..., Visit], web: Web, user: User) -> Visit:
    seen = visit(user)
    assert seen.go(web.path("/wallet/buy")) == 200
    expect(seen.page.get_by_text("No card is charged")).to_be_visible()
    seen.page.get_by_role("button", name="Pay $10.00").click()
    seen.page.wait_for_url("**/c/**")
    expect(seen.page.get_by_text("1,000 tokens").first).to_be_visible()
    return seen


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).or_(page.get_by_role("link", name=name, exact=True)).first.click()


def test_a_package_is_bought_and_the_balance_moves_without_a_reload(
    visit: Callable[..., Visit], web: Web, stripe: FakeStripe, dana: User
) -> None:
    watching = visit(dana)
    assert watching.go(web.path("/competitions")) == 200
    shown = watching.page.locator(".header-balance [data-part=balance]")
    expect(shown).to_have_text("0")
    buying = to_the_checkout(visit, web, dana).page
    press(buying, "Pay $10.00")
    expect(buying.get_by_text("The payment has arrived.")).to_be_visible()
    expect(buying.get_by_text("1,100 tokens are in your wallet.")).to_be_visible()
    expect(shown).to_have_text("1,100")
    assert watching.faults == []
    buying.get_by_role("link", name="To your wallet").click()
    expect(buying.get_by_role("row").filter(has_text="Purchase")).to_contain_text("+1,100")


def test_an_abandoned_checkout_says_that_nothing_was_charged(
    visit: Callable[..., Visit], web: Web, stripe: FakeStripe, dana: User
) -> None:
    page = to_the_checkout(visit, web, dana).page
    press(page, "Cancel and go back")
    expect(page.get_by_text("You left before paying.")).to_be_visible()
    page.get_by_role("link", name="Go on to pay $10.00").click()
    page.wait_for_url("**/c/**")
    press(page, "Cancel and go back")
    page.get_by_role("button", name="Give it up").click()
    expect(page.get_by_text("Nothing was charged.")).to_be_visible()
    assert Payment.objects.get().status in {"expired", "cancelled"}
    assert balance(dana.pk) == 0


def test_a_declined_card_stays_with_the_provider_and_another_one_pays(
    visit: Callable[..., Visit], web: Web, stripe: FakeStripe, dana: User
) -> None:
    page = to_the_checkout(visit, web, dana).page
    press(page, "Decline")
    expect(page.get_by_text("declined").first).to_be_visible()
    assert balance(dana.pk) == 0
    press(page, "Pay $10.00")
    expect(page.get_by_text("The payment has arrived.")).to_be_visible()
    assert balance(dana.pk) == 1_100


def test_a_late_confirmation_is_waited_for_and_then_shown(
    visit: Callable[..., Visit], web: Web, stripe: FakeStripe, dana: User
) -> None:
    page = to_the_checkout(visit, web, dana).page
    stripe.webhooks(paused=True)
    stripe.fault("500", method="GET", path="/v1/checkout/sessions/", times=6)
    press(page, "Pay $10.00")
    expect(page.get_by_text("Waiting for the payment")).to_be_visible()
    assert balance(dana.pk) == 0
    stripe.heal()
    stripe.webhooks(paused=False)
    expect(page.get_by_text("The payment has arrived.")).to_be_visible()
    assert balance(dana.pk) == 1_100


def test_a_bank_payment_says_that_it_takes_time(
    visit: Callable[..., Visit], web: Web, stripe: FakeStripe, dana: User
) -> None:
    page = to_the_checkout(visit, web, dana).page
    press(page, "Pay by bank")
    expect(page.get_by_text("Your bank has not settled yet.")).to_be_visible()
    assert balance(dana.pk) == 0
    stripe.settle(Payment.objects.get().session_id or "")
    assert stripe.wait_delivered()
    page.reload()
    expect(page.get_by_text("The payment has arrived.")).to_be_visible()


def test_who_may_not_buy_reads_why(visit: Callable[..., Visit], web: Web, dana: User) -> None:
    from accounts.services import limits

    limits.cool_off_begin(dana.pk, "24h")
    page = visit(dana)
    page.go(web.path("/wallet/buy"))
    expect(page.page.get_by_text("You are taking a pause")).to_be_visible()
    expect(page.page.get_by_role("button", name="Pay $10.00")).to_be_disabled()


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_pages_are_whole_and_readable(
    visit: Callable[..., Visit], web: Web, dana: User, theme: str, viewport: dict[str, int]
) -> None:
    give(dana.pk, 12_345)
    for number in range(3):
        pay(dana.pk, 10 + number)
    seen = visit(dana, theme=theme, viewport=viewport)
    values = {"purpose": "tokens", "reference_id": "tokens-1000", "amount_cents": 1_000, "tokens": 1_000}
    payment = Payment.objects.create(user=dana, description="1,000 tokens", site_url=web.url, **values)
    for path in ("/wallet", "/wallet/buy", f"/wallet/payments/{payment.pk}", "/settings/limits"):
        assert seen.go(web.path(path)) == 200
        found = Axe().run(seen.page).response["violations"]
        serious = [one["id"] for one in found if one["impact"] in {"serious", "critical"}]
        assert serious == [], path
        assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert seen.faults == []
