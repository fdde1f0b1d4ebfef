"""Holds real frames against docs/asyncapi.yaml. Tests of every app call `assert_frame` on what they receive."""

from functools import cache
from pathlib import Path
from typing import Any

import orjson
import yaml
from jsonschema import Draft202012Validator

from tradingarena.core import realtime, redis_client, wire
from tradingarena.core.realtime import Fact, Latest

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "asyncapi.yaml"


@cache
def document() -> dict[str, Any]:
    """Read the document."""
    read: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
    return read


def follow(pointer: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference within the document, and those it leads to."""
    found = pointer
    while "$ref" in found:
        target: Any = document()
        for step in found["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        found = target
    return found


@cache
def validators(action: str) -> dict[str, list[Draft202012Validator]]:
    """Build a validator per message of one direction: "send" is what the server sends, "receive" what it receives.

    Shapes: type -> validators, several where namespaces use one name for different messages.
    """
    found: dict[str, list[Draft202012Validator]] = {}
    for operation in document()["operations"].values():
        if operation["action"] == action:
            for message in operation["messages"]:
                described = follow(message)
                schema = {**described["payload"], "components": document()["components"]}
                found.setdefault(described["name"], []).append(
                    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
                )
    return found


def assert_frame(frame: dict[str, Any], *, action: str = "send") -> None:
    """Assert that a frame of the server (or, with action="receive", of a client) is as documented.

    Raises: AssertionError: it is not; the message says where.
    """
    known = validators(action).get(frame.get("type", ""))
    assert known, f"{frame.get('type')!r} is not documented in docs/asyncapi.yaml: {frame}"
    complaints = [[f"{error.json_path}: {error.message}" for error in one.iter_errors(frame)] for one in known]
    assert not all(complaints), f"not as documented: {complaints} in {frame}"


def sent(message: Fact | Latest) -> dict[str, Any]:
    """Publish a message into an empty room, and give the frame as readers get it."""
    redis_client.client().delete(*wire.keys_of(message.room))
    realtime.publish_many([message])
    reply = redis_client.client().eval(wire.READ_SCRIPT, 3, *wire.keys_of(message.room), "e", 60, "1")
    state = wire.parse_state(reply)  # type: ignore[arg-type]
    (frame,) = [*state.facts, *state.latest.values()]
    decoded: dict[str, Any] = orjson.loads(frame)
    return decoded
