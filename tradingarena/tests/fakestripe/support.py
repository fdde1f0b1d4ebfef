"""A seller's side for the stand-in's tests: the vendor's own SDK, and a tiny server that webhooks and customers arrive at."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import Message
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import stripe as sdk

from tradingarena.localstack.fakestripe import DEFAULT_KEY, DEFAULT_SECRET, FakeStripe

SUCCESS = "http://127.0.0.1:9/return?session={CHECKOUT_SESSION_ID}"
PATIENCE_S = 60
CANCEL = "http://127.0.0.1:9/packages"
PAID = ["payment_intent.created", "payment_intent.succeeded", "charge.succeeded", "checkout.session.completed"]


def until(what: str, look: Callable[[], object]) -> None:
    """Wait for something that another thread brings about."""
    deadline = time.monotonic() + PATIENCE_S
    while not look():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.005)


def client_of(
    stripe: FakeStripe, *, key: str = DEFAULT_KEY, retries: int = 0, timeout_s: float = 10
) -> sdk.StripeClient:
    """Make the SDK's client for a stand-in."""
    return sdk.StripeClient(
        key,
        base_addresses={"api": stripe.url},
        max_network_retries=retries,
        http_client=sdk.RequestsClient(timeout=timeout_s),
    )


def wanted(**changes: Any) -> dict[str, Any]:
    """Give the parameters of a session for 500 tokens, with changes; None leaves one out."""
    line = {
        "quantity": 1,
        "price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "500 tokens"}},
    }
    params = {
        "mode": "payment",
        "line_items": [line],
        "success_url": SUCCESS,
        "cancel_url": CANCEL,
        "client_reference_id": "order-1",
        "metadata": {"order_id": "1", "kind": "tokens"},
        "payment_intent_data": {"metadata": {"order_id": "1"}},
    } | changes
    return {name: value for name, value in params.items() if value is not None}


def new_session(client: sdk.StripeClient, *, key: str = "", **changes: Any) -> Any:
    """Make a session through the SDK."""
    options: Any = {"idempotency_key": key} if key else {}
    return client.v1.checkout.sessions.create(params=wanted(**changes), options=options)  # type: ignore[arg-type]


def types(stripe: FakeStripe) -> list[str]:
    """Give the types of all events, the oldest first."""
    return [event["type"] for event in stripe.events()]


def raw(
    stripe: FakeStripe, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], Any]:
    """Ask over plain HTTP, with the right key unless `Authorization` is given; give status, headers and JSON."""
    whole = {"Authorization": f"Bearer {stripe.key}", "Content-Type": "application/x-www-form-urlencoded"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    request = urllib.request.Request(stripe.url + path, body or None, whole, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, _lower(answer.headers), json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _lower(error.headers), json.loads(error.read())


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def control(stripe: FakeStripe, verb: str, **arguments: Any) -> tuple[int, Any]:
    """Use the control over HTTP; give status and JSON."""
    status, _, value = raw(stripe, "POST", f"/_control/{verb}", json.dumps(arguments).encode())
    return status, value


class Receiver:
    """A server that webhooks arrive at: it verifies each with the SDK and answers as it is told, 200 otherwise."""

    def __init__(self, secret: str = DEFAULT_SECRET) -> None:
        self.secret = secret
        self.events: list[sdk.Event] = []
        self.refused: list[str] = []
        self.bodies: list[bytes] = []
        self.heads: list[dict[str, str]] = []
        self.answers: list[int] = []
        self.meanwhile: Callable[[], object] = lambda: None
        self._server = _Server(self)

    @property
    def url(self) -> str:
        """Where webhooks are to be sent."""
        return self.shop("/hook?from=stripe")

    def shop(self, path: str) -> str:
        """Give the address of a page of the seller's; every page there is says where it is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{path}"

    def types(self) -> list[str]:
        """Give the types of the events that were taken, in the order of their arrival."""
        return [event.type for event in self.events]

    def wait_for(self, count: int) -> None:
        """Wait until so many events were taken."""
        until(f"{count} events arrived", lambda: len(self.events) >= count)

    def take(self, body: bytes, head: dict[str, str]) -> int:
        """Take one webhook and give the status of its answer."""
        self.bodies.append(body)
        self.heads.append(head)
        self.meanwhile()
        try:
            event = sdk.Webhook.construct_event(body, head["stripe-signature"], self.secret, tolerance=300)
        except sdk.SignatureVerificationError as error:
            self.refused.append(str(error))
            return 400
        if self.answers and (status := self.answers.pop(0)) != 200:
            return status
        self.events.append(event)
        return 200

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    """Its threads may still answer when the test is over."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, receiver: Receiver) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.receiver = receiver


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.receiver.take(body, {name.lower(): value for name, value in self.headers.items()})
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        body = f"<!doctype html><title>Shop</title><link rel=icon href=data:,><h1>Back at {escape(self.path)}</h1>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
