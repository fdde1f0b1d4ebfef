"""Every field of every body and of every frame with what it must not be: refused in words, and never a fault of the server.

Bodies come from the OpenAPI schema, frames from docs/asyncapi.yaml: a new field is tried by itself. Chosen cases with their exact
codes are in `tradingarena/tests/bad/`.
"""

import copy
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from django.db import transaction

from tradingarena.core import rooms
from tradingarena.core.errors import DomainError
from tradingarena.core.rooms import ALL_SCOPES, Caller
from tradingarena.routing import NAMESPACES
from tradingarena.tests.attacks import world as worlds
from tradingarena.tests.attacks.access import operations
from tradingarena.tests.attacks.frames import FRAMES, Frame
from tradingarena.tests.attacks.requests import REQUESTS, Good
from tradingarena.tests.attacks.test_access import Callers, forget_limits, taken_back
from tradingarena.tests.attacks.world import World
from tradingarena.tests.described import schema

DEEP: Any = []
for _ in range(20):
    DEEP = [DEEP]
ODD: list[Any] = [
    None, True, 0, -1, 1.5, 1e300, 2**62, "", " ", "x", "x" * 5_000, "\u202e\ufeff", "'; --", "-1", "NaN", [], {}, [None], [[]],
    {"$ne": None}, DEEP, "00000000-0000-0000-0000-000000000000", "9999-12-31T23:59:59Z",
]  # fmt: skip
RAW = (b"{", b"[]", b"null", b'"x"', b"\xff", b'{"a":1e999}', b'{"a":"\\u0000"}', b'{"a":"\\ud800"}', b'{"a":NaN}', b"")


def resolved(shape: dict[str, Any]) -> dict[str, Any]:
    """Follow the references of a schema."""
    while "$ref" in shape:
        shape = schema()["components"]["schemas"][shape["$ref"].rsplit("/", 1)[1]]
    return shape


def fields(shape: dict[str, Any], at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """List every field of a body, those of objects within it too."""
    for name, inner in resolved(shape).get("properties", {}).items():
        yield (*at, name)
        yield from fields(inner, (*at, name))


def put(body: dict[str, Any], at: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Give a copy of a body with something else in one place."""
    changed = copy.deepcopy(body)
    inner = changed
    for name in at[:-1]:
        inner = inner.setdefault(name, {})
    inner[at[-1]] = value
    return changed


@pytest.mark.django_db
@pytest.mark.timeout(600)  # some thousand requests, on a machine that is busy with other tests
def test_no_field_of_a_body_breaks_the_server() -> None:
    world = worlds.build()
    callers, tried, wrong = Callers(world), 0, []
    for turn, (operation, declared) in enumerate(operations()):
        if "requestBody" not in declared:
            continue
        good = REQUESTS[operation]
        body = good.body(world) if good.body else {}
        shape = declared["requestBody"]["content"]["application/json"]["schema"]
        places = list(enumerate(fields(shape), turn))
        # each field gets a third of them, its neighbours the others
        bodies = [put(body, at, odd) for place, at in places for odd in ODD[place % 3 :: 3]]
        sent = [*map(orjson.dumps, bodies), *RAW[turn % 3 :: 3]]
        for number, raw in enumerate(sent):
            if number % 20 == 0:
                forget_limits()
            answer = send(callers, operation, good, raw)
            tried += 1
            if answer.status_code >= 500:
                wrong.append(f"{operation} {raw[:200]!r}: {answer.status_code} {answer.content[:200]!r}")
            if raw in RAW and answer.status_code < 400 and raw != b"":
                wrong.append(f"{operation} {raw!r}: {answer.status_code}")
        if operation != ("post", "/api/stripe/webhook"):
            answer = send(callers, operation, good, orjson.dumps({**body, "is_staff": True}))
            assert answer.status_code == 400, (operation, answer.content)
    assert not wrong, "\n".join(wrong)
    assert tried > 600


def send(callers: Callers, operation: tuple[str, str], good: Good, raw: bytes) -> Any:
    """Send a body as its rightful sender; what it does is taken back."""
    role = {"owner": "page"}.get(good.sender, good.sender)
    with taken_back():
        return callers.send(operation, good, role, body=raw)


@pytest.mark.django_db
def test_no_field_of_a_frame_breaks_the_server() -> None:
    world, tried = worlds.build(), 0
    for frame in FRAMES:
        made = {name: str(world.ids[thing]) for name, thing in frame.names.items()} | frame.more(world)
        for name in made:
            for odd in ODD:
                forget_limits()
                status = handle(world, frame, made | {name: odd})
                assert status < 500, (frame.type, name, odd)
                tried += 1
        if made and not frame.type.startswith("leave"):  # leaving what is not joined is no error
            assert handle(world, frame, made | {"is_staff": True}) == 400, frame.type
    assert tried > 150


def handle(world: World, frame: Frame, payload: dict[str, Any]) -> int:
    """Do what the socket does with a frame's fields; give 200 or the status of the refusal. Whatever else is raised is a fault."""
    join, other = rooms.join_kind(frame.type, NAMESPACES), rooms.frame_kind(frame.type, NAMESPACES)
    try:
        with transaction.atomic():
            if join:
                join.resolve(world.alice, payload)
            elif other:
                other.handle(Caller(world.alice, ALL_SCOPES, "127.0.0.1", (), "socket"), payload)
    except DomainError as refusal:
        return refusal.status
    return 200
