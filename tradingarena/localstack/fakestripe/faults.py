"""The faults that can be planned for the next requests of the API: what goes wrong, before or after the work is done.

They happen in `server.py`; those of webhooks are settings of their own in `webhooks.py`.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from tradingarena.localstack.fakestripe.errors import TRY_AGAIN, ApiError
from tradingarena.localstack.fakestripe.wire import Request

KINDS = {
    "500": "answers 500",
    "409": "answers 409, as if another request held the object",
    "429": "answers 429, too many requests",
    "reset": "resets the connection",
    "timeout": "says nothing until the caller gives up, or for hold_s",
    "slow": "answers after hold_s: before the work its idempotency key is under way, after it the work is done meanwhile",
}
WHENS = ("before", "after")
LONGEST_HOLD_S = 600.0


class FaultError(ValueError):
    """Raised when a fault is planned that does not exist, or makes no sense."""


@dataclass(slots=True)
class Fault:
    """A fault for the next `times` requests whose method and path begin like this.

    `when`: before the work, which is then never done, or after it. `kept`: a 500 that the idempotency key replays, as
    Stripe does when the endpoint had begun; without it a retry finds the work's own answer, or does the work.
    """

    kind: str
    times: int = 1
    path: str = "/v1/"
    method: str = ""
    when: str = "before"
    kept: bool = False
    hold_s: float = 60.0

    def check(self) -> None:
        """Make sure that it makes sense.

        Raises: FaultError.
        """
        if self.kind not in KINDS:
            raise FaultError(f"{self.kind!r} is no fault; there are: {', '.join(KINDS)}")
        if self.when not in WHENS:
            raise FaultError(f"a fault happens before or after the work, not {self.when!r}")
        if self.when == "after" and self.kind in {"409", "429"}:
            raise FaultError(f"{self.kind} happens before the work")
        if self.kept and self.kind != "500":
            raise FaultError("only a 500 is kept with an idempotency key")
        if self.times < 1 or not 0 <= self.hold_s <= LONGEST_HOLD_S:
            raise FaultError(f"times is 1 or more, hold_s from 0 to {LONGEST_HOLD_S:.0f}")

    def meets(self, request: Request) -> bool:
        """Tell whether it is for this request."""
        return request.path.startswith(self.path) and self.method.upper() in {"", request.method}

    def error(self) -> ApiError:
        """Make the error of a fault that is an answer."""
        if self.kind == "409":
            return ApiError(
                409,
                "This object cannot be accessed right now because another API request or Stripe process is currently "
                "accessing it. If you see this error intermittently, retry the request.",
                code="lock_timeout",
                should_retry=TRY_AGAIN,
            )
        if self.kind == "429":
            return ApiError(
                429,
                "Too many requests hit the API too quickly. We recommend an exponential backoff of your requests.",
                code="rate_limit",
            )
        return ApiError(
            500,
            "Sorry! There was an error while talking to one of our backends. Support has been notified.",
            kind="api_error",
        )


class Plan:
    """The faults that are still to come, the first planned first."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.on_clear: Callable[[], object] = lambda: None

    def add(self, fault: Fault) -> None:
        """Plan one.

        Raises: FaultError.
        """
        fault.check()
        self.faults.append(fault)

    def clear(self) -> None:
        """Plan nothing any more, and let go of whom a fault holds."""
        self.faults = []
        self.on_clear()

    def spend(self, request: Request) -> Fault | None:
        """Take the fault that happens to this request, and count it."""
        found = next((fault for fault in self.faults if fault.meets(request)), None)
        if found is not None:
            found.times -= 1
            if not found.times:
                self.faults.remove(found)
        return found

    def shown(self) -> list[dict[str, Any]]:
        """Give what is still planned, for people."""
        return [asdict(fault) for fault in self.faults]
