"""GET /api/instruments, /api/quotes and /api/candles."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from competitions.models import Candle
from competitions.tests.factories import make_quote_on_bus
from tradingarena.core import redis_client
from tradingarena.tests.cast import Cast, anonymous, problem_of

OPEN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def candles(cast: Cast) -> None:
    Candle.objects.bulk_create(
        Candle(
            pair="USD/JPY",
            timeframe="1m",
            side="bid",
            opens_at=OPEN + timedelta(minutes=minute),
            open=Decimal("150.001"),
            high=Decimal("150.200"),
            low=Decimal("149.900"),
            close=Decimal(150) + Decimal(minute) / 1000,
            ticks=minute,
        )
        for minute in (0, 1, 3, 4)
    )


def test_there_are_28_instruments_with_their_conversion(cast: Cast) -> None:
    response = anonymous().get("/api/instruments")
    rows = {row["pair"]: row for row in response.json()}
    assert len(rows) == 28
    assert rows["EUR/USD"] == {
        "pair": "EUR/USD",
        "base": "EUR",
        "quote": "USD",
        "digits": 5,
        "pip": "0.0001",
        "lot_units": 100_000,
        "min_units": 1_000,
        "unit_step": 1_000,
        "usd_pair": None,
        "usd_inverse": False,
    }
    assert (rows["GBP/JPY"]["pip"], rows["GBP/JPY"]["usd_pair"], rows["GBP/JPY"]["usd_inverse"]) == (
        "0.01",
        "USD/JPY",
        True,
    )
    assert (rows["EUR/GBP"]["usd_pair"], rows["EUR/GBP"]["usd_inverse"]) == ("GBP/USD", False)
    again = anonymous().get("/api/instruments", headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304


def test_quotes_say_how_old_they_are(cast: Cast) -> None:
    make_quote_on_bus("USD/JPY", age_ms=60_000)
    body = anonymous().get("/api/quotes").json()
    assert body["simulated"] is True
    assert (body["quotes"]["EUR/USD"]["bid"], body["quotes"]["EUR/USD"]["ask"]) == ("1.08500", "1.08510")
    old = body["quotes"]["USD/JPY"]
    assert old["stale"] is True
    assert old["age_ms"] >= 60_000
    assert "EUR/CHF" not in body["quotes"]
    assert set(anonymous().get("/api/quotes?pair=USD/JPY").json()["quotes"]) == {"USD/JPY"}


def test_without_redis_quotes_are_unavailable_and_candles_are_not(
    cast: Cast, candles: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(**_: object) -> object:
        raise ConnectionRefusedError

    monkeypatch.setattr(redis_client, "client", down)
    answer = anonymous().get("/api/quotes")
    problem_of(answer, 503, "bus_unavailable")
    assert int(answer["Retry-After"]) > 0
    assert anonymous().get("/api/candles?pair=USD/JPY").status_code == 200


def test_candles_come_oldest_first_with_the_pairs_digits(cast: Cast, candles: None) -> None:
    body = anonymous().get("/api/candles?pair=USD/JPY&from=2026-03-02T12:00:00Z&to=2026-03-02T13:00:00%2B00:00").json()
    second = int(OPEN.timestamp())
    assert [row[0] - second for row in body["candles"]] == [0, 60, 180, 240]
    assert body["candles"][1] == [second + 60, "150.001", "150.200", "149.900", "150.001", 1]


def test_a_limit_keeps_the_newest_candles(cast: Cast, candles: None) -> None:
    body = anonymous().get("/api/candles?pair=USD/JPY&from=2026-03-02T00:00:00Z&to=2026-03-03T00:00:00Z&limit=2").json()
    assert [row[5] for row in body["candles"]] == [3, 4]


def test_from_is_included_and_to_is_not(cast: Cast, candles: None) -> None:
    body = anonymous().get("/api/candles?pair=USD/JPY&from=2026-03-02T12:01:00Z&to=2026-03-02T12:03:00Z").json()
    assert [row[5] for row in body["candles"]] == [1]
    backwards = anonymous().get("/api/candles?pair=USD/JPY&from=2026-03-03T00:00:00Z&to=2026-03-02T00:00:00Z")
    problem_of(backwards, 422, "time_range")
