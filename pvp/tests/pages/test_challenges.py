"""A challenge in two real browsers, from sending to the rematch: with tokens, and by card through the stand-in."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from accounts.models import User
from pvp.models import Challenge, Winnings
from pvp.tests.pages.looking import assert_whole, look
from pvp.tests.scene import IN_CENTS, accept, agreed, books, dare, play, rich, state
from tokens.tests.ledger.book import balance
from tradingarena.localstack.fakestripe import FakeStripe
from tradingarena.tests.browsing import Visit
from tradingarena.tests.live import Web

pytestmark = pytest.mark.page


@pytest.fixture
def ann(transactional_db: None) -> User:
    return rich("ann")


@pytest.fixture
def ben(transactional_db: None) -> User:
    return rich("ben")


def test_with_tokens_from_sending_to_the_rematch(visit: Callable[..., Visit], web: Web, ann: User, ben: User) -> None:
    anns, bens = visit(ann), visit(ben)
    assert anns.go(web.path("/pvp")) == 200
    anns.page.get_by_role("link", name="Challenge somebody").first.click()
    anns.page.get_by_label("Whom").fill("ann")
    anns.page.get_by_role("button", name="Send the challenge").click()
    expect(anns.page.get_by_text("You cannot challenge yourself.")).to_be_visible()
    anns.page.get_by_label("Whom").fill("ben")
    anns.page.get_by_label("Stake of each side").fill("50")
    anns.page.get_by_role("button", name="Send the challenge").click()
    expect(anns.page.get_by_role("heading", name="Waiting for the answer")).to_be_visible()

    bens.go(web.path("/pvp"))
    bens.page.get_by_role("link", name="ann against you").click()
    look(bens.page, "received")
    bens.page.get_by_role("link", name="Ask for other terms").click()
    bens.page.get_by_label("Stake of each side").fill("75")
    bens.page.get_by_label("Duration").select_option(label="1 hour")
    bens.page.get_by_role("button", name="Send these terms").click()
    expect(bens.page.get_by_role("heading", name="Waiting for the answer")).to_be_visible()

    # without a reload: what has changed is marked, beside what it was
    expect(anns.page.get_by_role("heading", name="Your answer")).to_be_visible()
    changed = anns.page.locator(".fact.is-changed")
    expect(changed).to_have_count(2)
    expect(changed.first).to_contain_text("75 tokens")
    expect(changed.first).to_contain_text("was 50 tokens")
    look(anns.page, "countered")
    anns.page.get_by_role("button", name="Accept these terms").click()
    anns.page.get_by_role("button", name="Pay 75 tokens").click()
    expect(anns.page.get_by_role("heading", name="Your stake is in")).to_be_visible()
    expect(anns.page.locator(".header-balance [data-part=balance]")).to_have_text("925")
    bens.page.get_by_role("button", name="Pay 75 tokens").click()
    expect(bens.page.get_by_role("heading", name="It is on")).to_be_visible()
    expect(anns.page.get_by_role("heading", name="It is on")).to_be_visible()
    look(anns.page, "active")

    challenge = Challenge.objects.get()
    play(challenge, 90_000_00, 110_000_00)
    expect(bens.page.get_by_role("heading", name="You won")).to_be_visible()
    expect(anns.page.get_by_role("heading", name="ben won")).to_be_visible()
    assert (balance(ann.pk), balance(ben.pk), books()) == (925, 1_068, set())
    look(bens.page, "won")
    anns.page.get_by_role("button", name="Rematch").click()
    expect(anns.page.get_by_role("heading", name="Waiting for the answer")).to_be_visible()
    expect(anns.page.get_by_text("0 won · 0 tied · 1 lost")).to_be_visible()
    bens.page.reload()
    bens.page.get_by_role("link", name="To the rematch").click()
    bens.page.get_by_text("Decline", exact=True).click()
    bens.page.get_by_label("Why").fill("Another day.")
    bens.page.get_by_role("button", name="Decline the challenge").click()
    expect(anns.page.get_by_text("Another day.")).to_be_visible()
    assert [fault for fault in anns.faults + bens.faults if fault.startswith("threw")] == []


def test_by_card_the_money_is_taken_on_the_providers_page(
    visit: Callable[..., Visit], web: Web, stripe: FakeStripe, settings: Any, ann: User, ben: User
) -> None:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = stripe.key, stripe.secrets[0]
    settings.STRIPE_API_BASE = stripe.url
    challenge = agreed(ann, ben, IN_CENTS)
    pages = {user: visit(user) for user in (ann, ben)}
    for seen in pages.values():
        seen.go(web.path(f"/pvp/{challenge.pk}"))
        seen.page.get_by_role("button", name="Pay $10.00").click()
        seen.page.wait_for_url("**/c/**")
    for seen in pages.values():
        seen.page.get_by_role("button", name="Pay $10.00").or_(
            seen.page.get_by_role("link", name="Pay $10.00")
        ).first.click()
        expect(seen.page.get_by_text("The payment has arrived.")).to_be_visible()
    page = pages[ann].page
    page.goto(web.path(f"/pvp/{challenge.pk}"))
    expect(page.get_by_role("heading", name="It is on")).to_be_visible()
    assert state(challenge) == "active"
    challenge.refresh_from_db()
    play(challenge, 2_000_00, 1_000_00)
    expect(page.get_by_role("heading", name="You won")).to_be_visible()
    expect(page.get_by_text("Money is approved by an operator")).to_be_visible()
    assert (Winnings.objects.get().amount_cents, books()) == (1_900, set())
    page.get_by_role("button", name="Rematch").click()
    expect(page.get_by_role("heading", name="Waiting for the answer")).to_be_visible()


def test_the_pages_are_whole_and_readable(visit: Callable[..., Visit], web: Web, ann: User, ben: User) -> None:
    waiting, payable, mailed = dare(ben, ann), accept(ben, dare(ann, ben)), dare(ben, "friend@example.com")
    seen = visit(ann)
    paths = {
        "home": "/",
        "list": "/pvp",
        "new": "/pvp/new",
        "waiting": f"/pvp/{waiting.pk}",
        "change": f"/pvp/{waiting.pk}/terms",
        "payable": f"/pvp/{payable.pk}",
        "invitation": f"/pvp/invitations/{mailed.invite_code}",
    }
    for name, path in paths.items():
        assert_whole(seen, web.path(path), name)
    assert [fault for fault in seen.faults if fault.startswith("threw")] == []
