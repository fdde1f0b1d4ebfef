"""Every refusal and failure of the API is a problem in one form, whatever went wrong and wherever."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DataError, IntegrityError, OperationalError, connection
from django.http import Http404
from django.test import Client, override_settings
from redis import ConnectionError as RedisConnectionError
from rest_framework import exceptions

from competitions.selectors import market
from tradingarena.core import problems, redis_client
from tradingarena.core.errors import CountryRefused, DomainError, TooFast
from tradingarena.tests.cast import Cast, anonymous, by_token, problem_of
from tradingarena.tests.fresh import fresh_redis

PATH = "/api/instruments"


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make an endpoint fail with an exception of one's choice."""

    def fail(error: Exception) -> Any:
        def broken() -> None:
            raise error

        monkeypatch.setattr(market, "instruments", broken)
        return anonymous().get(PATH)

    return fail


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (DomainError(), 422, "refused"),
        (DomainError("No.", code="own_code"), 422, "own_code"),
        (CountryRefused(), 451, "country_refused"),
        (TooFast(retry_after_s=7), 429, "too_fast"),
        (Http404("private text"), 404, "not_found"),
        (exceptions.NotFound("private text"), 404, "not_found"),
        (exceptions.ParseError("?"), 400, "malformed"),
        (RequestDataTooBig("private text"), 413, "too_large"),
        (SuspiciousOperation("private text"), 400, "malformed"),
        (DataError("private text"), 400, "malformed"),
        (IntegrityError("private text"), 409, "conflict"),
        (OperationalError("private text"), 503, "unavailable"),
        (RedisConnectionError("private text"), 503, "unavailable"),
    ],
)
def test_every_kind_of_trouble_has_its_status_and_tells_no_secrets(
    db: None, failing: Any, error: Exception, status: int, code: str
) -> None:
    response = failing(error)
    problem_of(response, status, code)
    assert b"private text" not in response.content
    assert response["Cache-Control"] == "no-store"
    if status in {429, 503}:
        assert int(response["Retry-After"]) > 0
    if status == 429:
        assert "7 s" in response.json()["detail"]


def test_a_defect_of_the_program_is_a_problem_too_and_tells_nothing(db: None, failing: Any) -> None:
    response = failing(ZeroDivisionError("private text"))
    problem_of(response, 500, "internal_error")
    assert b"private text" not in response.content


def test_an_unknown_path_is_a_problem(db: None) -> None:
    for path in ("/api/nothing", "/api/", "/api/competitions/", "/api/competitions/1", "/api/me/../me", "/api/%00"):
        problem_of(anonymous().get(path), 404, "not_found")
        problem_of(anonymous().post(path, {}, format="json"), 404, "not_found")


def test_a_page_that_does_not_exist_is_a_page(db: None) -> None:
    response = anonymous().get("/nothing-here")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


def test_a_wrong_host_is_a_problem(db: None) -> None:
    with override_settings(ALLOWED_HOSTS=["arena.test"]):
        problem_of(anonymous().get(PATH, headers={"Host": "evil.test"}), 400, "malformed")


def test_an_unsigned_request_is_told_how_to_sign_in(db: None) -> None:
    response = anonymous().get("/api/me")
    problem_of(response, 401, "not_signed_in")
    assert response["WWW-Authenticate"].startswith("Bearer")
    wrong = anonymous()
    wrong.credentials(HTTP_AUTHORIZATION="Bearer nonsense")
    problem_of(wrong.get("/api/me"), 401, "token_invalid")
    # a wrong token is refused even where none is needed
    problem_of(wrong.get(PATH), 401, "token_invalid")


def test_methods_that_are_not_offered_are_named(db: None) -> None:
    for method in ("put", "patch", "delete", "options", "post"):
        response = getattr(anonymous(), method)(PATH)
        problem_of(response, 405, "method_not_allowed")
        assert response["Allow"] == "GET, HEAD"


def test_head_answers_as_get_without_a_body(db: None) -> None:
    response = anonymous().head(PATH)
    assert (response.status_code, response.content) == (200, b"")


def test_the_request_id_of_the_caller_is_kept_when_it_is_one(db: None) -> None:
    assert anonymous().get(PATH, headers={"X-Request-Id": "abc-123"})["X-Request-Id"] == "abc-123"
    for bad in ("x" * 65, "a b", "<script>", "a\r\nb"):
        try:
            given = anonymous().get(PATH, headers={"X-Request-Id": bad})["X-Request-Id"]
        except ValueError:  # the client itself refuses line breaks
            continue
        assert given != bad


