"""Stripe's errors: one exception for all of them, and the body in which each leaves.

The wordings are the vendor's as far as they are known; programs should look at status, type, code and param.
"""

from typing import Any

TRY_AGAIN = "true"
DOCS = "https://docs.stripe.com/error-codes#"


class ApiError(Exception):
    """Raised to answer a request with one of Stripe's errors.

    `begun` says that the endpoint's work had begun: only then an idempotency key keeps the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        begun: bool = False,
        should_retry: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.kind, self.code, self.param = status, message, kind, code, param
        self.begun, self.should_retry = begun, should_retry

    def body(self) -> dict[str, Any]:
        """Give the error as Stripe writes it, without what it has nothing to say about."""
        code = {"code": self.code, "doc_url": DOCS + self.code.replace("_", "-")} if self.code else {}
        param = {"param": self.param} if self.param else {}
        return {"error": {**code, "message": self.message, **param, "type": self.kind}}


def missing(what: str, name: str, param: str, status: int = 404) -> ApiError:
    """Say that an object does not exist."""
    return ApiError(status, f"No such {what}: '{name}'", code="resource_missing", param=param)


def refused(message: str, *, code: str | None = None, param: str | None = None) -> ApiError:
    """Say that the object's state does not allow it, as 400 that an idempotency key keeps."""
    return ApiError(400, message, code=code, param=param, begun=True)


def malformed(message: str, param: str, code: str | None = None) -> ApiError:
    """Say that a parameter is wrong, as 400 that no idempotency key keeps."""
    return ApiError(400, message, code=code, param=param)


def key_in_use(key: str) -> ApiError:
    """Say that another request with this idempotency key is under way, as 409 that should be tried again."""
    return ApiError(
        409,
        "There is currently another in-progress request using this Stripe-Idempotency-Key (that probably means you "
        f"submitted twice, and the other request is still going through): {key}.",
        kind="idempotency_error",
        code="idempotency_key_in_use",
        should_retry=TRY_AGAIN,
    )


def key_mismatch(key: str, what: str) -> ApiError:
    """Say that an idempotency key was used for something else before."""
    return ApiError(
        400,
        f"Keys for idempotent requests can only be used {what}. "
        f"Try using a key other than '{key}' if you meant to execute a different request.",
        kind="idempotency_error",
    )
