"""Every page in a real Chromium, with harmful words wherever words can be: nothing runs, and no rule of the policy is broken."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Dialog, Response

from tradingarena.tests.attacks import pages, texts
from tradingarena.tests.attacks import world as worlds
from tradingarena.tests.attacks.pages import OWNER, PEOPLE, READ
from tradingarena.tests.browsing import Visit, browser, visit
from tradingarena.tests.live import Web, web

__all__ = ["browser", "visit", "web"]
pytestmark = [pytest.mark.page, pytest.mark.django_db(transaction=True)]

# what is no page, or a part of one
NO_PAGES = {
    "healthz", "metrics", "jsi18n/", "bets/replay/<uuid:competition_id>", "bets/embed/<uuid:competition_id>",
    "bets/panel/<uuid:competition_id>", "pvp/<uuid:challenge_id>/state", "wallet/payments/<uuid:payment_id>/state",
    "chat/contest/<uuid:competition_id>/panel", "chat/contest/<uuid:competition_id>/replay",
}  # fmt: skip
FOR_STRANGERS = {"accounts/login/", "accounts/signup/", "accounts/password/reset/", "accounts/password/reset/done/"}
# the page tells of what breaks a rule, before any script of its own runs
WATCH = """addEventListener('securitypolicyviolation', told =>
    console.error(`broken: ${told.violatedDirective} by ${told.blockedURI} at ${told.sourceFile}`))"""


@pytest.mark.timeout(300)  # some eighty pages, on a machine that is busy with other tests
def test_no_page_runs_what_people_wrote_or_breaks_its_policy(web: Web, request: pytest.FixtureRequest) -> None:
    world = worlds.build()
    texts.spread(world)
    visit: Callable[..., Visit] = request.getfixturevalue(
        "visit"
    )  # with its browser's loop the world could not be made
    everything = set().union(*READ.values())
    owned = READ[PEOPLE] | READ[OWNER]
    turns = [(None, FOR_STRANGERS), (world.alice, owned), (world.cast.operator, everything - owned - FOR_STRANGERS)]
    ids, wrong, seen, shown = pages.known_ids(world), [], 0, 0
    for user, found in turns:
        here = watched(visit(user), web, wrong)
        for route in sorted(route for route in found - NO_PAGES if not route.endswith((".csv", ".png"))):
            status = here.go(web.path(pages.address(route, ids)))
            assert status < 400, (route, status)
            assert not here.page.query_selector("[onmouseover], img[src=x]"), route
            wrong += [f"{route}: {fault}" for fault in here.faults]
            here.faults.clear()
            seen += 1
            shown += texts.MARK in here.page.content()
    assert not wrong, "\n".join(wrong)
    assert seen >= 65
    assert shown >= 15  # the words are there, as words


def watched(here: Visit, web: Web, wrong: list[str]) -> Visit:
    """Note what a script of somebody else's would do, and what comes without its headers."""

    def look(response: Response) -> None:
        if response.url.startswith(web.url) and response.headers.get("x-content-type-options") != "nosniff":
            wrong.append(f"{response.url}: may be sniffed")

    def dismiss(dialog: Dialog) -> None:
        wrong.append(f"{here.page.url}: {dialog.message}")
        dialog.dismiss()

    here.page.add_init_script(WATCH)
    here.page.on("response", look)
    here.page.on("dialog", dismiss)
    return here
