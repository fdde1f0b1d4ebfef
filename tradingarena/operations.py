"""What operators and orchestrators ask: is this process alive, is the whole ready, and what are the figures.

Rules: docs/operations.md.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from competitions.models import Competition
from competitions.services.steps import lease_name
from tradingarena.core import redis_client
from tradingarena.core.clock import database_now, to_ms
from tradingarena.core.models import Lease

FEED, BEAT = "feed", "beat"
FEED_QUIET_S = 30
LOOPBACK = {"127.0.0.1", "::1"}


@dataclass(frozen=True)
class Check:
    """One thing that must be so, and what was found. `reason` is empty when it is so."""

    reason: str = ""
    found: dict[str, Any] = field(default_factory=dict)


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that this process answers; it asks nobody else."""
    return JsonResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether everything that a contest needs is there: 200, or 503 with the reasons."""
    checks = readiness()
    reasons = [f"{name}: {check.reason}" for name, check in checks.items() if check.reason]
    body = {
        "ready": not reasons,
        "reasons": reasons,
        "checks": {name: {"ok": not check.reason, **check.found} for name, check in checks.items()},
    }
    response = HttpResponse(
        orjson.dumps(body, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z),
        status=503 if reasons else 200,
        content_type="application/json",
        headers={"Cache-Control": "no-store"} | ({"Retry-After": "5"} if reasons else {}),
    )
    response._has_been_logged = True  # type: ignore[attr-defined]  # an answer as asked for, not an error to log
    return response


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Give the figures in Prometheus' text format, to whoever has METRICS_TOKEN or asks from this very machine."""
    if not _may_read_metrics(request):
        return HttpResponseNotFound()
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def readiness() -> dict[str, Check]:
    """Look at everything; without the database most of it cannot be known and is said to be so.

    Shapes: name -> check, in the order in which an operator repairs.
    """
    checks = {"database": _database(), "redis": _redis()}
    for name, look in NEEDS_ROWS.items():
        if checks["database"].reason:
            checks[name] = Check("not known without the database")
            continue
        try:
            checks[name] = look()
        except DatabaseError as error:
            checks[name] = Check(f"not known: {str(error).strip().splitlines()[0]}")
    return checks


def _database() -> Check:
    try:
        return Check(found={"now": database_now()})
    except DatabaseError as error:
        return Check(f"does not answer ({type(error).__name__})")


def _redis() -> Check:
    try:
        redis_client.client().ping()
    except redis_client.DOWN as error:
        return Check(f"does not answer ({type(error).__name__})")
    return Check()


_migrated = False  # once nothing waits, nothing will before the next start


def _migrations() -> Check:
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        waiting = [
            f"{step.app_label}.{step.name}" for step, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())
        ]
        if waiting:
            return Check(f"{len(waiting)} wait: run `manage.py migrate`", {"waiting": waiting[:10]})
        _migrated = True
    return Check()


def _feed() -> Check:
    lease = Lease.objects.filter(name=FEED).first()
    now = database_now()
    if lease is None or lease.expires_at <= now:
        return Check("no feed leads: run `manage.py run_feed`", {"last_seen": lease and lease.expires_at})
    found = {"epoch": lease.epoch, **lease.note}
    last_ms = lease.note.get("last_quote_ms")
    age_s = max(0, to_ms(now) - last_ms) // 1000 if isinstance(last_ms, int) else None
    found["age_s"] = age_s
    if lease.note.get("status") == "market_closed":
        return Check(found=found)
    if age_s is None:
        return Check("no quote has come yet", found)
    return Check(f"no good quote for {age_s} s" if age_s > FEED_QUIET_S else "", found)


def _engine() -> Check:
    now = database_now()
    running = list(
        Competition.objects.filter(status=Competition.Status.RUNNING, ends_at__gt=now).values_list("pk", flat=True)
    )
    names = {lease_name(pk) for pk in running}
    led = set(Lease.objects.filter(name__in=names, expires_at__gt=now).values_list("name", flat=True))
    missing = sorted(names - led)
    found = {"running": len(names), "led": len(led)}
    if missing:
        return Check(
            f"{len(missing)} running contests have no engine: run `manage.py run_engine`",
            found | {"missing": missing[:10]},
        )
    return Check(found=found)


def _beat() -> Check:
    lease = Lease.objects.filter(name=BEAT).first()
    if lease is None or lease.expires_at <= database_now():
        return Check("beat or its worker is silent", {"last_seen": lease and lease.expires_at})
    if lease.note.get("violations"):
        return Check("the books do not add up: run `manage.py check_invariants`", lease.note)
    return Check(found=dict(lease.note))


NEEDS_ROWS: dict[str, Callable[[], Check]] = {
    "migrations": _migrations,
    "feed": _feed,
    "engine": _engine,
    "beat": _beat,
}


def _may_read_metrics(request: HttpRequest) -> bool:
    token = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token:
        return hmac.compare_digest(given.encode(), token.encode())
    # a proxy on this machine also comes from loopback, and says for whom
    forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return request.META.get("REMOTE_ADDR") in LOOPBACK and not forwarded and not settings.TRUSTED_PROXIES
