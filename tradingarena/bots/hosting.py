"""The demo's host: there is always a contest to watch, one to join and one to wait for. It makes them as an operator over REST.

What bots do in them is in `runner.py`. How: docs/bots.md#host.
"""

import logging
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tradingarena.bots.client import ApiError, ArenaClient

log = logging.getLogger(__name__)

MAJORS = ["EUR/USD", "GBP/USD", "USD/JPY", "AUD/USD"]


@dataclass(frozen=True, slots=True)
class Series:
    """Contests that follow one another on a fixed grid of time.

    Shapes: `phase` moves the grid against the Unix epoch's days.
    """

    title: str
    every: timedelta
    length: timedelta
    description: str
    terms: dict[str, Any] = field(default_factory=dict)
    phase: timedelta = timedelta(0)

    def next_start(self, after: datetime) -> datetime:
        """Give the first start on the grid later than a moment."""
        epoch = datetime(1970, 1, 1, tzinfo=UTC) + self.phase
        return epoch + ((after - epoch) // self.every + 1) * self.every

    def wanted(self, now: datetime, *, lead: timedelta) -> dict[str, Any]:
        """Give the body that makes the next contest of this series that begins at least `lead` from now."""
        start = self.next_start(now + lead)
        return {
            "title": f"{self.title} {start:%d %b %H:%M}",
            "description": self.description,
            "starts_at": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "ends_at": f"{start + self.length:%Y-%m-%dT%H:%M:%SZ}",
            "open_now": True,
            **self.terms,
        }


SPRINT = Series(
    "Sprint",
    every=timedelta(minutes=15),
    length=timedelta(minutes=15),
    description="A quarter of an hour, four majors, everybody from the same start. A new one every quarter.",
    terms={"pairs": MAJORS, "late_join_bps": 5_000, "objection_s": 30},
)
DAILY = Series(
    "Daily",
    every=timedelta(days=1),
    length=timedelta(days=1),
    description="One UTC day. Fall ten per cent from your peak and you are out.",
    terms={
        "pairs": [*MAJORS, "USD/CHF", "USD/CAD", "EUR/JPY", "EUR/GBP"],
        "late_join_bps": 9_000,
        "drawdown_rule": "peak",
        "drawdown_limit_bps": 1_000,
    },
)
FLOOR = Series(
    "Open Floor",
    every=timedelta(hours=2),
    length=timedelta(hours=2),
    description="Two hours on the open floor. Join whenever you like, until the last minutes.",
    terms={"pairs": MAJORS, "late_join_bps": 9_500, "objection_s": 60},
)
STEADY = Series(
    "Steady Hands",
    every=timedelta(days=1),
    length=timedelta(hours=2),
    phase=timedelta(hours=18),
    description="Lose three per cent of the starting balance and you are out. The last five minutes are for closing only.",
    terms={"pairs": MAJORS, "drawdown_rule": "start", "drawdown_limit_bps": 300, "close_only_s": 300, "leverage": 20},
)
CUP = Series(
    "Token Cup",
    every=timedelta(hours=1),
    length=timedelta(minutes=30),
    phase=timedelta(minutes=30),
    description="Half an hour. Everybody pays twenty tokens in, the first three share the pool, and the house adds a reward.",
    terms={
        "pairs": MAJORS,
        "entry_tokens": 20,
        "rake_bps": 500,
        "prize_split_bps": [5_000, 3_000, 2_000],
        "reward_tokens": [50, 25, 10],
        "late_join_bps": 2_500,
        "objection_s": 60,
    },
)
SANDBOX = Series(
    "Bot Sandbox",
    every=timedelta(hours=1),
    length=timedelta(hours=1),
    description="For programs alone: try yours against others. It costs nothing, pays nothing, and has a leaderboard of its own.",
    terms={"pairs": MAJORS, "bots_only": True, "min_entries": 1, "late_join_bps": 9_500, "objection_s": 30},
)
SERIES = (SPRINT, FLOOR, CUP, DAILY, STEADY, SANDBOX)


def tradable(pairs: Iterable[str], quoted: Collection[str]) -> list[str]:
    """Keep the pairs that a contest can list: quoted themselves, and with both currencies quoted against the dollar.

    Shapes: quoted names the pairs that have quotes; empty before the first quote, when all are kept.
    Example:
        >>> tradable(["EUR/USD", "EUR/GBP"], {"EUR/USD", "EUR/GBP"})
        ['EUR/USD']
    """

    def priced(currency: str) -> bool:
        return currency == "USD" or f"{currency}/USD" in quoted or f"USD/{currency}" in quoted

    return [pair for pair in pairs if not quoted or (pair in quoted and all(map(priced, pair.split("/"))))]


def host(client: ArenaClient, now: datetime) -> Iterator[str]:
    """See to it that the next contest of every series is open; give the titles of those that were made.

    Raises: Unreachable.
    """
    quoted = client.get("/api/quotes")["quotes"]
    titles = {row["title"] for status in ("open", "running") for row in client.contests(status)}
    for series in SERIES:
        body = series.wanted(now, lead=timedelta(seconds=20))
        if body["title"] in titles:
            continue
        body["pairs"] = tradable(body["pairs"], quoted) or tradable(quoted, quoted)[:4]
        try:
            client.post("/api/competitions", body)
        except ApiError as refusal:
            log.warning("the host could not make %s: %s", body["title"], refusal)
        else:
            yield body["title"]
