"""Idempotency keys as Stripe keeps them: the first status and body again, for 24 hours, refusals of parameters excepted.

Which requests come here is decided in `rest.py`; only POSTs have a key that counts.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager

from tradingarena.localstack.fakestripe.errors import key_in_use, key_mismatch, malformed
from tradingarena.localstack.fakestripe.forms import decode
from tradingarena.localstack.fakestripe.state import State
from tradingarena.localstack.fakestripe.wire import Answer, Request

KEPT_S = 24 * 3_600
LONGEST = 255
KIND = "answer"


class Keys:
    """The keys that were used, and those whose request is under way."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.busy: set[str] = set()

    def look_up(self, request: Request) -> Answer | None:
        """Give the answer that this request has had before, None when it is new.

        Raises: ApiError: the key is too long, was used for something else, or is under way.
        """
        key = request.key
        if not key:
            return None
        if len(key) > LONGEST:
            raise malformed(f"Idempotency keys can have up to {LONGEST} characters.", "Idempotency-Key")
        if key in self.busy:
            raise key_in_use(key)
        kept = self.state.store.get(KIND, key)
        if kept is None or kept["until"] <= self.state.now():
            return None
        if kept["path"] != request.path:
            what = f"for the same endpoint they were first used for ('{request.path}' vs '{kept['path']}')"
            raise key_mismatch(key, what)
        if kept["digest"] != _digest(request):
            raise key_mismatch(key, "with the same parameters they were first used with")
        headers = [(name, value) for name, value in kept["headers"]]
        return Answer(kept["status"], kept["body"].encode(), (*headers, ("Idempotent-Replayed", "true")))

    def remember(self, request: Request, answer: Answer) -> None:
        """Keep an answer for whoever sends this request again."""
        if request.key:
            until = self.state.now() + KEPT_S
            self.state.store.put(
                {
                    "object": KIND,
                    "id": request.key,
                    "path": request.path,
                    "digest": _digest(request),
                    "until": until,
                    "status": answer.status,
                    "body": answer.body.decode(),
                    "headers": [list(header) for header in answer.headers],
                },
                due=until,
            )

    @contextmanager
    def under_way(self, key: str) -> Iterator[None]:
        """Keep others from using a key for as long as this lasts."""
        self.busy.add(key)
        try:
            yield
        finally:
            self.busy.discard(key)


def _digest(request: Request) -> str:
    """Tell what was asked for from anything else, whatever order the parameters came in."""
    asked = json.dumps([decode(request.query), decode(request.body)], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()
