"""A contest on the real database and bus that can be played as often as one likes: the same script, told by one seed.

What a play left behind is given as plain rows, with the ids of this play replaced by running numbers.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from competitions.engine.quotes import Quote
from competitions.models import Amendment, Competition, Deal, Entry, Fill, Order, Position, Trade
from competitions.services.execution import Engine
from competitions.tests.stage import START, Market, amend, contest, enter, person, wish
from tradingarena.core.ids import derived_id

PAIRS = {"EUR/USD": 108_500, "USD/JPY": 150_000, "GBP/USD": 127_000, "EUR/GBP": 85_400}
DIGITS = {"USD/JPY": 3}
MINUTES = 10
CHAPTERS = 12
PLAYERS = 5


def text(pair: str, points: int) -> str:
    digits = DIGITS.get(pair, 5)
    return f"{points / 10**digits:.{digits}f}"


class Plot:
    """One telling of the script. `quotes` are made once, so that every telling has the same ids and times."""

    def __init__(self, seed: int, **fields: Any) -> None:
        self.dice = random.Random(seed)
        self.seed, self.fields = seed, fields
        self.mid = dict(PAIRS)

    def begin(self) -> Competition:
        """Make the contest and its entrants, and an empty bus."""
        values = {
            "pairs": sorted(PAIRS), "starting_balance_cents": 1_000_000, "commission_cents_per_lot": 350,
            "starts_at": START - timedelta(minutes=1), "ends_at": START + timedelta(minutes=MINUTES),
            "drawdown_rule": "peak", "drawdown_limit_bps": 4_000,
        }  # fmt: skip
        self.competition = contest(**(values | self.fields))
        tag = self.competition.slug[-6:]
        self.entries = [enter(self.competition, person(f"p{number}{tag}")) for number in range(PLAYERS)]
        self.market = Market()
        return self.competition

    def tell(self, decide: Callable[[], None]) -> list[dict[str, Any]]:
        """Play the whole script; `decide` makes sure that everything on the bus is decided and committed."""
        self.market.send(*(self._quote(at, pair) for at, pair in enumerate(sorted(PAIRS))))
        span_ms = MINUTES * 60_000 // CHAPTERS
        for chapter in range(CHAPTERS):
            begin_ms = chapter * span_ms + 100
            self._write_orders(begin_ms, span_ms)
            times = sorted(self.dice.randrange(begin_ms + 1, begin_ms + span_ms - 1) for _ in range(40))
            for at_ms in times:
                self.market.send(self._quote(at_ms, self.dice.choice(sorted(PAIRS))))
            decide()
        end_ms = MINUTES * 60_000
        self.market.send(*(self._quote(end_ms - 20 + place, pair) for place, pair in enumerate(sorted(PAIRS))))
        decide()
        self.market.send(self._quote(end_ms + 1_000, "EUR/USD"))
        decide()
        return self.rows()

    def _quote(self, at_ms: int, pair: str) -> Quote:
        dice = self.dice
        jump = dice.random() < 0.04
        self.mid[pair] = (
            self.mid[pair] * dice.choice((985, 1_015)) // 1_000 if jump else self.mid[pair] + dice.randint(-40, 40)
        )
        bid, ask = self.mid[pair], self.mid[pair] + dice.randint(2, 20)
        flags = {"confirmed": not jump or dice.random() < 0.5, "armed": dice.random() < 0.95}
        return self.market.quote(at_ms, pair, text(pair, bid), text(pair, ask), **flags)

    def _write_orders(self, begin_ms: int, span_ms: int) -> None:
        """Let every player do something in this chapter, by what is in the database now."""
        dice = self.dice
        for entry in Entry.objects.filter(competition=self.competition).order_by("number"):
            for _ in range(dice.randint(1, 3)):
                at_ms, pair = begin_ms + dice.randrange(span_ms // 2), dice.choice(sorted(PAIRS))
                kind = dice.choice(("market", "market", "limit", "stop"))
                sides: dict[str, Any] = {
                    name: text(pair, self.mid[pair] + dice.randint(-300, 300)) if dice.random() < 0.5 else None
                    for name in ("stop_loss", "take_profit")
                }
                if kind != "market":
                    sides["price"] = text(pair, self.mid[pair] + dice.randint(-80, 80))
                wish(entry, at_ms, pair, dice.choice((-1, 1)) * 1_000 * dice.randint(1, 120), type=kind, **sides)
            working = list(Order.objects.filter(entry=entry, status=Order.Status.WORKING).order_by("seq"))
            if working and dice.random() < 0.5:
                chosen = dice.choice(working)
                kind = dice.choice(("cancel", "modify"))
                fields = {"units": chosen.units + 1_000, "price": chosen.price} if kind == "modify" else {}
                amend(entry, begin_ms + dice.randrange(span_ms), kind, order=chosen, **fields)
            held = list(Position.objects.filter(entry=entry).exclude(units=0).order_by("pair"))
            if held and dice.random() < 0.5:
                one = dice.choice(held)
                price = text(one.pair, self.mid[one.pair] + (-200 if one.units > 0 else 200))
                amend(
                    entry,
                    begin_ms + dice.randrange(span_ms),
                    "protect",
                    position=one,
                    stop_loss=price,
                    take_profit=None,
                )
            if entry.number == 2 and begin_ms > 300_000 and not entry.amendments.filter(kind="disqualify").exists():
                amend(entry, begin_ms + 7, "disqualify", note="as the script has it")

    # -- what it left behind --------------------------------------------------------------------------------------------
    def rows(self) -> list[dict[str, Any]]:
        """Give every row of the contest, ids replaced by what they stand for; who wrote it (the epoch) is left out."""
        where = {"entry__competition": self.competition}
        names: dict[Any, Any] = {self.competition.pk: "contest"}
        tables = [
            (Entry, Entry.objects.filter(competition=self.competition).order_by("number"), "number"),
            (Order, Order.objects.filter(**where).order_by("seq"), None),
            (Trade, Trade.objects.filter(**where).order_by("entry__number", "opened_at", "pair", "opened_units"), None),
            (Fill, Fill.objects.filter(**where).order_by("entry__number", "number"), "number"),
            (Deal, Deal.objects.filter(**where).order_by("entry__number", "number"), "number"),
            (Position, Position.objects.filter(**where).order_by("entry__number", "pair"), None),
            (Amendment, Amendment.objects.filter(**where).order_by("seq"), None),
        ]
        found = []
        for model, rows, _ in tables:
            for place, row in enumerate(rows):
                names[row.pk] = f"{model.__name__} {place}"
        for model, rows, _ in tables:
            for row in rows:
                values = {field.attname: getattr(row, field.attname) for field in model._meta.concrete_fields}
                for left_out in ("engine_epoch", "seq", "user_id", "joined_at"):
                    values.pop(left_out, None)
                found.append(
                    {"table": model.__name__} | {name: names.get(value, value) for name, value in values.items()}
                )
        return found

    def check_ids(self) -> None:
        """Make sure that what the engine wrote has the ids that follow from the entry and a running number."""
        for entry in self.entries:
            for model, name in ((Fill, "fill"), (Deal, "deal")):
                rows = list(model._default_manager.filter(entry=entry).order_by("number"))
                assert [row.number for row in rows] == list(range(1, len(rows) + 1))
                assert all(row.pk == derived_id(entry.pk, f"{name}:{row.number}") for row in rows)


def expire_leases() -> None:
    """Let every engine's lease run out, as time would."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_lease SET expires_at = clock_timestamp() - interval '1 second' WHERE name LIKE 'competition:%'"
        )


def fresh_engine(plot: Plot) -> Engine:
    """Make an engine as a restarted process would, on the stream's own time."""
    return Engine(plot.market.bus, clock=None)


def caught_up(engine: Engine, competition_id: UUID) -> bool:
    """Tell whether an engine has decided everything that is on the bus, or the contest is over."""
    desk = engine.desks.get(competition_id)
    return desk is None or desk.fed_to == engine.bus.last_id()
