"""Stripe's form syntax: `line_items[0][price_data][currency]=usd&types[]=a` read into nested values.

What each value means is read in `params.py`. A list is a mapping of "0", "1" … until somebody asks for a list.
"""

import re
from urllib.parse import parse_qsl

from tradingarena.localstack.fakestripe.errors import ApiError
from tradingarena.localstack.fakestripe.wire import Values

MOST_FIELDS = 2_000
DEEPEST = 16
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")
INVALID = "Invalid request (check that your parameters are form-encoded, with names like a[b][0]). "


def decode(text: bytes | str) -> Values:
    """Read a form or a query.

    Shapes: nested mappings with text at the ends; a later value of a name replaces an earlier one.
    Raises: ApiError: it is not UTF-8, too many fields, too deep, or a name that is a value and a mapping at once.
    """
    try:
        plain = text.decode() if isinstance(text, bytes) else text
        pairs = parse_qsl(plain, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise ApiError(400, f"{INVALID}{error}") from error
    values: Values = {}
    for name, value in pairs:
        _put(values, name, value)
    return values


def _put(values: Values, name: str, value: str) -> None:
    found = _NAME.fullmatch(name)
    if found is None:
        raise ApiError(400, f"{INVALID}The name {name[:100]!r} is none.")
    parts = [found[1], *_PART.findall(found[2])]
    if len(parts) > DEEPEST:
        raise ApiError(400, f"{INVALID}The name {name[:100]!r} is too deep.")
    *way, last = parts
    here = values
    for part in way:
        inner = here.setdefault(_index(here, part), {})
        if not isinstance(inner, dict):
            raise ApiError(400, f"{INVALID}The parameter {name[:100]!r} is a value and a mapping at once.")
        here = inner
    last = _index(here, last)
    if isinstance(here.get(last), dict):
        raise ApiError(400, f"{INVALID}The parameter {name[:100]!r} is a value and a mapping at once.")
    here[last] = value


def _index(here: Values, part: str) -> str:
    """Give the name of a part; an empty one, as in `types[]`, is the next index."""
    return part or str(len(here))
