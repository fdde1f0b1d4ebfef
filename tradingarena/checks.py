"""System checks arena.E001…: a missing or contradictory configuration is named before it hurts, each with what to do.

What can only be seen by connecting somewhere is looked at in `localstack/diagnosis.py`; .env.example has the variables.
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from competitions.marketdata import sources

PROVIDERS = ("simulated", "replay", "polygon")
SHORTEST_SECRET = 50
KEY_PREFIX = re.compile(r"[A-Za-z0-9:._-]{1,40}")


def configured(name: str) -> str:
    """Return a setting as text, or the environment variable where the settings do not have it; empty if unset."""
    value = getattr(settings, name, None)
    return str(os.environ.get(name, "") if value is None else value)


def is_production() -> bool:
    """Tell whether the production settings are loaded."""
    return str(settings.SETTINGS_MODULE).endswith(".production")


@register("arena")
def check_configuration(**_: Any) -> list[CheckMessage]:
    """Run every check of this module.

    Guarantees: no connection is made, no secret is shown.
    """
    return [message for check in CHECKS for message in check()]


def check_secret_key() -> Iterator[CheckMessage]:
    """E001, E002: production needs a long secret of its own."""
    try:
        secret = settings.SECRET_KEY
    except ImproperlyConfigured:
        secret = ""
    hint = "Set SECRET_KEY to the output of: python -c 'import secrets; print(secrets.token_urlsafe(50))'"
    if not secret:
        yield Error("SECRET_KEY is not set.", hint=hint, id="arena.E001")
    elif is_production() and (len(secret) < SHORTEST_SECRET or len(set(secret)) < 10):
        yield Error(
            f"SECRET_KEY is shorter than {SHORTEST_SECRET} characters or monotonous.", hint=hint, id="arena.E002"
        )


def check_hosts() -> Iterator[CheckMessage]:
    """E003, E004: production names its hosts, and origins are origins."""
    if is_production() and (not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS):
        yield Error(
            "ALLOWED_HOSTS does not name the hosts that are served.",
            hint="Set ALLOWED_HOSTS to the site's host names, such as arena.example.com",
            id="arena.E003",
        )
    for origin in settings.CSRF_TRUSTED_ORIGINS:
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path not in {"", "/"}:
            yield Error(
                f"CSRF_TRUSTED_ORIGINS has {origin!r}, which is no origin.",
                hint="Write each as scheme and host, such as https://arena.example.com",
                id="arena.E004",
            )


def check_services() -> Iterator[CheckMessage]:
    """E005 to E007: where the database and Redis are."""
    if is_production():
        for name in ("DATABASE_URL", "REDIS_URL"):
            if not os.environ.get(name):
                yield Error(
                    f"{name} is not set.",
                    hint=f"Point {name} at a server; the embedded ones are for one machine's own use.",
                    id="arena.E005",
                )
    yield from _url("REDIS_URL", {"redis", "rediss", "unix"}, "redis://127.0.0.1:6379/0", "arena.E006", host=False)
    if not KEY_PREFIX.fullmatch(configured("KEY_PREFIX")):
        yield Error(
            f"ARENA_KEY_PREFIX is {configured('KEY_PREFIX')!r}.",
            hint="Use 1 to 40 letters, digits and . _ : -, such as arena:",
            id="arena.E007",
        )


def check_stripe() -> Iterator[CheckMessage]:
    """E010 to E014: Stripe is configured wholly or not at all, and a live key meets only Stripe itself."""
    key, webhook, base = (configured(f"STRIPE_{name}") for name in ("SECRET_KEY", "WEBHOOK_SECRET", "API_BASE"))
    if bool(key) != bool(webhook):
        present, absent = ("SECRET_KEY", "WEBHOOK_SECRET") if key else ("WEBHOOK_SECRET", "SECRET_KEY")
        yield Error(
            f"STRIPE_{present} is set and STRIPE_{absent} is not.",
            hint="Set both (the webhook's signing secret is shown where the endpoint was created), or neither.",
            id="arena.E010",
        )
    if key and not re.match(r"(sk|rk)_(test|live)_", key):
        yield Error(
            "STRIPE_SECRET_KEY is no secret key of Stripe.",
            hint="It begins with sk_test_, sk_live_, rk_test_ or rk_live_; a pk_ key is the public one.",
            id="arena.E011",
        )
    if webhook and not all(part.strip().startswith("whsec_") for part in webhook.split(",")):
        yield Error(
            "STRIPE_WEBHOOK_SECRET is no signing secret.",
            hint="It begins with whsec_; several, while one replaces the other, are apart by commas.",
            id="arena.E012",
        )
    live = "_live_" in key[:8]
    if live and (base and urlsplit(base).hostname != "api.stripe.com"):
        yield Error(
            "A live Stripe key would be sent to STRIPE_API_BASE, which is not Stripe.",
            hint="Unset STRIPE_API_BASE, or use a test key with the stand-in.",
            id="arena.E013",
        )
    if live and not is_production():
        yield Error(
            "A live Stripe key is used outside the production settings.",
            hint="Use a test key, or set DJANGO_SETTINGS_MODULE=tradingarena.settings.production.",
            id="arena.E014",
        )
    if is_production() and settings.STRIPE_STAND_IN:
        yield Error(
            "Production would send payments to a stand-in.",
            hint="Unset STRIPE_STAND_IN, and set Stripe's own keys.",
            id="arena.E016",
        )
    if key and not live and is_production():
        yield Warning(
            "Production uses a Stripe test key: no real money moves.", hint="Set the live key.", id="arena.W010"
        )
    yield from _url("STRIPE_API_BASE", {"http", "https"}, "http://127.0.0.1:12111", "arena.E015")


def check_market_data() -> Iterator[CheckMessage]:
    """E020 to E025: the provider is known and has what it needs."""
    provider, key = configured("MARKET_DATA_PROVIDER"), configured("POLYGON_API_KEY")
    if provider not in PROVIDERS:
        yield Error(
            f"MARKET_DATA_PROVIDER is {provider!r}, which is unknown.",
            hint=f"Choose one of: {', '.join(PROVIDERS)}.",
            id="arena.E020",
        )
    if provider == "polygon" and not key:
        yield Error(
            "MARKET_DATA_PROVIDER is polygon and POLYGON_API_KEY is not set.",
            hint="Set the key, or choose the simulated market.",
            id="arena.E021",
        )
    if key and provider in {"simulated", "replay"}:
        yield Warning(
            f"POLYGON_API_KEY is set, but the {provider} market is shown.",
            hint="Unset MARKET_DATA_PROVIDER to trade on live quotes.",
            id="arena.W020",
        )
    yield from _url("POLYGON_WS_URL", {"ws", "wss"}, "wss://socket.massive.com/forex", "arena.E022")
    yield from _url("POLYGON_REST_URL", {"http", "https"}, "https://api.massive.com", "arena.E023")
    data = configured("FX_DATA_DIR")
    if data and not Path(data).is_dir():
        yield Error(
            "FX_DATA_DIR is no directory.", hint="Point it at the recorded quotes, or unset it.", id="arena.E024"
        )
    if provider == "replay":
        try:
            sources.resolve(settings.REPLAY_FILES)
        except sources.SourceError as error:
            yield Error(
                f"MARKET_DATA_PROVIDER is replay: {error}.",
                hint="Set REPLAY_FILES to recordings, by path or by name below FX_DATA_DIR.",
                id="arena.E025",
            )


def check_mail() -> Iterator[CheckMessage]:
    """E030, W030: production can send mail, in one way."""
    url, resend = os.environ.get("EMAIL_URL", ""), configured("RESEND_API_KEY")
    if is_production() and not resend and (not url or url.startswith(("consolemail:", "memorymail:", "dummymail:"))):
        yield Error(
            "Mail goes nowhere: neither RESEND_API_KEY nor a mail server in EMAIL_URL is set.",
            hint="Set RESEND_API_KEY, or EMAIL_URL=smtp+tls://user:password@host:587",
            id="arena.E030",
        )
    if url and resend:
        yield Warning(
            "EMAIL_URL and RESEND_API_KEY are both set.", hint="Unset the one that should not send.", id="arena.W030"
        )


def check_limits() -> Iterator[CheckMessage]:
    """E040, E041, W040: numbers are in their range, and production's proxies are counted."""
    for name in ("QUOTE_STALE_S", "MARKET_ORDER_TIMEOUT_S"):
        if not float(configured(name) or 1) > 0:
            yield Error(f"{name} must be above 0.", hint="Unset it for the usual value.", id="arena.E040")
    proxies = int(configured("TRUSTED_PROXIES") or 0)
    if not 0 <= proxies <= 10:
        yield Error(
            f"TRUSTED_PROXIES is {proxies}.", hint="Count the proxies in front of the web server.", id="arena.E041"
        )
    if is_production() and not proxies and getattr(settings, "SECURE_SSL_REDIRECT", False):
        yield Warning(
            "No proxy is trusted, so every request looks unencrypted and is redirected.",
            hint="Set TRUSTED_PROXIES to the number of proxies that end TLS in front of the web server.",
            id="arena.W040",
        )


def _url(name: str, schemes: set[str], example: str, check_id: str, *, host: bool = True) -> Iterator[CheckMessage]:
    value = configured(name)
    if not value:
        return
    try:
        parts = urlsplit(value)
        good = parts.scheme in schemes and bool(parts.hostname or not host) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        yield Error(f"{name} is no URL of the right kind.", hint=f"It looks like {example}", id=check_id)


CHECKS: tuple[Callable[[], Iterator[CheckMessage]], ...] = (
    check_secret_key,
    check_hosts,
    check_services,
    check_stripe,
    check_market_data,
    check_mail,
    check_limits,
)
