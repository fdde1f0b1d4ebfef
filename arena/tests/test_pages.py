"""The arena's pages in a real Chromium: nothing broken, nobody shut out, nothing shifts, and what moves moves everywhere."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from arena.services.listings import listing_make
from competitions.models import EquitySnapshot, Trade
from competitions.tests.pages.conftest import PHONE, Visit
from competitions.tests.pages.scene import Scene, trade
from competitions.tests.pages.test_pages import serious_violations, settle
from tradingarena.tests.live import Web

pytestmark = pytest.mark.page

PAGES = {
    "filtered list": ("/arena?featured=1&q=none", None, 200),
    "gate with a price": ("/arena/{gated}", "carol", 403),
    "replay": ("/arena/{over}/replay", None, 200),
    "journal": ("/competitions/{running}/traders/alice", "alice", 200),
    "trade": ("/competitions/{running}/trades/{trade}", "alice", 200),
    "overlay": ("/embed/{running}?background=solid", None, 200),
}


def watch(scene: Scene, web: Web, begin: Callable[..., Visit], **options: object) -> Page:
    listing_make(None, scene.running.pk)
    seen = begin(None, **options)
    assert seen.go(web.path(f"/arena/{scene.running.slug}")) == 200
    expect(seen.page.locator("connection-status")).to_have_attribute("data-status", "live")
    return seen.page


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_fault_shuts_nobody_out_and_fits_a_phone(
    scene: Scene, web: Web, visit: Callable[..., Visit], name: str
) -> None:
    path, who, status = PAGES[name]
    listing_make(scene.cast.operator, scene.cast.elsewhere.pk, mode="token_gated", spectator_token_cost=20)
    listing_make(None, scene.running.pk)
    filled = path.format(
        gated=scene.cast.elsewhere.slug, running=scene.running.slug, over=scene.over.slug,
        trade=Trade.objects.get(entry=scene.cast.alices).pk,
    )  # fmt: skip
    seen = visit(getattr(scene.cast, who) if who else None)
    assert seen.go(web.path(filled)) == status
    settle(seen)
    assert [fault for fault in seen.faults if str(status) not in fault] == []
    for theme in ("dark", "light"):
        seen.page.evaluate("theme => (document.documentElement.dataset.theme = theme)", theme)
        assert serious_violations(seen) == [], theme
    seen.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert seen.page.evaluate("Math.max(document.documentElement.scrollWidth, innerWidth)") <= PHONE["width"]


def test_one_looks_at_a_trader_and_sees_what_they_hold(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    page = watch(scene, web, visit)
    expect(page.locator("crowd-blotter tbody tr")).to_have_count(2)
    page.locator("live-board").get_by_role("button", name="bob").click()
    expect(page.locator("trader-panel [data-part=name]")).to_have_text("bob")
    expect(page.locator("trader-panel [data-part=held]")).to_contain_text("short 1.00")
    assert page.url.endswith("?trader=bob")
    trade(scene, scene.cast.bob, "buy", 300_000)
    expect(page.locator("trader-panel [data-part=held]")).to_contain_text("long 2.00")
    expect(page.locator("crowd-blotter #panel-held")).to_contain_text("2.00")
    page.get_by_role("tab", name="Deals").click()
    expect(page.locator("deal-tape li").first).to_contain_text("bob")
    page.reload()
    expect(page.locator("trader-panel [data-part=name]")).to_have_text("bob")


def test_nothing_shifts_while_numbers_change(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    page = watch(scene, web, visit)
    scene.desk.decide("EUR/USD", "1.08600", "1.08610")
    scene.show()
    expect(page.locator("live-board tbody tr").first).to_contain_text("alice")
    expect(page.locator("page-slot:not(:has(*))")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    page.evaluate(
        "() => { window.shifts = []; new PerformanceObserver((list) => list.getEntries().forEach((entry) => shifts.push(entry.value)))"
        ".observe({ type: 'layout-shift' }); }"
    )
    for turn in range(6):
        scene.desk.decide("EUR/USD", f"1.0{8700 + 190 * turn}0", f"1.0{8701 + 190 * turn}0")
        scene.show()
        page.wait_for_timeout(60)
    expect(page.locator("live-board tbody tr").first).to_contain_text("+1.1")
    assert sum(page.evaluate("shifts")) < 0.001


def test_a_part_that_is_absent_or_fails_leaves_no_hole(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    seen = visit(None)
    seen.go(web.path(f"/arena/{scene.running.slug}"))
    page = seen.page
    page.evaluate(
        """() => document.querySelector(".watch-side").insertAdjacentHTML("beforeend",
        '<section data-slot="a" hidden><page-slot data-src="/nothing/at/all"></page-slot></section>' +
        '<section data-slot="b" hidden><page-slot data-src="/terms"></page-slot></section>')"""
    )
    expect(page.locator("[data-slot=b]")).to_be_visible()
    expect(page.locator("[data-slot=a]")).to_be_hidden()


def test_the_gate_lets_through_who_pays(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    from tokens.tests.ledger.book import balance, give

    listing_make(scene.cast.operator, scene.running.pk, mode="token_gated", spectator_token_cost=20)
    give(scene.cast.carol.pk, 50)
    seen = visit(scene.cast.carol)
    assert seen.go(web.path(f"/arena/{scene.running.slug}")) == 403
    seen.page.get_by_role("button", name="Pay 20 tokens and watch").dblclick()
    expect(seen.page.locator("live-board")).to_contain_text("alice")
    assert balance(scene.cast.carol.pk) == 30


def test_the_film_of_a_contest_is_played_on_one_slider(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    seen = visit(None)
    seen.go(web.path(f"/competitions/{scene.over.slug}/results"))
    seen.page.get_by_role("link", name="Replay").click()
    page = seen.page
    names = page.locator("[data-part=board] th")
    slider = page.get_by_role("slider")
    assert page.evaluate(
        "() => { document.addEventListener('film:moment', (event) => (window.moment = event.detail)); return true; }"
    )
    last = EquitySnapshot.objects.filter(competition=scene.over).latest("at").at
    slider.fill(str(int(last.timestamp() * 1000) + 1_000))
    expect(page.locator("[data-part=board] td").last).to_contain_text("%")
    slider.press("End")
    expect(names.first).to_have_text("bob")
    expect(page.locator("[data-part=board] tr").first).to_contain_text("+1.23%")
    expect(page.locator("[data-part=left]")).to_contain_text("00:00")
    assert page.evaluate("moment") == int(slider.get_attribute("max") or 0)
    slider.press("Home")
    page.get_by_role("button", name="60×").click()
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator("[data-part=left]")).not_to_contain_text("02:00:00")


def test_an_overlay_lives_and_may_be_framed_by_anybody(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    seen = visit(None)
    listing_make(None, scene.running.pk)
    response = seen.page.request.get(web.path(f"/embed/{scene.running.slug}"))
    assert "x-frame-options" not in response.headers
    assert "frame-ancestors *" in response.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in seen.page.request.get(web.path("/arena")).headers["content-security-policy"]
    seen.go(web.path(f"/embed/{scene.running.slug}?rows=1"))
    expect(seen.page.locator("live-board tbody tr")).to_have_count(1)
    scene.desk.decide("EUR/USD", "1.09000", "1.09010")
    scene.show()
    expect(seen.page.locator("live-board")).to_contain_text(re.compile(r"alice.*\+0\.4", re.DOTALL))


def test_a_shared_link_has_a_picture_that_is_the_same_everywhere(
    scene: Scene, web: Web, visit: Callable[..., Visit]
) -> None:
    seen = visit(None)
    for path in (f"/competitions/{scene.over.slug}/results", f"/competitions/{scene.over.slug}/traders/bob"):
        seen.go(web.path(path))
        address = seen.page.locator("meta[property='og:image']").get_attribute("content")
        assert address
        assert address.startswith(web.url)
        first, again = (seen.page.request.get(address) for _ in range(2))
        assert first.headers["content-type"] == "image/png"
        assert first.body()[:8] == b"\x89PNG\r\n\x1a\n"
        assert first.body() == again.body()
