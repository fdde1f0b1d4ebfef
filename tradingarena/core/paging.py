"""Pages of lists: by a unique key (stable while rows come in), and by place on a board.

What may be listed is the view's and its selector's business. Rules: docs/api/manners.md#lists.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import orjson
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from tradingarena.core.errors import Malformed
from tradingarena.core.serializers import INT_MAX, QueryInteger, QuerySerializer, StrictText

PAGE = 50
MAX_PAGE = 200


class BadCursor(Malformed):
    """Raised when a cursor was not made by this list."""

    code, message = "bad_cursor", "This cursor does not belong to this list. Start again without it."


class PageQuery(QuerySerializer):
    """The parameters of every list by cursor; a view's own query adds to them."""

    limit = QueryInteger(min_value=1, max_value=MAX_PAGE, default=PAGE, help_text="rows on a page")
    cursor = StrictText(max_length=300, required=False, help_text="from `next` or `previous`; opaque")


class RankQuery(QuerySerializer):
    """The parameters of a board."""

    place = QueryInteger(min_value=1, max_value=INT_MAX, default=1, help_text="first place shown, counted from 1")
    limit = QueryInteger(min_value=1, max_value=MAX_PAGE, default=100, help_text="rows on a page")


class CursorPages(BasePagination):
    """Pages of a queryset by one unique key, `view.page_key`, such as "-id".

    Guarantees: a row that is there from the first page to the last comes exactly once, whatever is inserted meanwhile.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        params = view.params
        limit: int = params["limit"]
        descending, name = view.page_key.startswith("-"), view.page_key.lstrip("-")
        backwards, position = _read_cursor(params.get("cursor"), queryset.model, name)
        towards_less = descending != backwards
        if position is not None:
            queryset = queryset.filter(**{f"{name}__{'lt' if towards_less else 'gt'}": position})
        found = list(queryset.order_by(f"{'-' if towards_less else ''}{name}")[: limit + 1])
        more, rows = len(found) > limit, found[:limit]
        if backwards:
            rows.reverse()
        before, after = (more, position is not None) if backwards else (position is not None, more)
        ends = (getattr(rows[0], name), getattr(rows[-1], name)) if rows else (None, None)
        self.previous = _link(request, _cursor(True, ends[0])) if before and rows else None
        self.next = _link(request, _cursor(False, ends[1])) if after and rows else None
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.next, "previous": self.previous, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return page_schema({"results": schema})


def rank_page(
    request: Request, rows: Sequence[Any], *, total: int, place: int, limit: int, **facts: Any
) -> dict[str, Any]:
    """Show one page of a board.

    Shapes: rows are those from `place` (counted from 1) on; none when the board is shorter.
    """
    later = place + limit if place + limit <= total else None
    earlier = max(1, place - limit) if place > 1 else None
    return facts | {
        "total": total,
        "next": _link(request, place=later, limit=limit) if later else None,
        "previous": _link(request, place=earlier, limit=limit) if earlier else None,
        "results": rows,
    }


def page_schema(properties: dict[str, Any]) -> dict[str, Any]:
    """Describe a page for the OpenAPI schema."""
    link = {"type": ["string", "null"], "format": "uri"}
    return {
        "type": "object",
        "required": ["next", "previous", *properties],
        "properties": {"next": link, "previous": link} | properties,
    }


def _cursor(backwards: bool, position: Any) -> dict[str, str]:
    text = orjson.dumps(["p" if backwards else "n", str(position)])
    return {"cursor": base64.urlsafe_b64encode(text).decode().rstrip("=")}


def _read_cursor(cursor: str | None, model: type[models.Model], name: str) -> tuple[bool, Any]:
    if cursor is None:
        return False, None
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        way, text = orjson.loads(raw)
        if way not in {"n", "p"} or not isinstance(text, str) or "\0" in text:
            raise BadCursor
        field: Any = model._meta.get_field(name)
        position = field.to_python(text)
        field.run_validators(position)  # a number outside the column's range must not reach the database
    except (ValueError, TypeError, OverflowError, binascii.Error, ValidationError, FieldDoesNotExist):
        raise BadCursor from None
    return way == "p", position


def _link(request: Request, changed: dict[str, str] | None = None, **more: Any) -> str:
    query = request.query_params.dict() | (changed or {}) | more
    return request.build_absolute_uri(f"{request.path}?{urlencode(query)}")
