"""What every REST view stands on: strict bodies and queries, JSON out, limits, idempotent posts, ETags.

Views live in each app's `api/`, refusals become answers in `problems.py`. Rules: docs/api/manners.md.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ClassVar

import orjson
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tradingarena.core.api_defaults import (
    FastJSONRenderer,
    JSONOnly,
    PerActorThrottle,
    StrictJSONParser,
    client_address,
    spend,
    tell_limits,
)
from tradingarena.core.idempotency import KeyMissing, answer_once
from tradingarena.core.metrics import API_SECONDS
from tradingarena.core.paging import CursorPages, PageQuery
from tradingarena.core.problems import problem_response
from tradingarena.core.serializers import QuerySerializer
from tradingarena.core.wire import encode

__all__ = [
    "ArenaView",
    "CursorPages",
    "FastJSONRenderer",
    "JSONOnly",
    "ListView",
    "PerActorThrottle",
    "StrictJSONParser",
    "etagged",
    "idempotent",
    "keyed",
    "problem_response",
]

ENDPOINT_LENGTH = 120  # as stored
LONGEST_KEY = 255
Handler = Callable[..., Response]
KNOWN_METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
)  # a label must not be of the caller's choice


class ArenaView(APIView):
    """The base of every view.

    `scope` is what `accounts.permissions` asks for (one text, or one per method); `query_serializer` the parameters that a
    GET may have (none by default), found in `params`; `more_problems` the statuses that path and method do not suggest. Who may call
    is `permission_classes`, which deny by default.
    """

    scope: ClassVar[str | tuple[str, ...] | Mapping[str, str | tuple[str, ...]]] = "read"
    query_serializer: type[QuerySerializer] | None = None
    more_problems: ClassVar[tuple[str, ...]] = ()
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    params: dict[str, Any]

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        response = super().dispatch(request, *args, **kwargs)
        method = request.method if request.method in KNOWN_METHODS else "other"
        API_SECONDS.labels(type(self).__name__, method, response.status_code).observe(time.perf_counter() - began)
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        spend(request, "address", client_address(request))  # before anything that costs more, such as a wrong token
        super().initial(request, *args, **kwargs)
        reading = request.method in {"GET", "HEAD"}
        self.params = ((self.query_serializer if reading else None) or QuerySerializer).read(request.query_params)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        tell_limits(request, response)
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store" if response.status_code >= 400 else "private, no-cache"
        return response


class ListView(ArenaView):
    """A list by cursor: `rows()` gives the queryset, `show(row)` a row's JSON, `page_key` its unique order."""

    query_serializer = PageQuery
    pagination_class = CursorPages
    page_key = "-id"

    def rows(self) -> Any:
        raise NotImplementedError

    def show(self, row: Any) -> Any:
        raise NotImplementedError

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        pages = self.pagination_class()
        rows = pages.paginate_queryset(self.rows(), request, self)
        return pages.get_paginated_response([self.show(row) for row in rows])


def etagged(request: Request, data: Any, *, max_age_s: int = 0, shared: bool = True) -> Response:
    """Answer with an ETag, or with 304 when the caller has these very bytes already.

    Units: max_age_s in seconds; 0 asks the cache to check each time.
    """
    body = encode(data)
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    seen = [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]
    fresh = etag in seen or "*" in seen
    response = Response(None, status=304) if fresh else Response(body)
    response["ETag"] = etag
    response["Cache-Control"] = (
        f"{'public' if shared else 'private'}, {f'max-age={max_age_s}' if max_age_s else 'no-cache'}"
    )
    return response


def idempotent(handler: Handler) -> Handler:
    """Make a view's POST answer the same Idempotency-Key and body with the same answer, and work once.

    Guarantees: those of `core.idempotency.answer_once`; a replayed answer carries `Idempotent-Replayed: true`.
    Raises: KeyMissing (400), KeyReused (422).
    """

    @wraps(handler)
    def once(view: ArenaView, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = _read_key(request)
        body = orjson.dumps(request.data, default=str, option=orjson.OPT_SORT_KEYS)

        def work() -> tuple[int, Any]:
            response = handler(view, request, *args, **kwargs)
            return response.status_code, orjson.loads(encode(response.data))

        user_id = request.user.pk
        assert user_id is not None  # permissions have seen to it
        endpoint = f"{request.method} {request.path}"
        if len(endpoint) > ENDPOINT_LENGTH:
            endpoint = hashlib.sha256(endpoint.encode()).hexdigest()
        (status, answer), replayed = answer_once(user_id=user_id, endpoint=endpoint, key=key, body=body, work=work)
        response = Response(answer, status=status)
        if replayed:
            response["Idempotent-Replayed"] = "true"
        return response

    once.idempotent = True  # type: ignore[attr-defined]  # read by openapi.ArenaSchema
    return once


def keyed(handler: Handler) -> Handler:
    """Hand a view's POST its Idempotency-Key as `key`, for doors that derive the id of what they make from it.

    Such a door asks somebody outside, so it cannot stand within one transaction as `idempotent` makes it; it keeps its own promise that
    the same key is the same thing.
    Raises: KeyMissing (400).
    """

    @wraps(handler)
    def once(view: ArenaView, request: Request, *args: Any, **kwargs: Any) -> Response:
        return handler(view, request, *args, key=_read_key(request), **kwargs)

    once.idempotent = True  # type: ignore[attr-defined]  # read by openapi.ArenaSchema
    return once


def _read_key(request: Request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise KeyMissing
    return key
