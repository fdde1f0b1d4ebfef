"""Pages in a real Chromium for every app's tests: a browser, somebody's visit, and everything that went wrong on it.

A conftest imports `browser`, `visit` and the server's `web` from here and from `live.py`.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from accounts.models import User
from tradingarena.localstack.bootstrap import find_chromium
from tradingarena.tests.live import Web

PATIENCE_MS = 30_000  # for a busy machine; Playwright's own five seconds are not enough there
expect.set_options(timeout=PATIENCE_MS)
WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Playwright's loop lives in this thread, and Django then takes every query for one on an event loop
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield started
        started.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@dataclass
class Visit:
    """A page that somebody has open, and everything that went wrong on it."""

    page: Page
    faults: list[str] = field(default_factory=list)

    def note_failure(self, request: Request) -> None:
        """Keep a request that failed; one that was given up because the reader went on is nobody's fault."""
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"{request.url}: {request.failure}")

    def go(self, url: str) -> int:
        """Open an address and wait until it is loaded; give its status."""
        response = self.page.goto(url, wait_until="load")
        assert response is not None
        return response.status


@pytest.fixture
def visit(browser: Browser, web: Web) -> Iterator[Callable[..., Visit]]:
    """Open a browser of its own for somebody: `visit(user, theme="light", viewport=PHONE, scripts=False)`."""
    contexts: list[BrowserContext] = []

    def begin(
        user: User | None = None, *, theme: str = "dark", viewport: dict[str, int] = WIDE, scripts: bool = True
    ) -> Visit:
        phone = viewport["width"] < 500
        context = browser.new_context(
            viewport=viewport, is_mobile=phone, has_touch=phone, java_script_enabled=scripts, reduced_motion="reduce"
        )  # type: ignore[arg-type]
        contexts.append(context)
        context.add_cookies([{"name": "theme", "value": theme, "url": web.url}])
        if user is not None:
            client = Client()
            client.force_login(user)
            name = settings.SESSION_COOKIE_NAME
            context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": web.url}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        seen = Visit(page)
        page.on("pageerror", lambda error: seen.faults.append(f"threw {error}"))
        page.on("console", lambda line: seen.faults.append(line.text) if line.type == "error" else None)
        page.on("requestfailed", seen.note_failure)
        return seen

    yield begin
    for context in contexts:
        context.close()
