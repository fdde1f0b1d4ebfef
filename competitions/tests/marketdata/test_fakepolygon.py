"""The stand-in proved with the vendor's own client package, and its scripts, control and command."""

import asyncio
import itertools
import json
import logging
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import websockets
from django.conf import settings
from django.core.management import CommandError, call_command
from massive import RESTClient, WebSocketClient
from massive.exceptions import AuthError, BadResponse
from massive.websocket.models import CurrencyAgg, ForexQuote

from competitions.tests.marketdata.support import PATIENCE_S, now_ms, until
from tradingarena.localstack.fakepolygon import FakePolygon, FaultError, read_script
from tradingarena.localstack.fakepolygon.faults import ALL
from tradingarena.localstack.fakepolygon.tape import recorded, walk

MINUTE = 60_000


@pytest.fixture
def fake() -> Iterator[FakePolygon]:
    with FakePolygon() as server:
        yield server


@asynccontextmanager
async def vendor(
    fake: FakePolygon, *topics: str, key: str = "", **options: Any
) -> AsyncIterator[tuple[WebSocketClient, list[Any]]]:
    """Run the vendor's WebSocket client and collect what it is given."""
    client = WebSocketClient(
        api_key=key or fake.key,
        feed=f"127.0.0.1:{fake.port}",
        secure=False,
        market="forex",
        subscriptions=list(topics),
        **options,
    )
    got: list[Any] = []

    async def collect(messages: list[Any]) -> None:
        got.extend(messages)

    running = asyncio.create_task(client.connect(collect))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await become(lambda: not topics or fake.subscribed() or running.done())
            yield client, got
    finally:
        if client.websocket is not None:
            await client.websocket.close()
        await asyncio.gather(running, return_exceptions=True)
        if running.done() and not running.cancelled() and isinstance(running.exception(), AuthError):
            got.append(running.exception())


async def become(condition: Callable[[], object]) -> None:
    """Wait for something that another thread brings about."""
    while not condition():  # noqa: ASYNC110  the other thread knows nothing of this loop's events
        await asyncio.sleep(0.005)


async def sent(fake: FakePolygon, *quote: str, t: int | None = None) -> None:
    await asyncio.to_thread(fake.quote, *quote, t=t)


async def come(got: list[Any], count: int) -> None:
    await become(lambda: len(got) >= count)


