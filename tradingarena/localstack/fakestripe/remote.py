"""The control over HTTP: `POST /_control/<verb>` with a JSON object, for programs on this very machine alone.

The verbs are the methods of `control.py`, with the same names and arguments.
"""

import inspect
import json
from collections.abc import Sequence
from types import UnionType
from typing import Any

from tradingarena.localstack.fakestripe.control import VERBS, Control
from tradingarena.localstack.fakestripe.errors import ApiError
from tradingarena.localstack.fakestripe.faults import FaultError
from tradingarena.localstack.fakestripe.wire import Answer, Request, Values, as_json

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def answer(control: Control, request: Request) -> Answer:
    """Answer a request for a verb; blocks for as long as the verb does."""
    if trouble := _stranger(request):
        return as_json(403, {"error": trouble})
    name = request.path.removeprefix("/_control/")
    if name == "state" and request.method == "GET":
        name = "dump"
    elif request.method != "POST" or name not in VERBS:
        verbs = {each: list(signature.parameters)[1:] for each, signature in VERBS.items()}
        return as_json(404, {"error": "there are GET /_control/state and POST /_control/<verb>", "verbs": verbs})
    try:
        arguments = json.loads(request.body or b"{}")
        if not isinstance(arguments, dict):
            raise TypeError("the body is a JSON object with the verb's arguments")
        _check(VERBS[name], arguments)
        return as_json(200, getattr(control, name)(**arguments))
    except ApiError as error:
        return as_json(error.status, error.body())
    except (ValueError, TypeError, RecursionError, FaultError) as error:
        return as_json(400, {"error": str(error)})


def _stranger(request: Request) -> str:
    """Say why a request is not from a program on this very machine; a web page in its browser is none either."""
    if request.client not in LOOPBACK or "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return "only this machine may control it"
    host = request.headers.get("host", "").rpartition(":")[0].strip("[]") or request.headers.get("host", "")
    if host not in LOOPBACK or "origin" in request.headers or "sec-fetch-site" in request.headers:
        return "no web page may control it"
    return ""


def _check(signature: inspect.Signature, arguments: Values) -> None:
    """Hold arguments against a verb's own signature.

    Raises: TypeError: one is unknown, missing, or of another type.
    """
    bound = signature.bind(None, **arguments)
    for name, value in bound.arguments.items():
        if name != "self":
            wanted = signature.parameters[name].annotation
            if not _fits(value, wanted):
                raise TypeError(f"{name} must be {_words(wanted)}, not {json.dumps(value)[:100]}")


def _fits(value: object, wanted: Any) -> bool:
    if isinstance(wanted, UnionType):
        return any(_fits(value, each) for each in wanted.__args__)
    if wanted == Sequence[str]:
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if isinstance(value, bool):
        return wanted is bool
    return isinstance(value, int | float if wanted is float else wanted)


def _words(wanted: Any) -> str:
    return wanted.__name__ if isinstance(wanted, type) else str(wanted).replace("collections.abc.", "")
