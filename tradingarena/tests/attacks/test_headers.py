"""What every answer says to browsers, and what production says of itself to Django's own checks."""

import os
import re
import secrets
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client

from tradingarena.tests.attacks import pages
from tradingarena.tests.attacks import world as worlds
from tradingarena.tests.attacks.pages import READ
from tradingarena.tests.live import ROOT

NEVER = ("unsafe-inline", "unsafe-eval", "http:", "*", "strict-dynamic")
SAME_FOR_ALL = re.compile(r"^/(healthz|metrics|jsi18n/)$|\.png$")
LOCKED = {"default-src": "'self'", "object-src": "'none'", "base-uri": "'none'"}


def policy(answer: Any) -> dict[str, str]:
    """Read the policy of an answer by its directives."""
    parts = (part.strip().partition(" ") for part in answer["Content-Security-Policy"].split(";"))
    return {name: values for name, _, values in parts if name}


def complaints(answer: Any, *, framed: bool = False, private: bool = False) -> list[str]:
    """Say what an answer lacks."""
    rules, found = policy(answer), []
    found += [f"policy {name}" for name, value in LOCKED.items() if rules.get(name) != value]
    allowed = {"frame-ancestors"} if framed else set()
    found += [f"{name} has {word}" for name in rules.keys() - allowed for word in rules[name].split() if word in NEVER]
    if not framed and (rules.get("frame-ancestors") != "'none'" or answer.get("X-Frame-Options") != "DENY"):
        found.append("may be framed")
    if answer.get("X-Content-Type-Options") != "nosniff":
        found.append("may be sniffed")
    if answer.get("Referrer-Policy") != "strict-origin-when-cross-origin":
        found.append("tells others its address")
    if answer.get("Cross-Origin-Opener-Policy") != "same-origin":
        found.append("may be opened and held")
    if private and not re.search("no-store|private|no-cache", answer.get("Cache-Control", "")):
        found.append("may be kept by a cache")
    return found


@pytest.mark.django_db
def test_every_page_tells_browsers_what_they_must_not_do() -> None:
    world = worlds.build()
    ids, wrong, seen = pages.known_ids(world), {}, 0
    stranger, client = Client(), Client(raise_request_exception=False)
    client.force_login(world.cast.operator)
    for found in READ.values():
        for route in found:
            path = pages.address(route, ids)
            for browser in (client, stranger):
                answer = browser.get(path)
                private = browser is client and answer.status_code == 200 and not SAME_FOR_ALL.search(path)
                if lacks := complaints(answer, framed="embed" in route, private=private):
                    wrong[route] = lacks
                seen += 1
    for path in (
        "/nothing/here",
        "/api/nothing",
        "/api/me",
        "/api/docs",
        "/admin/",
        "/admin/accounts/user/",
        "/settings",
    ):
        for browser in (client, stranger):
            if lacks := complaints(browser.get(path)):
                wrong[path] = lacks
    assert not wrong, "\n".join(map(str, wrong.items()))
    assert seen > 150


@pytest.mark.django_db
def test_only_what_is_meant_for_other_pages_may_be_framed() -> None:
    world = worlds.build()
    framed = set()
    for route in set().union(*READ.values()):
        answer = Client().get(pages.address(route, pages.known_ids(world)))
        if policy(answer).get("frame-ancestors") != "'none'":
            framed.add(route)
    assert framed == {"embed/<slug:slug>"}


def test_no_script_or_style_stands_in_a_template_without_a_nonce() -> None:
    inline = re.compile(r"<(script|style)(?![^>]*\b(nonce|src)=)(?![^>]*type=\"(application/json|importmap)\")[^>]*>")
    handlers = re.compile(r"\s(on[a-z]+|style)=[\"']|javascript:")
    wrong = []
    for file in (ROOT / "templates").rglob("*.html"):
        if "emails" in file.parts:
            continue
        text = re.sub(r"{#.*?#}|{% comment %}.*?{% endcomment %}", "", file.read_text("utf-8"), flags=re.DOTALL)
        wrong += [f"{file.name}: {found[0]}" for found in (*inline.finditer(text), *handlers.finditer(text))]
    assert wrong == []


def test_production_passes_djangos_own_checks() -> None:
    production = {
        "DJANGO_SETTINGS_MODULE": "tradingarena.settings.production",
        "SECRET_KEY": secrets.token_urlsafe(60),
        "ALLOWED_HOSTS": "arena.example.com",
        "CSRF_TRUSTED_ORIGINS": "https://arena.example.com",
        "TRUSTED_PROXIES": "1",
        "RESEND_API_KEY": "re_1",
        "STRIPE_SECRET_KEY": "sk_live_1",
        "STRIPE_WEBHOOK_SECRET": "whsec_1",
        "STRIPE_API_BASE": "",
        "STRIPE_STAND_IN": "false",
        "DATABASE_URL": os.environ["DATABASE_URL"],
        "REDIS_URL": site.REDIS_URL,
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | production, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no issues" in done.stdout
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | production | {"SECRET_KEY": "short"}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode != 0  # the check can fail
