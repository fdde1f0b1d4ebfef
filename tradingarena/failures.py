"""What is answered when no view did: problems below /api/, pages elsewhere.

Refusals that views raise are turned into answers in `core/problems.py` and `core/middleware.py`.
"""

import sys

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from tradingarena.core.errors import Malformed, NotFound, Unavailable
from tradingarena.core.problems import Failed, as_refusal, plain_problem


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself refused, such as a wrong host or a body beyond all bounds."""
    return plain_problem(Malformed()) if _is_api(request) else defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that nobody knows."""
    return plain_problem(NotFound()) if _is_api(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a defect of the program with 500, and a dependency that does not answer with 503.

    Guarantees: asks neither the database nor Redis. The traceback is in the log under the request's id.
    """
    error = sys.exc_info()[1]
    refusal = as_refusal(error) if isinstance(error, Exception) else None
    if _is_api(request):
        return plain_problem(refusal if isinstance(refusal, Unavailable) else Failed())
    response = defaults.server_error(request)
    if isinstance(refusal, Unavailable):
        response.status_code = refusal.status
        response["Retry-After"] = str(refusal.retry_after_s)
    return response


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
