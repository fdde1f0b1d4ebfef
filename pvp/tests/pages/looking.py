"""Looking at a page as everybody might: in both themes, on a desk and on a phone, with nothing that shuts anybody out."""

import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tradingarena.tests.browsing import PHONE, WIDE, Visit

LOOKED_AT = os.environ.get("PAGES_LOOKED_AT")  # a folder for pictures, for whoever wants to see the pages


def look(page: Page, name: str) -> None:
    """Keep a picture, when somebody wants to look."""
    if LOOKED_AT:
        page.screenshot(path=Path(LOOKED_AT) / f"{name}.png", full_page=True)


def assert_whole(seen: Visit, url: str, name: str) -> None:
    """Open a page and assert that it is whole: axe finds nothing serious in either theme, and it fits a phone."""
    seen.page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    assert seen.go(url) == 200, url
    for theme in ("dark", "light"):
        seen.page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
        options = {} if theme == "dark" else {"runOnly": ["color-contrast", "link-in-text-block"]}
        found = Axe().run(seen.page, options=options).response["violations"]
        assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == [], (url, theme)
        look(seen.page, f"{name}-{theme}-wide")
    seen.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    width = seen.page.evaluate("Math.max(document.documentElement.scrollWidth, innerWidth)")
    assert width <= PHONE["width"], url
    look(seen.page, f"{name}-light-phone")
