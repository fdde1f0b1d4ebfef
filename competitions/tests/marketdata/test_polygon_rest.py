"""P12 and what else the vendor's REST can answer: waiting, retrying, paging, and where the key goes."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from competitions.marketdata.providers.polygon import PolygonProvider
from competitions.marketdata.providers.polygon_rest import PolygonRest, RestRefused
from tradingarena.localstack.fakepolygon import FakePolygon

BEGIN = 1_767_600_000_000
HOUR = 3_600_000


@pytest.fixture
def fake() -> Iterator[FakePolygon]:
    with FakePolygon() as server:
        for minute in range(60):
            server.tape.add("EUR/USD", f"1.08{500 + minute}", f"1.08{510 + minute}", BEGIN + minute * 60_000)
        yield server


class Waits:
    """Stands where the waiting is done, and remembers for how long it would have been."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def __call__(self, stop: threading.Event, seconds: float) -> bool:
        self.waits.append(seconds)
        return stop.is_set()


def minutes(
    fake: FakePolygon, waits: Waits | None = None, key: str = "", **options: int
) -> list[list[dict[str, object]]]:
    rest = PolygonRest(fake.rest_url, key or fake.key, wait=waits or Waits(), **options)
    return list(rest.minutes("EUR/USD", BEGIN, BEGIN + HOUR, threading.Event()))


def test_p12_two_429_without_a_body_are_waited_for_until_the_next_minute(fake: FakePolygon) -> None:
    fake.inject("rest_429=2")
    waits = Waits()
    assert len(minutes(fake, waits)[0]) == 60
    assert len(waits.waits) == 2
    assert all(0 < wait <= 60.5 for wait in waits.waits)


def test_p12_retry_after_is_respected(fake: FakePolygon) -> None:
    fake.inject("rest_retry=3")
    waits = Waits()
    assert len(minutes(fake, waits)[0]) == 60
    assert waits.waits == [1.0, 1.0, 1.0]


def test_p12_a_page_of_html_from_a_failing_server_is_retried_with_patience(fake: FakePolygon) -> None:
    fake.inject("rest_502=2")
    fake.inject("rest_500=1")
    fake.inject("rest_junk=1")
    waits = Waits()
    assert len(minutes(fake, waits)[0]) == 60
    assert waits.waits == [1.0, 2.0, 4.0, 8.0]


def test_p12_an_answer_without_results_is_an_empty_list(fake: FakePolygon) -> None:
    fake.inject("rest_empty")
    assert minutes(fake) == [[]]


def test_p12_three_pages_are_all_read_in_order_with_the_key_sent_again(fake: FakePolygon) -> None:
    fake.inject("rest_pages=3")
    pages = minutes(fake)
    assert [len(page) for page in pages] == [20, 20, 20]
    assert [row["t"] for page in pages for row in page] == [BEGIN + n * 60_000 for n in range(60)]
    assert pages[0][0]["o"] == "1.085"  # exactly as it was written


def test_it_gives_up_after_its_attempts(fake: FakePolygon) -> None:
    fake.inject("rest_502=99")
    with pytest.raises(RestRefused, match="no answer after 3 attempts: HTTP 502"):
        minutes(fake, attempts=3)
    assert len(fake.rest.asked) == 3


def test_a_wrong_key_is_refused_for_all_and_asked_once(fake: FakePolygon) -> None:
    with pytest.raises(RestRefused, match="401: Unknown API Key") as caught:
        minutes(fake, key="wrong")
    assert caught.value.for_all
    assert len(fake.rest.asked) == 1


def test_a_plan_without_the_data_is_refused_for_all(fake: FakePolygon) -> None:
    fake.inject("rest_403")
    with pytest.raises(RestRefused, match="not entitled") as caught:
        minutes(fake)
    assert caught.value.for_all


def test_an_unknown_path_is_refused_without_a_retry(fake: FakePolygon) -> None:
    waits = Waits()
    with pytest.raises(RestRefused, match="404"):
        PolygonRest(fake.rest_url, fake.key, wait=waits).get("/nowhere", threading.Event())
    assert not waits.waits


def test_a_stop_ends_the_waiting(fake: FakePolygon) -> None:
    fake.inject("rest_429=99")
    stop = threading.Event()
    rest = PolygonRest(fake.rest_url, fake.key, wait=lambda event, _: event.set() or True)  # type: ignore[func-returns-value]
    with pytest.raises(RestRefused, match="stopped"):
        list(rest.minutes("EUR/USD", BEGIN, BEGIN + HOUR, stop))
    assert len(fake.rest.asked) == 1


