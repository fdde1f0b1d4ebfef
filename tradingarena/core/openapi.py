"""How views describe themselves in the OpenAPI schema: problems, scopes, the idempotency header, strict fields.

What an endpoint does is said at the endpoint (`extend_schema`). Rules: docs/api/manners.md#schema.
"""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, OpenApiParameter
from rest_framework import serializers

from tradingarena.core.serializers import StrictSerializer

PROBLEM_TYPE = "application/problem+json"
BODY_METHODS = {"POST", "PUT", "PATCH"}
PROBLEMS = {
    "400": "Malformed: `errors` says where.",
    "401": "Not signed in, or the token is not valid.",
    "403": "Not allowed, or the token lacks the scope.",
    "404": "Nothing there, or nothing that one may know of.",
    "409": "The state does not allow it, or not any more.",
    "413": "The body is larger than 64 KiB.",
    "415": "The body is not application/json.",
    "422": "Understood, and refused by a rule: `code` says which.",
    "429": "Too fast: see Retry-After.",
    "451": "Not offered in this country.",
    "503": "A dependency does not answer and nothing was changed: see Retry-After.",
}


class ProblemErrorSchema(serializers.Serializer[Any]):
    pointer = serializers.CharField(
        help_text="JSON pointer into the body, or ?name of a query parameter; empty: all of it"
    )
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSchema(serializers.Serializer[Any]):
    """RFC 9457; `code` is stable and listed at /api/docs/errors."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    errors = ProblemErrorSchema(many=True)  # type: ignore[assignment]  # a field by this name, not the property
    request_id = serializers.CharField()


class BearerTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    target_class = "accounts.authentication.BearerTokenAuthentication"
    name = "bearerToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A personal API token, made at /settings; scopes: read, trade, bet, chat.",
        }


class PageSessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    target_class = "accounts.authentication.PageSessionAuthentication"
    name = "pageSession"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "A page's session; what changes something also sends X-CSRFToken.",
        }


class StrictDecimalExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # registers itself
    target_class = "tradingarena.core.serializers.StrictDecimal"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        places = self.target.decimal_places
        fraction = rf"(\.[0-9]{{1,{places}}})?" if places else ""
        return {
            "type": "string",
            "pattern": rf"^(0|[1-9][0-9]{{0,11}}){fraction}$",
            "examples": ["1.08503"[: 2 + places]],
        }


class StrictBooleanExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # registers itself
    target_class = "tradingarena.core.serializers.StrictBoolean"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        return {"type": "boolean"}


class ArenaSchema(AutoSchema):
    """What every endpoint shares, so that no endpoint has to repeat it."""

    def get_override_parameters(self) -> list[Any]:
        parameters: list[Any] = []
        if self.method == "GET" and (query := getattr(self.view, "query_serializer", None)) is not None:
            parameters.append(query)
        if getattr(self._handler(), "idempotent", False):
            parameters.append(
                OpenApiParameter(
                    "Idempotency-Key",
                    {"type": "string", "minLength": 1, "maxLength": 255},
                    OpenApiParameter.HEADER,
                    required=True,
                    description="The same key and body again get the same answer; the work is done once.",
                )
            )
        return parameters

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        roles = {role for permission in self.view.get_permissions() for role in getattr(permission, "roles", ())}
        if operation is not None and roles:
            operation["x-roles"] = sorted(roles)
        return operation

    def get_auth(self) -> list[dict[str, list[str]]]:
        auth: list[dict[str, list[str]]] = super().get_auth()
        scopes = self._scopes()
        if scopes == ["session"]:
            return [way for way in auth if "bearerToken" not in way]
        ways = [{"bearerToken": scopes} if "bearerToken" in way else way for way in auth]
        return [*ways, {}] if self._is_public() else ways

    def _get_serializer_name(self, serializer: Any, direction: Direction, bypass_extensions: bool = False) -> str:
        name: str = super()._get_serializer_name(serializer, direction, bypass_extensions)
        return name.removesuffix("Out").removesuffix("Body").removesuffix("Schema") or name

    def _map_serializer(self, serializer: Any, direction: Direction, bypass_extensions: bool = False) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_serializer(serializer, direction, bypass_extensions)  # type: ignore[no-untyped-call]  # the library ships no types
        if isinstance(serializer, StrictSerializer) and direction == "request":
            schema["additionalProperties"] = False
        return schema

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        self.resolve_serializer(ProblemSchema, direction)
        for status in self._problems():
            bodies.setdefault(status, {"$ref": f"#/components/responses/Problem{status}"})
        return bodies

    def _problems(self) -> list[str]:
        # 401, 403: a token that is not valid, or lacks the scope, is refused anywhere
        problems = ["400", "401", "403", "429", "503"]
        if "{" in self.path:
            problems.append("404")
        if self.method in {*BODY_METHODS, "DELETE"}:
            problems += ["409", "422", "451"]
        if self.method in BODY_METHODS:
            problems += ["413", "415"]
        if self.method == "GET" and "results" in self.path:
            problems.append("409")
        problems += getattr(self.view, "more_problems", ())
        return sorted(set(problems))

    def _is_public(self) -> bool:
        return any(getattr(permission, "public", False) for permission in self.view.get_permissions())

    def _scopes(self) -> list[str]:
        scope = getattr(self.view, "scope", ())
        if isinstance(scope, Mapping):
            scope = scope.get(self.method) or "read"
        return [scope] if isinstance(scope, str) else list(scope)

    def _handler(self) -> Any:
        return getattr(self.view, self.method.lower(), None)


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Describe each kind of problem once (a postprocessing hook of drf-spectacular)."""
    body = {"content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    result["components"]["responses"] = {
        f"Problem{status}": {"description": text, **body} for status, text in PROBLEMS.items()
    }
    return result
