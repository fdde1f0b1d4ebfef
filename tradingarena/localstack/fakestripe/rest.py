"""The stand-in's API: keys, paths, idempotency, and errors in Stripe's form.

What a path does is in `checkout.py` and `returns.py`, how lists are read in `lists.py`, faults happen in `server.py`.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

from tradingarena.localstack.fakestripe import asked, checkout, lists, returns
from tradingarena.localstack.fakestripe.errors import ApiError
from tradingarena.localstack.fakestripe.forms import decode
from tradingarena.localstack.fakestripe.idempotency import Keys
from tradingarena.localstack.fakestripe.params import Params
from tradingarena.localstack.fakestripe.state import State
from tradingarena.localstack.fakestripe.wire import Answer, Request, Values, as_json, new_id

FORM = "application/x-www-form-urlencoded"


@dataclass
class Rest:
    """Answers the API's requests. `refund_status` is what the next refunds become."""

    state: State
    key: str
    refund_status: str = "succeeded"

    def __post_init__(self) -> None:
        self.keys = Keys(self.state)

    def answer(self, request: Request) -> Answer:
        """Answer one request: authorize, replay, or do the work and keep its answer with its key."""
        name = new_id("req", 14)
        try:
            self._authorize(request)
            found = self.keys.look_up(request)
            if found is None:
                found = self._work(request, name)
        except ApiError as error:
            found = self.refuse(error)
        return self.finish(request, found, name)

    def refuse(self, error: ApiError) -> Answer:
        """Turn an error into its answer."""
        answer = as_json(error.status, error.body())
        return answer.having(("Stripe-Should-Retry", error.should_retry)) if error.should_retry else answer

    def finish(self, request: Request, answer: Answer, name: str = "") -> Answer:
        """Give an answer the headers that every answer has."""
        name = name or new_id("req", 14)
        version = request.headers.get("stripe-version") or self.state.api_version
        answer = answer.having(("Request-Id", name), ("Stripe-Version", version))
        return answer.having(("Idempotency-Key", request.key)) if request.key else answer

    def _authorize(self, request: Request) -> None:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":  # as `curl -u KEY:` sends it
            try:
                given = base64.b64decode(given, validate=True).decode().partition(":")[0]
            except (binascii.Error, ValueError):
                given = ""
        if not given:
            raise ApiError(
                401,
                "You did not provide an API key. You need to provide your API key in the Authorization header, using "
                "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            )
        if not hmac.compare_digest(given.encode(), self.key.encode()):
            raise ApiError(
                401, f"Invalid API Key provided: {given[:8]}{'*' * 8}{given[-4:] if len(given) > 16 else ''}"
            )

    def _work(self, request: Request, name: str) -> Answer:
        """Do the work and keep its answer, in one change; a refused parameter leaves nothing behind."""
        store = self.state.store
        try:
            with self.state.asked_by(name, request.key), store.change():
                answer = as_json(200, self._do(request))
                self.keys.remember(request, answer)
                return answer
        except ApiError as error:
            answer = self.refuse(error)
            if error.begun:
                with store.change():
                    self.keys.remember(request, answer)
            return answer

    def _do(self, request: Request) -> Values:
        for method, pattern, work in ROUTES:
            found = re.fullmatch(pattern, request.path)
            if found and method == request.method:
                params = _params(request)
                ways = params.texts("expand")
                result = work(self, params, *found.groups())
                return lists.expand(self.state, result, ways)
        raise ApiError(
            404,
            f"Unrecognized request URL ({request.method}: {request.path[:200]}). "
            "Please see https://stripe.com/docs or we can help at https://support.stripe.com/.",
        )

    # -- paths --------------------------------------------------------------------------------------------------------

    def _create_session(self, params: Params) -> Values:
        wanted = asked.new_session(params, self.state.now())
        params.done()
        return checkout.create(self.state, wanted)

    def _expire_session(self, params: Params, name: str) -> Values:
        params.done()
        return checkout.expire(self.state, name)

    def _line_items(self, params: Params, name: str) -> Values:
        lines = self.state.need("checkout.session", name)["_items"]
        found = lists.page(lines, params, f"/v1/checkout/sessions/{name}/line_items")
        params.done()
        return found

    def _create_refund(self, params: Params) -> Values:
        wanted = asked.new_refund(params)
        params.done()
        return returns.refund(self.state, wanted, self.refund_status)

    def _cancel_refund(self, params: Params, name: str) -> Values:
        params.done()
        return returns.refund_cancel(self.state, name)

    def _events(self, params: Params) -> Values:
        fits = lists.is_type(params)
        return self._list(params, "event", "/v1/events", fits=fits)

    def _list(
        self,
        params: Params,
        kind: str,
        url: str,
        *same: str,
        fits: Callable[[Values], bool] = lambda row: True,
    ) -> Values:
        """Give a page of a kind's objects, those whose fields `same` are as asked for."""
        wanted = {name: value for name in same if (value := params.text(name)) is not None}
        made_then = lists.made_when(params)
        rows = [
            row
            for row in self.state.store.newest(kind)
            if made_then(row) and fits(row) and all(row[name] == value for name, value in wanted.items())
        ]
        found = lists.page(rows, params, url)
        params.done()
        return found


def _params(request: Request) -> Params:
    if request.method != "POST":
        return Params(decode(request.query))
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.body and kind != FORM:
        raise ApiError(400, f"Invalid request (check that your POST content type is {FORM}).")
    return Params(decode(request.query) | decode(request.body))


def _one(kind: str) -> Callable[..., Values]:
    def work(rest: Rest, params: Params, name: str) -> Values:
        params.done()
        return rest.state.need(kind, name)

    return work


def _many(kind: str, url: str, *same: str) -> Callable[..., Values]:
    return lambda rest, params: rest._list(params, kind, url, *same)


SESSIONS = "/v1/checkout/sessions"
NAME = "/([A-Za-z0-9_]+)"
ROUTES: list[tuple[str, str, Callable[..., Values]]] = [
    ("POST", SESSIONS, Rest._create_session),
    ("GET", SESSIONS, _many("checkout.session", SESSIONS, "payment_intent", "status")),
    ("GET", SESSIONS + NAME, _one("checkout.session")),
    ("POST", f"{SESSIONS}{NAME}/expire", Rest._expire_session),
    ("GET", f"{SESSIONS}{NAME}/line_items", Rest._line_items),
    ("GET", "/v1/payment_intents", _many("payment_intent", "/v1/payment_intents")),
    ("GET", "/v1/payment_intents" + NAME, _one("payment_intent")),
    ("GET", "/v1/charges" + NAME, _one("charge")),
    ("POST", "/v1/refunds", Rest._create_refund),
    ("GET", "/v1/refunds", _many("refund", "/v1/refunds", "charge", "payment_intent")),
    ("GET", "/v1/refunds" + NAME, _one("refund")),
    ("POST", f"/v1/refunds{NAME}/cancel", Rest._cancel_refund),
    ("GET", "/v1/disputes", _many("dispute", "/v1/disputes", "charge", "payment_intent")),
    ("GET", "/v1/disputes" + NAME, _one("dispute")),
    ("GET", "/v1/events", Rest._events),
    ("GET", "/v1/events" + NAME, _one("event")),
]
