"""Reading JSON that strangers send: bounded in size and depth, and never open to two readings.

What the values mean is decided by `serializers.py`. Rules: docs/api/manners.md#bodies.
"""

import json
import re
from decimal import Decimal
from typing import Any, NoReturn

from tradingarena.core.errors import DomainError, Malformed

MAX_BYTES = 64 * 1024
MAX_DEPTH = 32
MAX_INTEGER_DIGITS = 19

_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")
_FORBIDDEN = re.compile("[\0\ud800-\udfff]")


class TooLarge(DomainError):
    """Raised when a request's body is larger than anything that is taken here."""

    code, status, message = "too_large", 413, f"The body is larger than {MAX_BYTES // 1024} KiB."


def read(raw: bytes) -> Any:
    """Read a JSON text.

    Shapes: at most 64 KiB and 32 levels; UTF-8 without a byte order mark.
    Guarantees: no key twice in an object, no NaN or Infinity, no NUL and no lone surrogate in any string, no integer of
        more than 19 digits; numbers with a fraction or an exponent come as Decimal, never as float.
    Raises: TooLarge; Malformed: anything else that is not so.
    Example:
        >>> read(b'{"units": 1000}')
        {'units': 1000}
    """
    if len(raw) > MAX_BYTES:
        raise TooLarge
    _refuse_depth(raw)
    try:
        text = raw.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_fraction
        )
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise Malformed("The body is not valid JSON.", code="malformed_json") from None
    _refuse_text(value)
    return value


def clean_text(text: str) -> bool:
    """Tell whether a text can be stored and sent on: no NUL, no lone surrogate."""
    return _FORBIDDEN.search(text) is None


def _refuse_depth(raw: bytes) -> None:
    depth = 0
    for bracket in _BRACKETS.finditer(_STRINGS.sub(b"", raw)):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > MAX_DEPTH:
            raise Malformed(f"The body is nested deeper than {MAX_DEPTH} levels.", code="malformed_json")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("An object of the body has the same key twice.", code="malformed_json")
    return found


def _constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is not JSON.", code="malformed_json")


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_INTEGER_DIGITS:
        raise Malformed(f"A number of the body has more than {MAX_INTEGER_DIGITS} digits.", code="malformed_json")
    return int(digits)


def _fraction(text: str) -> Decimal:
    if len(text) > 64:
        raise Malformed("A number of the body is too long.", code="malformed_json")
    return Decimal(text)


def _refuse_text(value: Any) -> None:
    if isinstance(value, str):
        if not clean_text(value):
            raise Malformed("A text of the body has a NUL or a lone surrogate.", code="malformed_json")
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_text(key)
            _refuse_text(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_text(item)
