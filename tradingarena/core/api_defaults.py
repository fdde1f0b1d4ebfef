"""What DRF's settings name: how bodies are read, answers written and callers limited.

Apart from `api.py`, because rest_framework.views reads these settings while it is being imported. Rules: docs/api/manners.md.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.http.response import HttpResponseBase
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from tradingarena.core import limits, strict_json
from tradingarena.core.errors import Malformed, TooFast
from tradingarena.core.wire import encode


class StrictJSONParser(BaseParser):
    """Reads application/json as `strict_json.read` does; the view gets an object and nothing else."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        # one byte more than allowed is enough to know
        body = strict_json.read(stream.read(strict_json.MAX_BYTES + 1))
        if not isinstance(body, dict):
            raise Malformed("The body must be a JSON object.", code="malformed_json")
        return body


class FastJSONRenderer(BaseRenderer):
    """Writes JSON; bytes are taken as JSON already written (see `etagged`)."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        if data is None:
            return b""
        return data if isinstance(data, bytes) else encode(data)


class JSONOnly(BaseContentNegotiation):
    """Answers JSON whatever is asked for: there is nothing else to choose from."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        kind = (request.content_type or "").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        only = next(iter(renderers))
        return only, str(only.media_type)


class PerActorThrottle(BaseThrottle):
    """Bounds what one account asks for; reads and changes apart. The figures are `settings.API_LIMITS`."""

    def allow_request(self, request: Request, view: Any) -> bool:
        if request.user.is_authenticated:
            spend(request, "account", request.user.pk)
        return True


def spend(request: Request, actor: str, name: object) -> None:
    kind = "read" if request.method in {"GET", "HEAD"} else "write"
    limit, window_s = settings.API_LIMITS[kind][actor]
    policy = f'"{kind}-{actor}";q={limit};w={window_s}'
    try:
        left = limits.spend(f"api.{kind}.{actor}", name, limit=limit, window_s=window_s)
    except TooFast as error:
        error.data["policy"] = policy
        raise
    tightest = getattr(request, "tightest_limit", None)
    if tightest is None or left.left / limit <= tightest[0]:
        request.tightest_limit = (left.left / limit, policy, f'"{kind}-{actor}";r={left.left};t={left.full_in_s}')  # type: ignore[attr-defined]


def tell_limits(request: Request, response: HttpResponseBase) -> None:
    """Say on an answer which limit is nearest and what is left of it, in the words of the RateLimit fields (draft-ietf-httpapi)."""
    tightest = getattr(request, "tightest_limit", None)
    if tightest is not None and not response.has_header("RateLimit-Policy"):
        response["RateLimit-Policy"], response["RateLimit"] = tightest[1:]


def client_address(request: Request) -> str:
    """Tell where a request comes from; forwarded addresses count only from configured proxies.

    Shapes: "local" for a unix socket.
    """
    return BaseThrottle().get_ident(request) or "local"
