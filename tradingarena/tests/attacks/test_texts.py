"""Words stay words: in pages, in the admin site, in mails, in queries and in templates. And nothing is uploaded."""

import csv
import io
import re
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.contrib import admin
from django.core import mail
from django.db import models
from django.test import Client

from accounts.rules.notices import KINDS
from accounts.services import notices
from accounts.services.mail import deliver_due
from chat.services.sanctions import sanction_impose
from competitions.models import Competition
from tokens.tests.ledger.book import give
from tradingarena.core.spreadsheets import cell
from tradingarena.tests.attacks import pages, texts
from tradingarena.tests.attacks import world as worlds
from tradingarena.tests.attacks.access import operations
from tradingarena.tests.attacks.requests import REQUESTS
from tradingarena.tests.attacks.test_access import forget_limits
from tradingarena.tests.attacks.texts import EVIL, MARK, RAW, SQL
from tradingarena.tests.attacks.world import World
from tradingarena.tests.callers import by_token

SEARCHES = ("q", "invite_code", "channel", "trader", "page", "place", "board", "kind", "action", "actor", "from")


@pytest.fixture
def world(db: None) -> World:
    return worlds.build()


def browser(user: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def test_words_that_are_markup_are_shown_as_words_on_every_page(world: World) -> None:
    filled = texts.spread(world)
    assert {"competitions.Competition.title", "chat.Message.text", "accounts.ApiToken.name"} <= filled
    ids, wrong, shown = pages.known_ids(world), [], 0
    for user in (world.alice, world.cast.bob, world.cast.operator):
        client = browser(user)
        for route in sorted(set().union(*pages.READ.values())):
            for query in ("", f"?q={EVIL}&invite_code={EVIL}"):
                answer = client.get(pages.address(route, ids) + query.replace(" ", "%20").replace("&a", "%26a"))
                body = answer.content.decode(errors="replace")
                assert answer.status_code < 500, route
                wrong += [
                    f"{route} as {user}: {raw}" for raw in RAW if raw in body and "html" in answer["Content-Type"]
                ]
                shown += MARK in body
    assert not wrong, "\n".join(wrong)
    assert shown >= 40


def test_words_that_are_markup_are_shown_as_words_in_the_admin_site(world: World) -> None:
    texts.spread(world)
    client, wrong, shown = browser(world.cast.operator), [], 0
    for model in admin.site._registry:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        row = model._default_manager.order_by("-pk").first()
        for address in [
            path,
            f"{path}?q={MARK}",
            *([f"{path}{row.pk}/change/", f"{path}{row.pk}/history/"] if row else []),
        ]:
            answer = client.get(address)
            body = answer.content.decode(errors="replace")
            assert answer.status_code < 500, address
            wrong += [f"{address}: {raw}" for raw in RAW if raw in body]
            shown += MARK in body
    assert not wrong, "\n".join(wrong)
    assert shown >= 15


def test_words_that_are_markup_are_words_in_mails(db: None) -> None:
    world = worlds.build()
    values = {name for kind in KINDS.values() for name in kind.sample} - {"url"}
    for kind in KINDS.values():
        evil = dict.fromkeys(values, EVIL[:150])
        notices.tell(kind.name, [world.alice.pk], cause="evil", url="/wallet", values=dict(kind.sample) | evil)
    deliver_due()
    told = [sent for sent in mail.outbox if MARK in sent.body]
    assert len(told) >= 8
    for sent in mail.outbox:
        assert "\n" not in sent.subject
        assert "31337" not in sent.body + sent.subject
        for html, _ in getattr(sent, "alternatives", ()):
            assert not [raw for raw in RAW if raw in html], html


@pytest.mark.django_db
def test_words_that_are_queries_or_templates_are_words_in_rest(world: World) -> None:
    client, tried = by_token(world.cast.operator), 0
    total = Competition.objects.count()
    for (method, path), declared in operations():
        good = REQUESTS[method, path]
        if method != "get":
            continue
        forget_limits()
        names = [one["name"] for one in declared.get("parameters", ()) if one["in"] == "query"]
        filled = path.format(**{name: world.ids[thing] for name, thing in good.ids.items()})
        for evil in SQL:
            for name in names:
                answer = client.get(filled, {name: evil})
                assert answer.status_code in {200, 400, 404, 409, 422}, (path, name, evil, answer.content)
                tried += 1
            for name in re.findall(r"{(\w+)}", path):
                odd = path.format(**{**{key: world.ids[thing] for key, thing in good.ids.items()}, name: evil})
                assert client.generic("GET", odd).status_code in {400, 404}, (odd, evil)
    assert client.get("/api/competitions", {"q": "' OR '1'='1"}).json()["results"] == []
    assert client.get("/api/competitions", {"q": "%"}).json()["results"] == []
    assert Competition.objects.count() == total
    assert tried > 500


@pytest.mark.django_db
def test_words_that_are_queries_or_templates_are_words_on_pages(world: World) -> None:
    ids, client = pages.known_ids(world), browser(world.cast.operator)
    for number, route in enumerate(sorted(set().union(*pages.READ.values()))):
        for evil in SQL[number % 4 :: 4]:
            answer = client.get(pages.address(route, ids), dict.fromkeys(SEARCHES, evil))
            assert answer.status_code < 500, (route, evil)
            assert "49" not in re.findall(r'value="(\d+)"', answer.content.decode(errors="replace")), (route, evil)


def test_words_that_are_formulas_are_words_in_spreadsheets(world: World) -> None:
    cast = world.cast
    evil = '=HYPERLINK("https://evil.example","you have won")'
    sanction_impose(cast.moderator, cast.alice.pk, "warn", channel_id=None, reason=evil)
    give(cast.operator.pk, 5, reason=evil)
    client = browser(cast.operator)
    for path in ("/operations/audit.csv", "/wallet/statement.csv"):
        answer = client.get(path)
        cells = [cell for row in csv.reader(io.StringIO(answer.content.decode())) for cell in row]
        assert f"'{evil}" in cells, path
        assert not [cell for cell in cells if cell[:1] in set("=+@\t\r")], path
        assert answer["Content-Disposition"].startswith("attachment;")
    assert [cell("-12.50"), cell("-5"), cell(-5), cell("+cmd"), cell("@SUM(A1)"), cell("-1+1")] == [
        "-12.50", "-5", -5, "'+cmd", "'@SUM(A1)", "'-1+1",
    ]  # fmt: skip


def test_nothing_is_uploaded() -> None:
    """Where that changes, what comes has to be bounded and made anew; see docs/reports/attacks.md."""
    files = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.FileField)
    ]
    assert files == []
    readers = [
        form for form in _subclasses(forms.BaseForm) if any(isinstance(f, forms.FileField) for f in _fields(form))
    ]
    assert readers == []
    kinds = {kind for _, declared in operations() for kind in declared.get("requestBody", {}).get("content", {})}
    assert kinds == {"application/json"}


def _subclasses(base: type) -> list[type]:
    return [found for one in base.__subclasses__() for found in (one, *_subclasses(one))]


def _fields(form: Any) -> list[Any]:
    return list(getattr(form, "base_fields", {}).values())
