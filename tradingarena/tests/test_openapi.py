"""The schema is valid, fresh, complete and true: real answers are held against it, and requests made from it never break anything."""

import re
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import requests
import schemathesis
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, get_resolver
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from competitions.models import Competition, Entry
from competitions.tests.factories import Desk, make_entry, make_open_competition, make_order_body
from tradingarena import api_docs
from tradingarena.tests.cast import Cast, anonymous, by_token
from tradingarena.tests.described import assert_described, schema

METHODS = {"get", "post", "put", "patch", "delete"}


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, one)
        for path, ways in schema()["paths"].items()
        for method, one in ways.items()
        if method in METHODS
    ]


# -- the document -----------------------------------------------------------------------------------------------------


def test_the_schema_is_valid_and_nothing_in_it_is_guessed() -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file="/dev/null")
    assert schema()["openapi"].startswith("3.1")


def test_the_documents_are_fresh() -> None:
    call_command("document_api", check=True)


def test_every_path_is_described_with_each_of_its_methods() -> None:
    served = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", f"/{pattern.pattern}".replace("/^", "/"))
        for outer in get_resolver().url_patterns
        if str(outer.pattern) == "api/"
        for included in outer.url_patterns
        for pattern in ([included] if isinstance(included, URLPattern) else included.url_patterns)
    }
    described = {path.removeprefix("/api") for path in schema()["paths"]}
    assert served - described == {"/.*$", "/schema", "/docs", "/docs/errors"}
    assert len(operations()) >= 36


def test_every_operation_says_who_may_and_what_goes_wrong() -> None:
    names = [one["operationId"] for _, _, one in operations()]
    assert len(set(names)) == len(names)
    for path, method, one in operations():
        assert one["description"], path
        assert {"400", "401", "429", "503"} <= set(one["responses"]), (path, method)
        assert one["security"], (path, method)
        if method in {"post", "put", "patch"}:
            assert {"413", "415", "422"} <= set(one["responses"]), (path, method)
        if "{" in path:
            assert "404" in one["responses"], (path, method)


def test_scopes_and_keys_are_described() -> None:
    paths = schema()["paths"]
    order = paths["/api/competitions/{competition_id}/orders"]
    assert {"bearerToken": ["trade"]} in order["post"]["security"]
    assert {"bearerToken": ["read"]} in order["get"]["security"]
    assert {} not in order["post"]["security"]
    assert {} in paths["/api/quotes"]["get"]["security"]
    join = paths["/api/competitions/{competition_id}/join"]["post"]
    key = next(parameter for parameter in join["parameters"] if parameter["name"] == "Idempotency-Key")
    assert (key["in"], key["required"]) == ("header", True)


def test_bodies_are_closed() -> None:
    for name, one in schema()["components"]["schemas"].items():
        if name.endswith("Request"):
            assert one["additionalProperties"] is False, name


def test_the_schema_is_not_sent_twice() -> None:
    first = Client().get("/api/schema")
    assert Client().get("/api/schema", headers={"If-None-Match": first["ETag"]}).status_code == 304


@pytest.mark.django_db
def test_the_pages_about_it_open_without_inline_script_that_csp_would_stop() -> None:
    page = Client().get("/api/docs")
    nonce = re.search(r"script-src[^;]*'nonce-([^']+)'", page["Content-Security-Policy"])
    assert nonce
    assert f'<script nonce="{nonce[1]}">' in page.content.decode()
    assert "unsafe-inline" not in page["Content-Security-Policy"]


@pytest.mark.django_db
def test_every_code_has_an_anchor_where_problems_point_to() -> None:
    page = Client().get("/api/docs/errors").content.decode()
    for code in (
        "insufficient_margin",
        "not_found",
        "too_fast",
        "order_id_reused",
        "scope_missing",
        "competition_full",
    ):
        assert f'id="{code}"' in page
    assert len(api_docs.codes()) > 60


