"""The one family of refusals. Doors raise them; each transport turns them into its own form in one place:
`api.problem_response` (REST), `middleware.DomainErrorMiddleware` (pages), `consumers.error_frame` (sockets)."""

from typing import Any


class DomainError(Exception):
    """A request that was understood and refused. `code` is stable; `message` says what happened and the way on."""

    code = "refused"
    status = 422
    message = "This is not possible."

    def __init__(self, message: str | None = None, *, code: str | None = None, **data: Any) -> None:
        self.message = message or self.message
        self.code = code or self.code
        self.data = data
        super().__init__(self.message)


class Malformed(DomainError):
    """Raised when a request cannot be read at all."""

    code, status, message = "malformed", 400, "The request could not be read."


class NotSignedIn(DomainError):
    """Raised when something needs a person and nobody is signed in."""

    code, status, message = "not_signed_in", 401, "Sign in first."


class Forbidden(DomainError):
    """Raised when the person may know that this exists, and still may not do it."""

    code, status, message = "forbidden", 403, "You may not do this."


class NotFound(DomainError):
    """Raised when it does not exist, or must not be known to exist."""

    code, status, message = "not_found", 404, "There is nothing here."


class Conflict(DomainError):
    """Raised when the state has moved on since the caller looked."""

    code, status, message = "conflict", 409, "This has changed in the meantime."


class RuleRefusal(DomainError):
    """Raised when a rule of the arena says no."""

    code, status, message = "rule_refused", 422, "A rule does not allow this."


class TooFast(DomainError):
    """Raised when a limit is spent; `retry_after_s` says when it is not."""

    code, status, message = "too_fast", 429, "Too many requests."

    def __init__(self, message: str | None = None, *, retry_after_s: int, **data: Any) -> None:
        super().__init__(message or f"Too many requests. Try again in {retry_after_s} s.", **data)
        self.retry_after_s = retry_after_s


class CountryRefused(DomainError):
    """Raised when an action is not offered in the person's country."""

    code, status, message = "country_refused", 451, "This is not offered in your country."


class Unavailable(DomainError):
    """Raised when something we depend on does not answer; nothing was changed."""

    code, status, message = (
        "unavailable",
        503,
        "A part of the arena does not answer. Nothing was changed; try again shortly.",
    )

    def __init__(self, message: str | None = None, *, retry_after_s: int = 2, **data: Any) -> None:
        super().__init__(message, **data)
        self.retry_after_s = retry_after_s
