"""Every refusal and every failure of the REST API as application/problem+json (RFC 9457), in one place.

The codes are listed in docs/api/errors.md. What is refused is decided elsewhere.
"""

import logging
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.encoding import force_str
from redis import RedisError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from tradingarena.core.errors import Conflict, DomainError, Forbidden, Malformed, NotFound, NotSignedIn, Unavailable
from tradingarena.core.middleware import problem
from tradingarena.core.strict_json import TooLarge

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
DATABASE_DOWN = (OperationalError, InterfaceError)


class Invalid(Malformed):
    """Raised when fields or parameters are not what they must be; `errors` says which and why."""

    code, message = "invalid", "Some values are not valid."


class WrongMethod(DomainError):
    """Raised when a path does not know the method; `Allow` names those it knows."""

    code, status, message = "method_not_allowed", 405, "This method is not offered here."


class WrongType(DomainError):
    """Raised when a body is not JSON."""

    code, status, message = "unsupported_media_type", 415, "Send the body as application/json."


class WrongCsrf(Forbidden):
    """Raised when a request with a session cookie changes something and does not carry the page's CSRF token."""

    code, message = "csrf_failed", "The page's CSRF token is missing or out of date. Reload the page."


class Failed(DomainError):
    """Raised when the program itself has failed; the log has the reason under the request's id."""

    code, status, message = "internal_error", 500, "Something went wrong on our side."


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an exception of a view (DRF's EXCEPTION_HANDLER).

    Shapes: None for what nobody expected: Django logs it and `server_error` answers.
    Effects: a transaction that is open around the view is rolled back.
    """
    refusal = as_refusal(error)
    if refusal is None:
        return None
    set_rollback()
    response = Response(problem(refusal), status=refusal.status, content_type=MEDIA_TYPE)
    for name, value in _headers(refusal, error).items():
        response[name] = value
    return response


def as_refusal(error: Exception) -> DomainError | None:
    """Translate what a request may cause into the family of refusals; None for a defect of the program."""
    match error:
        case DomainError():
            return error
        case exceptions.ValidationError():
            return Invalid(errors=_flatten(error.get_full_details()))
        case exceptions.NotAuthenticated():
            return NotSignedIn()
        case exceptions.AuthenticationFailed():
            return NotSignedIn(force_str(error.detail), code=_code(error, "authentication_failed"))
        case exceptions.MethodNotAllowed():
            return WrongMethod()
        case exceptions.UnsupportedMediaType():
            return WrongType()
        case exceptions.ParseError():
            return Malformed(force_str(error.detail))
        case exceptions.PermissionDenied():
            return (
                WrongCsrf()
                if force_str(error.detail).startswith("CSRF")
                else Forbidden(_text(error), code=_code(error, "forbidden"))
            )
        case PermissionDenied():
            return Forbidden()
        case exceptions.NotFound() | Http404():
            return NotFound()
        case RequestDataTooBig():
            return TooLarge()
        case SuspiciousOperation() | BadRequest() | DataError():
            if isinstance(error, DataError):
                log.error("value_reached_the_database", exc_info=error)
            return Malformed()
        case IntegrityError():
            log.error("constraint_reached_from_outside", exc_info=error)
            return Conflict()
        case RedisError():
            log.warning("redis_does_not_answer", extra={"reason": repr(error)})
            return Unavailable()
        case _ if isinstance(error, DATABASE_DOWN):
            log.warning("database_does_not_answer", extra={"reason": repr(error)})
            return Unavailable()
    return None


def not_found(request: HttpRequest, *args: object, **kwargs: object) -> JsonResponse:
    """Answer a path of the API that does not exist."""
    return plain_problem(NotFound("There is no such path."))


def plain_problem(refusal: DomainError) -> JsonResponse:
    """Answer with a problem outside DRF."""
    response = JsonResponse(problem(refusal), status=refusal.status, content_type=MEDIA_TYPE)
    for name, value in _headers(refusal, refusal).items():
        response[name] = value
    return response


def _headers(refusal: DomainError, error: Exception) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    retry_after_s = getattr(refusal, "retry_after_s", None)
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    policy = refusal.data.get("policy")
    if policy is not None:
        headers["RateLimit-Policy"] = str(policy)
    if refusal.status == 401:
        headers["WWW-Authenticate"] = str(getattr(error, "auth_header", None) or 'Bearer realm="api"')
    return headers


def _code(error: exceptions.APIException, default: str) -> str:
    code = error.get_codes()
    return code if isinstance(code, str) and code not in {"permission_denied", "authentication_failed"} else default


def _text(error: exceptions.APIException) -> str | None:
    text = force_str(error.detail)
    return None if text == force_str(exceptions.PermissionDenied.default_detail) else text


def _flatten(details: Any, pointer: str = "") -> list[dict[str, str]]:
    if isinstance(details, dict) and set(details) == {"message", "code"} and isinstance(details["message"], str):
        return [{"pointer": pointer, "code": str(details["code"]), "detail": force_str(details["message"])}]
    if isinstance(details, list):
        # a list of messages speaks of its owner; a list of dicts with holes speaks of its items
        items = (
            enumerate(details) if any(isinstance(item, dict) and "message" not in item for item in details) else None
        )
        if items is None:
            return [row for item in details for row in _flatten(item, pointer)]
        return [row for place, item in items for row in _flatten(item, f"{pointer}/{place}")]
    rows = []
    for name, item in details.items():
        if name == "non_field_errors":
            rows += _flatten(item, pointer)
        elif isinstance(name, str) and name.startswith("?"):
            rows += _flatten(item, name)
        else:
            rows += _flatten(item, f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}")
    return rows
