"""The bots' client against a server that answers whatever a test says, and that hangs up."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tradingarena.bots.client import ApiError, ArenaClient, Unreachable


class Server(ThreadingHTTPServer):
    """Answers with `answers`, one after another; None hangs up without a word."""

    daemon_threads = True

    def __init__(self):
        self.answers, self.asked = [], []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        answer = self.server.answers.pop(0)
        if answer is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        status, content, headers = answer
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(raw)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_DELETE = _answer

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    served = Server()
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield served
    served.shutdown()
    served.server_close()


@pytest.fixture
def client(server):
    made = ArenaClient(f"http://127.0.0.1:{server.server_port}", "secret", timeout_s=2)
    yield made
    made.hang_up()


def test_it_sends_the_token_and_reads_the_answer(server, client):
    server.answers += [(200, {"username": "Tidewater"}, {})]
    assert client.me() == {"username": "Tidewater"}
    (method, path, headers, body) = server.asked[0]
    assert (method, path, body) == ("GET", "/api/me", None)
    assert headers["Authorization"] == "Bearer secret"


def test_every_change_carries_a_key_of_its_own(server, client):
    server.answers += [(201, {}, {})] * 2
    for _ in range(2):
        client.order("7", pair="EUR/USD", side="buy", type="market", units=1000)
    keys = [headers["Idempotency-Key"] for _, _, headers, _ in server.asked]
    ids = [body["id"] for *_, body in server.asked]
    assert len({*keys, *ids}) == 4


def test_a_call_whose_connection_had_died_is_made_again_with_the_same_key(server, client):
    server.answers += [(200, {}, {}), None, (201, {"id": "1"}, {})]
    client.me()
    assert client.join("7") == {"id": "1"}
    (_, _, first, body), (_, _, second, again) = server.asked[1:]
    assert (first["Idempotency-Key"], body) == (second["Idempotency-Key"], again)


def test_a_refusal_tells_its_code_and_when_to_come_back(server, client):
    problem = {"code": "too_fast", "detail": "Too many requests.", "status": 429}
    server.answers += [(429, problem, {"Retry-After": "7"})]
    with pytest.raises(ApiError) as refused:
        client.me()
    assert (refused.value.status, refused.value.code, refused.value.retry_after_s) == (429, "too_fast", 7.0)


def test_a_refusal_that_is_no_json_is_still_a_refusal(server, client):
    server.answers += [(502, b"<h1>Bad gateway</h1>", {})]
    with pytest.raises(ApiError) as refused:
        client.me()
    assert (refused.value.status, refused.value.code) == (502, "")


def test_a_page_in_place_of_the_api_is_told_apart(server, client):
    server.answers += [(200, b"<!doctype html>", {})]
    with pytest.raises(Unreachable, match="address"):
        client.me()


def test_an_arena_that_is_not_there_is_said_to_be_so():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port} does not answer"):
        ArenaClient(f"http://127.0.0.1:{port}", "t", timeout_s=1).me()


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://arena", "http://"])
def test_an_address_that_is_none_is_refused_at_once(url):
    with pytest.raises(ValueError, match="must look like"):
        ArenaClient(url, "t")
