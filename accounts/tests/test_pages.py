"""The settings pages and the public page of a trader."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts import selectors
from accounts.models import ApiToken, User
from accounts.services import tokens, usernames

pytestmark = pytest.mark.django_db
Browse = Callable[[User], Client]
POSTS = ["/settings/profile", "/settings/username", "/settings/terms", "/settings/api-tokens"]


def test_the_settings_show_what_is_set(alice: User, by_session: Browse) -> None:
    page = by_session(alice).get("/settings").content.decode()
    assert "alice@example.com" in page
    assert "Current terms" not in page


def test_new_terms_are_asked_for_and_accepted(alice: User, by_session: Browse, settings: object) -> None:
    settings.TERMS_VERSION = "2030-01"  # type: ignore[attr-defined]
    browser = by_session(alice)
    assert "Current terms" in browser.get("/settings").content.decode()
    assert browser.post("/settings/terms", {"terms": "on"}).status_code == 422
    assert browser.post("/settings/terms", {"terms": "on", "of_age": "on"}).status_code == 302
    alice.refresh_from_db()
    assert alice.terms_version == "2030-01"


def test_country_and_time_zone_are_saved(alice: User, by_session: Browse) -> None:
    by_session(alice).post("/settings/profile", {"country": "FR", "timezone": "Europe/Paris"})
    alice.refresh_from_db()
    assert (alice.country, alice.timezone) == ("FR", "Europe/Paris")


@pytest.mark.parametrize("form", [{}, {"timezone": "Mars/Olympus"}, {"country": "XX", "timezone": "UTC"}])
def test_a_bad_profile_is_shown_again_with_what_is_wrong(alice: User, by_session: Browse, form: dict[str, str]) -> None:
    answer = by_session(alice).post("/settings/profile", form)
    assert answer.status_code == 422
    assert "errorlist" in answer.content.decode()


def test_a_name_is_changed_and_refusals_are_explained_beside_the_field(
    alice: User, bob: User, by_session: Browse
) -> None:
    browser = by_session(alice)
    assert usernames.NameTaken.message in browser.post("/settings/username", {"username": "bob"}).content.decode()
    assert browser.post("/settings/username", {"username": "wonder"}).status_code == 302
    page = browser.post("/settings/username", {"username": "wonder2"}).content.decode()
    assert "every 30 days" in page
    assert "wonder" in browser.get("/settings").content.decode()


def test_the_secret_of_a_token_is_shown_once(alice: User, by_session: Browse) -> None:
    browser = by_session(alice)
    page = browser.post("/settings/api-tokens", {"name": "my bot", "scopes": ["read", "trade"]}).content.decode()
    secret = page.partition('id="token-secret">')[2].partition("<")[0]
    assert tokens.token_recognise(secret) is not None
    page = browser.get("/settings/api-tokens").content.decode()
    assert secret not in page
    assert "my bot" in page


def test_a_token_is_revoked_on_the_page(alice: User, bob: User, by_session: Browse) -> None:
    token, secret = tokens.token_create(alice.pk, name="bot", scopes=["read"])
    assert by_session(bob).post(f"/settings/api-tokens/{token.pk}/revoke").status_code == 404
    assert tokens.token_recognise(secret) is not None
    assert by_session(alice).post(f"/settings/api-tokens/{token.pk}/revoke").status_code == 302
    assert tokens.token_recognise(secret) is None


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"name": "x"},
        {"scopes": ["read"]},
        {"name": "x", "scopes": ["admin"]},
        {"name": "x" * 61, "scopes": ["read"]},
    ],
)
def test_a_bad_token_form_makes_none(alice: User, by_session: Browse, form: dict[str, object]) -> None:
    assert "errorlist" in by_session(alice).post("/settings/api-tokens", form).content.decode()
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("path", POSTS)
def test_the_forms_are_for_people_who_are_signed_in(client: Client, path: str) -> None:
    answer = client.post(path, {"username": "x"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("path", POSTS)
def test_the_forms_need_their_csrf_token(alice: User, path: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    assert browser.post(path, {}).status_code == 403


@pytest.mark.parametrize("path", POSTS[:3])
def test_what_changes_something_is_not_read(alice: User, by_session: Browse, path: str) -> None:
    assert by_session(alice).get(path).status_code == 405


def test_everybody_sees_a_traders_page_and_nothing_private(client: Client, alice: User) -> None:
    page = client.get("/traders/alice").content.decode()
    assert "alice" in page
    assert "example.com" not in page


def test_former_names_and_other_spellings_lead_to_the_page(client: Client, alice: User) -> None:
    usernames.username_change(alice.pk, "wonder")
    for name in ("alice", "ALICE", "Wonder"):
        answer = client.get(f"/traders/{name}")
        assert (answer.status_code, answer["Location"]) == (301, "/traders/wonder")


@pytest.mark.parametrize("name", ["nobody", "x" * 500, "%00", "<script>"])
def test_a_page_of_nobody_is_404(client: Client, name: str) -> None:
    assert client.get(f"/traders/{name}").status_code == 404


def test_a_token_name_is_shown_as_text(alice: User, by_session: Browse) -> None:
    tokens.token_create(alice.pk, name="<script>alert(1)</script>", scopes=["read"])
    page = by_session(alice).get("/settings/api-tokens").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert selectors.api_tokens(alice).count() == 1
