"""The API described by itself: the schema, a page to try it on, and every error code with what it means.

What is described is collected by `core/openapi.py` from the views, and here from the source of the refusals.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from tradingarena.core.ids import NAMESPACE, derived_id
from tradingarena.core.wire import encode

APPS = ("tradingarena", "accounts", "tokens", "competitions", "chat", "arena", "betting", "pvp")
SCHEMA_FILE = Path("docs/openapi.yaml")
ERRORS_FILE = Path("docs/api/errors.md")


class Code(NamedTuple):
    """One code that a problem can carry."""

    code: str
    status: int
    meaning: str


@cache
def schema() -> dict[str, Any]:
    """Give the OpenAPI schema of every path below /api/."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return found


@cache
def _schema_json() -> tuple[bytes, str]:
    body = encode(schema())
    return body, quote_etag(str(derived_id(NAMESPACE, body.decode())))


@require_safe
def schema_view(request: HttpRequest) -> HttpResponse:
    """Answer the OpenAPI 3.1 schema as JSON."""
    body, etag = _schema_json()
    headers = {"ETag": etag, "Cache-Control": "public, max-age=300"}
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(body, content_type="application/json", headers=headers)


@require_safe
def docs_view(request: HttpRequest) -> HttpResponse:
    """Show the schema as a page to read and to try."""
    return render(request, "api/docs.html")


@require_safe
def errors_view(request: HttpRequest) -> HttpResponse:
    """Show every code that a problem can carry."""
    return render(request, "api/errors.html", {"codes": written_codes()})


# -- the catalogue of codes: read from the source, so that it does not depend on what has been imported ------------------


class Family(NamedTuple):
    """A class of refusals as its source says it."""

    bases: list[str]
    said: str
    values: dict[str, Any]


@cache
def codes() -> list[Code]:
    """List every code that a refusal can carry, by name: those of the classes, and those given where one is raised."""
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in _files()]
    families = {node.name: _family(node) for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    found: dict[str, Code] = {}
    for name, family in families.items():
        status = _status(name, families)
        if status and "code" in family.values:
            found[family.values["code"]] = Code(family.values["code"], status, family.said)
    for tree in trees:
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and (status := _status(_called(call), families)):
                for code, message in _codes_of(call):
                    found.setdefault(code, Code(code, status, message or _said_by(call, families)))
    for one in _PERMISSIONS:
        found.setdefault(one.code, one)
    return sorted(found.values())


@cache
def written_codes() -> list[Code]:
    """Read the catalogue as it was last written; it is tested to be fresh, and reading the source takes seconds."""
    rows = re.findall(
        r"^\| `(\w+)` \| (\d+) \| (.*) \|$", (settings.BASE_DIR / ERRORS_FILE).read_text("utf-8"), re.MULTILINE
    )
    return [Code(code, int(status), meaning) for code, status, meaning in rows]


def errors_text() -> str:
    """Write the catalogue as Markdown."""
    rows = [f"| `{one.code}` | {one.status} | {one.meaning.replace('|', '/')} |" for one in codes()]
    return "\n".join([_ERRORS_HEAD, "| code | status | meaning |", "|---|---|---|", *rows, ""])


def schema_text() -> str:
    """Write the schema as YAML."""
    return str(yaml.safe_dump(_plain(schema()), sort_keys=False, allow_unicode=True, width=120))


def _files() -> Iterator[Path]:
    for app in APPS:
        for file in sorted((settings.BASE_DIR / app).rglob("*.py")):
            if not {"tests", "migrations", "localstack"} & set(file.parts):
                yield file


def _family(node: ast.ClassDef) -> Family:
    values: dict[str, Any] = {}
    for line in node.body:
        if isinstance(line, ast.Assign):
            names = line.targets[0].elts if isinstance(line.targets[0], ast.Tuple) else [line.targets[0]]
            parts = line.value.elts if isinstance(line.value, ast.Tuple) and len(names) > 1 else [line.value]
            for name, part in zip(names, parts, strict=False):
                if isinstance(name, ast.Name) and isinstance(part, ast.Constant):
                    values[name.id] = part.value
    said = (ast.get_docstring(node) or "").split("\n\n")[0].replace("\n", " ")
    bases = [base.id if isinstance(base, ast.Name) else getattr(base, "attr", "") for base in node.bases]
    return Family(bases, re.sub(r"^Raised when ", "", said).rstrip("."), values)


def _status(name: str, families: dict[str, Family]) -> int | None:
    """Find the status of a class of refusals; None for any other class."""
    if name == "AuthenticationFailed":
        return 401
    family = families.get(name)
    if family is None or (name != "DomainError" and not family.bases):
        return None
    inherited = next((found for base in family.bases if (found := _status(base, families))), None)
    if name != "DomainError" and inherited is None:
        return None
    return family.values.get("status", inherited)


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _said_by(call: ast.Call, families: dict[str, Family]) -> str:
    family = families.get(_called(call))
    return family.said if family else ""


def _codes_of(call: ast.Call) -> Iterator[tuple[str, str]]:
    message = _text(call.args[0]) if call.args else ""
    for keyword in call.keywords:
        if keyword.arg == "code":
            for part in ast.walk(keyword.value):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value, message


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.rstrip(".")
    if isinstance(node, ast.JoinedStr):
        parts = (str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        return "".join(parts).rstrip(".")
    return ""


def _plain(value: Any) -> Any:
    """Turn lazy texts and odd mappings into what YAML writes."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, bool | int | float) or value is None else str(value)


_PERMISSIONS = (  # what `accounts.permissions` answers with
    Code("scope_missing", 403, "the API token does not have the scope for this"),
    Code("session_required", 403, "this is for a person on a page, not for an API token"),
    Code("operators_only", 403, "only operators do this"),
    Code("moderators_only", 403, "only moderators do this"),
)

_ERRORS_HEAD = """# Every error code

Written by `manage.py document_api` from the source. A refusal over REST is `application/problem+json` (RFC 9457) and over a
socket an `error` frame; both carry one of these codes, which do not change. Codes inside `errors` speak of one field.
"""
