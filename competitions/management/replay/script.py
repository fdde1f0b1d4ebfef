"""Scripted entrants: what they send is told by a seed, the prices of the moment and what they hold. The same play, the same orders.

They send what the doors would have accepted, straight into the tables, since the doors keep the wall clock's time.
"""

import random
from collections.abc import Mapping
from typing import Any

from django.db import connection

from competitions.engine.instruments import INSTRUMENTS
from competitions.engine.quotes import Quote
from competitions.models import Amendment, Competition, Entry, Order, Position
from tradingarena.core.clock import from_ms
from tradingarena.core.ids import derived_id

LARGEST_LOTS = 8
MOST_WORKING = 6


class Entrant:
    """One scripted entrant with dice of its own."""

    def __init__(self, entry: Entry, seed: int, pairs: list[str]) -> None:
        self.entry, self.pairs = entry, pairs
        self.dice = random.Random(f"{seed}:{entry.number}")  # noqa: S311  a script, not a secret
        self.eagerness = self.dice.choice((0.02, 0.05, 0.12))  # some trade often, some seldom
        self.sent = 0

    def act(
        self, at_ms: int, quotes: Mapping[str, Quote], held: list[Position], working: list[Order]
    ) -> list[Order | Amendment]:
        """Decide what to send now, usually nothing."""
        dice = self.dice
        if dice.random() >= self.eagerness:
            return []
        pair = dice.choice(self.pairs)
        quote = quotes.get(pair)
        if quote is None:
            return []
        position = next((one for one in held if one.pair == pair), None)
        chance = dice.random()
        if position is not None and chance < 0.25:
            return [self._close(position, at_ms)]
        if position is not None and chance < 0.35:
            return [self._flip(position, at_ms)]
        if position is not None and chance < 0.50:
            return [self._protect(position, quote, at_ms)]
        if working and (chance < 0.60 or len(working) >= MOST_WORKING):
            return [self._amend(dice.choice(working), at_ms)]
        return [self._open(quote, at_ms)]

    def _open(self, quote: Quote, at_ms: int) -> Order:
        dice, traded = self.dice, INSTRUMENTS[quote.pair]
        buys = dice.random() < 0.5
        kind = dice.choice(("market", "market", "limit", "stop"))
        market = quote.ask if buys else quote.bid
        away = dice.randint(5, 150) * (1 if (kind == "stop") == buys else -1)
        price = market if kind == "market" else market + away
        sign = 1 if buys else -1
        fields: dict[str, Any] = {}
        if dice.random() < 0.5:
            fields["stop_loss"] = traded.to_price(price - sign * dice.randint(30, 400))
        if dice.random() < 0.5:
            fields["take_profit"] = traded.to_price(price + sign * dice.randint(30, 400))
        if kind != "market":
            fields["price"] = traded.to_price(price)
        return self._order(quote.pair, buys, kind, 1_000 * dice.randint(1, 100 * LARGEST_LOTS), at_ms, **fields)

    def _close(self, position: Position, at_ms: int) -> Order:
        size = abs(position.units)
        units = size if self.dice.random() < 0.4 else max(1, size * self.dice.randint(1, 9) // 10)
        return self._order(position.pair, position.units < 0, "market", units, at_ms, closes_position=position.pk)

    def _flip(self, position: Position, at_ms: int) -> Order:
        units = abs(position.units) + 1_000 * self.dice.randint(1, 100)
        return self._order(position.pair, position.units < 0, "market", units, at_ms)

    def _protect(self, position: Position, quote: Quote, at_ms: int) -> Amendment:
        traded, sign = INSTRUMENTS[position.pair], 1 if position.units > 0 else -1
        market = quote.bid if position.units > 0 else quote.ask
        near, far = self.dice.randint(20, 300), self.dice.randint(20, 500)
        return self._amendment(
            Amendment.Kind.PROTECT, at_ms, position=position, stop_loss=traded.to_price(market - sign * near),
            take_profit=traded.to_price(market + sign * far),
        )  # fmt: skip

    def _amend(self, order: Order, at_ms: int) -> Amendment:
        if self.dice.random() < 0.5:
            return self._amendment(Amendment.Kind.CANCEL, at_ms, order=order)
        assert order.price is not None
        price = order.price + INSTRUMENTS[order.pair].to_price(self.dice.randint(-30, 30))
        return self._amendment(
            Amendment.Kind.MODIFY,
            at_ms,
            order=order,
            price=price,
            units=order.units + 1_000,
            stop_loss=None,
            take_profit=None,
        )

    def _order(self, pair: str, buys: bool, kind: str, units: int, at_ms: int, **fields: Any) -> Order:
        self.sent += 1
        return Order(
            id=derived_id(self.entry.pk, f"script:{self.sent}"), entry=self.entry, competition_id=self.entry.competition_id,
            pair=pair, side="buy" if buys else "sell", type=kind, units=units, accepted_at=from_ms(at_ms), **fields,
        )  # fmt: skip

    def _amendment(self, kind: str, at_ms: int, **fields: Any) -> Amendment:
        self.sent += 1
        return Amendment(
            id=derived_id(self.entry.pk, f"script:{self.sent}"), entry=self.entry, competition_id=self.entry.competition_id,
            kind=kind, accepted_at=from_ms(at_ms), **fields,
        )  # fmt: skip


class Crowd:
    """All entrants of a contest."""

    def __init__(self, competition: Competition, seed: int) -> None:
        self.competition = competition
        entries = Entry.objects.filter(competition=competition).order_by("number")
        self.entrants = [Entrant(entry, seed, sorted(competition.pairs)) for entry in entries]

    def act(self, at_ms: int, quotes: Mapping[str, Quote]) -> int:
        """Let everybody who wants to send something send it; give how many orders and amendments were sent."""
        held: dict[object, list[Position]] = {}
        working: dict[object, list[Order]] = {}
        for position in Position.objects.filter(entry__competition=self.competition).exclude(units=0).order_by("pair"):
            held.setdefault(position.entry_id, []).append(position)
        for order in Order.objects.filter(competition=self.competition, status=Order.Status.WORKING).order_by("seq"):
            working.setdefault(order.entry_id, []).append(order)
        sent: list[Order | Amendment] = []
        for one in self.entrants:
            pk = one.entry.pk
            sent += one.act(at_ms, quotes, held.get(pk, []), working.get(pk, []))
        for item, seq in zip(sent, _next_seqs(len(sent)), strict=True):
            item.seq = seq
        Order.objects.bulk_create([item for item in sent if isinstance(item, Order)])
        Amendment.objects.bulk_create([item for item in sent if isinstance(item, Amendment)])
        return len(sent)


def _next_seqs(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('competitions_acceptance_seq') FROM generate_series(1, %s)", [count])
        return sorted(int(row[0]) for row in cursor.fetchall())


def starting_values(balance_cents: int) -> dict[str, int]:
    """Give an entry's account as it is before anything was traded."""
    names = ("cash_cents", "max_equity_cents", "day_start_equity_cents", "last_equity_cents")
    return dict.fromkeys(names, balance_cents)


COMMISSION_CENTS_PER_LOT = 350
BALANCE_CENTS = 10_000_000
