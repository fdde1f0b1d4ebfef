"""The arena from outside: REST over one kept connection, with the manners that the API asks for.

The stream of quotes is in `stream.py`, what to trade in `strategies.py`. Rules: docs/bots.md, docs/api/.
"""

import http.client
import json
import ssl
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

TIMEOUT_S = 10.0
BIGGEST_ANSWER = 4 * 1024 * 1024


class ApiError(Exception):
    """Raised when the arena understood and refused: `code` is stable, `detail` is a sentence."""

    def __init__(self, status: int, code: str, detail: str, retry_after_s: float) -> None:
        self.status, self.code, self.detail, self.retry_after_s = status, code, detail, retry_after_s
        super().__init__(f"{status} {code}: {detail}")


class Unreachable(Exception):
    """Raised when the arena does not answer, or answers something that is not its API."""


class ArenaClient:
    """Speaks to one arena as one account. Not to be shared between threads.

    Shapes: url is the arena's address, such as http://127.0.0.1:8000; paths begin with /api/.
    Guarantees: every call answers or raises within two timeouts; a call that is repeated because its connection had
        died is the same call to the arena, since everything that changes something carries a key of its own.
    """

    def __init__(self, url: str, token: str, *, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"the arena's address must look like http://127.0.0.1:8000, not {url!r}")
        self.url = f"{parts.scheme}://{parts.netloc}"
        self.socket_url = f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}/ws"
        self._host, self._port, self._secure = parts.hostname, parts.port, parts.scheme == "https"
        self._token, self._timeout_s = token, timeout_s
        self._connection: http.client.HTTPConnection | None = None

    # -- what bots ask --------------------------------------------------------------------------------------------------
    def me(self) -> dict[str, Any]:
        """Ask who this token is."""
        return self.get("/api/me")

    def instruments(self) -> list[dict[str, Any]]:
        """List the pairs."""
        found = self.get("/api/instruments")
        return list(found["results"] if isinstance(found, dict) else found)

    def candles(self, pair: str, *, limit: int = 120) -> list[list[Any]]:
        """Give the last minutes of a pair, oldest first: [opening s, open, high, low, close, ticks], prices as texts."""
        return list(self.get("/api/candles", pair=pair, timeframe="1m", limit=limit)["candles"])

    def contests(self, status: str, **filters: Any) -> list[dict[str, Any]]:
        """List contests of one status, the latest start first; at most 100."""
        return list(self.get("/api/competitions", status=status, limit=100, **filters)["results"])

    def join(self, contest_id: str) -> dict[str, Any]:
        """Enter a contest."""
        return self.post(f"/api/competitions/{contest_id}/join", {})

    def challenges(self, box: str) -> list[dict[str, Any]]:
        """List one's own challenges of a box (open, active, over), the newest first; at most 50."""
        return list(self.get("/api/pvp/challenges", box=box, limit=50)["results"])

    def contest(self, contest_id: str) -> dict[str, Any]:
        """Read one contest."""
        found: dict[str, Any] = self.get(f"/api/competitions/{contest_id}")
        return found

    def account(self, contest_id: str) -> dict[str, Any] | None:
        """Give one's own account, open orders and positions in a contest; None without an entry."""
        return self.get(f"/api/competitions/{contest_id}/room")["own"]

    def order(self, contest_id: str, **fields: Any) -> dict[str, Any]:
        """Place an order; its id is made here, so that sending it twice is placing it once."""
        return self.post(f"/api/competitions/{contest_id}/orders", {"id": str(uuid4()), **fields})

    def close(self, contest_id: str, position_id: str) -> dict[str, Any]:
        """Close a position."""
        return self.post(f"/api/competitions/{contest_id}/positions/{position_id}/close", {"id": str(uuid4())})

    def cancel(self, contest_id: str, order_id: str) -> dict[str, Any]:
        """Cancel a pending order."""
        return self.call("DELETE", f"/api/competitions/{contest_id}/orders/{order_id}")

    def socket_ticket(self) -> str:
        """Get what opens a socket within the next 30 seconds."""
        return str(self.post("/api/ws-ticket", {})["ticket"])

    # -- how ------------------------------------------------------------------------------------------------------------
    def get(self, path: str, **query: Any) -> Any:
        """Read something."""
        return self.call("GET", f"{path}?{urlencode(query, quote_via=quote)}" if query else path)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Change something, once."""
        return self.call("POST", path, body)

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send a request and read its answer; once more when the kept connection had died in the meantime.

        Raises: ApiError: refused. Unreachable: no answer.
        """
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json", "User-Agent": "arena-bots"}
        payload = None
        if body is not None:
            payload = json.dumps(body).encode()
            headers |= {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
        kept = self._connection is not None
        try:
            return self._once(method, path, payload, headers)
        except (http.client.HTTPException, OSError) as error:
            self.hang_up()
            if not kept:
                raise Unreachable(f"{self.url} does not answer: {_words(error)}") from error
        try:
            return self._once(method, path, payload, headers)
        except (http.client.HTTPException, OSError) as error:
            self.hang_up()
            raise Unreachable(f"{self.url} does not answer: {_words(error)}") from error

    def hang_up(self) -> None:
        """Close the kept connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _once(self, method: str, path: str, payload: bytes | None, headers: dict[str, str]) -> Any:
        if self._connection is None:
            self._connection = self._dial()
        self._connection.request(method, path, body=payload, headers=headers)
        answer = self._connection.getresponse()
        raw = answer.read(BIGGEST_ANSWER)
        if answer.will_close:
            self.hang_up()
        return _read(answer.status, answer.getheader("Retry-After", ""), raw)

    def _dial(self) -> http.client.HTTPConnection:
        if self._secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout_s, context=context)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)


def _read(status: int, retry_after: str, raw: bytes) -> Any:
    """Turn an answer into its JSON, or a refusal into an ApiError."""
    try:
        found = json.loads(raw) if raw else None
    except ValueError:
        found = None
        if status < 400:
            raise Unreachable(f"an answer with status {status} is not JSON: is this the arena's address?") from None
    if status < 400:
        return found
    problem = found if isinstance(found, dict) else {}
    wait_s = float(retry_after) if retry_after.isdigit() else 0.0
    raise ApiError(
        status, str(problem.get("code", "")), str(problem.get("detail") or problem.get("title") or ""), wait_s
    )


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__
