"""Bonus, referrals, leaderboards and one's own data in a real browser: one way through all of them, in both themes and on a phone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from accounts.models import User
from accounts.services import exports
from competitions.tests.factories import make_user
from pvp.tests.pages.looking import assert_whole
from tokens.services import boards, referrals
from tokens.tests.ledger.book import give
from tradingarena.tests.browsing import Visit, browser, visit
from tradingarena.tests.fresh import fresh_redis
from tradingarena.tests.live import Web, web

__all__ = ["browser", "visit", "web"]
pytestmark = pytest.mark.page


@pytest.fixture
def ann(transactional_db: None) -> User:
    fresh_redis()
    return make_user("ann")


def test_a_bonus_a_link_a_place_and_a_copy(visit: Callable[..., Visit], web: Web, ann: User) -> None:
    seen = visit(ann)
    page = seen.page
    assert seen.go(web.path("/wallet")) == 200
    page.get_by_role("button", name="Claim 5 tokens").press("Enter")
    expect(page.get_by_text("5 tokens for you. Your balance is 5.")).to_be_visible()
    expect(page.get_by_text("Next: 10 tokens")).to_be_visible()
    assert_whole(seen, web.path("/wallet"), "wallet")

    code = referrals.referral_code(ann)
    for name in ("ben", "cleo"):
        referrals.referral_note(make_user(name), code)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=web.url)
    seen.go(web.path("/referrals"))
    page.get_by_role("button", name="Copy").click()
    assert page.evaluate("navigator.clipboard.readText()") == f"{web.url}/r/{code}"
    assert_whole(seen, web.path("/referrals"), "referrals")

    for number in range(12):
        give(make_user(f"rival{number}").pk, 3 + 2 * number)
    boards.ledger_count()
    seen.go(web.path("/"))
    page.get_by_role("link", name="Leaderboards").click()
    page.get_by_role("link", name="Today").click()
    expect(page.locator("tr.own")).to_contain_text("ann")
    assert_whole(seen, web.path("/leaderboards?board=earned&period=day"), "leaderboards")

    seen.go(web.path("/settings/data"))
    exports.export_request(ann)
    exports.tend()
    assert_whole(seen, web.path("/settings/data"), "data")
    with page.expect_download() as told:
        page.get_by_role("link", name="Download").click()
    assert told.value.suggested_filename == "trading-arena-data.zip"
    assert_whole(seen, web.path("/settings/api-tokens"), "api-tokens")
    assert_whole(seen, web.path("/privacy"), "privacy")
    assert seen.faults == []
