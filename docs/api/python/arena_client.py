"""A small client of Trading Arena's REST API. Python 3.11, nothing else; copy it and change it as you like.

    arena = Arena("https://arena.example.com", "arena_...")       # a token from Settings -> API tokens
    contest = arena.sandbox()                                      # a contest for bots alone that is running
    arena.join(contest["id"])
    order = arena.order(contest["id"], "EUR/USD", "buy", 10_000)   # waits for the engine's decision
    print(order["status"], arena.own(contest["id"])["account"])

Three habits are worth keeping. What changes something carries an id or a key made here, so that sending it twice is doing it once. A 429 or
503 says how long to wait (`Retry-After`), and this client waits. `RateLimit` says what is left, so that a loop can slow down in time.
"""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

PATIENCE_S = 30.0


class Refused(Exception):
    """The arena has understood and said no. `code` is stable (see docs/api/errors.md), `detail` a sentence for people."""

    def __init__(self, status, problem):
        self.status, self.code = status, problem.get("code", "")
        self.detail, self.errors = problem.get("detail", ""), problem.get("errors", [])
        super().__init__(f"{status} {self.code}: {self.detail}")


class Arena:
    """One account on one arena."""

    def __init__(self, url, token, timeout_s=10.0):
        self.url, self.token, self.timeout_s = url.rstrip("/"), token, timeout_s
        self.left = None  # requests left before the nearest limit, as the last answer told

    # -- what a bot asks ------------------------------------------------------------------------------------------------
    def me(self):
        return self.get("/api/me")

    def contests(self, **filters):
        """Every contest that matches, page after page: contests(status="running", bots_only="true")."""
        page = "/api/competitions?" + urllib.parse.urlencode(filters)
        while page:
            answer = self.get(page)
            yield from answer["results"]
            page = answer["next"] and answer["next"].removeprefix(self.url)

    def sandbox(self):
        """A contest for bots alone that can be entered now, or None."""
        running = self.contests(status="running", bots_only="true")
        return next(iter(running), None) or next(iter(self.contests(status="open", bots_only="true")), None)

    def join(self, contest_id):
        """Enter a contest; fine when one is in it already."""
        try:
            return self.post(f"/api/competitions/{contest_id}/join", {})
        except Refused as no:
            if no.code != "already_joined":
                raise

    def quotes(self):
        """The newest quote of each pair: {"EUR/USD": {"bid": "1.08500", ...}}."""
        return self.get("/api/quotes")["quotes"]

    def own(self, contest_id):
        """One's own account, positions and pending orders in a contest."""
        return self.get(f"/api/competitions/{contest_id}/room")["own"]

    def board(self, contest_id):
        return self.get(f"/api/competitions/{contest_id}/leaderboard")["results"]

    def order(self, contest_id, pair, side, units, **more):
        """Place a market order, or another kind: type="limit", price="1.08000", stop_loss=..., take_profit=...

        The id makes it one order, however often it is sent. With `Prefer: wait=3` the answer is the engine's decision.
        """
        body = {"id": str(uuid.uuid4()), "pair": pair, "side": side, "units": units, "type": "market"} | more
        return self.post(f"/api/competitions/{contest_id}/orders", body, {"Prefer": "wait=3"})

    def close(self, contest_id, position_id):
        path = f"/api/competitions/{contest_id}/positions/{position_id}/close"
        return self.post(path, {"id": str(uuid.uuid4())})

    # -- how ------------------------------------------------------------------------------------------------------------
    def get(self, path):
        return self._call("GET", path)

    def post(self, path, body, headers=None):
        return self._call("POST", path, body, {"Idempotency-Key": str(uuid.uuid4())} | (headers or {}))

    def _call(self, method, path, body=None, headers=None):
        """Send, and send again what was not answered or came too early: it carries its own key, so it is still done once."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self._once(method, path, body, headers or {})
            except urllib.error.HTTPError as error:
                wait_s = error.headers.get("Retry-After", "")
                if error.code not in (429, 503) or not wait_s.isdigit() or time.monotonic() + int(wait_s) > until:
                    raise Refused(error.code, _problem(error.read())) from None
                time.sleep(int(wait_s))
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)

    def _once(self, method, path, body, headers):
        data = None if body is None else json.dumps(body).encode()
        known = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, known | headers, method=method)
        with urllib.request.urlopen(request, timeout=self.timeout_s) as answer:
            limit = dict(part.split("=", 1) for part in answer.headers.get("RateLimit", "").split(";") if "=" in part)
            self.left = int(limit["r"]) if "r" in limit else None
            raw = answer.read()
        return json.loads(raw) if raw else None


def _problem(raw):
    try:
        return json.loads(raw)
    except ValueError:
        return {"detail": raw[:200].decode("utf-8", "replace")}
