"""Each wrong configuration has its id and a hint, and a right one is silent."""

from typing import Any

import pytest
from django.core.checks import ERROR
from django.test import override_settings

from tradingarena.checks import CHECKS, check_configuration

NAMES = ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_BASE", "EMAIL_URL", "RESEND_API_KEY", "FX_DATA_DIR")
PRODUCTION = {
    "SETTINGS_MODULE": "tradingarena.settings.production",
    "SECRET_KEY": "k3Yv8sQzRw1LmN4pT6xB9cD2fG5hJ7aE0uWiOqPrStUvXyZaBc",
    "ALLOWED_HOSTS": ["arena.example.com"],
    "TRUSTED_PROXIES": 1,
}
STRIPE = {"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_1", "STRIPE_API_BASE": ""}
LIVE = STRIPE | {"STRIPE_SECRET_KEY": "sk_live_1"}


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def found(**changes: Any) -> set[str]:
    base = {"RESEND_API_KEY": "", "FX_DATA_DIR": "", "POLYGON_API_KEY": "", "MARKET_DATA_PROVIDER": "simulated"}
    with override_settings(**(base | dict.fromkeys(STRIPE, "") | changes)):
        messages = check_configuration()
    assert all(message.hint for message in messages)
    assert all((message.level == ERROR) == (".E" in str(message.id)) for message in messages)
    return {str(message.id).removeprefix("arena.") for message in messages}


@pytest.mark.parametrize(
    ("wrong", "changes"),
    [
        ("E001", {"SECRET_KEY": ""}),
        ("E002", PRODUCTION | {"SECRET_KEY": "short", "RESEND_API_KEY": "re_1"}),
        ("E002", PRODUCTION | {"SECRET_KEY": "ab" * 40, "RESEND_API_KEY": "re_1"}),
        ("E003", PRODUCTION | {"ALLOWED_HOSTS": [], "RESEND_API_KEY": "re_1"}),
        ("E003", PRODUCTION | {"ALLOWED_HOSTS": ["*"], "RESEND_API_KEY": "re_1"}),
        ("E004", {"CSRF_TRUSTED_ORIGINS": ["arena.example.com"]}),
        ("E004", {"CSRF_TRUSTED_ORIGINS": ["https://arena.example.com/path"]}),
        ("E006", {"REDIS_URL": "http://127.0.0.1"}),
        ("E006", {"REDIS_URL": "redis://127.0.0.1:port"}),
        ("E007", {"KEY_PREFIX": ""}),
        ("E007", {"KEY_PREFIX": "a b"}),
        ("E010", {"STRIPE_SECRET_KEY": "sk_test_1"}),
        ("E010", {"STRIPE_WEBHOOK_SECRET": "whsec_1"}),
        ("E011", STRIPE | {"STRIPE_SECRET_KEY": "pk_test_1"}),
        ("E012", STRIPE | {"STRIPE_WEBHOOK_SECRET": "secret"}),
        ("E013", PRODUCTION | LIVE | {"STRIPE_API_BASE": "http://127.0.0.1:1", "RESEND_API_KEY": "re_1"}),
        ("E014", LIVE),
        ("E015", STRIPE | {"STRIPE_API_BASE": "127.0.0.1:12111"}),
        ("E016", PRODUCTION | LIVE | {"STRIPE_STAND_IN": True, "RESEND_API_KEY": "re_1"}),
        ("W010", PRODUCTION | STRIPE | {"RESEND_API_KEY": "re_1"}),
        ("E020", {"MARKET_DATA_PROVIDER": "reuters"}),
        ("E021", {"MARKET_DATA_PROVIDER": "polygon"}),
        ("W020", {"POLYGON_API_KEY": "key"}),
        ("E022", {"POLYGON_WS_URL": "https://socket.massive.com"}),
        ("E022", {"POLYGON_WS_URL": "wss://"}),
        ("E022", {"POLYGON_WS_URL": "wss://[::1"}),
        ("E023", {"POLYGON_REST_URL": "api.massive.com"}),
        ("E024", {"FX_DATA_DIR": "/nonexistent"}),
        ("E025", {"MARKET_DATA_PROVIDER": "replay", "REPLAY_FILES": []}),
        ("E025", {"MARKET_DATA_PROVIDER": "replay", "REPLAY_FILES": ["no-such-recording"]}),
        ("E030", PRODUCTION),
        ("E040", {"QUOTE_STALE_S": 0.0}),
        ("E040", {"QUOTE_STALE_S": float("nan")}),
        ("E041", {"TRUSTED_PROXIES": -1}),
        ("W040", PRODUCTION | {"TRUSTED_PROXIES": 0, "SECURE_SSL_REDIRECT": True, "RESEND_API_KEY": "re_1"}),
    ],
)
def test_it_names_a_wrong_configuration(wrong: str, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres:///x")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1")
    assert found(**changes) == {wrong}


def test_production_without_servers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert found(**PRODUCTION, RESEND_API_KEY="re_1") == {"E005"}


def test_two_ways_to_send_mail_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "smtp://localhost")
    assert found(RESEND_API_KEY="re_1") == {"W030"}


def test_right_configurations_are_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found() == set()
    assert found(MARKET_DATA_PROVIDER="polygon", POLYGON_API_KEY="key") == set()
    assert found(**STRIPE | {"STRIPE_API_BASE": "http://127.0.0.1:12111"}) == set()
    monkeypatch.setenv("DATABASE_URL", "postgres://db/arena")
    monkeypatch.setenv("REDIS_URL", "rediss://cache")
    assert found(**PRODUCTION, **LIVE, RESEND_API_KEY="re_1") == set()


def test_every_check_says_what_its_ids_are() -> None:
    assert all(check.__doc__ and check.__doc__[0] in "EW" for check in CHECKS)


def test_no_secret_is_shown() -> None:
    secret = "pk_test_do-not-show-me"
    with override_settings(**STRIPE | {"STRIPE_SECRET_KEY": secret, "POLYGON_API_KEY": secret, "SECRET_KEY": secret}):
        shown = "".join(str(message) for message in check_configuration())
    assert secret not in shown
