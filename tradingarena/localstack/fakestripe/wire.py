"""A request and an answer as the stand-in's parts see them, without a web framework.

They are read from and written to the socket in `server.py`.
"""

import json
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

Values = dict[str, Any]
Headers = tuple[tuple[str, str], ...]

LETTERS = string.ascii_letters + string.digits


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    body: bytes
    headers: Headers = (("Content-Type", "application/json"),)

    def having(self, *more: tuple[str, str]) -> "Answer":
        """Give the same answer with more headers."""
        return self._replace(headers=(*self.headers, *more))


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request, its body read; header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    client: str

    @property
    def key(self) -> str:
        """The idempotency key, which counts for POST alone."""
        return self.headers.get("idempotency-key", "") if self.method == "POST" else ""


class Asked(NamedTuple):
    """A request of the API as it is written down, for tests and people; status 0 when it got no answer."""

    method: str
    path: str
    key: str
    status: int


def as_json(status: int, value: Any) -> Answer:
    """Answer with JSON, laid out as Stripe lays it out."""
    return Answer(status, json.dumps(value, indent=2).encode())


def new_id(prefix: str, length: int = 24) -> str:
    """Make an identifier in Stripe's manner, such as `pi_3Kd…`."""
    return f"{prefix}_{''.join(secrets.choice(LETTERS) for _ in range(length))}"
