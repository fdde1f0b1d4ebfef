"""kill -9 of web, feed, engine, worker and beat during a replay: nothing lost, nothing doubled, the same standings.

The undisturbed run is a book in this test's memory: it is given the stored orders and the recording's quotes, and no process
of it can be killed.
"""

import gzip
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import redis
from psycopg.rows import dict_row

from competitions.engine.book import Book
from competitions.engine.decisions import Account, Filled, Rules, Wish
from competitions.engine.instruments import INSTRUMENTS
from competitions.engine.quotes import Quote
from competitions.marketdata.bus import QuoteBus
from tradingarena.core.clock import to_ms
from tradingarena.settings.env import database_config
from tradingarena.tests.flows.arena import Arena, Person, running, until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(420)]

PAIRS = {"EUR/USD": 108_500, "USD/JPY": 150_000, "GBP/USD": 127_000, "EUR/GBP": 85_400}
CALM_S, STORM_S, AFTER_S = 42, 24, 120
SWING = {"EUR/USD": 120, "USD/JPY": 160, "GBP/USD": 150, "EUR/GBP": 60}
PARTS = ("web", "feed", "engine", "worker", "beat")


def record(path: Path) -> None:
    """Write a recording: calm while orders are placed, then swings that reach every one of them, then calm."""
    dice = random.Random(20260302)
    with gzip.open(path, "wt") as out:
        out.write("time_ms_utc,pair,bid,ask\n")
        start_ms = 1_700_000_000_000
        drift = dict.fromkeys(PAIRS, 0)
        for step in range((CALM_S + STORM_S + AFTER_S) * 5):
            now_s = step / 5
            for number, (pair, middle) in enumerate(PAIRS.items()):
                if CALM_S <= now_s < CALM_S + STORM_S:
                    drift[pair] += dice.randint(-SWING[pair] // 8, SWING[pair] // 8)
                    drift[pair] = max(-3 * SWING[pair], min(3 * SWING[pair], drift[pair]))
                traded, price = INSTRUMENTS[pair], middle + drift[pair] + dice.randint(-1, 1)
                out.write(
                    f"{start_ms + step * 200 + number * 7},{pair},{traded.text(price)},{traded.text(price + 10)}\n"
                )


@dataclass
class Story:
    """What the clients know when it is over."""

    acknowledged: set[str]
    kills: dict[str, int]
    longest_absence_s: float


def contest(operator: Person, traders: list[Person]) -> str:
    """Create, open and join a contest that covers the storm; give its id once it runs."""
    begins = datetime.now(UTC) + timedelta(seconds=8)
    status, made = operator.ask(
        "POST",
        "/api/competitions",
        {
            "title": "Kills", "pairs": list(PAIRS), "objection_s": 3600,
            "starts_at": begins.isoformat(), "ends_at": (begins + timedelta(seconds=62)).isoformat(),
        },
    )  # fmt: skip
    assert status == 201, made
    path = f"/api/competitions/{made['id']}"
    assert operator.ask("POST", f"{path}/transition", {"to": "open"})[0] == 200
    for trader in traders:
        assert trader.ask("POST", f"{path}/join", {})[0] in {200, 201}
    until("the contest runs", lambda: operator.ask("GET", path)[1]["status"] == "running")
    return str(made["id"])


def place(trader: Person, path: str, story: Story, order: dict[str, Any]) -> None:
    """Place one order, asking until it is acknowledged or refused by a rule."""
    body = {"id": str(uuid4()), **order}
    status, answer = trader.ask("POST", f"{path}/orders", body)
    assert status in {200, 201, 409, 422}, answer
    if status in {200, 201}:
        story.acknowledged.add(body["id"])


def script(trader_number: int) -> Iterator[dict[str, Any]]:
    """Resting orders that the calm does not reach and the storm does."""
    dice = random.Random(trader_number)
    for _ in range(14):
        pair = dice.choice(list(PAIRS))
        distance = dice.randint(15, SWING[pair])
        side, kind = dice.choice(["buy", "sell"]), dice.choice(["limit", "stop"])
        below = (side == "buy") == (kind == "limit")
        price = PAIRS[pair] + (-distance if below else distance + 10)
        sign = 1 if side == "buy" else -1
        text = INSTRUMENTS[pair].text
        order: dict[str, Any] = {
            "pair": pair,
            "side": side,
            "type": kind,
            "units": dice.randint(1, 40) * 1000,
            "price": text(price),
        }
        if dice.random() < 0.6:
            order["stop_loss"] = text(price - sign * dice.randint(40, 120))
        if dice.random() < 0.6:
            order["take_profit"] = text(price + sign * dice.randint(40, 120))
        yield order


@contextmanager
def disturbed(arena: Arena, story: Story) -> Iterator[None]:
    """Kill a random part every few seconds while the block runs."""
    over = threading.Event()

    def destroy() -> None:
        dice = random.Random(7)
        order = list(PARTS) * 3
        dice.shuffle(order)
        for name in order:
            if over.wait(dice.uniform(1.5, 3.0)):
                return
            victim = arena.processes().get(name)
            arena.kill(name)
            story.kills[name] = story.kills.get(name, 0) + 1
            gone = time.monotonic()
            until(
                f"{name} runs again",
                lambda name=name, victim=victim: arena.processes().get(name) not in {None, victim},
                patience_s=30,
            )
            story.longest_absence_s = max(story.longest_absence_s, time.monotonic() - gone)

    destroyer = threading.Thread(target=destroy)
    destroyer.start()
    try:
        yield
    finally:
        over.set()
        destroyer.join()


def undisturbed(
    competition: dict[str, Any], entries: list[Any], orders: list[Any], quotes: list[Quote], start_id: int
) -> Book:
    """Decide the same orders at the same quotes without any process that could be killed."""
    rules = Rules(
        pairs=tuple(competition["pairs"]), starting_balance_cents=competition["starting_balance_cents"],
        starts_ms=to_ms(competition["starts_at"]), ends_ms=to_ms(competition["ends_at"]),
    )  # fmt: skip
    book = Book(rules)
    for entry in entries:
        start = rules.starting_balance_cents
        book.add_account(Account(entry["number"], start), peak_cents=start, drawdown_bps=0, day_start_cents=start)
    book.loaded()
    place_of = {entry["id"]: place for place, entry in enumerate(entries)}
    for order in orders:
        traded = INSTRUMENTS[order["pair"]]
        prices = [
            None if order[name] is None else traded.to_points(order[name])
            for name in ("price", "stop_loss", "take_profit")
        ]
        units = order["units"] if order["side"] == "buy" else -order["units"]
        book.accept(
            Wish(str(order["id"]), place_of[order["entry_id"]], order["seq"], order["pair"], order["type"], units, *prices,
                 to_ms(order["accepted_at"]))
        )  # fmt: skip
    book.seed({quote.pair: quote for quote in quotes if quote.id <= start_id}.values())
    return book


def test_kills_at_random_change_nothing(tmp_path: Path) -> None:
    record(tmp_path / "storm.csv.gz")
    replay = {"MARKET_DATA_PROVIDER": "replay", "REPLAY_FILES": str(tmp_path / "storm.csv.gz"), "FEED_WARM_UP_S": "0"}
    story = Story(set(), {}, 0.0)
    with running(tmp_path / "state", "--no-demo", **replay) as arena:
        names: dict[str, Sequence[str]] = {f"trader{number}": () for number in range(4)}
        operator, noisy, *traders = arena.people({"olga": ("--role", "admin"), "noisy": (), **names})
        competition_id = contest(operator, [*traders, noisy])
        path = f"/api/competitions/{competition_id}"
        for number, trader in enumerate(traders):
            for order in script(number):
                place(trader, path, story, order)
        with disturbed(arena, story):
            dice = random.Random(3)
            while operator.ask("GET", path)[1]["status"] == "running":
                order = {
                    "pair": dice.choice(list(PAIRS)),
                    "side": dice.choice(["buy", "sell"]),
                    "type": "market",
                    "units": 1000,
                }
                place(noisy, path, story, order)
                time.sleep(0.3)
        until("everything is ready again", arena.is_ready, patience_s=30)
        assert set(story.kills) == set(PARTS)
        checked = arena.manage("check_invariants", "--json")
        assert checked.returncode == 0, checked.stdout
        compare(arena, competition_id, noisy, story, tmp_path / "storm.csv.gz")
    assert arena.up.returncode == 0


def compare(arena: Arena, competition_id: str, noisy: Person, story: Story, recording: Path) -> None:
    """Hold what the killed processes left behind against the recording, the acknowledgements and the undisturbed run."""
    environment = arena.services_environment()
    quotes = all_quotes(environment["REDIS_URL"])
    assert_recorded_once(quotes, recording)
    config = database_config(environment["DATABASE_URL"])
    with psycopg.connect(
        host=str(config["HOST"]), user=str(config["USER"]), dbname=str(config["NAME"]), row_factory=dict_row
    ) as db:
        rows = {
            table: db.execute(f"SELECT * FROM competitions_{table} ORDER BY {order}").fetchall()  # type: ignore[arg-type]  # fixed names
            for table, order in (("order", "seq"), ("entry", "number"), ("fill", "entry_id, number"))
        }
        competition = db.execute("SELECT * FROM competitions_competition").fetchone()
        state = db.execute("SELECT min(quote_id) AS first FROM competitions_equitysnapshot").fetchone()
    assert competition is not None
    assert state is not None
    stored = {str(order["id"]) for order in rows["order"]}
    assert story.acknowledged <= stored
    assert len(rows["order"]) == len(stored)
    filled = [fill["order_id"] for fill in rows["fill"] if fill["order_id"]]
    assert len(filled) == len(set(filled))
    assert {order["status"] for order in rows["order"]} <= {"filled", "cancelled", "rejected"}

    noisy_entry = next(entry for entry in rows["entry"] if entry["number"] == 5)
    scripted = [order for order in rows["order"] if order["entry_id"] != noisy_entry["id"]]
    first = min(quote.id for quote in quotes if quote.received_ms >= to_ms(competition["starts_at"]))
    book = undisturbed(competition, rows["entry"], scripted, quotes, first - 1)
    fills = [
        decision
        for quote in quotes
        if quote.id >= first and quote.received_ms <= book.rules.ends_ms
        for decision in book.on_quote(quote)
        if isinstance(decision, Filled)
    ]
    fills += [decision for decision in book.finish(book.rules.ends_ms) if isinstance(decision, Filled)]
    expected = {
        (rows["entry"][fill.place]["id"], fill.number): (
            fill.pair, abs(fill.units), INSTRUMENTS[fill.pair].to_price(fill.price), fill.rule, fill.quote.id,
        )
        for fill in fills
    }  # fmt: skip
    found = {
        (fill["entry_id"], fill["number"]): (
            fill["pair"], fill["units"], Decimal(fill["price"]).quantize(Decimal(1).scaleb(-INSTRUMENTS[fill["pair"]].digits)),
            fill["rule"], fill["quote_id"],
        )
        for fill in rows["fill"]
        if fill["entry_id"] != noisy_entry["id"]
    }  # fmt: skip
    assert len(expected) > 20
    assert found == expected
    for place, entry in enumerate(rows["entry"]):
        if entry["id"] != noisy_entry["id"]:
            assert entry["final_equity_cents"] == book.accounts[place].cash_cents
            assert entry["max_drawdown_bps"] == int(book.marks.drawdown_bps[place])
            assert entry["max_equity_cents"] == int(book.marks.peak[place])


def all_quotes(redis_url: str) -> list[Quote]:
    """Read every quote that the killed feeds have left on the bus."""
    bus = QuoteBus(redis.Redis.from_url(redis_url), prefix="arena:", kept=10**6)
    quotes: list[Quote] = []
    while batch := bus.read(quotes[-1].id if quotes else 0).quotes:
        quotes += batch
    return quotes


def assert_recorded_once(quotes: list[Quote], recording: Path) -> None:
    """Every row of the recording, in its order, once: the beginning of it, as far as it has been played."""
    with gzip.open(recording, "rt") as lines:
        next(lines)
        recorded = [tuple(line.rstrip().split(",")[1:]) for line in lines]
    played = [
        (quote.pair, INSTRUMENTS[quote.pair].text(quote.bid), INSTRUMENTS[quote.pair].text(quote.ask))
        for quote in quotes
    ]
    assert len(played) > CALM_S * 5 * len(PAIRS)
    assert played == recorded[: len(played)]
