"""The operators' pages in a real Chromium, and what everybody sees of what operators switch."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from accounts.models import IntegrityCase
from accounts.rules.switches import Part
from accounts.services.switches import switch_off, switch_on
from chat.tests.pages.test_talking import serious
from competitions.models import Order
from competitions.services.fairplay import look_at
from competitions.tests.pages.scene import Scene
from tradingarena.tests.browsing import PHONE, Visit
from tradingarena.tests.live import Web
from tradingarena.tests.operator.crowd import Crowd

pytestmark = [pytest.mark.page, pytest.mark.django_db(transaction=True)]
WHY = "We look into a price"
BOUND_S = 20  # five seconds, and pages that a busy machine loads slowly


def reload_until(page: Page, words: str) -> None:
    """Load a page anew until its content says something: another process knows of a switch within five seconds."""
    deadline = time.monotonic() + BOUND_S
    while page.locator("#main").get_by_text(words).count() == 0:
        assert time.monotonic() < deadline, words
        page.reload()


def test_a_switch_is_said_on_every_page_and_its_buttons_are_off(
    scene: Scene, web: Web, visit: Callable[..., Visit]
) -> None:
    cast = scene.cast
    alice = visit(cast.alice, viewport=PHONE, theme="light")
    terminal = web.path(f"/competitions/{cast.sprint.slug}/trade")
    assert alice.go(terminal) == 200
    page = alice.page
    switch_off(cast.operator, Part.TRADING, WHY)
    switch_off(cast.operator, Part.CHAT, "Spam")
    expect(page.locator(".switch-banner")).to_have_count(2)
    page.get_by_role("button", name="Trade", exact=True).click()
    expect(page.locator("order-ticket [data-part='submit']")).to_be_disabled()
    expect(page.locator("order-ticket [data-part='note']")).to_have_text(f"Trading is switched off: {WHY}")
    page.goto(web.path("/chat"))
    reload_until(page, "Chat is switched off: Spam")
    expect(page.get_by_label("Message to")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    switch_on(cast.operator, Part.CHAT, "Quiet")
    deadline = time.monotonic() + BOUND_S
    while page.get_by_label("Message to").count() == 0:
        assert time.monotonic() < deadline
        page.reload()
    assert alice.faults == []


def test_pages_that_are_open_say_so_without_being_loaded_again(
    scene: Scene, web: Web, visit: Callable[..., Visit]
) -> None:
    cast = scene.cast
    alice, nobody = visit(cast.alice), visit()
    assert alice.go(web.path(f"/competitions/{cast.sprint.slug}/trade")) == 200
    assert nobody.go(web.path(f"/arena/{cast.sprint.slug}")) == 200
    for page in (alice.page, nobody.page):
        expect(page.locator("connection-status[data-status='live']").first).to_be_attached()
    switch_off(cast.operator, Part.TRADING, WHY)
    for page in (alice.page, nobody.page):
        expect(page.get_by_text(f"Trading is switched off: {WHY}").first).to_be_visible()
    switch_off(cast.operator, Part.PURCHASES, "Banks")
    expect(alice.page.locator(".switch-banner")).to_have_count(2)
    for part in (Part.TRADING, Part.PURCHASES):
        switch_on(cast.operator, part, "Over")
    for page in (alice.page, nobody.page):
        expect(page.locator(".switch-banner")).to_have_count(0)
    assert alice.faults == nobody.faults == []


def test_an_operator_looks_switches_and_decides_a_case(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    cast, crowd = scene.cast, Crowd()
    contest, begin = scene.running, scene.running.starts_at
    for number in range(9):
        at = begin + timedelta(seconds=50 * number)
        side = "buy" if number % 3 else "sell"
        Order.objects.bulk_create(
            crowd.order(entry, at + timedelta(seconds=later), side=side, pair="EUR/USD")
            for entry, later in ((cast.alices, 0), (cast.bobs, 0.3))
        )
    assert look_at(contest) == 1
    seen = visit(cast.operator)
    assert seen.go(web.path("/operations/")) == 200
    page = seen.page
    first_look = page.locator("#now time").first.get_attribute("datetime")
    card = page.locator("#switch-chat")
    card.get_by_label("Reason").fill("A flood")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Every process knows within seconds.")).to_be_visible()
    expect(card.get_by_text("A flood")).to_be_visible()
    card.get_by_label("Reason").fill("Quiet")
    card.get_by_role("button", name="Switch Chat on").click()
    expect(card.get_by_role("button", name="Switch Chat off")).to_be_visible()
    assert serious(page, "main") == []
    expect(page.locator("#now time").first).not_to_have_attribute("datetime", str(first_look))
    at = page.locator("#now time").first.get_attribute("datetime")
    expect(page.locator("#now time").first).not_to_have_attribute("datetime", str(at))  # it looks again by itself
    page.get_by_role("link", name="Fair play").first.click()
    page.get_by_role("link", name="place the same orders").click()
    expect(page.locator(".timeline-join")).to_have_count(10)  # nine, and one of the scene
    assert serious(page, "main") == []
    page.get_by_label("Why").fill("The same strategy, published by bob")
    page.get_by_role("button", name="Nothing in it").click()
    expect(page.get_by_text("The same strategy, published by bob")).to_be_visible()
    assert IntegrityCase.objects.get().status == "dismissed"
    phone = visit(cast.operator, theme="light", viewport=PHONE)
    for path in ("/operations/", "/operations/cases?decided=1", page.url.removeprefix(web.url)):
        phone.go(web.path(path))
        assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert serious(phone.page, "main") == []
    assert (seen.faults, phone.faults) == ([], [])