async def test_the_vendors_client_signs_in_subscribes_and_gets_quotes_and_bars(fake: FakePolygon) -> None:
    begin = now_ms() // MINUTE * MINUTE - 10 * MINUTE
    async with vendor(fake, "C.EUR/USD", "CA.*", "CAS.EUR/USD") as (_, got):
        await sent(fake, "EUR/USD", "1.38756", "1.38758", t=begin)
        await sent(fake, "GBP/USD", "1.27000", "1.27010", t=begin)  # not subscribed to
        await sent(fake, "EUR/USD", "1.38760", "1.38762", t=begin + 500)
        await sent(fake, "EUR/USD", "1.38750", "1.38752", t=begin + MINUTE)
        await come(got, 5)
    quotes = [message for message in got if isinstance(message, ForexQuote)]
    bars = [message for message in got if isinstance(message, CurrencyAgg)]
    assert [(q.pair, q.bid_price, q.ask_price, q.exchange_id, q.timestamp) for q in quotes] == [
        ("EUR/USD", 1.38756, 1.38758, 48, begin),
        ("EUR/USD", 1.3876, 1.38762, 48, begin + 500),
        ("EUR/USD", 1.3875, 1.38752, 48, begin + MINUTE),
    ]
    assert [(bar.event_type, bar.pair, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars] == [
        (kind, "EUR/USD", 1.38756, 1.3876, 1.38756, 1.3876, 2) for kind in ("CAS", "CA")
    ]
    assert [(bar.start_timestamp, bar.end_timestamp) for bar in bars] == [
        (begin, begin + 1_000),
        (begin, begin + MINUTE),
    ]


@pytest.mark.parametrize("spelling", ["C.EUR/USD", "C.EUR-USD", "C.EURUSD", "C.*"])
async def test_every_spelling_subscribes_and_unsubscribing_ends_it(fake: FakePolygon, spelling: str) -> None:
    async with vendor(fake, spelling) as (client, got):
        await sent(fake, "EUR/USD", "1.08500", "1.08510")
        await come(got, 1)
        client.unsubscribe(spelling)
        await become(lambda: not fake.subscribed())
        await sent(fake, "EUR/USD", "1.08501", "1.08511")
    assert len(got) == 1


async def test_a_wrong_key_raises_the_vendors_auth_error(fake: FakePolygon) -> None:
    async with vendor(fake, "C.*", key="wrong") as (_, got):
        await become(lambda: fake.attempts and not fake.sessions)
    assert isinstance(got[-1], AuthError)
    assert "authentication failed" in str(got[-1])


async def test_the_vendors_client_reads_over_faults_and_reconnects_after_a_reset(fake: FakePolygon) -> None:
    async with vendor(fake, "C.EUR/USD") as (_, got):
        for fault in ("unknown_ev", "string_x", "dash"):
            await asyncio.to_thread(fake.inject, fault)
            await sent(fake, "EUR/USD", "1.08500", "1.08510")
        await come(got, 3)
        assert (got[1].exchange_id, got[2].pair) == ("48", "EUR-USD")
        await asyncio.to_thread(fake.inject, "drop")
        await become(lambda: len(fake.attempts) >= 2 and fake.subscribed())
        await sent(fake, "EUR/USD", "1.08503", "1.08513")
        await come(got, 4)


async def test_the_connection_limit_is_told_after_subscribing(
    fake: FakePolygon, caplog: pytest.LogCaptureFixture
) -> None:
    async with vendor(fake, "C.EUR/USD"):
        with caplog.at_level(logging.WARNING):
            async with vendor(fake, "C.EUR/USD", max_reconnects=0):
                await become(lambda: "max_connections" in caplog.text)


async def talk(fake: FakePolygon, *frames: str) -> list[dict[str, Any]]:
    """Speak to it by hand and give the statuses of its answers."""
    async with websockets.connect(fake.url) as client:
        found = json.loads(await client.recv())
        for frame in frames:
            await client.send(frame)
            found += json.loads(await client.recv())
    return found


async def test_it_says_what_it_does_not_understand(fake: FakePolygon) -> None:
    auth = json.dumps({"action": "auth", "params": fake.key})
    for frame, message in (
        ("{}", "unknown action"), ("no json", "unknown action"), ("[]", "unknown action"),
        ('{"action":"dance"}', "unknown action: dance"), ('{"action":"subscribe","params":"T.AAPL"}', "invalid subscription: T.AAPL"),
        ('{"action":"subscribe","params":"C."}', "invalid subscription: C."),
    ):  # fmt: skip
        statuses = await talk(fake, auth, frame)
        assert [one["status"] for one in statuses] == ["connected", "auth_success", "error"]
        assert message in statuses[-1]["message"]


async def test_without_an_auth_in_time_it_says_so_and_closes() -> None:
    with FakePolygon(auth_timeout_s=0.05) as fake:
        async with websockets.connect(fake.url) as client:
            await client.recv()
            assert json.loads(await client.recv())[0]["message"] == "No authentication request received."
            await client.wait_closed()


# -- REST with the vendor's client ------------------------------------------------------------------------------------


@pytest.fixture
def stocked(fake: FakePolygon) -> FakePolygon:
    begin = now_ms() // (60 * MINUTE) * 60 * MINUTE - 60 * MINUTE
    for n in range(60):
        fake.tape.add("EUR/USD", f"1.08{500 + n}", f"1.08{510 + n}", begin + n * MINUTE)
    return fake


def test_the_vendors_client_reads_aggregates_quotes_and_snapshots(stocked: FakePolygon) -> None:
    client = RESTClient(stocked.key, base=stocked.rest_url)
    begin = stocked.tape.quotes[0].t
    bars = list(client.list_aggs("C:EURUSD", 1, "minute", begin, begin + 59 * MINUTE))
    assert len(bars) == 60
    assert (bars[7].open, bars[7].timestamp, bars[7].transactions) == (
        1.08507,
        begin + 7 * MINUTE,
        1,
    )
    assert [
        bar.timestamp
        for bar in client.list_aggs("C:EURUSD", 1, "minute", begin, begin + 59 * MINUTE, sort="desc", limit=10)
    ] == [begin + n * MINUTE for n in range(59, -1, -1)]
    assert len(list(client.list_aggs("C:EURUSD", 1, "hour", begin, begin + 59 * MINUTE))) == 1
    assert list(client.list_aggs("C:USDJPY", 1, "minute", begin, begin + MINUTE)) == []
    quotes = list(
        client.list_quotes("C:EUR-USD", timestamp_gte=begin * 1_000_000, order="asc", sort="timestamp", limit=25)
    )
    assert len(quotes) == 60
    assert (quotes[3].bid_price, quotes[3].participant_timestamp) == (
        1.08503,
        (begin + 3 * MINUTE) * 1_000_000,
    )
    assert client.get_last_forex_quote("EUR", "USD").last.bid == 1.08559
    assert client.get_real_time_currency_conversion("EUR", "USD", amount=100).converted == 108.56
    assert client.get_snapshot_ticker("forex", "C:EURUSD").last_quote.sip_timestamp == begin + 59 * MINUTE
    assert client.get_market_status().currencies.fx in ("open", "closed")


def test_dates_name_whole_days(stocked: FakePolygon) -> None:
    client = RESTClient(stocked.key, base=stocked.rest_url)
    first, last = (time.strftime("%Y-%m-%d", time.gmtime(stocked.tape.quotes[n].t / 1000)) for n in (0, -1))
    assert len(list(client.list_aggs("C:EURUSD", 1, "minute", first, last))) == 60


def test_the_vendors_client_pages_retries_and_is_refused(stocked: FakePolygon) -> None:
    client = RESTClient(stocked.key, base=stocked.rest_url)
    begin = stocked.tape.quotes[0].t
    stocked.inject("rest_pages=3")
    stocked.inject("rest_429=2")
    assert len(list(client.list_aggs("C:EURUSD", 1, "minute", begin, begin + 59 * MINUTE))) == 60
    assert len(stocked.rest.asked) == 5
    with pytest.raises(BadResponse, match="Unknown API Key"):
        list(RESTClient("wrong", base=stocked.rest_url).list_aggs("C:EURUSD", 1, "minute", begin, begin))
    stocked.inject("rest_403")
    with pytest.raises(BadResponse, match="NOT_AUTHORIZED"):
        client.get_last_forex_quote("EUR", "USD")


def get(url: str, key: str = "") -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url + (f"?apiKey={key}" if key else ""), timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_rest_refusals_look_like_the_vendors(fake: FakePolygon) -> None:
    assert get(f"{fake.rest_url}/v1/last_quote/currencies/EUR/USD")[0] == 401
    assert b"API Key was not provided" in get(f"{fake.rest_url}/v1/marketstatus/now")[1]
    assert get(f"{fake.rest_url}/v1/marketstatus/now", fake.key)[0] == 200
    assert get(f"{fake.rest_url}/v1/last_quote/currencies/EUR/USD", fake.key)[0] == 404
    assert get(f"{fake.rest_url}/v9/nothing", fake.key)[0] == 404
    assert get(f"{fake.rest_url}/v2/aggs/ticker/C:EURUSD/range/1/minute/2026-99-01/2026-01-02", fake.key)[0] == 400


# -- scripts, control, command ----------------------------------------------------------------------------------------


def test_a_script_is_read_and_every_fault_has_a_description() -> None:
    faults = read_script("crossed@20, jump=20.5@40,drop@500,rest_429=2,max_connections")
    assert [(fault.name, fault.after) for fault in faults] == [
        ("crossed", 20),
        ("jump", 40),
        ("drop", 500),
        ("rest_429", 0),
        ("max_connections", 0),
    ]
    assert all(ALL.values())


@pytest.mark.parametrize(
    "script", ["explode", "drop@soon", "jump=high", "rest_429@5", "auth_failed@2", "jump=NaN", "drop@-1", "=5"]
)
def test_a_script_that_makes_no_sense_is_refused(script: str) -> None:
    with pytest.raises(FaultError):
        read_script(script)


def test_control_plans_faults_and_tells_the_state(fake: FakePolygon) -> None:
    assert get(f"{fake.rest_url}/_control/fault?fault=crossed@5&fault=rest_429=1")[0] == 200
    state = json.loads(get(f"{fake.rest_url}/_control/state")[1])
    assert state["planned"] == ["crossed"]
    assert state["clients"] == 0
    assert get(f"{fake.rest_url}/_control/fault?fault=explode")[0] == 400
    assert get(f"{fake.rest_url}/_control/nothing")[0] == 404


def test_its_sources_give_quotes(tmp_path: Path) -> None:
    walked = list(itertools.islice(walk(1), 200))
    assert len({due.pair for due in walked}) == 7
    assert all(float(due.bid) < float(due.ask) for due in walked)
    file = tmp_path / "some.csv"
    file.write_text("time_ms_utc,pair,bid,ask\n1000,EUR/USD,1.1,1.2\n1500,EUR/USD,1.1,1.3\n")
    assert [(due.after_ms, due.ask) for due in recorded(file)] == [(0, "1.2"), (500, "1.3")]


def test_the_command_serves_a_recording_on_two_ports_until_it_is_told_to_stop(tmp_path: Path) -> None:
    file = tmp_path / "some.csv"
    file.write_text(
        "time_ms_utc,pair,bid,ask\n" + "".join(f"{1000 + n},EUR/USD,1.08500,1.0851{n % 10}\n" for n in range(50))
    )
    command = [
        sys.executable,
        "manage.py",
        "fakepolygon",
        "--port",
        "0",
        "--rest-port",
        "0",
        "--file",
        str(file),
        "--speed",
        "0.1",
    ]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tradingarena.settings.test", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = dict(line.strip().split("=", 1) for line in (process.stdout.readline() for _ in range(3)))
        assert told["POLYGON_API_KEY"] == "local-key"
        state = until(
            lambda: (s := json.loads(get(told["POLYGON_REST_URL"] + "/_control/state")[1]))["quotes"] >= 50 and s
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    assert state["attempts"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--faults", "explode"], "'explode' is no fault"),
        (["--file", "/nowhere/at/all.csv"], "No such file"),
        (["--file", __file__], "these are no recorded quotes"),
        (["--speed", "0"], "a speed lies between"),
        (["--speed", "fast"], "no number"),
        (["--port", "99999"], "port 99999"),
        (["--port", "many"], "invalid int value"),
    ],
)
def test_the_command_says_what_is_wrong_with_its_arguments(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("fakepolygon", *arguments)
