"""Three browsers: two people sign up, confirm, join, trade and see fill and rank; a third, signed in nowhere, watches them."""

import re
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tradingarena.localstack.bootstrap import find_chromium
from tradingarena.tests.browsing import PATIENCE_MS
from tradingarena.tests.flows.arena import Arena, running, until

pytestmark = [pytest.mark.page, pytest.mark.processes, pytest.mark.timeout(300)]

PASSWORD = "correct horse battery 9"


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture
def postbox() -> Iterator[tuple["Postbox", str]]:
    box = Postbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    yield box, f"smtp://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def arena(tmp_path: Path, postbox: tuple["Postbox", str]) -> Iterator[Arena]:
    market = {"MARKET_DATA_PROVIDER": "simulated", "FEED_WARM_UP_S": "0", "EMAIL_URL": postbox[1]}
    with running(tmp_path / "state", "--no-demo", **market) as started:
        yield started


def visitor(browser: Browser) -> Page:
    """Open a browser of its own, with its own cookies, that reports every error of the page."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda error: pytest.fail(f"the page threw {error}"))
    return page


class Postbox:
    """A real mail server on loopback that keeps what it is sent."""

    def __init__(self) -> None:
        self.received: list[tuple[list[str], str]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.received.append((envelope.rcpt_tos, (envelope.content or b"").decode(errors="replace")))
        return "250 taken"

    def code_for(self, address: str) -> str:
        """Wait for the confirmation code that was sent to somebody."""

        def look() -> str | None:
            texts = [text for recipients, text in self.received if address in recipients]
            codes = [
                found[1]
                for text in texts
                if (found := re.search(r"^\s*([A-Z0-9]{4}-[A-Z0-9]{4})\s*$", text, re.MULTILINE))
            ]
            return codes[-1] if codes else None

        return str(until(f"a code is mailed to {address}", look, patience_s=20))


def sign_up(page: Page, arena: Arena, postbox: Postbox, name: str) -> None:
    page.goto(f"{arena.url}/accounts/signup/")
    page.get_by_label("Email").fill(f"{name}@example.com")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password (again)").fill(PASSWORD)
    page.locator("#id_of_age").check()
    page.locator("#id_terms").check()
    page.locator("main form button[type=submit]").click()
    page.locator("input[name=code]").fill(postbox.code_for(f"{name}@example.com"))
    page.locator("main form button[type=submit]").first.click()
    expect(page.get_by_text(name).first).to_be_visible()


def contest(arena: Arena) -> tuple[str, str]:
    """Let an operator open a contest that starts in a while; give its id and slug."""
    operator = arena.person("olga", "--role", "admin")
    begins = datetime.now(UTC) + timedelta(seconds=35)
    status, made = operator.ask(
        "POST",
        "/api/competitions",
        {
            "title": "Three browsers", "pairs": ["EUR/USD", "GBP/USD"], "starts_at": begins.isoformat(),
            "ends_at": (begins + timedelta(minutes=20)).isoformat(),
        },
    )  # fmt: skip
    assert status == 201, made
    assert operator.ask("POST", f"/api/competitions/{made['id']}/transition", {"to": "open"})[0] == 200
    return str(made["id"]), str(made["slug"])


def trade(page: Page, arena: Arena, slug: str, side: str, lots: str) -> None:
    """Send a market order with the ticket and wait for its receipt."""
    page.goto(f"{arena.url}/competitions/{slug}/trade")
    page.locator("#ticket-size").fill(lots)
    page.locator(f"input[name=side][value={side}]").check(force=True)
    expect(page.locator("[data-part=margin]")).to_contain_text("$")
    page.locator("order-ticket [data-part=submit]").click()
    page.get_by_role("dialog").get_by_role("button", name=side.capitalize(), exact=True).click()
    expect(page.locator("order-ticket [data-part=decision]")).to_contain_text(re.compile("filled", re.IGNORECASE))


def test_two_people_trade_and_a_third_watches(browser: Browser, arena: Arena, postbox: tuple[Postbox, str]) -> None:
    competition_id, slug = contest(arena)
    alice, bob, watcher = visitor(browser), visitor(browser), visitor(browser)
    for page, name in ((alice, "alice"), (bob, "bobby")):
        sign_up(page, arena, postbox[0], name)
        page.goto(f"{arena.url}/competitions/{slug}")
        page.get_by_role("button", name="Join this contest").click()
        expect(page.get_by_text("You are in")).to_be_visible()
    until(
        "the contest runs", lambda: arena.call("GET", f"/api/competitions/{competition_id}")[1]["status"] == "running"
    )

    watcher.goto(f"{arena.url}/arena/{slug}")
    expect(watcher.locator("order-ticket")).to_have_count(0)
    trade(alice, arena, slug, "buy", "5.00")
    trade(bob, arena, slug, "sell", "5.00")

    expect(alice.locator("account-bar [data-part=rank]")).to_have_text(re.compile(r"[12]"))
    expect(watcher.locator("live-board")).to_contain_text("alice")
    expect(watcher.locator("live-board")).to_contain_text("bobby")
    expect(watcher.locator("deal-tape")).to_contain_text("bobby")
    expect(watcher.locator("deal-tape")).to_contain_text("alice")

    # equity moves without a reload, and whoever is ahead changes when bob turns his position against alice's
    before = alice.locator("account-bar [data-part=equity]").inner_text()
    until("alice's equity moves", lambda: alice.locator("account-bar [data-part=equity]").inner_text() != before)
    until("both ranks differ", lambda: _ranks(alice, bob) == {"1", "2"})
    first_leader = _leader(watcher)
    flip_until_the_lead_changes(alice, bob, watcher, arena, slug, first_leader)


def flip_until_the_lead_changes(alice: Page, bob: Page, watcher: Page, arena: Arena, slug: str, leader: str) -> None:
    """Let the leader pay spreads until the other one leads, and see it on every screen."""
    ahead = alice if leader == "alice" else bob
    behind = bob if leader == "alice" else alice
    for _ in range(12):
        for side in ("buy", "sell"):
            trade(ahead, arena, slug, side, "10.00")
        if _leader(watcher) != leader:
            break
        time.sleep(0.5)
    until("the watcher sees another leader", lambda: _leader(watcher) != leader)
    until("the new leader sees rank 1", lambda: "1" in behind.locator("account-bar [data-part=rank]").inner_text())


def _leader(page: Page) -> str:
    return page.locator("live-board tbody tr").first.inner_text().split()[1]


def _ranks(*pages: Page) -> set[str]:
    return {re.sub(r"\D", "", page.locator("account-bar [data-part=rank]").inner_text()) for page in pages}
