"""Rows of bad requests, a file for each part of the API; `test_bad_input.py` sends them all."""

from typing import Any, NamedTuple

ID = "01890000-0000-7000-8000-000000000000"
JSON = "application/json"


class Bad(NamedTuple):
    """One bad request: `who` sends it; {c} in the path is the contest, {o} one to come, {l} the listing."""

    method: str
    path: str
    body: Any = None
    status: int = 400
    code: str = "invalid"
    pointer: str | None = None
    who: str = "alice"
    content_type: str = JSON
    headers: dict[str, str] = {}
