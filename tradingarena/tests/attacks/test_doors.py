"""Getting in as somebody else: guessing, asking who is here, borrowing a session, inventing an address or a host."""

import re
from collections.abc import Callable, Iterator
from http.cookies import Morsel
from itertools import count
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts.models import ApiToken, Mail, User
from accounts.services import people, sightings, tokens
from accounts.services.mail import deliver_due
from pvp.models import Challenge
from tokens.tests.ledger.book import give
from tradingarena.tests.attacks.requests import TERMS
from tradingarena.tests.callers import by_session, by_token
from tradingarena.tests.fresh import fresh_redis

pytestmark = pytest.mark.django_db
PASSWORD, NEW = "a-long-quiet-river-47", "another-quiet-river-48"
LOGIN, RESET, SIGN_UP = "/accounts/login/", "/accounts/password/reset/", "/accounts/signup/"
FACTOR = "/accounts/2fa/authenticate/"
JSON_LOGIN, JSON_RESET = "/_allauth/browser/v1/auth/login", "/_allauth/browser/v1/auth/password/request"
addresses = count(1)


@pytest.fixture(autouse=True)
def _fresh(settings: Any) -> None:
    settings.MFA_TOTP_TOLERANCE = 1  # half a minute may end between making a code and sending it
    cache.clear()
    fresh_redis()


@pytest.fixture
def alice(db: None) -> User:
    return people.person_add("alice@example.com", "alice", password=PASSWORD, confirmed=True)


def elsewhere() -> Client:
    """Open a browser at an address of its own."""
    number = next(addresses)
    return Client(REMOTE_ADDR=f"198.51.{number // 250}.{number % 250 + 1}")


def sign_in(browser: Client, login: str = "alice", password: str = PASSWORD, **extra: Any) -> Any:
    return browser.post(LOGIN, {"login": login, "password": password}, **extra)


def is_in(browser: Client) -> bool:
    return browser.get("/settings").status_code == 200


def code_of(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time())))))


def plain(body: bytes) -> str:
    """Leave out of a page what is different each time, and what somebody has typed in."""
    text = re.sub(r'(csrfmiddlewaretoken" value|nonce|X-CSRFToken"?:? ?)="?[^" ]+', r"\1", body.decode())
    return re.sub(r'name="(login|email)" value="[^"]*"', r'name="\1"', re.sub(r'"[A-Za-z0-9]{64}"', '""', text))


