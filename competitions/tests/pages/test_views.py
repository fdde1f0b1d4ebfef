"""The pages of contests without a browser: what they find, whom they let in, and what they say when they do not."""

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from competitions.models import Competition, Entry, Fill
from competitions.tests.factories import make_competition, make_entry, make_open_competition, make_user
from competitions.tests.money import pay_in
from competitions.tests.pages.scene import Scene, set_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(transactional_db: None) -> Scene:
    return set_up()


def signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client


def said(response: object) -> list[str]:
    """Give the messages that a page was sent on with."""
    return [str(message) for message in get_messages(response.wsgi_request)]  # type: ignore[attr-defined]


def titles(response: object) -> list[str]:
    return [card.competition.title for card in response.context["cards"]]  # type: ignore[attr-defined]


def test_the_list_filters_by_status_and_text_and_mine(scene: Scene) -> None:
    client = signed_in(scene.cast.alice)
    assert set(titles(client.get("/competitions"))) == {"Sprint", "Elsewhere", "Evening cup", "Night run"}
    assert titles(client.get("/competitions"))[-1] == "Night run"
    assert set(titles(client.get("/competitions?status=live"))) == {"Sprint", "Elsewhere"}
    assert titles(client.get("/competitions?status=upcoming")) == ["Evening cup"]
    assert titles(client.get("/competitions?status=finished")) == ["Night run"]
    assert titles(client.get("/competitions?q=even")) == ["Evening cup"]
    assert set(titles(client.get("/competitions?mine=1"))) == {"Sprint", "Night run"}


@pytest.mark.parametrize(
    "query", ["?status=nonsense", "?q=%00", "?page=-7", "?page=x", "?mine=1&free=2", "?q=" + "x" * 900]
)
def test_the_list_takes_any_query(scene: Scene, query: str) -> None:
    assert Client().get(f"/competitions{query}").status_code == 200


def test_free_entry_leaves_paid_contests_out() -> None:
    make_open_competition(title="Paid", buy_in_cents=500)
    make_open_competition(title="Free")
    assert titles(Client().get("/competitions?free=1")) == ["Free"]


def test_drafts_are_nowhere() -> None:
    draft = make_open_competition(status=Competition.Status.DRAFT)
    assert titles(Client().get("/competitions")) == []
    for path in (f"/competitions/{draft.slug}", f"/arena/{draft.slug}"):
        assert Client().get(path).status_code == 404


def test_somebody_joins_and_withdraws(scene: Scene) -> None:
    client = signed_in(scene.cast.carol)
    page = f"/competitions/{scene.coming.slug}"
    assert b"Join this contest" in client.get(page).content
    joined = client.post(f"{page}/join")
    assert joined.status_code == 302
    assert said(joined) == ["Joined. Good luck."]
    assert Entry.objects.get(competition=scene.coming, user=scene.cast.carol).status == Entry.Status.ACTIVE
    assert b"Withdraw from this contest" in client.get(page).content
    client.post(f"{page}/withdraw")
    assert Entry.objects.get(competition=scene.coming, user=scene.cast.carol).status == Entry.Status.WITHDRAWN


def test_reasons_against_joining_are_listed_instead_of_a_button(scene: Scene) -> None:
    doubtful = make_user("dora", confirmed=False)
    scene.coming.min_account_age_h = 24
    scene.coming.save()
    content = signed_in(doubtful).get(f"/competitions/{scene.coming.slug}").content.decode()
    assert "Join this contest" not in content
    assert "24 hours old" in content


def test_a_refused_join_is_said_on_the_contests_page(scene: Scene) -> None:
    client = signed_in(scene.cast.carol)
    refused = client.post(f"/competitions/{scene.over.slug}/join")
    assert refused.status_code == 302
    assert len(said(refused)) == 1


def test_an_invite_code_is_asked_for_and_carried_along() -> None:
    code = "open-sesame"
    private = make_open_competition(kind=Competition.Kind.PRIVATE, invite_code=code)
    client = signed_in(make_user("vera"))
    page = f"/competitions/{private.slug}"
    assert f'value="{code}"' in client.get(f"{page}?invite={code}").content.decode()
    assert client.post(f"{page}/join", {"invite": "wrong"}).url == f"{page}?invite=wrong"  # type: ignore[attr-defined]
    assert not private.entries.exists()
    client.post(f"{page}/join", {"invite": code})
    assert private.entries.count() == 1


