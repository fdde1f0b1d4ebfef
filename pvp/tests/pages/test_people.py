"""The pages about people in both themes and at two widths: a trader, notifications, choices, the audit log, the way out of a mail."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from accounts import audit
from accounts.models import User
from accounts.rules import roles
from accounts.services import notices, people, social
from accounts.services.mail import stop_token
from competitions.models import Award
from competitions.tests.factories import make_competition, make_entry
from pvp.tests.pages.looking import assert_whole
from pvp.tests.scene import begun, play, rich
from tradingarena.core.clock import database_now
from tradingarena.tests.browsing import Visit
from tradingarena.tests.live import Web

pytestmark = pytest.mark.page


@pytest.fixture
def ann(transactional_db: None) -> User:
    """A trader with something to show."""
    ann, ben = rich("ann"), rich("ben")
    play(begun(ann, ben), 110_000_00, 90_000_00)
    for number, cents in enumerate((10_400_000, 10_150_000, 10_900_000)):
        contest = make_competition(title=f"Cup {number}", status="completed", completed_at=database_now())
        make_entry(contest, ann, final_equity_cents=cents, rank=1 + number, fills_count=3, max_drawdown_bps=250)
    Award.objects.create(user=ann, badge="podium", competition=contest)
    return ann


@pytest.fixture
def olga(transactional_db: None) -> User:
    """An operator, who follows Ann and is told of things."""
    return people.person_add("olga@example.com", "olga", confirmed=True, role=roles.ADMIN)


def test_the_pages_are_whole_and_readable(visit: Callable[..., Visit], web: Web, ann: User, olga: User) -> None:
    social.follow(olga, ann)
    values = {"trader": "ann", "title": "Evening cup", "place": "2"}
    for number in range(3):
        notices.tell("followed_result", [olga.pk], cause=number, url="/competitions", values=values)
    notices.mark_read(olga, [olga.notifications.first().pk])  # type: ignore[union-attr]
    audit.record(olga, "user.disabled", ann, old={"is_active": True}, new={"is_active": False}, reason="A test")
    seen = visit(olga)
    paths = {
        "trader": "/traders/ann",
        "notifications": "/notifications",
        "choices": "/settings/notifications",
        "audit": "/operations/audit",
        "unsubscribe": f"/mail/stop/{stop_token('olga@example.com', 'payout')}",
    }
    for name, path in paths.items():
        assert_whole(seen, web.path(path), name)
        expect(seen.page.locator(".bell-count")).to_have_text("2")
    assert [fault for fault in seen.faults if fault.startswith("threw")] == []
