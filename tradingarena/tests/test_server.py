"""The API behind the real server: bodies in chunks, bodies beyond all bounds, and its page in a real browser."""

import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

from competitions.tests.factories import make_order_body
from tradingarena.localstack.bootstrap import find_chromium
from tradingarena.tests.cast import Cast, by_token
from tradingarena.tests.live import Web, web

__all__ = ["web"]  # the fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return Cast.assemble()


def post(web: Web, path: str, body: Any, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Send a body; an iterator goes out in chunks, without a length."""
    connection = http.client.HTTPConnection(urlsplit(web.url).netloc, timeout=20)
    connection.request("POST", path, body=body, headers=headers, encode_chunked=not isinstance(body, bytes))
    response = connection.getresponse()
    found = json.loads(response.read())
    connection.close()
    return response.status, found


def token_of(client: Any) -> dict[str, str]:
    return {"Authorization": client._credentials["HTTP_AUTHORIZATION"], "Content-Type": "application/json"}


def test_a_body_in_chunks_is_read_like_any_other(cast: Cast, web: Web) -> None:
    raw = json.dumps(make_order_body()).encode()

    def chunks() -> Iterator[bytes]:
        yield raw[:10]
        yield raw[10:]

    headers = token_of(by_token(cast.alice)) | {"Transfer-Encoding": "chunked"}
    status, answer = post(web, cast.path("/orders"), chunks(), headers)
    assert (status, answer["status"]) == (201, "accepted"), answer


def test_an_endless_body_is_cut_off_with_413(cast: Cast, web: Web) -> None:
    address = urlsplit(web.url)
    with socket.create_connection((str(address.hostname), int(address.port or 80)), timeout=20) as raw:
        raw.sendall(
            f"POST {cast.path('/orders')} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )
        sent = 0
        answer = b""
        chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"
        raw.settimeout(0.05)
        while not answer and sent < 4 * 1024 * 1024:
            try:
                raw.sendall(chunk)
                sent += 4096
                answer = raw.recv(1)
            except TimeoutError:
                continue
            except OSError:
                break
        raw.settimeout(20)
        answer += raw.recv(4096)
    assert b" 413 " in answer.split(b"\r\n", 1)[0]
    assert sent < 512 * 1024


def test_a_body_that_says_it_is_too_large_gets_its_answer(cast: Cast, web: Web) -> None:
    status, answer = post(web, cast.path("/orders"), b" " * 70_000, token_of(by_token(cast.alice)))
    assert (status, answer["code"]) == (413, "too_large")


@pytest.mark.page
def test_the_api_page_shows_every_operation_and_breaks_no_rule_of_csp(cast: Cast, web: Web) -> None:
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(web.path("/api/docs"))
        page.wait_for_selector("#operations-trading-order_place", timeout=30_000)
        assert page.locator(".opblock").count() >= 36
        page.locator("#operations-market_data-instruments .opblock-summary-control").click()
        page.wait_for_selector("#operations-market_data-instruments .opblock-body")
        browser.close()
    assert said == []
