"""The hosted page in a real Chromium, without scripts: every button, every state, both schemes, on a phone too."""

import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tradingarena.localstack.bootstrap import find_chromium
from tradingarena.localstack.fakestripe import FakeStripe
from tradingarena.tests.browsing import PATIENCE_MS
from tradingarena.tests.fakestripe.support import PAID, Receiver, client_of, new_session, raw, types

pytestmark = pytest.mark.page
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
PLAY_MONEY = "Play money: a local stand-in, no card is charged"
# What has no business on the page unescaped.
HOSTILE = """<script>document.title='taken'</script><b>"bold"</b> & 'more' </td>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open an address as a customer, who has no scripts unless they are asked for."""
    opened = []

    def go(url: str, *, scripts: bool = False, viewport: dict[str, int] = WIDE, scheme: str = "light") -> Page:
        context = browser.new_context(
            java_script_enabled=scripts, viewport=viewport, color_scheme=scheme  # type: ignore[arg-type]
        )  # fmt: skip
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(url)
        return page

    faults: list[str] = []
    yield go
    for context in opened:
        context.close()
    assert faults == []


@pytest.fixture
def session(stripe: FakeStripe, receiver: Receiver) -> Any:
    lines = [
        {"quantity": 2, "price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "500 tokens"}}},
        {
            "quantity": 1,
            "price_data": {
                "currency": "usd",
                "unit_amount": 123_456,
                "product_data": {"name": "A seat", "description": "Spring Cup"},
            },
        },
    ]
    return new_session(
        client_of(stripe),
        line_items=lines,
        customer_email="ann@example.com",
        success_url=receiver.shop("/paid?session={CHECKOUT_SESSION_ID}&note=a%20b"),
        cancel_url=receiver.shop("/packages"),
    )


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def sees(page: Page, heading: str) -> None:
    """Wait until the page's heading begins like this: a press returns before the next page is there."""
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^" + re.escape(heading)))


def test_paying_leads_back_with_the_sessions_id(stripe: FakeStripe, session: Any, visit: Callable[..., Page]) -> None:
    page = visit(session.url)
    assert page.title() == "Pay $1,244.56 · play money"
    assert page.get_by_text(PLAY_MONEY).is_visible()
    rows = page.get_by_role("row").all_inner_texts()
    assert [[cell.strip() for cell in row.split("\t")] for row in rows[1:]] == [
        ["500 tokens", "2 × $5.00", "$10.00"], ["A seat\nSpring Cup", "1 × $1,234.56", "$1,234.56"], ["Total", "$1,244.56"],
    ]  # fmt: skip
    assert page.get_by_text("order-1").is_visible()
    assert page.get_by_text("ann@example.com").is_visible()
    press(page, "Pay $1,244.56")
    sees(page, f"Back at /paid?session={session.id}&note=a%20b")
    assert types(stripe) == PAID


def test_paying_from_a_bank_account_leads_back_before_the_money_is_there(
    stripe: FakeStripe, session: Any, visit: Callable[..., Page]
) -> None:
    page = visit(session.url)
    press(page, "Pay by bank")
    sees(page, "Back at /paid")
    assert stripe.events()[-1]["data"]["object"]["payment_status"] == "unpaid"
    page.goto(session.url)
    sees(page, "Already sent")
    page.goto(new_session(client_of(stripe), success_url=page.url).url)
    press(page, "Pay by bank, without funds")
    stripe.advance(60)
    ends = [kind for kind in types(stripe) if "async" in kind]
    assert ends == ["checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed"]


def test_a_declined_card_can_be_followed_by_another(
    stripe: FakeStripe, session: Any, visit: Callable[..., Page]
) -> None:
    page = visit(session.url)
    press(page, "Decline")
    assert page.get_by_role("alert").inner_text().startswith("Your card was declined")
    assert types(stripe)[1:] == ["payment_intent.payment_failed", "charge.failed"]
    press(page, "Pay $1,244.56")
    sees(page, "Back at /paid")
    assert types(stripe)[3:] == PAID[1:]


def test_decline_then_pay_is_one_press(stripe: FakeStripe, session: Any, visit: Callable[..., Page]) -> None:
    page = visit(session.url)
    press(page, "Decline, then pay")
    sees(page, "Back at /paid")
    assert types(stripe) == [PAID[0], "payment_intent.payment_failed", "charge.failed", *PAID[1:]]


def test_a_payment_can_be_confirmed_or_refused(stripe: FakeStripe, session: Any, visit: Callable[..., Page]) -> None:
    page = visit(session.url)
    press(page, "Ask for confirmation")
    sees(page, "Is it you who pays?")
    press(page, "Refuse")
    assert "not confirmed" in page.get_by_role("alert").inner_text()
    press(page, "Ask for confirmation")
    press(page, "Confirm $1,244.56")
    sees(page, "Back at /paid")
    assert types(stripe)[1:4] == [
        "payment_intent.requires_action", "payment_intent.payment_failed", "payment_intent.requires_action",
    ]  # fmt: skip


def test_leaving_changes_nothing(stripe: FakeStripe, session: Any, visit: Callable[..., Page]) -> None:
    page = visit(session.url)
    page.get_by_role("link", name="Cancel and go back").click()
    sees(page, "Back at /packages")
    assert types(stripe) == []
    page.go_back()
    press(page, "Pay $1,244.56")
    sees(page, "Back at /paid")


def test_a_paid_session_says_so_and_leads_back(stripe: FakeStripe, session: Any, visit: Callable[..., Page]) -> None:
    other = visit(session.url)
    stripe.pay(session.id)
    press(other, "Pay $1,244.56")  # in a window that was open before
    sees(other, "Already paid")
    other.get_by_role("link", name="Go back").click()
    sees(other, f"Back at /paid?session={session.id}")
    assert types(stripe) == PAID


def test_an_expired_session_says_so_and_leads_back(
    stripe: FakeStripe, session: Any, visit: Callable[..., Page]
) -> None:
    stripe.expire(session.id)
    page = visit(session.url)
    sees(page, "Expired")
    page.get_by_role("link", name="Go back").click()
    sees(page, "Back at /packages")


def test_the_receipt_of_a_charge_can_be_opened(stripe: FakeStripe, session: Any, visit: Callable[..., Page]) -> None:
    stripe.pay(session.id)
    stripe.refund(session.id, amount=100)
    charge = next(event["data"]["object"] for event in stripe.events() if event["type"] == "charge.succeeded")
    page = visit(charge["receipt_url"])
    sees(page, "Receipt")
    assert page.get_by_text("$1.00").is_visible()


def test_whatever_the_seller_writes_is_text(stripe: FakeStripe, receiver: Receiver, visit: Callable[..., Page]) -> None:
    price = {"currency": "usd", "unit_amount": 500, "product_data": {"name": HOSTILE, "description": HOSTILE}}
    made = new_session(
        client_of(stripe),
        line_items=[{"quantity": 1, "price_data": price}],
        client_reference_id=HOSTILE,
        success_url=receiver.shop("/paid?x='onmouseover=alert(1)&ü=€"),
    )
    page = visit(made.url, scripts=True)
    assert page.title() == "Pay $5.00 · play money"
    assert HOSTILE in page.get_by_role("rowheader").first.inner_text()
    assert page.locator("script, b").count() == 0
    press(page, "Pay $5.00")
    sees(page, "Back at /paid")


@pytest.mark.parametrize(("scheme", "viewport"), [("light", WIDE), ("dark", PHONE)])
def test_it_is_accessible_and_fits(
    stripe: FakeStripe, session: Any, visit: Callable[..., Page], scheme: str, viewport: dict[str, int]
) -> None:
    page = visit(session.url, scripts=True, scheme=scheme, viewport=viewport)

    def fits() -> bool:
        return bool(page.evaluate("document.documentElement.scrollWidth") <= viewport["width"])

    press(page, "Decline")
    found = Axe().run(page).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
    assert fits()
    press(page, "Ask for confirmation")
    sees(page, "Is it you who pays?")
    assert fits()
    stripe.pay_later(session.id)
    page.goto(session.url)
    sees(page, "Already sent")
    assert fits()


def test_what_is_no_page_is_not_one(stripe: FakeStripe, session: Any) -> None:
    for path, body, status in [
        ("/c/pay/cs_none", None, 404),
        (f"/c/pay/{session.id}", b"button=steal", 400),
        (f"/c/pay/{session.id}", b"\xff" * 10, 400),
        (f"/c/pay/{session.id}", b"&".join([b"a=1"] * 100), 400),
        ("/receipts/ch_none", None, 404),
    ]:
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(stripe.url + path, body), timeout=10)
        with caught.value as answer:
            assert (answer.code, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert raw(stripe, "GET", "/c/pay/")[0] == 404
    assert types(stripe) == []