# -- real answers -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_real_answers_are_as_described() -> None:
    cast = Cast.assemble()
    desk = Desk()
    upcoming = make_open_competition()
    alice, operator, carol = by_token(cast.alice), by_token(cast.operator), by_token(cast.carol)
    one = "/api/competitions/{competition_id}"

    def check(client: Any, method: str, template: str, path: str = "", body: Any = None, **headers: str) -> Any:
        real = path or template.replace("{competition_id}", str(cast.sprint.pk))
        answer = client.generic(
            method.upper(), real, b"" if body is None else api_docs.encode(body), "application/json", headers=headers
        )
        assert_described(answer, method, template)
        return answer

    placed = check(alice, "post", f"{one}/orders", body=make_order_body(stop_loss="1.01000"))
    assert placed.status_code == 201
    desk.decide()
    pending = make_order_body(type="limit", price="1.00000")
    check(alice, "post", f"{one}/orders", body=pending)
    check(alice, "post", f"{one}/orders", body={"id": 1})
    check(alice, "post", f"{one}/orders", body=make_order_body(pair="EUR/GBP"))
    path = cast.path(f"/orders/{pending['id']}")
    check(alice, "get", f"{one}/orders/{{order_id}}", path)
    check(alice, "patch", f"{one}/orders/{{order_id}}", path, {"price": "1.01000"})
    check(alice, "delete", f"{one}/orders/{{order_id}}", path)
    position = alice.get(cast.path("/positions")).json()["results"][0]["position_id"]
    check(
        alice,
        "patch",
        f"{one}/positions/{{position_id}}",
        cast.path(f"/positions/{position}"),
        {"take_profit": "1.20000"},
    )
    close = cast.path(f"/positions/{position}/close")
    check(alice, "post", f"{one}/positions/{{position_id}}/close", close, {"id": str(uuid4()), "units": 1_000})
    desk.decide()
    for tail in (
        "/orders",
        "/positions",
        "/fills",
        "/deals",
        "/trades",
        "/equity",
        "/room",
        "/entries",
        "/leaderboard",
        "",
    ):
        check(alice, "get", f"{one}{tail}")
    for tail in ("/positions", "/fills", "/deals", "/trades", "/equity"):
        check(anonymous(), "get", f"{one}{tail}", cast.path(f"{tail}?entry_id={cast.alices.pk}"))
    check(anonymous(), "get", f"{one}/room")
    check(carol, "post", f"{one}/join", cast.path("/join", upcoming), {}, **{"Idempotency-Key": "a"})
    check(carol, "get", one, cast.path("", upcoming))
    check(carol, "post", f"{one}/withdraw", cast.path("/withdraw", upcoming), {}, **{"Idempotency-Key": "b"})
    check(operator, "patch", one, cast.path("", upcoming), {"title": "Renamed"})
    check(
        operator, "post", f"{one}/transition", cast.path("/transition", upcoming), {"to": "cancelled", "reason": "Rain"}
    )
    check(alice, "get", f"{one}/results")
    Competition.objects.filter(pk=cast.sprint.pk).update(status="completed")
    Entry.objects.filter(competition=cast.sprint).update(final_equity_cents=10_000_000, rank=1)
    check(alice, "get", f"{one}/results")
    check(alice, "get", f"{one}/results.csv")
    for path in ("/api/instruments", "/api/quotes", "/api/competitions", "/api/me", "/api/me/api-tokens"):
        check(alice, "get", path)
    check(alice, "get", "/api/candles", "/api/candles?pair=EUR/USD")
    check(alice, "get", "/api/users/{username}", "/api/users/bob")
    check(alice, "patch", "/api/me", body={"timezone": "Europe/Paris"})
    check(alice, "post", "/api/me/username", body={"username": "admin"})
    check(alice, "post", "/api/ws-ticket")


# -- requests made from the schema ------------------------------------------------------------------------------------


OPERATIONS = 36
BOUNDED = settings(
    max_examples=6,
    phases=[Phase.generate],
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.django_db
@pytest.mark.timeout(300)  # a few hundred requests, on machines that are busy with other tests
def test_no_request_made_from_the_schema_breaks_the_server() -> None:
    """Schemathesis makes valid and broken requests for every operation, on behalf of an operator who is also an entrant."""
    cast = Cast.assemble()
    make_entry(cast.sprint, cast.operator)
    loaded = schemathesis.openapi.from_dict(schema())
    client = by_token(cast.operator)
    seen = [tried(found.ok(), cast, client) for found in loaded.get_all_operations()]
    assert len(seen) >= OPERATIONS
    # a run in which nothing gets through would prove nothing
    assert sum(1 for statuses in seen if any(status < 300 for status in statuses)) >= OPERATIONS // 2


def tried(operation: Any, cast: Cast, client: Any) -> set[int]:
    """Send an operation's requests; give the statuses of the answers."""
    statuses: set[int] = set()

    def send(case: Any) -> None:
        if "competition_id" in (case.path_parameters or {}):
            case.path_parameters["competition_id"] = str(cast.sprint.pk)
        response = answer(case)
        assert response.status_code < 500, (operation.label, response.content[:500])
        if response.status_code >= 400:
            assert response["Content-Type"] == "application/problem+json", operation.label
            assert response.json()["code"], operation.label
        statuses.add(response.status_code)

    def answer(case: Any) -> Any:
        kept = case.as_transport_kwargs(base_url="http://testserver")
        request = requests.Request(**kept).prepare()
        headers = {name: _text(value) for name, value in request.headers.items() if name.lower() not in RESERVED}
        body = (
            request.body if isinstance(request.body, bytes) else (request.body or "").encode("utf-8", "surrogatepass")
        )
        path = urlsplit(request.url)
        return client.generic(
            request.method,
            f"{path.path}?{path.query}",
            body,
            _text(request.headers.get("Content-Type", "application/json")),
            headers=headers,
        )

    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        with suppress(Unsatisfiable):  # a request without parameters cannot be broken
            BOUNDED(given(case=operation.as_strategy(generation_mode=mode))(send))()
    return statuses


RESERVED = {"content-type", "content-length", "authorization"}


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
