"""/healthz, /readyz and /metrics."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client, override_settings
from django.utils import timezone

from competitions.services import supervision
from competitions.services.steps import lease_name
from competitions.tests.factories import make_competition
from tradingarena import operations
from tradingarena.core import leases
from tradingarena.core.clock import to_ms
from tradingarena.core.models import Lease

pytestmark = pytest.mark.django_db


def ready(client: Client) -> tuple[int, dict[str, Any]]:
    response = client.get("/readyz")
    return response.status_code, response.json()


@pytest.fixture
def alive() -> None:
    """A feed with a fresh quote, and beat."""
    note = {"status": "connected", "last_quote_ms": to_ms(timezone.now()), "provider": "simulated"}
    leases.claim("feed", "one", lease_ms=60_000, note=note)
    supervision.supervise()


def test_health_asks_nobody(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr(connection, "cursor", away)
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_all_is_ready(client: Client, alive: None) -> None:
    status, body = ready(client)
    assert (status, body["ready"], body["reasons"]) == (200, True, [])
    assert set(body["checks"]) == {"database", "redis", "migrations", "feed", "engine", "beat"}
    assert body["checks"]["feed"]["provider"] == "simulated"


def test_a_running_contest_needs_an_engine(client: Client, alive: None) -> None:
    contest = make_competition()
    status, body = ready(client)
    assert status == 503
    assert body["checks"]["engine"]["missing"] == [lease_name(contest.pk)]
    leases.claim(lease_name(contest.pk), "engine", lease_ms=60_000)
    assert ready(client)[0] == 200


def test_a_dead_or_silent_feed_shows(client: Client, alive: None) -> None:
    lease = Lease.objects.get(name="feed")
    lease.note["last_quote_ms"] -= 40_000
    lease.save()
    status, body = ready(client)
    assert (status, body["checks"]["feed"]["ok"]) == (503, False)
    assert body["reasons"][0].startswith("feed: no good quote for")
    lease.note["status"] = "market_closed"
    lease.save()
    assert ready(client)[0] == 200
    Lease.objects.filter(name="feed").update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "run_feed" in ready(client)[1]["reasons"][0]


def test_a_silent_beat_and_broken_books_show(client: Client, alive: None) -> None:
    Lease.objects.filter(name="beat").update(note={"violations": 2})
    assert "do not add up" in ready(client)[1]["reasons"][0]
    Lease.objects.filter(name="beat").update(expires_at=timezone.now() - timedelta(seconds=1))
    assert ready(client)[1]["reasons"] == ["beat: beat or its worker is silent"]


def test_without_redis_or_database_it_says_so_and_does_not_fail(
    client: Client, alive: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with override_settings(REDIS_LIVE_URL="redis://127.0.0.1:1/0"):
        status, body = ready(client)
    assert status == 503
    assert body["reasons"][0].startswith("redis: does not answer")

    def away(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr(connection, "cursor", away)
    status, body = ready(client)
    assert status == 503
    assert [reason.split(":")[0] for reason in body["reasons"]] == ["database", "migrations", "feed", "engine", "beat"]


def test_waiting_migrations_show(client: Client, alive: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db.migrations.recorder import MigrationRecorder

    monkeypatch.setattr(operations, "_migrated", False)
    MigrationRecorder.Migration.objects.filter(app="core").delete()
    status, body = ready(client)
    assert status == 503
    assert "manage.py migrate" in body["reasons"][0]


def test_metrics_are_for_this_machine_or_who_has_the_token(client: Client, alive: None) -> None:
    text = client.get("/metrics").content.decode()
    assert 'arena_ready{check="feed"} 1.0' in text
    assert 'arena_contests{status="running"} 0.0' in text
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 404
    # whoever is behind a proxy on this machine also comes from loopback
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404
    with override_settings(METRICS_TOKEN="figures"):
        assert client.get("/metrics").status_code == 404
        assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
        remote = client.get("/metrics", headers={"Authorization": "Bearer figures"}, REMOTE_ADDR="203.0.113.9")
        assert remote.status_code == 200


def test_metrics_count_requests_by_view_and_status(client: Client) -> None:
    client.get("/api/instruments")
    text = client.get("/metrics").content.decode()
    assert 'arena_api_seconds_count{method="GET",status="200",view="InstrumentsView"}' in text


def test_they_are_read_only(client: Client) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert client.post(path).status_code == 405
