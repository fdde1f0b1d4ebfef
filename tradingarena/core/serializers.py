"""Strict fields and serializers: what is not exactly right is refused, with a pointer to it. Nothing is guessed.

What a value may be in this contest or for this person is a rule of a service. Rules: docs/api/manners.md#values.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from tradingarena.core.strict_json import clean_text

BIGINT_MAX = 2**63 - 1
INT_MAX = 2**31 - 1
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})", re.ASCII)
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,12})?", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


class StrictInteger(serializers.IntegerField):
    """An integer of JSON: neither true nor "12" nor 12.0."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "An integer is required."}

    def __init__(self, *, min_value: int = -BIGINT_MAX, max_value: int = BIGINT_MAX, **kwargs: Any) -> None:
        super().__init__(min_value=min_value, max_value=max_value, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return int(data)


class StrictBoolean(serializers.Field[bool, Any, bool, Any]):
    """true or false, and nothing that merely looks like it."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "true or false is required."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return bool(data)

    def to_representation(self, value: Any) -> bool:
        return bool(value)


class StrictText(serializers.CharField):
    """A text of JSON, bounded, without NUL or lone surrogates; numbers are not texts."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": "A text is required.",
        "characters": "A NUL or a lone surrogate is not allowed.",
    }

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if not clean_text(data):
            self.fail("characters")
        return data.strip() if self.trim_whitespace else data


class StrictChoice(serializers.ChoiceField):
    """One of a few texts."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid_choice": "Not one of: {choices}."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.choices:
            self.fail("invalid_choice", choices=", ".join(map(str, self.choices)))
        return str(data)


class StrictDecimal(serializers.Field[Decimal, Any, str, Any]):
    """A positive decimal number written as a text: plain digits, at most `decimal_places` of them after the point."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": 'A number written as a text is required, such as "1.08503".',
        "max_decimals": "At most {decimal_places} decimals are allowed.",
        "min_value": "More than {min_value} is required.",
        "max_value": "At most {max_value} is allowed.",
    }

    def __init__(self, *, decimal_places: int, max_value: Decimal, above: Decimal = Decimal(0), **kwargs: Any) -> None:
        self.decimal_places, self.max_value, self.above = decimal_places, max_value, above
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str) or not _DECIMAL.fullmatch(data):
            self.fail("invalid")
        if len(data.partition(".")[2]) > self.decimal_places:
            self.fail("max_decimals", decimal_places=self.decimal_places)
        value = Decimal(data)
        if value <= self.above:
            self.fail("min_value", min_value=self.above)
        if value > self.max_value:
            self.fail("max_value", max_value=self.max_value)
        return value

    def to_representation(self, value: Decimal) -> str:
        return format(value, "f")


class StrictUUID(serializers.UUIDField):
    """A UUID as a text of 36 characters."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not _UUID.fullmatch(data):
            self.fail("invalid", value="")
        return UUID(data)


class StrictTime(serializers.DateTimeField):
    """A moment in ISO 8601 with its offset from UTC."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": "A time in ISO 8601 with its offset is required, such as 2027-01-31T12:00:00Z.",
        "out_of_range": "A time between 1970 and 2200 is required.",
    }

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str) or not _TIME.fullmatch(data):
            self.fail("invalid", format="")
        try:
            moment = datetime.fromisoformat(data.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("invalid", format="")
        if not EARLIEST <= moment < LATEST:
            self.fail("out_of_range")
        return moment


class StrictList(serializers.ListField):
    """A bounded list of JSON."""

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            self.fail("not_a_list", input_type=type(data).__name__)
        return list(super().to_internal_value(data))


class StrictSerializer(serializers.Serializer[Any]):
    """An object of JSON whose every field is known: an unknown one is refused, so that a typing error is noticed."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise ValidationError({"non_field_errors": ["A JSON object is required."]}, code="invalid")
        known = {name for name, field in self.fields.items() if not field.read_only}
        unknown = {name: ["This field is not known here."] for name in data if name not in known}
        if unknown:
            raise ValidationError(unknown, code="unknown_field")
        return dict(super().to_internal_value(data))


class QueryInteger(StrictInteger):
    """An integer in a query string."""

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, str) or not _INTEGER.fullmatch(data):
            self.fail("invalid")
        return int(data)


class QueryBoolean(StrictBoolean):
    """true or false in a query string."""

    def to_internal_value(self, data: Any) -> bool:
        if data not in {"true", "false"}:
            self.fail("invalid")
        return bool(data == "true")


class QuerySerializer(StrictSerializer):
    """A query string whose every parameter is known and comes once."""

    @classmethod
    def read(cls, query: QueryDict) -> dict[str, Any]:
        """Validate a request's query string.

        Raises: ValidationError: an unknown, repeated or bad parameter; the pointers begin with `?`.
        """
        repeated = {f"?{name}": ["This parameter may come once."] for name, values in query.lists() if len(values) > 1}
        if repeated:
            raise ValidationError(repeated, code="repeated")
        reader = cls(data=query.dict())
        if not reader.is_valid():
            raise ValidationError(
                {name if name == "non_field_errors" else f"?{name}": errors for name, errors in reader.errors.items()}
            )
        return dict(reader.validated_data)