def test_joining_needs_a_post_and_a_person(scene: Scene) -> None:
    join = f"/competitions/{scene.coming.slug}/join"
    assert signed_in(scene.cast.carol).get(join).status_code == 405
    assert Client().post(join).url.startswith("/accounts/login/")  # type: ignore[attr-defined]
    assert not scene.coming.entries.exists()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(scene.cast.carol)
    assert strict.post(join).status_code == 403


def test_the_terminal_is_for_entrants(scene: Scene) -> None:
    trade = f"/competitions/{scene.running.slug}/trade"
    assert signed_in(scene.cast.alice).get(trade).status_code == 200
    turned_away = signed_in(scene.cast.carol).get(trade)
    assert turned_away.url == f"/competitions/{scene.running.slug}"  # type: ignore[attr-defined]
    assert Client().get(trade).url.startswith("/accounts/login/")  # type: ignore[attr-defined]
    over = signed_in(scene.cast.alice).get(f"/competitions/{scene.over.slug}/trade")
    assert over.url == f"/competitions/{scene.over.slug}/results"  # type: ignore[attr-defined]


def test_a_receipt_shows_the_evidence_to_whom_may_see_it(scene: Scene) -> None:
    fill = Fill.objects.get(entry=scene.cast.alices)
    path = f"/competitions/{scene.running.slug}/fills/{fill.pk}"
    content = signed_in(scene.cast.alice).get(path).content.decode()
    for evidence in (str(fill.quote_id), "1.08500", "1.08510", f"{fill.quote_age_ms} ms", str(fill.engine_epoch)):
        assert evidence in content
    assert signed_in(scene.cast.carol).get(path).status_code == 200
    # a rival, while the trade is open
    assert signed_in(scene.cast.bob).get(path).status_code == 404
    assert Client().get(f"/competitions/{scene.over.slug}/fills/{fill.pk}").status_code == 404


def test_results_show_the_final_board(scene: Scene) -> None:
    page = f"/competitions/{scene.over.slug}/results"
    content = Client().get(page).content.decode()
    assert content.index("bob") < content.index("alice") < content.index("carol")
    assert "+1.23%" in content
    assert "−0.50%" in content
    assert content.count('class="curve-') == 6  # three lines and their keys
    assert Client().get(f"/competitions/{scene.running.slug}/results").status_code == 302


def test_the_live_page_leads_on_when_the_contest_is_over(scene: Scene) -> None:
    led = Client().get(f"/arena/{scene.over.slug}")
    assert led.url == f"/competitions/{scene.over.slug}/results"  # type: ignore[attr-defined]
    cancelled = make_competition(status=Competition.Status.CANCELLED)
    assert Client().get(f"/arena/{cancelled.slug}").url == f"/competitions/{cancelled.slug}"  # type: ignore[attr-defined]


def test_the_prize_table_adds_up_on_the_page() -> None:
    cup = make_open_competition(buy_in_cents=1_000, rake_bps=1_000, prize_split_bps=[5_000, 3_000, 2_000])
    for name in ("anna", "bert", "cleo"):
        pay_in(make_entry(cup, make_user(name)), 1_000)
    content = Client().get(f"/competitions/{cup.slug}").content.decode()
    # 3 × $10 less 10 % is $27
    for amount in ("$27.00", "$13.50", "$8.10", "$5.40"):
        assert amount in content


def test_pages_escape_what_people_wrote() -> None:
    wild = make_open_competition(title="<script>alert(1)</script>", description="<img src=x onerror=alert(1)>")
    for path in ("/", "/competitions", f"/competitions/{wild.slug}", f"/arena/{wild.slug}"):
        content = Client().get(path).content.decode()
        assert "<script>alert" not in content
        assert "<img src=x" not in content


def test_a_refusal_keeps_its_status_and_says_the_way_on() -> None:
    response = Client().get("/competitions/none-such")
    assert response.status_code == 404
    assert "There is no such contest." in response.content.decode()
    fragment = Client().get("/competitions/none-such", headers={"HX-Request": "true"})
    assert "<html" not in fragment.content.decode()


def test_countdowns_carry_times_with_a_zone() -> None:
    start = timezone.now() + timedelta(hours=1)
    coming = make_open_competition(starts_at=start)
    content = Client().get(f"/competitions/{coming.slug}").content.decode()
    assert f'data-starts="{start.isoformat(timespec="milliseconds").replace("+00:00", "Z")}"' in content
