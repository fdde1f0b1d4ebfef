"""Frames of clients, read strictly, and the frames that answer them. Rooms' frames are encoded in core/wire.py.

Every refusal here is a `BadFrame`, never a traceback. Rules: docs/realtime.md#frames, docs/asyncapi.yaml.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from tradingarena.core.errors import DomainError, Malformed
from tradingarena.core.wire import encode, now_ms

LARGEST_BYTES = 16 * 1024
DEEPEST = 16
LONGEST_NAME = 64
LARGEST_INTEGER = 2**53 - 1

_TYPE = re.compile(r"[a-z][a-z0-9_]*")


class BadFrame(Malformed):
    """Raised when a frame breaks the form that all frames have, or the form of its type."""

    code, message = "bad_frame", "The frame could not be read."

    def __init__(self, message: str | None = None, *, id: str | None = None, **data: Any) -> None:
        super().__init__(message, **data)
        self.id = id


class Incoming(NamedTuple):
    """A client's frame: its type, its id if it has one, and its other fields."""

    type: str
    id: str | None
    fields: dict[str, Any]


def decode(text: str | bytes | None) -> Incoming:
    """Read a client's frame.

    Shapes: a JSON object of at most 16 KiB and 16 levels, `type` a lower-case name and `id`, if there, a text, both of
        1 to 64 characters. No binary frame, NaN, Infinity, repeated name, lone surrogate, NUL or integer beyond 2**53.
    Raises: BadFrame: anything else; it carries the frame's id where that could be read.
    """
    if not isinstance(text, str):
        raise BadFrame("Send text frames.")
    try:
        size = len(text.encode())
        orjson.loads(text)  # strict about syntax, surrogates and NaN, and not confused by depth
        fields = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except BadFrame:
        raise
    except (ValueError, RecursionError):
        raise BadFrame("A frame is one JSON object in UTF-8.") from None
    if size > LARGEST_BYTES:
        raise BadFrame(f"A frame has at most {LARGEST_BYTES} bytes.")
    if not isinstance(fields, dict):
        raise BadFrame("A frame is one JSON object in UTF-8.")
    id_ = fields.pop("id", None)
    if id_ is not None and not (_is_text(id_) and 1 <= len(id_) <= LONGEST_NAME):
        raise BadFrame("`id` is a text of 1 to 64 characters.")
    _check(fields, 1, id_)
    type_ = fields.pop("type", None)
    if not (isinstance(type_, str) and len(type_) <= LONGEST_NAME and _TYPE.fullmatch(type_)):
        raise BadFrame("`type` is a lower-case name of 1 to 64 characters.", id=id_)
    return Incoming(type_, id_, fields)


def ack(id_: str | None, data: Mapping[str, Any] | None = None) -> bytes:
    """Encode the answer to a frame that was done."""
    return encode({"type": "ack", "id": id_, "ts": now_ms(), "data": dict(data or {})})


def error(refusal: DomainError, id_: str | None = None) -> bytes:
    """Encode the answer to a frame that was refused. The one place where a refusal becomes a frame."""
    wait = getattr(refusal, "retry_after_s", None)
    return encode(
        {
            "type": "error",
            "id": id_,
            "ts": now_ms(),
            "code": refusal.code,
            "detail": refusal.message,
            "retry_after": wait,
        }
    )


def pong(id_: str | None) -> bytes:
    """Encode the answer to a ping: `ts` is the server's clock."""
    return encode({"type": "pong", "id": id_, "ts": now_ms(), "data": {}})


def system(type_: str, data: Mapping[str, Any] | None = None) -> bytes:
    """Encode a frame about the connection itself."""
    return encode({"type": type_, "ts": now_ms(), "data": dict(data or {})})


# -- the fields of a frame, for those who register a type ----------------------------------------------------------------

Field = Callable[[Any], Any]


def read_fields(fields: Mapping[str, Any], **wanted: Field) -> dict[str, Any]:
    """Read exactly these fields and no others.

    Shapes: name -> reader; a reader made by `optional` may find nothing (None).
    Raises: BadFrame: a field is missing, unknown or has a wrong form; the message names it.
    Example:
        >>> read_fields({"count": 3}, count=integer(0, 9), note=optional(text(10)))
        {'count': 3, 'note': None}
    """
    unknown = sorted(set(fields) - set(wanted))
    if unknown:
        raise BadFrame(f"`{unknown[0][:LONGEST_NAME]}` is not a field of this frame.")
    found = {}
    for name, read in wanted.items():
        try:
            found[name] = read(fields.get(name))
        except ValueError as reason:
            raise BadFrame(f"`{name}` {reason}.") from None
    return found


def optional(read: Field) -> Field:
    """Allow a field to be absent or null."""
    return lambda value: None if value is None else read(value)


def text(longest: int, *, shortest: int = 1) -> Field:
    """Read a text of so many characters."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or not shortest <= len(value) <= longest:
            raise ValueError(f"is a text of {shortest} to {longest} characters")
        return value

    return read


def integer(lowest: int, highest: int) -> Field:
    """Read an integer: not a float, not a text, not a boolean."""

    def read(value: Any) -> int:
        if type(value) is not int or not lowest <= value <= highest:
            raise ValueError(f"is an integer from {lowest} to {highest}")
        return value

    return read


def uuid(value: Any) -> UUID:
    """Read an id in its canonical form."""
    if isinstance(value, str) and len(value) == 36:
        try:
            return UUID(value)
        except ValueError:
            pass
    raise ValueError("is an id such as 0198c1de-0000-7000-8000-000000000000")


def _check(value: Any, depth: int, id_: str | None) -> None:
    if depth > DEEPEST:
        raise BadFrame(f"A frame has at most {DEEPEST} levels.", id=id_)
    if isinstance(value, dict):
        for name, inner in value.items():
            _check(name, depth, id_)
            _check(inner, depth + 1, id_)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth + 1, id_)
    elif isinstance(value, str):
        if not _is_text(value):
            raise BadFrame("A frame contains no NUL and no lone surrogate.", id=id_)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise BadFrame("Numbers are finite.", id=id_)
    elif type(value) is int and abs(value) > LARGEST_INTEGER:
        raise BadFrame("Integers lie within 2**53.", id=id_)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadFrame("A name stands once in an object.")
    return found


def _refuse_constant(name: str) -> Any:
    raise BadFrame(f"{name} is not a JSON number.")
