"""What `manage.py doctor` looks at: the machine, the packages, the configuration and everything it points at.

Nothing is changed or started. Configuration alone is judged in `tradingarena/checks.py`.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg
import redis
from django.conf import settings
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import Error as DatabaseError
from packaging.requirements import InvalidRequirement, Requirement

from tradingarena.localstack.bootstrap import NEWEST, OLDEST, VENDOR, find_chromium
from tradingarena.localstack.services import Services, environment_values, state_directory
from tradingarena.settings.env import BASE_DIR

FREE_BYTES = 1_000_000_000
OPEN_FILES = 1024
LARGEST_SKEW_S = 2.0
OLDEST_POSTGRES = 140_000
OLDEST_REDIS = (6, 2)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `state` is ok, note (worth knowing) or wrong; `fix` says what to do about it."""

    about: str
    state: str
    text: str
    fix: str = ""


def examine() -> Iterator[Finding]:
    """Look at everything, and go on when a look itself fails."""
    for look in LOOKS:
        try:
            yield from look()
        except Exception as error:  # a doctor that dies of the disease is of no use
            yield Finding(
                look.__name__, "wrong", f"could not be looked at: {type(error).__name__}: {error}", "Report this."
            )


def python_version() -> Iterator[Finding]:
    """Compare the running Python with what the packages are locked for."""
    version = ".".join(map(str, sys.version_info[:3]))
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        yield Finding("Python", "ok", version)
    else:
        newest = ".".join(map(str, NEWEST))
        yield Finding(
            "Python", "wrong", f"{version} is not supported", f"Use Python 3.11 to {newest}, then: make setup"
        )


def packages() -> Iterator[Finding]:
    """Compare what is installed with requirements.txt."""
    wrong = []
    wanted = list(_pinned(BASE_DIR / "requirements.txt"))
    for requirement in wanted:
        try:
            installed = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            wrong.append(f"{requirement.name} {installed} instead of {requirement.specifier}")
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        yield Finding("packages", "wrong", ", ".join(wrong[:5]) + more, "Run: make setup")
    else:
        yield Finding("packages", "ok", f"{len(wanted)} as locked")


def configuration() -> Iterator[Finding]:
    """Run Django's and our own system checks; none of them connects anywhere."""
    messages = [each for each in checks.run_checks() if each.level >= checks.WARNING]
    for each in messages:
        state = "wrong" if each.level >= checks.ERROR else "note"
        yield Finding(f"configuration {each.id}", state, each.msg, each.hint or "")
    if not messages:
        yield Finding("configuration", "ok", f"{settings.SETTINGS_MODULE}: nothing missing, nothing contradictory")


def database() -> Iterator[Finding]:
    """Connect to PostgreSQL; compare version, clock and migrations."""
    if note := _asleep("DATABASE_URL", "PostgreSQL"):
        yield note
        return
    try:
        with psycopg.connect(**_connection(), connect_timeout=5) as direct:
            version = direct.info.server_version
            skew_s = direct.execute("SELECT clock_timestamp()").fetchall()[0][0].timestamp() - time.time()
        missing = unapplied_migrations()
    except (DatabaseError, psycopg.Error) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        yield Finding("PostgreSQL", "wrong", f"no answer: {reason}", "Start the server, or correct DATABASE_URL.")
        return
    if version < OLDEST_POSTGRES:
        yield Finding("PostgreSQL", "wrong", f"version {version // 10_000} is too old", "Use PostgreSQL 14 or newer.")
    else:
        yield Finding("PostgreSQL", "ok", f"version {version // 10_000} answers")
    if missing:
        text = f"{len(missing)} migrations are not applied, first {missing[0]}"
        yield Finding("migrations", "wrong", text, "Run: .venv/bin/python manage.py migrate")
    else:
        yield Finding("migrations", "ok", "all applied")
    yield from _clock("PostgreSQL's clock", skew_s)


def _connection() -> dict[str, Any]:
    """Return what to connect with, beside the pool: the pool would hide why a server refuses."""
    known = connections[DEFAULT_DB_ALIAS].settings_dict
    names = {"dbname": "NAME", "host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    return {ours: known[theirs] for ours, theirs in names.items() if known[theirs]}


def unapplied_migrations() -> list[str]:
    """Return the names of the migrations that the database lacks, in order."""
    connection = connections[DEFAULT_DB_ALIAS]
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def redis_server() -> Iterator[Finding]:
    """Connect to Redis; compare version, clock and what it does when memory is short."""
    if note := _asleep("REDIS_URL", "Redis"):
        yield note
        return
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=3, socket_connect_timeout=3, decode_responses=True)
    try:
        with client:
            seconds, micros = client.time()
            skew_s = seconds + micros / 1e6 - time.time()
            version = str(client.info("server")["redis_version"])
            policy = str(client.info("memory").get("maxmemory_policy", "unknown"))
    except redis.RedisError as error:
        yield Finding("Redis", "wrong", f"no answer: {error}", "Start the server, or correct REDIS_URL.")
        return
    if tuple(map(int, version.split(".")[:2])) < OLDEST_REDIS:
        yield Finding("Redis", "wrong", f"version {version} is too old", "Use Redis 6.2 or newer.")
    else:
        yield Finding("Redis", "ok", f"version {version} answers")
    if policy not in {"noeviction", "unknown"}:
        fix = "Set maxmemory-policy noeviction: leases and the quote stream must not vanish."
        yield Finding("Redis memory", "wrong", f"it throws keys away when memory is short ({policy})", fix)
    yield from _clock("Redis's clock", skew_s)