class _Elsewhere(BaseHTTPRequestHandler):
    """A host that would like to have the key: it sends next_url and redirects to itself."""

    seen: list[str] = []
    answers = "next"

    def do_GET(self) -> None:
        self.seen.append(f"{self.path} {self.headers.get('Authorization')}")
        if self.answers == "redirect":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/steal")
            self.end_headers()
            return
        body = (
            b'{"results": [{"t": 1}], "next_url": "http://127.0.0.1:1/steal?cursor=2"}'
            if "cursor" not in self.path
            else b"{}"
        )
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[str]:
    _Elsewhere.seen = []
    with HTTPServer(("127.0.0.1", 0), _Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_key_goes_to_the_configured_host_only_whatever_next_url_says(elsewhere: str) -> None:
    pages = list(PolygonRest(elsewhere, "key", wait=Waits()).minutes("EUR/USD", BEGIN, BEGIN + HOUR, threading.Event()))
    assert pages == [[{"t": 1}], []]
    assert [seen.split("?")[0] for seen in _Elsewhere.seen][1] == "/steal"
    assert all(seen.endswith("Bearer key") for seen in _Elsewhere.seen)


def test_a_redirect_is_not_followed(elsewhere: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Elsewhere, "answers", "redirect")
    with pytest.raises(RestRefused, match="302"):
        list(PolygonRest(elsewhere, "key", wait=Waits()).minutes("EUR/USD", BEGIN, BEGIN + HOUR, threading.Event()))


def test_historic_quotes_are_read_over_all_pages(fake: FakePolygon) -> None:
    fake.inject("rest_pages=3")
    pages = list(
        PolygonRest(fake.rest_url, fake.key).quotes("EUR/USD", (BEGIN + HOUR // 2) * 1_000_000, threading.Event())
    )
    assert [row["participant_timestamp"] for page in pages for row in page] == [
        (BEGIN + n * 60_000) * 1_000_000 for n in range(30, 60)
    ]


BAD_BARS = [
    {"o": "1.1", "h": "1.2", "l": "1.0", "c": "1.1"},
    {"t": BEGIN, "o": "NaN", "h": "1.2", "l": "1.0", "c": "1.1"},
    {"t": BEGIN, "o": "1.1", "h": "1.0", "l": "1.2", "c": "1.1"},
    {"t": BEGIN, "o": "0", "h": "0", "l": "0", "c": "0"},
    {"t": BEGIN + 1, "o": "1.1", "h": "1.2", "l": "1.0", "c": "1.1"},
    {"t": "soon", "o": "1.1", "h": "1.2", "l": "1.0", "c": "1.1"},
    {"t": BEGIN, "o": None, "h": "1.2", "l": "1.0", "c": "1.1"},
]


@pytest.mark.parametrize("row", BAD_BARS, ids=[str(row) for row in BAD_BARS])
def test_a_bar_that_makes_no_sense_is_left_out_and_counted(row: dict[str, object]) -> None:
    provider = PolygonProvider("key", ws_url="ws://127.0.0.1:1", rest_url="http://127.0.0.1:1")
    assert provider._bars("EUR/USD", row) == []
    assert provider.counts["bad_bars"] == 1


def test_a_bar_becomes_a_minute_of_both_sides_cut_to_the_pairs_digits() -> None:
    provider = PolygonProvider("key", ws_url="ws://127.0.0.1:1", rest_url="http://127.0.0.1:1")
    bars = provider._bars("USD/JPY", {"t": BEGIN, "o": "151.5006", "h": "151.51", "l": 151, "c": "151.5", "v": 9})
    assert [bar[1:] for bar in bars] == [
        (side, BEGIN, 151_500, 151_510, 151_000, 151_500, 9) for side in ("bid", "ask")
    ]


def test_history_stops_asking_after_a_refusal_that_holds_for_all(fake: FakePolygon) -> None:
    provider = PolygonProvider("wrong", ws_url=fake.url, rest_url=fake.rest_url, pairs=("EUR/USD", "GBP/USD"))
    since = {"EUR/USD": BEGIN, "GBP/USD": BEGIN}
    assert list(provider.history(since, BEGIN + HOUR, threading.Event())) == []
    assert len(fake.rest.asked) == 1