# -- dependencies that are down ---------------------------------------------------------------------------------------


@pytest.fixture
def redis_away(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Point everything at a Redis that refuses."""
    fresh_redis()
    with override_settings(REDIS_LIVE_URL="redis://127.0.0.1:1/0"):
        yield


def test_without_redis_reads_go_on_and_limits_stay_kind(redis_away: None) -> None:
    assert anonymous().get(PATH).status_code == 200
    assert anonymous().get("/api/competitions").status_code == 200
    problem_of(anonymous().get("/api/quotes"), 503, "bus_unavailable")


def test_without_redis_an_order_is_accepted_or_refused_with_503(cast: Cast) -> None:
    from competitions.tests.factories import make_order_body

    client = by_token(cast.alice)
    with override_settings(REDIS_LIVE_URL="redis://127.0.0.1:1/0"):
        response = client.post(cast.path("/orders"), make_order_body(), format="json")
        assert response.status_code in {201, 503}, response.content
        assert client.get(cast.path("/orders")).status_code == 200
        problem_of(client.get(cast.path("/room")), 503, "bus_unavailable")
    assert redis_client.client().ping()


def test_without_the_database_everything_says_503(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("connection refused")

    with monkeypatch.context() as patched:
        patched.setattr(connection, "cursor", away)
        client = Client(raise_request_exception=False, headers={"Authorization": "Bearer arena_x"})
        answers = [client.get(path) for path in ("/api/competitions", "/api/me")]
        page = Client(raise_request_exception=False).get("/competitions")
    for response in answers:
        problem_of(response, 503, "unavailable")
        assert int(response["Retry-After"]) > 0
    assert page.status_code == 503
    assert int(page["Retry-After"]) > 0
    assert page["Content-Type"].startswith("text/html")


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast.assemble()


# -- limits -----------------------------------------------------------------------------------------------------------


LIMITS = {kind: {"account": (5, 60), "address": (8, 60)} for kind in ("read", "write")}


def test_an_account_and_an_address_are_limited_apart(cast: Cast) -> None:
    with override_settings(API_LIMITS=LIMITS):
        alice, bob = by_token(cast.alice), by_token(cast.bob)
        assert [alice.get(PATH).status_code for _ in range(6)] == [200] * 5 + [429]
        refused = alice.get(PATH)
        problem_of(refused, 429, "too_fast")
        assert 0 < int(refused["Retry-After"]) <= 60
        assert refused["RateLimit-Policy"] == '"read-account";q=5;w=60'
        assert f"{refused['Retry-After']} s" in refused.json()["detail"]
        # the address has one left: Bob is not refused for what Alice did, the address is
        assert bob.get(PATH).status_code == 200
        assert bob.get(PATH)["RateLimit-Policy"] == '"read-address";q=8;w=60'
        # changes are counted apart from reads
        assert alice.patch("/api/me", {}, format="json").status_code != 429


def test_wrong_tokens_are_limited_by_address(cast: Cast) -> None:
    with override_settings(API_LIMITS=LIMITS):
        statuses = []
        for number in range(9):
            client = anonymous()
            client.credentials(HTTP_AUTHORIZATION=f"Bearer arena_guess{number}")
            statuses.append(client.get("/api/me").status_code)
        assert statuses == [401] * 8 + [429]


def test_an_address_cannot_be_invented(cast: Cast) -> None:
    with override_settings(API_LIMITS=LIMITS):
        statuses = [
            anonymous().get(PATH, headers={"X-Forwarded-For": f"203.0.113.{number}"}).status_code for number in range(9)
        ]
        assert statuses == [200] * 8 + [429]


# -- how errors point -------------------------------------------------------------------------------------------------


def test_pointers_lead_to_the_field(db: None) -> None:
    error = exceptions.ValidationError(
        {
            "a/b": [exceptions.ErrorDetail("no", "bad")],
            "rows": [{}, {"n~": ["wrong"]}],
            "non_field_errors": ["all of it"],
        }
    )
    refusal = problems.as_refusal(error)
    assert refusal is not None
    assert refusal.data["errors"] == [
        {"pointer": "/a~1b", "code": "bad", "detail": "no"},
        {"pointer": "/rows/1/n~0", "code": "invalid", "detail": "wrong"},
        {"pointer": "", "code": "invalid", "detail": "all of it"},
    ]
