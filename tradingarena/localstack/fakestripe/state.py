"""What the stand-in's parts share: the store, the clock that can be advanced, events, and how an object is shown.

What happens to payments is decided in `checkout.py` and `returns.py`; events leave through `webhooks.py`.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tradingarena.localstack.fakestripe import objects
from tradingarena.localstack.fakestripe.errors import missing
from tradingarena.localstack.fakestripe.store import Store
from tradingarena.localstack.fakestripe.wire import Values

API_VERSION = "2026-10-28.endive"
EVENTS_KEPT_S = 30 * 86_400
NOBODY: Values = {"id": None, "idempotency_key": None}
# How Stripe names the parameter that an unknown id came in.
PARAMS = {"checkout.session": "session", "payment_intent": "intent", "dispute": "dispute"}


class State:
    """Everything that has happened.

    Units: `now` is in Unix seconds of the stand-in's own clock, which only ever differs from the machine's when
        somebody has advanced it.
    """

    def __init__(self, file: Path | None = None, *, api_version: str = API_VERSION) -> None:
        self.store = Store(file)
        self.api_version = api_version
        self.host, self.port = "127.0.0.1", 0
        self.on_event: Callable[[Values], None] = lambda event: None
        self._asked_by = NOBODY

    # -- the clock ----------------------------------------------------------------------------------------------------

    @property
    def ahead_s(self) -> int:
        """How far the clock has been advanced."""
        found = self.store.get("setting", "clock")
        return int(found["ahead_s"]) if found else 0

    @ahead_s.setter
    def ahead_s(self, seconds: int) -> None:
        self.store.put({"object": "setting", "id": "clock", "ahead_s": seconds})

    def now(self) -> int:
        """Give the stand-in's time."""
        return int(time.time()) + self.ahead_s

    # -- objects ------------------------------------------------------------------------------------------------------

    def need(self, kind: str, name: str) -> Values:
        """Give an object.

        Raises: ApiError: resource_missing.
        """
        found = self.store.get(kind, name)
        if found is None:
            raise missing(kind, name, PARAMS.get(kind, "id"))
        return found

    def shown(self, value: Values) -> Values:
        """Give an object as it leaves: without what is ours, with the addresses that it has just now."""
        seen = {name: field for name, field in value.items() if not name.startswith("_")}
        if seen["object"] == "checkout.session" and seen["status"] == "open":
            seen["url"] = f"{self.page_url(seen['success_url'])}/c/pay/{seen['id']}"
        if seen["object"] == "charge" and seen["paid"]:
            seen["receipt_url"] = f"{self.page_url(None)}/receipts/{seen['id']}"
        return seen

    @property
    def url(self) -> str:
        """The address of the API for programs on this machine."""
        return self._url_of({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host))  # noqa: S104  read, not bound

    def page_url(self, beside: str | None) -> str:
        """Give the address of pages for a browser: on every address of the machine, the host that it already uses."""
        if beside and self.host in {"0.0.0.0", "::"}:  # noqa: S104  read, not bound
            return self._url_of(urlsplit(beside).hostname or self.host)
        return self.url

    def _url_of(self, host: str) -> str:
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    # -- events -------------------------------------------------------------------------------------------------------

    @contextmanager
    def asked_by(self, request: str, key: str) -> Iterator[None]:
        """Write into events, as long as this lasts, which request of the API caused them."""
        with self.store.lock:
            self._asked_by = {"id": request, "idempotency_key": key or None}
            try:
                yield
            finally:
                self._asked_by = NOBODY

    def emit(self, kind: str, of: Values, before: Values | None = None) -> Values:
        """Keep an event about an object as it is now, and hand it to whoever delivers it; call it inside a change."""
        event = objects.event(
            kind, self.shown(of), before, version=self.api_version, now=self.now(), asked_by=self._asked_by
        )
        self.keep(event)
        self.on_event(event)
        return event

    def keep(self, event: Values) -> None:
        """Keep an event for as long as Stripe does."""
        self.store.put(event, due=event["created"] + EVENTS_KEPT_S)

    def forget(self) -> None:
        """Forget the answers of idempotency keys and the events that Stripe would have forgotten by now."""
        for kind in ("answer", "event"):
            self.store.forget_due(kind, self.now())
