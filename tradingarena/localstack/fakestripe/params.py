"""Reading the parameters of one request, each with Stripe's own refusal; whatever nobody asked for is unknown.

Which parameters a request has is in `asked.py` and `lists.py`.
"""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from tradingarena.localstack.fakestripe.errors import ApiError, malformed
from tradingarena.localstack.fakestripe.wire import Values

LONGEST = 5_000
LARGEST = 99_999_999
METADATA_KEYS, METADATA_NAME, METADATA_VALUE = 50, 40, 500
_EMAIL = re.compile(r"[^@\s]{1,250}@[^@\s.]+(\.[^@\s.]+)+")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


class Params:
    """The parameters below one name; reading a parameter marks it as known."""

    def __init__(self, values: Values, path: str = "") -> None:
        self.values, self.path = values, path
        self._known: set[str] = set()
        self._inner: list[Params] = []

    def name(self, name: str) -> str:
        """Give the whole name of a parameter, such as `line_items[0][quantity]`."""
        return f"{self.path}[{name}]" if self.path else name

    def text(self, name: str, *, longest: int = LONGEST, among: Collection[str] = ()) -> str | None:
        """Read a text that is not empty, None when it is absent."""
        value = self._value(name)
        if value is None:
            return None
        if not value:
            raise malformed(
                f"You passed an empty string for '{self.name(name)}'. We assume empty values are an attempt to unset "
                f"a parameter; however '{self.name(name)}' cannot be unset. You should remove '{self.name(name)}' "
                "from your request or supply a non-empty value.",
                self.name(name),
                "parameter_invalid_empty",
            )
        if len(value) > longest:
            raise malformed(f"Invalid string: {value[:20]}...; must be at most {longest} characters", self.name(name))
        if among and value not in among:
            *most, last = among
            choices = f"{', '.join(most)}, or {last}" if most else last
            raise malformed(f"Invalid {self.name(name)}: must be one of {choices}", self.name(name))
        return value

    def required(self, name: str, *, longest: int = LONGEST, among: Collection[str] = ()) -> str:
        """Read a text that must be there."""
        value = self.text(name, longest=longest, among=among)
        if value is None:
            raise self.lacks(name)
        return value

    def lacks(self, name: str) -> ApiError:
        """Make the error of a parameter that must be there."""
        return malformed(f"Missing required param: {self.name(name)}.", self.name(name), "parameter_missing")

    def integer(self, name: str, *, least: int = 0, most: int = LARGEST) -> int | None:
        """Read an integer, None when it is absent."""
        value = self._value(name)
        if value is None:
            return None
        number = int(value) if _INTEGER.fullmatch(value) else None
        if number is None or number < least or number > most:
            wrong = "Invalid integer" if number is None else f"Invalid integer, must be from {least} to {most}"
            raise malformed(f"{wrong}: {value[:40]}", self.name(name), "parameter_invalid_integer")
        return number

    def flag(self, name: str) -> bool:
        """Read true or false; absent is false."""
        return self.text(name, among=("true", "false")) == "true"

    def url(self, name: str) -> str | None:
        """Read an http or https address, None when it is absent."""
        value = self.text(name)
        if value is not None and not is_url(value):
            raise malformed("Not a valid URL", self.name(name), "url_invalid")
        return value

    def email(self, name: str) -> str | None:
        """Read an e-mail address, None when it is absent."""
        value = self.text(name, longest=800)
        if value is not None and not _EMAIL.fullmatch(value):
            raise malformed(f"Invalid email address: {value}", self.name(name), "email_invalid")
        return value

    def metadata(self, name: str = "metadata") -> dict[str, str]:
        """Read metadata within Stripe's limits; an empty value unsets its key, so there is none."""
        given = self._mapping(name)
        if given is None:
            return {}
        found = {}
        for key, value in given.items():
            whole = f"{self.name(name)}[{key}]"
            if not isinstance(value, str):
                raise malformed("Metadata values must be strings, not nested values.", whole)
            if len(key) > METADATA_NAME:
                raise malformed(
                    f"Metadata keys can have up to {METADATA_NAME} characters, but you passed in a key that is "
                    f"{len(key)} characters.",
                    whole,
                )
            if len(value) > METADATA_VALUE:
                raise malformed(
                    f"Metadata values can have up to {METADATA_VALUE} characters, but you passed in a value that is "
                    f"{len(value)} characters. Invalid value: {value[:20]}...",
                    whole,
                )
            if value:
                found[key] = value
        if len(found) > METADATA_KEYS:
            raise malformed(
                f"You can have up to {METADATA_KEYS} metadata keys, but you passed in {len(found)}.", self.name(name)
            )
        return found

    def section(self, name: str) -> "Params | None":
        """Read a mapping, None when it is absent."""
        given = self._mapping(name)
        return None if given is None else self._below(given, self.name(name))

    def items(self, name: str) -> "list[Params]":
        """Read a list of mappings in the order of their indices."""
        return [self._below(item, path) for path, item in self._list(name) if self._must_map(path, item)]

    def texts(self, name: str) -> list[str]:
        """Read a list of texts in the order of their indices."""
        found = []
        for path, item in self._list(name):
            if not isinstance(item, str) or not item:
                raise malformed("Invalid string", path)
            found.append(item)
        return found

    def done(self) -> None:
        """Refuse what nobody has read, here and below.

        Raises: ApiError: parameter_unknown.
        """
        for name in self.values:
            if name not in self._known:
                raise malformed(f"Received unknown parameter: {self.name(name)}", self.name(name), "parameter_unknown")
        for inner in self._inner:
            inner.done()

    def _value(self, name: str) -> str | None:
        self._known.add(name)
        value = self.values.get(name)
        if isinstance(value, dict):
            raise malformed(f"Invalid string: {self.name(name)} is a mapping", self.name(name))
        return value

    def _mapping(self, name: str) -> Values | None:
        self._known.add(name)
        value = self.values.get(name)
        if value is None or value == "":
            return None
        self._must_map(self.name(name), value)
        return dict(value)

    def _must_map(self, path: str, value: object) -> bool:
        if not isinstance(value, dict):
            raise malformed("Invalid object", path)
        return True

    def _list(self, name: str) -> list[tuple[str, object]]:
        given = self._mapping(name) or {}
        if not all(index.isascii() and index.isdigit() for index in given):
            raise malformed("Invalid array", self.name(name))
        return [(f"{self.name(name)}[{index}]", given[index]) for index in sorted(given, key=int)]

    def _below(self, values: object, path: str) -> "Params":
        assert isinstance(values, dict)  # looked at before
        inner = Params(values, path)
        self._inner.append(inner)
        return inner


def is_url(text: str) -> bool:
    """Tell whether a text is an http or https address that a browser can be sent to."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and port != 0
        and text.isprintable()
        and not set(text) & set(' \\"<>')
    )
