"""Holds real answers against the schema as it is served. Tests of every app call `check` on their paths."""

import copy
from functools import cache
from typing import Any

from django.test import Client
from jsonschema import Draft202012Validator

from tradingarena import api_docs


@cache
def schema() -> dict[str, Any]:
    """Read the schema as it is served."""
    document: dict[str, Any] = Client().get("/api/schema").json()
    return document


@cache
def strict() -> dict[str, Any]:
    """The schema with every described object closed, so that an answer with an undescribed field is found out."""
    document = copy.deepcopy(schema())

    def close(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") == "object" and "properties" in node:
                node.setdefault("additionalProperties", False)
            for child in node.values():
                close(child)
        elif isinstance(node, list):
            for child in node:
                close(child)

    close(document)
    return document


def assert_described(response: Any, method: str, path: str) -> None:
    """Hold an answer against the schema of its path, method and status."""
    answers = strict()["paths"][path][method]["responses"]
    described = answers.get(str(response.status_code))
    assert described, (
        f"{method} {path} answered {response.status_code}, which is not described: {response.content[:300]!r}"
    )
    while "$ref" in described:
        name = described["$ref"].rsplit("/", 1)[1]
        described = strict()["components"]["responses"][name]
    kind = response.get("Content-Type", "").split(";")[0]
    if "content" not in described:
        assert not response.content
        return
    assert kind in described["content"], (kind, path)
    if kind.endswith("json"):
        shape = described["content"][kind]["schema"]
        validator = Draft202012Validator({**shape, "components": strict()["components"]})
        errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(response.json())]
        assert not errors, f"{method} {path}: {errors[:5]}"


def check(client: Any, method: str, template: str, path: str = "", body: Any = None, **headers: str) -> Any:
    """Call a path, hold the answer against its description, and give it."""
    encoded = b"" if body is None else api_docs.encode(body)
    answer = client.generic(method.upper(), path or template, encoded, "application/json", headers=headers)
    assert_described(answer, method, template)
    return answer
