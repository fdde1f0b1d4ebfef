"""The audit log as a page for operators, and as CSV. It is read here and changed nowhere."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.models import AuditLog
from accounts.selectors import audit
from tradingarena.core.spreadsheets import write_rows

PER_PAGE = 50
MOST_CSV = 10_000
TEXTS = {"actor": 40, "action": 60, "object_type": 60, "object_id": 64, "request_id": 64, "from": 10, "to": 10}
CSV_HEADER = ("at", "actor", "action", "object_type", "object_id", "old", "new", "reason", "request_id", "address")


@require_GET
@login_required
@never_cache
def audit_page(request: HttpRequest) -> HttpResponse:
    """Show the rows that match the filters of the address, the newest first; older ones by the last id seen."""
    filters = _filters(request)
    found = audit.rows(request.user, _which(filters))  # type: ignore[arg-type]  # signed in
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) <= 18:
        found = found.filter(pk__lt=int(before))
    page = list(found[: PER_PAGE + 1])
    query = {name: value for name, value in filters.items() if value}
    older = urlencode(query | {"before": page[PER_PAGE - 1].pk}) if len(page) > PER_PAGE else ""
    context = {
        "rows": [(row, _words(row.old), _words(row.new)) for row in page[:PER_PAGE]],
        "filters": filters,
        "families": audit.families(),
        "older": older,
        "query": urlencode(query),
        "newest": not before,
    }
    return render(request, "accounts/audit.html", context)


@require_GET
@login_required
@never_cache
def audit_csv(request: HttpRequest) -> HttpResponse:
    """Give the newest rows that match as CSV, at most 10,000."""
    found = audit.rows(request.user, _which(_filters(request)))[:MOST_CSV]  # type: ignore[arg-type]  # signed in
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    response = HttpResponse(content_type="text/csv; charset=utf-8", headers=headers)
    write_rows(response, _csv_rows(found))
    return response


def _csv_rows(found: Iterable[AuditLog]) -> Iterator[tuple[str, ...]]:
    yield CSV_HEADER
    for row in found:
        who = row.actor.username if row.actor else "system"
        told = (row.object_type, row.object_id, _words(row.old), _words(row.new), row.reason, row.request_id)
        yield (row.at.isoformat(), who, row.action, *told, row.address or "")


def _filters(request: HttpRequest) -> dict[str, str]:
    given = {name: request.GET.get(name, "").replace("\0", "").strip()[:length] for name, length in TEXTS.items()}
    return given | {"staff": "1" if request.GET.get("staff") == "1" else ""}


def _which(filters: dict[str, str]) -> audit.Filter:
    start, last = (_day(filters[name]) for name in ("from", "to"))
    return audit.Filter(
        actor=filters["actor"],
        action=filters["action"],
        object_type=filters["object_type"],
        object_id=filters["object_id"],
        request_id=filters["request_id"],
        by_staff=bool(filters["staff"]),
        start=start,
        end=last + timedelta(days=1) if last else None,
    )


def _day(text: str) -> datetime | None:
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    return datetime(found.year, found.month, found.day, tzinfo=UTC) if found and 2000 <= found.year <= 2200 else None


def _words(fields: Any) -> str:
    return json.dumps(fields, ensure_ascii=False, sort_keys=True) if fields else ""
