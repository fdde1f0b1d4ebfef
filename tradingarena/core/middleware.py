"""What every page request passes: an id for the logs, and refusals turned into a page."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from tradingarena.core.errors import DomainError
from tradingarena.core.ids import new_id
from tradingarena.core.logs import current_request_id

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestIdMiddleware:
    """Gives each request an id that its log lines and its answer carry."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        request_id = (
            given if given.isascii() and given.replace("-", "").isalnum() and len(given) <= 64 else str(new_id())
        )
        token = current_request_id.set(request_id)
        try:
            response = self.get_response(request)
        finally:
            current_request_id.reset(token)
        response["X-Request-Id"] = request_id
        return response


class DomainErrorMiddleware:
    """The one place where a refusal becomes a page: a full page, or a fragment for htmx."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, DomainError):
            return None
        if request.path.startswith("/api/"):
            # a refusal outside DRF's own handler, such as one raised by another middleware's view
            return JsonResponse(problem(error), status=error.status, content_type="application/problem+json")
        template = "_refusal.html" if request.headers.get("HX-Request") else "refusal.html"
        return render(request, template, {"error": error}, status=error.status)


def problem(error: DomainError) -> dict[str, object]:
    """Describe a refusal in the form of RFC 9457."""
    return {
        "type": f"/api/docs/errors#{error.code}",
        "title": error.code.replace("_", " ").capitalize(),
        "status": error.status,
        "code": error.code,
        "detail": error.message,
        "errors": error.data.get("errors", []),
        "request_id": current_request_id.get(),
    }
