"""Every page as everybody: who may read or post, that reading changes nothing, and that no other site can post in somebody's name."""

import pytest
from django.test import Client

from tradingarena.tests.attacks import pages
from tradingarena.tests.attacks import world as worlds
from tradingarena.tests.attacks.pages import (
    APART,
    ASKERS,
    FORMS,
    MAY,
    MODERATORS,
    NO_CSRF,
    OPERATORS,
    OWNER,
    POST,
    READ,
    SIGN_IN,
    address,
    expected,
)
from tradingarena.tests.attacks.test_access import CSRF, page, taken_back, written
from tradingarena.tests.attacks.world import World

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
SITES = [route for route in dict.fromkeys(pages.routes()) if not route.startswith("api/")]
PAGES = [route for route in SITES if not route.startswith(pages.NOT_PAGES)]


@pytest.fixture
def world(db: None) -> World:
    return worlds.build()


def browsers(world: World) -> dict[str, Client]:
    """Everybody's browser, with the CSRF token of our own pages."""
    cast = world.cast
    people = {"owner": cast.alice, "another": cast.mallory, "moderator": cast.moderator, "admin": cast.operator}
    stranger = Client(enforce_csrf_checks=True, raise_request_exception=False)
    stranger.cookies["csrftoken"] = CSRF
    return {"anonymous": stranger, **{who: page(user, csrf=True) for who, user in people.items()}}


def verdict(status: int, location: str) -> str:
    """Put an answer into a word."""
    if location.startswith("/accounts/login/"):
        return SIGN_IN
    return MAY if status < 400 else str(status)


def test_every_page_is_in_the_table_once() -> None:
    listed = [route for table in (READ, POST) for found in table.values() for route in found] + list(APART)
    assert len(set(listed)) == len(listed)
    assert set(listed) == set(PAGES)


def test_pages_are_read_by_who_may_and_reading_changes_nothing(world: World) -> None:
    ids, wrong = pages.known_ids(world), []
    for who, browser in browsers(world).items():
        for route in set().union(*READ.values()):
            with taken_back():
                before = written()
                answer = browser.get(address(route, ids))
                changed = {name for name, count in written().items() if count != before.get(name, 0)}
            got = verdict(answer.status_code, answer.get("Location", ""))
            if got != expected(route, who):
                wrong.append(f"{route} as {who}: {got}, not {expected(route, who)}")
            if changed - pages.WRITTEN_BY_READING.get(route, set()):
                wrong.append(f"{route} as {who}: reading it has changed {changed}")
            if who != "owner" and route != "" and b"alice@example.com" in answer.content and who != "admin":
                wrong.append(f"{route} as {who}: shows the owner's address")
    assert not wrong, "\n".join(wrong)


def test_posts_do_something_for_who_may_and_nothing_for_anybody_else(world: World) -> None:
    ids, wrong, done = pages.known_ids(world), [], set()
    everybody = browsers(world)
    for route in set().union(*POST.values()):
        for who in ASKERS:
            may = expected(route, who) == MAY
            with taken_back():
                before = written()
                answer = everybody[who].post(
                    address(route, ids, world), FORMS.get(route, {}), headers={"X-CSRFToken": CSRF}
                )
                changed = {name for name, count in written().items() if count != before.get(name, 0)}
            if changed and not may:
                wrong.append(f"{route} as {who}: has changed {changed}")
            if answer.status_code >= 500 or (may and answer.status_code in {401, 403, 404}):
                wrong.append(f"{route} as {who}: {answer.status_code}")
            done |= {route} if changed else set()
    assert not wrong, "\n".join(wrong)
    idle = set().union(*(POST[kind] for kind in (OWNER, MODERATORS, OPERATORS))) - done
    assert idle == {"wallet/payments/<uuid:payment_id>/cancel"}  # hers has been paid


def test_no_other_site_posts_in_somebodys_name(world: World) -> None:
    ids, through = pages.known_ids(world), {}
    foreign = {"X-CSRFToken": CSRF, "Origin": "https://evil.example"}
    tries = [(page(world.cast.operator, csrf=False), {}), (page(world.cast.operator, csrf=True), foreign)]
    for number, route in enumerate(SITES):
        if "password/reset/key" in route:
            continue  # its path is the secret, and it takes no session
        method = UNSAFE[number % len(UNSAFE)] if route.startswith("admin/") else "POST"
        with taken_back():
            before = written()
            got = {
                browser.generic(method, address(route, ids), b"", headers=headers).status_code
                for browser, headers in tries
            }
            if got != {403} or written() != before:
                through[route] = got
    assert set(through) == NO_CSRF, through
    assert len(SITES) > 250
