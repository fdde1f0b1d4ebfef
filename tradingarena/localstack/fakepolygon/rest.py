"""The stand-in's REST answers. Paths and shapes as the vendor documents them; faults come before everything else."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

from tradingarena.localstack.fakepolygon.faults import Plan
from tradingarena.localstack.fakepolygon.tape import UNITS_MS, Tape, number, plain

MINUTE_MS, DAY_MS = 60_000, 86_400_000
TOO_MANY = "You've exceeded the maximum requests per minute, please wait or upgrade your subscription to continue."
NOT_ENTITLED = "You are not entitled to this data. Please upgrade your plan."


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)


class Rest:
    """Answers GET requests from the tape."""

    def __init__(self, tape: Tape, plan: Plan, key: str) -> None:
        self.tape, self.plan, self.key = tape, plan, key
        self.asked: list[str] = []

    def answer(self, target: str, headers: Mapping[str, str], base_url: str, now_ms: int) -> Answer:
        """Answer one request."""
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self.asked.append(target)
        fault = self._fault()
        if fault is not None:
            return fault
        given = headers.get("Authorization", "").removeprefix("Bearer ") or query.pop("apiKey", "")
        if given != self.key:
            return _error(401, "Unknown API Key" if given else "API Key was not provided")
        for pattern, method in _ROUTES:
            found = re.fullmatch(pattern, parts.path)
            if found:
                try:
                    return method(self, found, query, base_url, now_ms)
                except ValueError as error:
                    return _error(400, str(error))
        return Answer(404, b"404 page not found", (("Content-Type", "text/plain"),))

    def _fault(self) -> Answer | None:
        plan = self.plan
        if plan.spend("rest_429"):
            return Answer(429, b"")
        if plan.spend("rest_retry"):
            body = _error(429, TOO_MANY).body
            return Answer(429, body, (("Content-Type", "application/json"), ("Retry-After", "1")))
        if plan.spend("rest_502"):
            return Answer(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", (("Content-Type", "text/html"),))
        if plan.spend("rest_500"):
            return _error(500, "Internal Server Error")
        if plan.spend("rest_403"):
            return _json(403, {"status": "NOT_AUTHORIZED", "request_id": uuid4().hex, "message": NOT_ENTITLED})
        if plan.spend("rest_junk"):
            return Answer(200, b"{not json", (("Content-Type", "application/json"),))
        return None

    # -- paths --------------------------------------------------------------------------------------------------------

    def _aggregates(self, found: re.Match[str], query: dict[str, str], base_url: str, now_ms: int) -> Answer:
        span_ms = int(found["mult"]) * UNITS_MS[found["unit"]]
        bars = self.tape.bars(plain(found["ticker"]), _moment(found["from"]), _moment(found["to"], end=True), span_ms)
        if query.get("sort") == "desc":
            bars.reverse()
        limit = max(1, min(50_000, int(query.get("limit", 5_000))) * MINUTE_MS // max(span_ms, MINUTE_MS))
        page, following = self._page(bars, limit, found.string, query, base_url)
        answer = {
            "ticker": found["ticker"],
            "adjusted": True,
            "queryCount": len(page),
            "resultsCount": len(page),
            "status": "OK",
            "request_id": uuid4().hex,
            "count": len(page),
        }
        return _with_results(answer, page, following)

    def _quotes(self, found: re.Match[str], query: dict[str, str], base_url: str, now_ms: int) -> Answer:
        low, high = 0, now_ms
        for name, value in query.items():
            if name.startswith("timestamp"):
                at_ms = _moment(value)
                if name.endswith((".gte", ".gt")):
                    low = at_ms
                elif name.endswith((".lte", ".lt")):
                    high = at_ms
                else:
                    low, high = at_ms, at_ms + DAY_MS
        rows: list[dict[str, Any]] = [
            {
                "participant_timestamp": quote.t * 1_000_000,
                "ask_price": number(quote.ask),
                "bid_price": number(quote.bid),
                "ask_exchange": 48,
                "bid_exchange": 48,
            }
            for quote in self.tape.between(plain(found["ticker"]), low, high)
        ]
        if query.get("order") != "asc":
            rows.reverse()
        limit = max(1, min(50_000, int(query.get("limit", 1_000))))
        page, following = self._page(rows, limit, found.string, query, base_url)
        return _with_results({"status": "OK", "request_id": uuid4().hex}, page, following)

    def _last_quote(self, found: re.Match[str], query: dict[str, str], base_url: str, now_ms: int) -> Answer:
        last = self.tape.last(f"{found['base']}/{found['quote']}")
        if last is None:
            return _error(404, "No data found for request.")
        return _json(
            200,
            {
                "last": {"ask": number(last.ask), "bid": number(last.bid), "exchange": 48, "timestamp": last.t},
                "request_id": uuid4().hex,
                "status": "success",
                "symbol": last.pair,
            },
        )

    def _conversion(self, found: re.Match[str], query: dict[str, str], base_url: str, now_ms: int) -> Answer:
        last = self.tape.last(f"{found['base']}/{found['quote']}")
        if last is None:
            return _error(404, "No data found for request.")
        amount = float(query.get("amount", 100))
        return _json(
            200,
            {
                "converted": round(amount * number(last.bid), int(query.get("precision", 2))),
                "from": found["base"],
                "initialAmount": amount,
                "last": {"ask": number(last.ask), "bid": number(last.bid), "exchange": 48, "timestamp": last.t},
                "request_id": uuid4().hex,
                "status": "success",
                "to": found["quote"],
            },
        )

    def _snapshot(self, found: re.Match[str], query: dict[str, str], base_url: str, now_ms: int) -> Answer:
        pair = plain(found["ticker"])
        last = self.tape.last(pair)
        if last is None:
            return _error(404, "No data found for request.")
        minutes = self.tape.bars(pair, now_ms - 2 * MINUTE_MS, now_ms, MINUTE_MS)
        days = self.tape.bars(pair, now_ms - 2 * DAY_MS, now_ms, DAY_MS)
        ticker = {
            "ticker": found["ticker"],
            "lastQuote": {"a": number(last.ask), "b": number(last.bid), "t": last.t, "x": 48},
            "min": minutes[-1] if minutes else {},
            "day": days[-1] if days else {},
            "prevDay": days[-2] if len(days) > 1 else {},
            "todaysChange": 0,
            "todaysChangePerc": 0,
            "updated": last.t * 1_000_000,
        }
        return _json(200, {"request_id": uuid4().hex, "status": "OK", "ticker": ticker})

    def _market_status(self, found: re.Match[str], query: dict[str, str], base_url: str, now_ms: int) -> Answer:
        moment = datetime.fromtimestamp(now_ms / 1000, tz=UTC)
        weekend = moment.weekday() == 5 or (moment.weekday() == 4 and moment.hour >= 22)
        return _json(
            200,
            {
                "afterHours": False,
                "currencies": {"crypto": "open", "fx": "closed" if weekend else "open"},
                "earlyHours": False,
                "exchanges": {"nasdaq": "closed", "nyse": "closed", "otc": "closed"},
                "market": "closed",
                "serverTime": moment.isoformat(),
            },
        )

    def _page(
        self, rows: list[dict[str, Any]], limit: int, path: str, query: dict[str, str], base_url: str
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Cut one page out; the cursor in next_url is where the next one begins. The key has to be sent again."""
        if self.plan.spend("rest_empty"):
            return [], None
        pages = self.plan.pages()
        if pages > 1:
            limit = max(1, -(-len(rows) // pages))
        begin = int(query.get("cursor", 0))
        page = rows[begin : begin + limit]
        if begin + limit >= len(rows):
            return page, None
        return page, f"{base_url}{path}?{urlencode(query | {'cursor': str(begin + limit)})}"


_PAIR = r"(?P<base>[A-Z]{3})/(?P<quote>[A-Z]{3})"
_ROUTES = (
    (
        r"/v2/aggs/ticker/(?P<ticker>C:[A-Z]{6})/range/(?P<mult>\d{1,6})/"
        r"(?P<unit>second|minute|hour|day|week|month|quarter|year)/(?P<from>[\d-]+)/(?P<to>[\d-]+)",
        Rest._aggregates,
    ),
    (r"/v3/quotes/(?P<ticker>C:[A-Z]{3}-[A-Z]{3})", Rest._quotes),
    (rf"/v1/last_quote/currencies/{_PAIR}", Rest._last_quote),
    (rf"/v1/conversion/{_PAIR}", Rest._conversion),
    (r"/v2/snapshot/locale/global/markets/forex/tickers/(?P<ticker>C:[A-Z]{6})", Rest._snapshot),
    (r"/v1/marketstatus/now", Rest._market_status),
)


def _with_results(answer: dict[str, Any], page: list[dict[str, Any]], following: str | None) -> Answer:
    if page:  # an empty range has no `results` at all
        answer["results"] = page
    if following:
        answer["next_url"] = following
    return _json(200, answer)


def _json(status: int, body: Mapping[str, Any]) -> Answer:
    return Answer(status, json.dumps(body).encode())


def _error(status: int, error: str) -> Answer:
    return _json(status, {"status": "ERROR", "request_id": uuid4().hex, "error": error})


def _moment(text: str, *, end: bool = False) -> int:
    """Read YYYY-MM-DD, milliseconds or nanoseconds as milliseconds; a date as an end is its last millisecond.

    Raises: ValueError: none of them.
    """
    if text.isascii() and text.isdigit():
        return int(text) // 1_000_000 if len(text) > 16 else int(text)
    begin = int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)
    return begin + DAY_MS - 1 if end and len(text) == 10 else begin
