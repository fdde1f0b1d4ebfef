"""Somebody without an account is challenged by mail, signs up through it, plays, and gets the result by mail: over real SMTP."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django import DjangoDbBlocker

from accounts.models import Mail, Notification, User
from pvp.models import Challenge
from pvp.tests.scene import books, give, play, rich
from tokens.tests.ledger.book import balance
from tradingarena.tests.browsing import Visit, browser, visit
from tradingarena.tests.live import Web, free_port, serving_tests
from tradingarena.tests.postbox import Postbox, open_at

__all__ = ["browser", "visit"]
pytestmark = pytest.mark.page
ADDRESS, PASSWORD = "newcomer@example.org", "a-long-quiet-river-47"


@pytest.fixture(scope="module")
def postbox() -> Iterator[Postbox]:
    with open_at(free_port()) as box:
        yield box


@pytest.fixture(scope="module")
def web(
    postbox: Postbox,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Web]:
    """The site, which sends its mail to the post box."""
    port = free_port()
    mailing = {
        "DJANGO_SETTINGS_MODULE": "tradingarena.tests.mailing",
        "MAIL_PORT": str(postbox.port),
        "SITE_URL": f"http://127.0.0.1:{port}",
    }
    log = tmp_path_factory.mktemp("mailing") / "web.log"
    with serving_tests(log, django_db_blocker, port=port, **mailing) as running:
        yield running


@pytest.fixture
def ann(transactional_db: None, settings: Any, postbox: Postbox, web: Web) -> User:
    """Who dares; this process mails as the site does."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.SITE_URL = "127.0.0.1", postbox.port, web.url
    return rich("ann")


def sign_up(page: Page, postbox: Postbox) -> None:
    page.get_by_role("main").get_by_role("link", name="Create an account").click()
    page.get_by_label("Email").fill(ADDRESS)
    page.get_by_label("Username").fill("newcomer")
    page.fill("[name=password1]", PASSWORD)
    page.fill("[name=password2]", PASSWORD)
    page.check("[name=of_age]")
    page.check("[name=terms]")
    page.click("main button[type=submit]")
    code = re.search(r"^([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", postbox.wait_for(ADDRESS, "enter this code"), re.MULTILINE)
    assert code
    page.fill("[name=code]", code[1])
    page.click("main button[type=submit]")


def test_from_the_invitation_to_the_result(visit: Callable[..., Visit], web: Web, postbox: Postbox, ann: User) -> None:
    anns = visit(ann).page
    anns.goto(web.path("/pvp/new"))
    anns.get_by_label("Whom").fill(ADDRESS)
    anns.get_by_role("button", name="Send the challenge").click()
    expect(anns.get_by_role("heading", name="Waiting for the answer")).to_be_visible()

    invitation = postbox.wait_for(ADDRESS, "ann challenges you")
    assert "100 tokens each, for 30 min" in invitation
    link = re.search(r"http://\S+/pvp/invitations/\S+", invitation)
    assert link
    theirs = visit().page
    theirs.goto(link[0])
    expect(theirs.get_by_role("heading", name="ann challenges you")).to_be_visible()
    sign_up(theirs, postbox)
    theirs.wait_for_url("**/pvp/invitations/**")
    theirs.get_by_role("button", name="Take the challenge up").click()
    theirs.get_by_role("button", name="Accept these terms").click()
    expect(theirs.get_by_role("heading", name="Pay your stake")).to_be_visible()
    expect(theirs.get_by_text("You have 0 tokens.")).to_be_visible()
    postbox.wait_for("ann@example.com", "newcomer has accepted")

    newcomer = User.objects.get(username="newcomer")
    assert newcomer.email == ADDRESS
    give(newcomer.pk, 500)
    anns.get_by_role("button", name="Pay 100 tokens").click()
    expect(anns.get_by_role("heading", name="Your stake is in")).to_be_visible()
    # told on the site, without a reload
    expect(theirs.locator(".bell-count")).to_have_text("1")
    theirs.get_by_role("button", name="Pay 100 tokens").click()
    expect(theirs.get_by_role("heading", name="It is on")).to_be_visible()

    play(Challenge.objects.get(), 90_000_00, 110_000_00)
    expect(theirs.get_by_role("heading", name="You won")).to_be_visible()
    assert "You won 190 tokens." in postbox.wait_for(ADDRESS, "Decided: you against ann")
    assert "You lost." in postbox.wait_for("ann@example.com", "Decided: you against newcomer")
    assert (balance(newcomer.pk), books()) == (590, set())
    assert set(Mail.objects.values_list("status", flat=True)) == {"sent"}

    unread = Notification.objects.filter(user=newcomer, read_at=None).count()
    expect(theirs.locator(".bell-count")).to_have_text(str(unread))
    theirs.locator(".header-bell").click()
    theirs.get_by_role("link", name="Your challenge against ann is decided.").click()
    expect(theirs.get_by_role("heading", name="You won")).to_be_visible()
    expect(theirs.locator(".bell-count")).to_have_text(str(unread - 1))