# -- who is here? -----------------------------------------------------------------------------------------------------


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count how often a password is hashed, which is what takes time; reading the figure begins anew."""
    seen: list[int] = []
    honest = MD5PasswordHasher.encode

    def encode(self: Any, password: str, salt: str) -> str:
        seen.append(1)
        return str(honest(self, password, salt))

    monkeypatch.setattr(MD5PasswordHasher, "encode", encode)

    def read() -> int:
        found = len(seen)
        seen.clear()
        return found

    return read


@pytest.mark.parametrize("kind", ["{}", "{}@example.com"])
def test_a_wrong_password_and_an_unknown_person_get_the_same_answer_after_the_same_work(
    alice: User, hashed: Callable[[], int], kind: str
) -> None:
    shown = []
    for name in ("alice", "nobody"):
        answer = sign_in(elsewhere(), kind.format(name), "wrong-password")
        field = "email" if "@" in kind else "username"
        body = {field: kind.format(name), "password": "wrong-password"}
        work = hashed()
        told = elsewhere().post(JSON_LOGIN, body, content_type="application/json")
        shown.append((answer.status_code, plain(answer.content), work, told.status_code, told.content, hashed()))
    assert shown[0] == shown[1]
    assert shown[0][2] >= 1


def test_a_reset_and_a_sign_up_do_not_tell_who_has_an_account(alice: User, hashed: Callable[[], int]) -> None:
    shown = []
    for number, address in enumerate(("alice@example.com", "nobody@example.com")):
        browser = elsewhere()
        asked = browser.post(RESET, {"email": address})
        told = elsewhere().post(JSON_RESET, {"email": address}, content_type="application/json")
        hashed()
        form = {"username": f"newcomer{number}", "password1": PASSWORD, "password2": PASSWORD}
        joined = elsewhere().post(SIGN_UP, form | {"email": address, "country": "FR", "of_age": "on", "terms": "on"})
        assert Mail.objects.filter(address=address).count() == 3  # each is told by mail, and the asker is not
        shown.append((asked.status_code, asked["Location"], told.status_code, told.content,
                      joined.status_code, joined["Location"], hashed()))  # fmt: skip
    assert shown[0] == shown[1]


def test_an_invitation_by_address_does_not_tell_whose_it_is(alice: User) -> None:
    bob = people.person_add("bob@example.com", "bob", confirmed=True)
    give(bob.pk, 1_000)
    shown = []
    for number, address in enumerate(("alice@example.com", "nobody@example.com")):
        answer = by_token(bob).post(
            "/api/pvp/challenges", {"invitee": address, "terms": TERMS}, format="json",
            headers={"Idempotency-Key": str(number)},
        )  # fmt: skip
        made = answer.json()
        assert answer.status_code == 201, made
        page = by_session(bob).get(f"/pvp/{made['id']}").content.decode()
        assert "alice<" not in page
        shown.append((answer.status_code, made["invitee"], made["status"], made["invitee_email"] == address))
    assert shown[0] == shown[1]
    assert Challenge.objects.count() == 2


# -- guessing ---------------------------------------------------------------------------------------------------------


def test_a_password_is_guessed_five_times_wherever_from_and_by_whichever_door(alice: User) -> None:
    for number in range(5):
        if number % 2:
            sign_in(elsewhere(), password=f"guess number {number}")
        else:
            body = {"username": "alice", "password": f"guess number {number}"}
            elsewhere().post(JSON_LOGIN, body, content_type="application/json")
    browser = elsewhere()
    assert sign_in(browser).status_code == 200
    assert not is_in(browser)


def test_one_address_tries_no_long_list_of_people_whatever_it_says_of_itself(alice: User) -> None:
    browser = elsewhere()
    for number in range(40):
        sign_in(browser, f"person{number}", headers={"X-Forwarded-For": f"203.0.113.{number}"})
    sign_in(browser, headers={"X-Forwarded-For": "203.0.113.99"})
    assert not is_in(browser)
    other = elsewhere()
    sign_in(other)
    assert is_in(other)  # and nobody else is kept out by it


def test_a_code_of_an_app_is_guessed_few_times_wherever_from(alice: User) -> None:
    secret = generate_totp_secret()
    TOTP.activate(alice, secret)
    browser = elsewhere()
    for number in range(6):
        browser = elsewhere()
        sign_in(browser)
        browser.post(FACTOR, {"code": f"{number:06}"})
    assert b"Too many" in browser.post(FACTOR, {"code": code_of(secret)}).content
    assert not is_in(browser)


def test_a_code_of_an_app_is_good_once(alice: User) -> None:
    secret = generate_totp_secret()
    TOTP.activate(alice, secret)
    code = code_of(secret)
    for expected in (True, False):
        browser = elsewhere()
        sign_in(browser)
        browser.post(FACTOR, {"code": code})
        assert is_in(browser) is expected


def test_a_code_of_a_mail_is_guessed_three_times(db: None) -> None:
    browser = elsewhere()
    form = {"username": "zoe", "email": "zoe@example.com", "password1": PASSWORD, "password2": PASSWORD}
    browser.post(SIGN_UP, form | {"country": "FR", "of_age": "on", "terms": "on"})
    deliver_due()
    found = re.search(r"^([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})$", mail.outbox[-1].body, re.MULTILINE)
    assert found
    for _ in range(3):
        browser.post("/accounts/confirm-email/", {"code": "AAA-AAA"})
    browser.post("/accounts/confirm-email/", {"code": found[1]})
    assert not is_in(browser)


def test_resets_do_not_fill_a_mailbox(alice: User) -> None:
    for _ in range(9):
        elsewhere().post(RESET, {"email": "alice@example.com"})
    assert 1 <= Mail.objects.filter(address="alice@example.com").count() <= 5


def test_a_link_of_a_mail_is_good_once_and_for_one(alice: User) -> None:
    browser = elsewhere()
    browser.post(RESET, {"email": "alice@example.com"})
    deliver_due()
    link = next(word for word in mail.outbox[-1].body.split() if "/password/reset/key/" in word)
    path = link[link.index("/accounts/") :]
    page = browser.get(path, follow=True)
    browser.post(page.redirect_chain[-1][0], {"password1": NEW, "password2": NEW})
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    again = elsewhere()
    page = again.get(path, follow=True)
    address = page.redirect_chain[-1][0] if page.redirect_chain else path
    again.post(address, {"password1": PASSWORD, "password2": PASSWORD})
    alice.refresh_from_db()
    assert alice.check_password(NEW)


def test_who_has_only_a_session_does_not_guess_the_password(alice: User) -> None:
    def may_delete(browser: Client) -> bool:
        return browser.get("/settings/data/delete").status_code == 200

    stolen = elsewhere()
    stolen.force_login(alice)
    assert not may_delete(stolen)
    for _ in range(12):
        stolen.post("/accounts/reauthenticate/", {"password": "wrong-password"})
    stolen.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert not may_delete(stolen)
    cache.clear()
    stolen.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert may_delete(stolen)


# -- sessions and cookies ---------------------------------------------------------------------------------------------


def test_a_session_that_somebody_else_has_put_there_is_not_the_one_that_signs_in(alice: User) -> None:
    secret = generate_totp_secret()
    TOTP.activate(alice, secret)
    attacker = elsewhere()
    sign_in(attacker)  # a session exists now, and waits for the second factor
    planted = attacker.cookies["sessionid"].value
    victim = elsewhere()
    victim.cookies["sessionid"] = planted
    victim.post(FACTOR, {"code": code_of(secret)})
    assert is_in(victim)
    assert victim.cookies["sessionid"].value != planted
    assert not is_in(attacker)


def test_an_invented_session_key_is_not_taken_over(alice: User) -> None:
    browser = elsewhere()
    browser.cookies["sessionid"] = "0123456789abcdef0123456789abcdef"
    sign_in(browser)
    assert is_in(browser)
    assert browser.cookies["sessionid"].value != "0123456789abcdef0123456789abcdef"


def test_signing_out_and_a_new_password_end_sessions(alice: User) -> None:
    one, other = elsewhere(), elsewhere()
    for browser in (one, other):
        sign_in(browser)
    key = one.cookies["sessionid"].value
    one.post("/accounts/logout/")
    stolen = elsewhere()
    stolen.cookies["sessionid"] = key
    assert not is_in(stolen)
    third = elsewhere()
    sign_in(third)
    third.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    assert not is_in(other)


def set_cookies(settings: Any) -> Iterator[Morsel[str]]:
    """Sign in as over TLS, and give every cookie that the site sets."""
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    browser = elsewhere()
    browser.get(LOGIN, secure=True)
    sign_in(browser, secure=True)
    browser.get("/settings", secure=True)
    browser.get("/r/abc", secure=True)
    yield from browser.cookies.values()


def test_every_cookie_is_for_tls_and_for_our_own_pages(alice: User, settings: Any) -> None:
    found = {cookie.key: cookie for cookie in set_cookies(settings)}
    assert set(found) == {"sessionid", "csrftoken", "messages", sightings.COOKIE}
    for name, cookie in found.items():
        assert cookie["secure"], name
        assert cookie["samesite"] in {"Lax", "Strict"}, name
        assert cookie["path"] == "/", name
        assert cookie["domain"] == "", name
        assert cookie["httponly"] or name == "csrftoken", name


# -- what a request says of itself ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/api/me", RESET, "/healthz"])
def test_another_host_is_refused(alice: User, path: str, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    for host in ("evil.example", "testserver.evil.example", "testserver:80@evil.example", "testserver evil"):
        assert elsewhere().get(path, headers={"Host": host}).status_code == 400, host


def test_links_in_mails_lead_here_whatever_a_request_says(alice: User, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    for headers in (
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "host=evil.example"},
        {"X-Host": "evil.example"},
    ):
        cache.clear()
        assert elsewhere().post(RESET, {"email": "alice@example.com"}, headers=headers).status_code == 302
    assert elsewhere().post(RESET, {"email": "alice@example.com"}, headers={"Host": "evil.example"}).status_code == 400
    deliver_due()
    assert len(mail.outbox) == 3
    assert all("evil" not in sent.body for sent in mail.outbox)


def test_a_method_is_the_one_of_the_request_line(alice: User) -> None:
    tokens.token_create(alice.pk, name="bot", scopes=["read"])
    browser = by_session(alice)
    browser.cookies["csrftoken"] = "c" * 32
    token = {"X-CSRFToken": "c" * 32}
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        browser.get("/api/me/api-tokens", headers={name: "DELETE", **token})
        answer = browser.post("/api/me/api-tokens", {"_method": "DELETE"}, headers={name: "DELETE", **token})
        assert answer.status_code in {400, 415}
    for method in ("TRACE", "CONNECT", "DEBUG", "delete "):
        assert browser.generic(method, "/api/me/api-tokens", headers=token).status_code in {400, 405}, method
    assert ApiToken.objects.filter(user=alice, revoked_at=None).count() == 1


def test_a_parameter_that_comes_twice_is_refused(alice: User) -> None:
    client = by_token(alice)
    assert client.get("/api/me/notifications?limit=1&limit=200").status_code == 400
    twice = b'{"timezone": "Europe/Paris", "timezone": "UTC"}'
    assert client.generic("PATCH", "/api/me", twice, "application/json").status_code == 400


# -- where one is sent ------------------------------------------------------------------------------------------------

OUTSIDE = (
    "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "https:evil.example", "http:///evil.example", "/%09/evil.example", "/\t/evil.example", " https://evil.example",
    "https://testserver@evil.example/", "https://testserver.evil.example/", "javascript:alert(1)",
    "data:text/html,evil.example",
)  # fmt: skip


@pytest.mark.parametrize("field", ["next", "redirect_to", "return_to"])
def test_nobody_is_sent_to_another_site(alice: User, field: str) -> None:
    form = {"username": "zoe", "email": "zoe@example.com", "password1": PASSWORD, "password2": PASSWORD}
    form |= {"country": "FR", "of_age": "on", "terms": "on"}
    for outside in OUTSIDE:
        cache.clear()
        browser, query = elsewhere(), {field: outside}
        answers = [
            browser.get(LOGIN, query),
            browser.post(SIGN_UP, form | query | {"password2": "not the same"}),
            browser.post(f"{LOGIN}", {"login": "alice", "password": PASSWORD, **query}),
            browser.get(LOGIN, query),
            browser.get("/accounts/reauthenticate/", query),
            browser.post("/accounts/reauthenticate/", {"password": PASSWORD, **query}),
            browser.get("/wallet/return", query),
            browser.get("/r/abc", query),
            browser.post("/accounts/logout/", query),
        ]
        assert is_in(browser) is False
        for answer in answers:
            assert leads_here(answer.get("Location", "")), (outside, answer["Location"])
            assert f'href="{outside}' not in answer.content.decode(), outside


def leads_here(location: str) -> bool:
    """Tell whether a browser that follows this stays on the site."""
    return location == "" or re.match(r"^(http://testserver)?/(?![/\\\t])", location) is not None
