"""Every page in a real Chromium: it loads without an error of any kind, reads well for everybody, and fits a phone."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from competitions.models import Fill
from competitions.tests.pages.conftest import PHONE, Visit
from competitions.tests.pages.scene import Scene
from tradingarena.tests.live import Web

pytestmark = pytest.mark.page

PAGES = {
    "landing": ("/", None, 200),
    "landing, signed in": ("/", "alice", 200),
    "contests": ("/competitions", None, 200),
    "no contest found": ("/competitions?q=nothing-is-called-so", None, 200),
    "running contest": ("/competitions/{running}", "alice", 200),
    "contest to join": ("/competitions/{coming}", "carol", 200),
    "contest, anonymous": ("/competitions/{coming}", None, 200),
    "trade terminal": ("/competitions/{running}/trade", "alice", 200),
    "results": ("/competitions/{over}/results", None, 200),
    "fills": ("/competitions/{running}/traders/alice/fills", "alice", 200),
    "receipt": ("/competitions/{running}/fills/{fill}", "alice", 200),
    "arena": ("/arena", None, 200),
    "live page": ("/arena/{running}", None, 200),
    "rules": ("/rules", None, 200),
    "terms": ("/terms", None, 200),
    "nothing there": ("/competitions/no-such-contest", None, 404),
    "nothing at all": ("/nothing/at/all", None, 404),
}


def address(scene: Scene, path: str) -> str:
    """Fill in what the scene has made."""
    return path.format(
        running=scene.running.slug, coming=scene.coming.slug, over=scene.over.slug,
        fill=Fill.objects.get(entry=scene.cast.alices).pk,
    )  # fmt: skip


def open_page(scene: Scene, web: Web, begin: Callable[..., Visit], name: str, **options: object) -> Visit:
    """Open one of PAGES as the one who looks at it."""
    path, who, status = PAGES[name]
    seen = begin(getattr(scene.cast, who) if who else None, **options)
    assert seen.go(web.path(address(scene, path))) == status
    return seen


def settle(seen: Visit) -> None:
    """Wait until the page is live, where it is one that lives."""
    if seen.page.locator("connection-status").count():
        seen.page.locator("connection-status[data-status=live]").wait_for()


def serious_violations(seen: Visit, *, only_colours: bool = False) -> list[str]:
    """List what axe calls serious or critical."""
    options = {"runOnly": ["color-contrast", "link-in-text-block"]} if only_colours else {}
    return [
        f"{one['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for one in Axe().run(seen.page, options=options).response["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_fault_shuts_nobody_out_and_fits_a_phone(
    scene: Scene, web: Web, visit: Callable[..., Visit], name: str
) -> None:
    seen = open_page(scene, web, visit, name)
    settle(seen)
    expected = [fault for fault in seen.faults if "404" not in fault] if PAGES[name][2] == 404 else seen.faults
    assert expected == []
    expect(seen.page.get_by_text("Simulated market")).to_be_visible()
    assert serious_violations(seen) == []
    for theme, palette in (("light", "green-red"), ("light", "blue-orange"), ("dark", "blue-orange")):
        seen.page.evaluate(
            "choice => Object.assign(document.documentElement.dataset, choice)", {"theme": theme, "palette": palette}
        )
        assert serious_violations(seen, only_colours=True) == [], (theme, palette)
    seen.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert seen.page.evaluate("Math.max(document.documentElement.scrollWidth, innerWidth)") <= PHONE["width"]


def test_a_phone_shows_each_page_at_its_own_width(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    for name in ("landing", "running contest", "trade terminal", "live page", "results"):
        seen = open_page(scene, web, visit, name, viewport=PHONE)
        settle(seen)
        wide = seen.page.evaluate("Math.max(document.documentElement.scrollWidth, innerWidth)")
        assert (name, wide) == (name, PHONE["width"])
        assert serious_violations(seen) == [], name


def test_pages_can_be_read_without_scripts(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    for name, text in {
        "landing": "Sprint",
        "contests": "Evening cup",
        "running contest": "alice",
        "trade terminal": "EUR/USD",
        "live page": "bob",
        "results": "$101,234.56",
        "receipt": "1.08510",
    }.items():
        seen = open_page(scene, web, visit, name, scripts=False)
        assert seen.page.get_by_text(text).first.is_visible(), name
        assert not seen.page.locator(".js-only:visible").count(), name


def test_the_theme_and_the_palette_are_kept(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    seen = open_page(scene, web, visit, "rules")
    page, root = seen.page, seen.page.locator("html")
    page.locator(".menu summary").first.click()
    page.get_by_text("Light", exact=True).click()
    page.get_by_text("Blue, orange").click()
    assert (root.get_attribute("data-theme"), root.get_attribute("data-palette")) == ("light", "blue-orange")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    page.reload()
    # from the server, before any script has run
    assert (root.get_attribute("data-theme"), root.get_attribute("data-palette")) == ("light", "blue-orange")


def test_the_skip_link_leads_to_the_content(scene: Scene, web: Web, visit: Callable[..., Visit]) -> None:
    seen = open_page(scene, web, visit, "contests")
    seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Enter")
    assert seen.page.evaluate("document.activeElement.id") == "main"


def test_times_are_in_the_visitors_zone_with_utc_on_hover(scene: Scene, web: Web, browser: Browser) -> None:
    context = browser.new_context(timezone_id="Asia/Tokyo", locale="en-GB")
    page = context.new_page()
    page.goto(web.path(f"/competitions/{scene.over.slug}/results"))
    ended = page.locator("header time").last
    at = scene.over.ends_at
    expect(ended).to_contain_text((at + timedelta(hours=9)).strftime("%H:%M"))
    expect(ended).to_have_attribute("title", re.compile(at.strftime("%Y-%m-%d %H:%M")))
    context.close()