def disk() -> Iterator[Finding]:
    """Look for room where the databases and logs grow."""
    place = state_directory(BASE_DIR)
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    text = f"{free / 1e9:.1f} GB free"
    if free < FREE_BYTES:
        yield Finding("disk", "wrong", text, f"Make room on the file system of {place}: 1 GB is the least.")
    else:
        yield Finding("disk", "ok", text)
    if not os.access(place, os.W_OK):
        yield Finding("state", "wrong", f"{place} cannot be written", "Work as its owner, or set ARENA_STATE_DIR.")


def open_files() -> Iterator[Finding]:
    """Look at how many sockets a process may hold."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit != resource.RLIM_INFINITY and limit < OPEN_FILES:
        yield Finding("open files", "wrong", f"at most {limit} a process", "Raise the limit: ulimit -n 4096")
    else:
        yield Finding(
            "open files", "ok", "no limit" if limit == resource.RLIM_INFINITY else f"at most {limit} a process"
        )


def recorded_quotes() -> Iterator[Finding]:
    """Compare FX_DATA_DIR with its manifest."""
    if not settings.FX_DATA_DIR:
        yield Finding("recorded quotes", "note", "FX_DATA_DIR is not set; the tests that replay them are skipped")
        return
    folder = Path(settings.FX_DATA_DIR)
    found = {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*.csv.gz")}
    try:
        listed = {str(each["file"]): int(each["bytes"]) for each in json.loads((folder / "manifest.json").read_text())}
    except (OSError, ValueError, KeyError, TypeError):
        listed = {}
    broken = sorted(name for name, size in listed.items() if found.get(name) != size)
    fix = "Copy the directory anew, or point FX_DATA_DIR elsewhere."
    if broken:
        yield Finding("recorded quotes", "wrong", f"missing or of another size: {', '.join(broken[:5])}", fix)
    elif not found:
        yield Finding("recorded quotes", "wrong", f"no *.csv.gz in {folder}", fix)
    else:
        yield Finding("recorded quotes", "ok", f"{len(found)} files")


def vendors() -> Iterator[Finding]:
    """Resolve the hosts of the vendors that are configured; no key is sent."""
    if settings.MARKET_DATA_PROVIDER != "polygon":
        return
    for name in ("POLYGON_WS_URL", "POLYGON_REST_URL"):
        parts = urlsplit(getattr(settings, name))
        try:
            socket.getaddrinfo(parts.hostname, parts.port or 443)
        except OSError as error:
            fix = f"Check the network and {name}."
            yield Finding("market data", "wrong", f"{parts.hostname} cannot be found: {error}", fix)
        else:
            yield Finding("market data", "ok", f"{parts.hostname} is known")


def browser_libraries() -> Iterator[Finding]:
    """Look for what pages load beside our own files, and in production for the collected ones."""
    if (BASE_DIR / VENDOR / ".stamp").is_file():
        yield Finding("browser libraries", "ok", "fetched")
    else:
        yield Finding("browser libraries", "wrong", "static/vendor lacks the chart library", "Run: make browser-libs")
    if str(settings.SETTINGS_MODULE).endswith(".production"):
        collected = (Path(settings.STATIC_ROOT) / "staticfiles.json").is_file()
        fix = "" if collected else "Run: .venv/bin/python manage.py collectstatic --noinput"
        yield Finding(
            "static files", "ok" if collected else "wrong", "collected" if collected else "not collected", fix
        )


def chromium() -> Iterator[Finding]:
    """Look for the browser of the page tests."""
    if found := find_chromium():
        yield Finding("Chromium", "ok", found)
    else:
        fix = "make test installs one where it can; or set CHROMIUM_PATH."
        yield Finding("Chromium", "note", "none found; the page tests would be skipped", fix)


def time_zones() -> Iterator[Finding]:
    """Look for New York's zone, whose clock the FX week follows, and for a plausible date."""
    try:
        ZoneInfo("America/New_York")
    except (ZoneInfoNotFoundError, ValueError):
        yield Finding(
            "time zones", "wrong", "America/New_York is unknown", "Run: make setup (the package tzdata has it)"
        )
    else:
        yield Finding("time zones", "ok", "America/New_York is known")
    if time.gmtime().tm_year < 2025:
        yield Finding("clock", "wrong", f"it is said to be {time.gmtime().tm_year}", "Set this machine's clock.")


def _clock(name: str, skew_s: float) -> Iterator[Finding]:
    if abs(skew_s) > LARGEST_SKEW_S:
        yield Finding(
            name, "wrong", f"differs from this machine's by {skew_s:+.1f} s", "Synchronise both clocks (NTP)."
        )
    else:
        yield Finding(name, "ok", "agrees with this machine's")


def _asleep(variable: str, server: str) -> Finding | None:
    """Return a note when the server is the embedded one and does not run now, which is no fault."""
    url = {"DATABASE_URL": settings.DATABASE_URL, "REDIS_URL": settings.REDIS_URL}[variable]
    ours = environment_values(state_directory(BASE_DIR) / "services.env").get(variable)
    if os.environ.get(variable, "") not in {"", ours}:
        return None
    services = Services(BASE_DIR)
    wanted = {"postgres": server == "PostgreSQL", "redis": server == "Redis"}
    if ours is not None and ours == url and services.alive(**wanted):
        return None
    return Finding(server, "note", "the embedded one is not running now; `make run` starts it")


def _pinned(file: Path) -> Iterator[Requirement]:
    for line in file.read_text().splitlines():
        text = line.split("--hash")[0].rstrip(" \\")
        if not text or text.startswith(("#", " ", "-")):
            continue
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate():
            yield requirement


LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    python_version, packages, configuration, disk, open_files, time_zones, database, redis_server, vendors,
    recorded_quotes, browser_libraries, chromium,
)  # fmt: skip
