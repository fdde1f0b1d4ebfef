"""The vendor's REST, as far as history needs it. The key goes to the configured host and nowhere else.

Limits and errors of the vendor: docs/market-data.md#polygon-rest.
"""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

LONGEST_WAIT_S = 120.0
ATTEMPTS = 6
LARGEST_ANSWER = 64_000_000
PAGES = 200


class RestRefused(Exception):
    """Raised when an answer will not come. `for_all` says that no other question will be answered either."""

    def __init__(self, why: str, *, for_all: bool = False) -> None:
        self.for_all = for_all
        super().__init__(why)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class PolygonRest:
    """Asks politely: waits as long as it is told, at most six times for one page."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout_s: float = 10.0,
        attempts: int = ATTEMPTS,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        self.base_url, self.key, self.timeout_s, self.attempts = (base_url.rstrip("/"), key, timeout_s, attempts)
        self._wait = wait
        self._opener = urllib.request.build_opener(_NoRedirect)

    def minutes(self, pair: str, from_ms: int, to_ms: int, stop: threading.Event) -> Iterator[list[dict[str, Any]]]:
        """Give a pair's 1-minute bars, page by page, oldest first.

        Shapes: rows {"t", "o", "h", "l", "c", "v"?, "n"?}; an empty range gives one empty page. Prices as text.
        Raises: RestRefused.
        """
        path = f"/v2/aggs/ticker/C:{pair.replace('/', '')}/range/1/minute/{from_ms}/{to_ms}"
        yield from self._pages(path, {"adjusted": "true", "sort": "asc", "limit": "50000"}, stop)

    def quotes(
        self, pair: str, from_ns: int, stop: threading.Event, limit: int = 50_000
    ) -> Iterator[list[dict[str, Any]]]:
        """Give a pair's historic quotes from a moment on, page by page, oldest first.

        Units: from_ns and the rows' participant_timestamp in Unix nanoseconds.
        Raises: RestRefused.
        """
        query = {"timestamp.gte": str(from_ns), "order": "asc", "sort": "timestamp", "limit": str(limit)}
        yield from self._pages(f"/v3/quotes/C:{pair.replace('/', '-')}", query, stop)

    def _pages(self, path: str, query: Mapping[str, str], stop: threading.Event) -> Iterator[list[dict[str, Any]]]:
        target = f"{path}?{urlencode(query)}"
        for _ in range(PAGES):
            answer = self.get(target, stop)
            rows = answer.get("results") or []
            yield ([row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else [])
            following = answer.get("next_url")
            if not isinstance(following, str) or stop.is_set():
                return
            parts = urlsplit(following)  # only its path and query: the key is not sent to whatever host it names
            target = f"{parts.path}?{parts.query}"

    def get(self, target: str, stop: threading.Event) -> dict[str, Any]:
        """Ask for one page until it is answered.

        Guarantees: after 429 waits for Retry-After, or to the next minute when there is none; after a failing server 1, 2, 4 … s.
        Raises: RestRefused: the key or plan does not allow it, it cannot be read, or it was asked for in vain too often.
        """
        why = ""
        for attempt in range(self.attempts):
            if stop.is_set():
                raise RestRefused("stopped", for_all=True)
            wait_s = min(LONGEST_WAIT_S, 2.0**attempt)
            try:
                return self._once(target)
            except urllib.error.HTTPError as error:
                with error:
                    why = f"HTTP {error.code}"
                    if error.code in (401, 403):
                        raise RestRefused(f"{why}: {_reason(error)}", for_all=True) from error
                    if error.code == 429:
                        wait_s = _retry_after_s(error.headers)
                    elif error.code < 500:
                        raise RestRefused(f"{why}: {_reason(error)}") from error
            except ValueError as error:  # an answer that is no JSON object
                why = str(error)
            except OSError as error:
                why = str(getattr(error, "reason", None) or error)
            if attempt + 1 < self.attempts:
                self._wait(stop, wait_s)
        raise RestRefused(f"no answer after {self.attempts} attempts: {why}")

    def _once(self, target: str) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310  the operator's own URL, checked at start
            self.base_url + target, headers={"Authorization": f"Bearer {self.key}", "Accept": "application/json"}
        )
        with self._opener.open(request, timeout=self.timeout_s) as response:
            body = response.read(LARGEST_ANSWER)
        try:
            answer = json.loads(body, parse_float=str, parse_constant=str)
        except (ValueError, RecursionError) as error:
            raise ValueError("the answer is no JSON") from error
        if not isinstance(answer, dict):
            raise ValueError("the answer is no JSON object")
        return cast(dict[str, Any], answer)


def _retry_after_s(headers: Message) -> float:
    told = (headers.get("Retry-After") or "").strip()
    if told.isdigit():
        return min(LONGEST_WAIT_S, float(told))
    return 60.0 - time.time() % 60 + 0.5


def _reason(error: urllib.error.HTTPError) -> str:
    """Read the vendor's own words, when there are any."""
    try:
        answer = json.loads(error.read(4_000))
        return str(answer.get("error") or answer.get("message") or "")[:200]
    except (ValueError, AttributeError, OSError):
        return ""
