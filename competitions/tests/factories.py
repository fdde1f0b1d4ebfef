"""Rows and quotes for tests, as plain functions: what a test does not name has a value that is right.

Contests that run here run now, by the real clock; `stage.py` has those that live on a recording's time.
"""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

from django.utils import timezone

from accounts.models import User
from accounts.rules import roles
from accounts.services import people
from competitions.engine.instruments import INSTRUMENTS
from competitions.engine.quotes import Quote
from competitions.marketdata.bus import QuoteBus
from competitions.models import Competition, Entry
from competitions.services.execution import Engine
from tradingarena.core.clock import to_ms

PRICES = {
    "EUR/USD": ("1.08500", "1.08510"),
    "USD/JPY": ("150.000", "150.010"),
    "GBP/USD": ("1.27000", "1.27012"),
    "EUR/GBP": ("0.85000", "0.85012"),
}
_ids = count(1)


def make_user(name: str, *, role: str = roles.USER, confirmed: bool = True, **fields: Any) -> User:
    """Make a person; confirmed ones may do everything an adult may."""
    return people.person_add(f"{name}@example.com", name, role=role, confirmed=confirmed, **fields)


def make_competition(**fields: Any) -> Competition:
    """Make a contest: running since ten minutes, for another hour, unless the fields say otherwise."""
    now = timezone.now()
    values: dict[str, Any] = {
        "slug": f"contest-{uuid4().hex[:10]}",
        "title": "Morning sprint",
        "pairs": ["EUR/USD", "USD/JPY"],
        "status": Competition.Status.RUNNING,
        "starts_at": now - timedelta(minutes=10),
        "ends_at": now + timedelta(hours=1),
    }
    return Competition.objects.create(**(values | fields))


def make_open_competition(**fields: Any) -> Competition:
    """Make a contest that takes entries and starts in an hour."""
    start = timezone.now() + timedelta(hours=1)
    values = {"status": Competition.Status.OPEN, "starts_at": start, "ends_at": start + timedelta(hours=1)}
    return make_competition(**(values | fields))


def make_entry(competition: Competition, user: User, **fields: Any) -> Entry:
    """Give a person the next place in a contest, whatever the rules of joining say."""
    start = competition.starting_balance_cents
    values = {
        "number": competition.entries.count() + 1,
        "cash_cents": start,
        "max_equity_cents": start,
        "day_start_equity_cents": start,
        "last_equity_cents": start,
    }
    return Entry.objects.create(competition=competition, user=user, **(values | fields))


def make_quote_on_bus(pair: str = "EUR/USD", bid: str = "", ask: str = "", *, age_ms: int = 0) -> Quote:
    """Put a good quote on the bus, received now or age_ms ago. Prices are text."""
    bid, ask = bid or PRICES[pair][0], ask or PRICES[pair][1]
    traded = INSTRUMENTS[pair]
    at_ms = to_ms(timezone.now()) + 1 - age_ms  # later than whatever was accepted in this very millisecond
    bus = QuoteBus()
    quote = Quote(
        max(bus.last_id(), at_ms * 1000) + next(_ids),
        pair,
        traded.to_points(Decimal(bid)),
        traded.to_points(Decimal(ask)),
        at_ms,
        at_ms,
        source="test",
    )
    bus.append([quote])
    return quote


def make_market(pairs: Iterable[str] = tuple(PRICES)) -> None:
    """Put a fresh quote of each pair on the bus."""
    for pair in pairs:
        make_quote_on_bus(pair)


def make_order_body(**fields: Any) -> dict[str, Any]:
    """Make the body of a market order for a lot of EUR/USD."""
    return {"id": str(uuid4()), "pair": "EUR/USD", "side": "buy", "type": "market", "units": 100_000} | fields


class Desk:
    """An engine in the test's own hands: it decides when the test says so, at the quote that the test gives."""

    def __init__(self) -> None:
        self.engine = Engine(QuoteBus())
        self.engine.step()

    def decide(self, pair: str = "EUR/USD", bid: str = "", ask: str = "") -> Quote:
        """Send a quote and decide everything at it: orders, and amendments whatever their pair."""
        quote = make_quote_on_bus(pair, bid, ask)
        self.engine.step()
        return quote
