"""Signing in with a password, a code of an app, a passkey's page; and without Redis."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core import mail
from django.core.cache import caches
from django.test import Client

from accounts.models import AuditLog, User
from accounts.services import people
from accounts.services.mail import deliver_due
from accounts.tests.conftest import PASSWORD
from tradingarena.core.cache import SteadyRedisCache

pytestmark = pytest.mark.django_db
PAGES = [
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/1-x/",
    "/accounts/inactive/",
]
OWN_PAGES = [
    "/accounts/logout/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/reauthenticate/",
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/webauthn/",
    "/accounts/2fa/webauthn/add/",
    "/accounts/sessions/",
    "/settings",
    "/settings/api-tokens",
]


def sign_in(browser: Client, login: str = "alice", password: str = PASSWORD) -> Any:
    return browser.post("/accounts/login/", {"login": login, "password": password})


def is_in(browser: Client) -> bool:
    return browser.get("/settings").status_code == 200


@pytest.mark.parametrize("login", ["alice", "ALICE", "alice@example.com", "Alice@Example.com"])
def test_people_sign_in_with_name_or_address(client: Client, alice: User, login: str) -> None:
    assert sign_in(client, login).status_code == 302
    assert is_in(client)


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("alice", "wrong"),
        ("nobody", PASSWORD),
        ("nobody@example.com", PASSWORD),
        ("a1ice", PASSWORD),
        ("alice\0", PASSWORD),
        ("", ""),
    ],
)
def test_it_refuses_wrong_credentials(client: Client, alice: User, login: str, password: str) -> None:
    assert sign_in(client, login, password).status_code == 200
    assert not is_in(client)


def test_a_disabled_person_is_told_so_only_with_the_right_password(client: Client, alice: User, oscar: User) -> None:
    people.person_disable(oscar, alice.pk, reason="because")
    assert sign_in(client, password="wrong-password").status_code == 200
    assert sign_in(client)["Location"] == "/accounts/inactive/"
    assert not is_in(client)


def test_sign_in_leads_only_to_pages_of_ours(client: Client, alice: User) -> None:
    answer = client.post("/accounts/login/", {"login": "alice", "password": PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"] == "/"


def test_many_wrong_passwords_are_slowed_down(client: Client, alice: User) -> None:
    for _ in range(5):
        sign_in(client, password="wrong-password")
    answer = sign_in(client)
    assert answer.status_code == 200
    assert "Too many failed login attempts" in answer.content.decode()


def test_an_authenticator_app_is_asked_for(client: Client, alice: User) -> None:
    secret = generate_totp_secret()
    TOTP.activate(alice, secret)
    assert sign_in(client)["Location"] == "/accounts/2fa/authenticate/"
    assert not is_in(client)
    assert client.get("/accounts/2fa/authenticate/").status_code == 200
    counter = next(iter(yield_hotp_counters_from_time()))
    client.post("/accounts/2fa/authenticate/", {"code": format_hotp_value(hotp_value(secret, counter))})
    assert is_in(client)


def test_a_recovery_code_helps_once(client: Client, alice: User) -> None:
    TOTP.activate(alice, generate_totp_secret())
    code = RecoveryCodes.activate(alice).get_unused_codes()[0]
    for expected in (True, False):
        browser = Client()
        sign_in(browser)
        browser.post("/accounts/2fa/authenticate/", {"code": code})
        assert is_in(browser) is expected


def test_the_secret_of_an_app_is_not_stored_in_clear(alice: User) -> None:
    secret = generate_totp_secret()
    TOTP.activate(alice, secret)
    assert secret not in str(Authenticator.objects.get(user=alice).data)
    assert get_adapter().decrypt(Authenticator.objects.get(user=alice).data["secret"]) == secret


def test_an_older_secret_key_still_opens_what_it_has_closed(alice: User, settings: Any) -> None:
    closed = get_adapter().encrypt("the secret")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a-new-key-for-a-new-day-0123456789", [settings.SECRET_KEY]
    assert get_adapter().decrypt(closed) == "the secret"


def test_setting_up_a_second_factor_asks_for_the_password_again(client: Client, alice: User) -> None:
    sign_in(client)
    assert client.get("/accounts/2fa/totp/activate/")["Location"].startswith("/accounts/reauthenticate/")


def test_a_forgotten_password_is_set_anew_by_mail(client: Client, alice: User) -> None:
    client.post("/accounts/password/reset/", {"email": "alice@example.com"})
    deliver_due()
    link = next(word for word in mail.outbox[-1].body.split() if "/password/reset/key/" in word)
    page = client.get(link.partition("testserver")[2], follow=True)
    client.post(
        page.redirect_chain[-1][0], {"password1": "another-quiet-river-48", "password2": "another-quiet-river-48"}
    )
    alice.refresh_from_db()
    assert alice.check_password("another-quiet-river-48")


def test_asking_for_a_reset_does_not_tell_who_has_an_account(client: Client, alice: User) -> None:
    known = client.post("/accounts/password/reset/", {"email": "alice@example.com"})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.com"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_the_entrance_is_ours(client: Client, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code == 200
    assert "wordmark" in answer.content.decode()
    assert "style=" not in answer.content.decode()


@pytest.mark.parametrize("page", OWN_PAGES)
def test_every_page_of_the_account_is_ours(client: Client, alice: User, page: str) -> None:
    sign_in(client)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    answer = client.get(page)
    assert answer.status_code == 200, answer.headers.get("Location")
    assert "wordmark" in answer.content.decode()
    assert "style=" not in answer.content.decode()


@pytest.mark.parametrize("page", OWN_PAGES[1:])
def test_no_page_of_the_account_is_open_to_strangers(client: Client, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


@pytest.fixture(params=["refuses", "hangs"])
def without_redis(request: pytest.FixtureRequest, settings: Any) -> Iterator[None]:
    """Point the cache to where nobody listens, or to somebody who never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if request.param == "hangs":
            listener.listen()
        url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        options = {"socket_connect_timeout": 0.2, "socket_timeout": 0.2}
        settings.CACHES = {
            "default": {"BACKEND": "tradingarena.core.cache.SteadyRedisCache", "LOCATION": url, "OPTIONS": options}
        }
        yield


