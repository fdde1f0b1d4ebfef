"""A stage for contests under test: people, a running contest, quotes on the real bus, an engine on the stream's own clock."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone

from accounts.models import User
from competitions.engine.instruments import INSTRUMENTS
from competitions.engine.quotes import Quote
from competitions.marketdata.bus import QuoteBus
from competitions.models import Amendment, Competition, Entry, Order
from competitions.services.execution import Engine
from tradingarena.core.clock import from_ms

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # a Monday, the market is open
START_MS = int(START.timestamp() * 1000)


def person(name: str, **fields: Any) -> User:
    """Make somebody who may do everything a confirmed adult may."""
    values = {
        "age_confirmed_at": timezone.now(),
        "terms_accepted_at": timezone.now(),
        "terms_version": "test",
        "country": "DE",
    }
    return User.objects.create_user(f"{name}@example.com", name, "a long test password", **(values | fields))


def contest(**fields: Any) -> Competition:
    """Make a contest that runs for an hour of stream time from START."""
    values: dict[str, Any] = {
        "slug": f"contest-{uuid4().hex[:8]}",
        "title": "Contest",
        "pairs": ["EUR/USD", "USD/JPY", "EUR/GBP"],
        "status": Competition.Status.RUNNING,
        "starts_at": START,
        "ends_at": START + timedelta(hours=1),
    }
    values |= fields
    return Competition.objects.create(**({"planned_ends_at": values["ends_at"]} | values))


def enter(competition: Competition, user: User, **fields: Any) -> Entry:
    """Give somebody the next place in a contest."""
    start = competition.starting_balance_cents
    values = {
        "number": competition.entries.count() + 1,
        "cash_cents": start,
        "max_equity_cents": start,
        "day_start_equity_cents": start,
        "last_equity_cents": start,
    }
    return Entry.objects.create(competition=competition, user=user, **(values | fields))


def next_seq() -> int:
    """Draw from the acceptance sequence."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('competitions_acceptance_seq')")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def wish(entry: Entry, at_ms: int, pair: str, units: int, **fields: Any) -> Order:
    """Store an accepted order. Units: at_ms after START; units signed; prices as text."""
    for name in ("price", "stop_loss", "take_profit"):
        if isinstance(fields.get(name), str):
            fields[name] = Decimal(fields[name])
    return Order.objects.create(
        id=fields.pop("id", uuid4()),
        entry=entry,
        competition=entry.competition,
        seq=next_seq(),
        pair=pair,
        side="buy" if units > 0 else "sell",
        type=fields.pop("type", "market"),
        units=abs(units),
        accepted_at=from_ms(START_MS + at_ms),
        **fields,
    )


def amend(entry: Entry, at_ms: int, kind: str, **fields: Any) -> Amendment:
    """Store an accepted amendment."""
    return Amendment.objects.create(
        entry=entry,
        competition=entry.competition,
        seq=next_seq(),
        kind=kind,
        accepted_at=from_ms(START_MS + at_ms),
        **fields,
    )


class Market:
    """Writes quotes to the bus with growing ids. Prices are text; time runs in milliseconds after START."""

    def __init__(self, bus: QuoteBus | None = None, *, epoch: int = 1) -> None:
        self.bus = bus or QuoteBus()
        self.bus.clear()
        self.next_id = epoch * 10**12 + 1

    def quote(self, at_ms: int, pair: str, bid: str, ask: str, **flags: bool) -> Quote:
        """Make a quote without sending it."""
        traded = INSTRUMENTS[pair]
        made = Quote(
            self.next_id, pair, traded.to_points(Decimal(bid)), traded.to_points(Decimal(ask)), START_MS + at_ms, START_MS + at_ms,
            flags.get("confirmed", True), flags.get("armed", True), "test",
        )  # fmt: skip
        self.next_id += 1
        return made

    def send(self, *quotes: tuple[Any, ...] | Quote) -> None:
        """Send quotes: made ones, or (at_ms, pair, bid, ask)."""
        self.bus.append([one if isinstance(one, Quote) else self.quote(*one) for one in quotes])


def stream_engine(bus: QuoteBus | None = None, *, holder: str | None = None) -> Engine:
    """Make an engine that lives on the stream's own time and reads the bus from its beginning."""
    engine = Engine(bus or QuoteBus(), clock=None, holder=holder)
    engine.cursor = 0
    return engine


def play(engine: Engine, market: Market, quotes: Iterable[tuple[Any, ...]]) -> None:
    """Send quotes one by one and let the engine decide after each."""
    for one in quotes:
        market.send(one)
        engine.step()


def ids(rows: Iterable[Any]) -> list[UUID]:
    """List primary keys."""
    return [row.pk for row in rows]