@pytest.mark.usefixtures("without_redis")
def test_people_sign_in_while_redis_is_away(client: Client, alice: User) -> None:
    assert sign_in(client).status_code == 302
    assert is_in(client)


@pytest.mark.usefixtures("without_redis")
def test_wrong_passwords_are_slowed_down_while_redis_is_away(client: Client, alice: User) -> None:
    for _ in range(5):
        sign_in(client, password="wrong-password")
    assert "Too many failed login attempts" in sign_in(client).content.decode()


@pytest.mark.usefixtures("without_redis")
def test_the_cache_answers_everything_while_redis_is_away() -> None:
    cache = caches["default"]
    assert isinstance(cache, SteadyRedisCache)
    cache.set("a", 1)
    assert cache.get("a") == 1
    assert not cache.add("a", 2)
    assert cache.incr("a") == 2
    assert cache.has_key("a")
    assert cache.touch("a", 60)
    cache.set_many({"b": 1, "c": 2})
    assert cache.get_many(["b", "c", "d"]) == {"b": 1, "c": 2}
    cache.delete_many(["b", "c"])
    assert cache.delete("a")
    assert cache.get("a", "gone") == "gone"
    cache.set("e", 1)
    cache.clear()
    assert cache.get("e") is None


def test_the_cache_is_redis_itself_while_redis_is_there() -> None:
    cache = caches["default"]
    cache.set("here", 1)
    other = type(cache)(cache._servers[0], {"OPTIONS": {}, "KEY_PREFIX": cache.key_prefix})  # type: ignore[attr-defined]
    other._memory.clear()
    assert other.get("here") == 1


def test_every_mail_of_the_account_is_plain_and_signed(
    client: Client, alice: User, mailed_code: Callable[[], str]
) -> None:
    sign_in(client)
    client.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": "another-quiet-river-48", "password2": "another-quiet-river-48"},
    )
    deliver_due()
    message = mail.outbox[-1]
    assert message.to == ["alice@example.com"]
    assert "Trading Arena" in message.body
    assert not getattr(message, "alternatives", [])


def test_clearing_the_cache_leaves_others_on_the_server_alone() -> None:
    from django.conf import settings

    options = settings.CACHES["default"]
    here, there = (SteadyRedisCache(options["LOCATION"], options | {"KEY_PREFIX": name}) for name in ("one:", "two:"))
    here.set("a", 1)
    there.set("a", 2)
    here.clear()
    assert (here.get("a"), there.get("a")) == (None, 2)
    there.clear()


def test_a_request_past_fewer_proxies_than_are_trusted_is_no_fault(client: Client, alice: User, settings: Any) -> None:
    settings.TRUSTED_PROXIES = settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2
    client.post(
        "/accounts/login/", {"login": "alice", "password": PASSWORD}, headers={"X-Forwarded-For": "203.0.113.9"}
    )
    assert is_in(client)
    assert set(AuditLog.objects.exclude(address=None).values_list("address", flat=True)) <= {"127.0.0.1"}
