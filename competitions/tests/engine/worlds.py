"""Random contests for the engine and its oracle: prices that drift and jump, and traders who do everything one may do.

A world is a list of happenings in order. It is drawn from one seed, so that any of its beginnings is a world as well.
"""

import random
from dataclasses import dataclass, replace

from competitions.engine.decisions import Change, Rules, Wish
from competitions.engine.instruments import needed_pairs
from competitions.engine.quotes import Quote

MIDS = {
    "EUR/USD": 108_500, "GBP/USD": 127_000, "USD/JPY": 150_000, "USD/CHF": 88_000,
    "EUR/GBP": 85_400, "EUR/JPY": 162_700, "GBP/CHF": 111_800, "EUR/CHF": 95_500,
}  # fmt: skip
MIDNIGHT_MS = 1_772_496_000_000  # a Tuesday begins
START_MS = MIDNIGHT_MS - 40_000

Happening = Quote | Wish | Change | int  # an int is a moment at which the clock alone asks for decisions


@dataclass(frozen=True)
class World:
    """A contest's rules and what happens in it. Each of `happenings` is used once: copy orders before handing them over."""

    rules: Rules
    players: int
    happenings: list[Happening]
    ends_ms: int


def fresh(item: Wish | Change) -> Wish | Change:
    """Copy an order or amendment, since a book changes what it is given."""
    return replace(item)


def draw(seed: int, *, players: int, length: int, late: bool = False) -> World:
    """Draw a world of about `length` happenings; `late` lets some orders be seen only after the next quote."""
    return _Drawing(random.Random(seed), players, length, late).world()


class _Drawing:
    def __init__(self, dice: random.Random, players: int, length: int, late: bool) -> None:
        self.dice, self.players, self.length, self.late = dice, players, length, late
        self.pairs = tuple(sorted(dice.sample(sorted(MIDS), dice.randint(1, 5))))
        self.fed = sorted(needed_pairs(self.pairs) | {"EUR/USD", "USD/JPY"})  # maybe also fed without being needed
        self.mid = {pair: MIDS.get(pair, 100_000) for pair in self.fed}
        self.balance_cents = dice.choice((30_000, 60_000, 250_000, 10_000_000))
        self.leverage = dice.choice((10, 30, 100))
        self.now_ms = START_MS
        self.seq = 0
        self.quote_id = 10**12
        self.asked: list[Wish] = []
        self.jumping: set[str] = set()
        self.out: list[Happening] = []

    def rules(self) -> Rules:
        dice = self.dice
        rule = dice.choice(("none", "none", "none", "start", "peak", "daily"))
        return Rules(
            pairs=self.pairs,
            starting_balance_cents=self.balance_cents,
            leverage=self.leverage,
            max_units=dice.choice((150_000, 50_000_000, 50_000_000)),
            max_orders=dice.choice((4, 50, 50)),
            commission_cents_per_lot=dice.choice((0, 0, 350, 777)),
            stop_out_level_bps=dice.choice((0, 5_000, 8_000)),
            drawdown_rule=rule,
            drawdown_limit_bps=0 if rule == "none" else dice.choice((50, 400, 3_000)),
            starts_ms=START_MS - 1,
            close_only_ms=dice.choice((0, 0, 0, 20_000)),
            quote_stale_ms=dice.choice((2_000, 5_000)),
        )

    def world(self) -> World:
        rules = self.rules()
        if self.dice.random() < 0.9:
            for pair in self.fed:
                self.quote(pair, calm=True)
        while len(self.out) < self.length:
            chance = self.dice.random()
            if chance < 0.55:
                self.quote(self.dice.choice(self.fed))
            elif chance < 0.80:
                self.order()
            elif chance < 0.95:
                self.change()
            else:
                self.out.append(self.now_ms)
        ends_ms = self.now_ms + self.dice.choice((0, 1, 5_000))
        self.out = [one for one in self.out if not isinstance(one, Quote) or one.received_ms <= ends_ms]
        return World(replace(rules, ends_ms=ends_ms), self.players, self.out, ends_ms)

    def quote(self, pair: str, *, calm: bool = False) -> None:
        dice = self.dice
        self.now_ms += dice.choice((0, 1, 40, 300, 900, 1_500, 4_000))
        confirmed = True
        if pair in self.jumping:
            confirmed = dice.random() < 0.7
            self.jumping -= {pair} if confirmed else set()
        elif not calm and dice.random() < 0.06:
            self.mid[pair] = self.mid[pair] * dice.choice((900, 970, 985, 1_015, 1_030, 1_120)) // 1_000
            confirmed = dice.random() < 0.4
            self.jumping |= set() if confirmed else {pair}
        else:
            self.mid[pair] += dice.randint(-60, 60)
        armed = calm or dice.random() < 0.93
        self.quote_id += dice.randint(1, 2)
        bid = self.mid[pair]
        ask, sent_ms = bid + dice.randint(1, 30), self.now_ms - dice.randint(0, 50)
        self.out.append(Quote(self.quote_id, pair, bid, ask, sent_ms, self.now_ms, confirmed, armed, "w"))

    def near(self, pair: str, reach: int = 120) -> int | None:
        return max(1, self.mid[pair] + self.dice.randint(-reach, reach))

    def protection(self, pair: str) -> int | None:
        return self.near(pair, 250) if self.dice.random() < 0.5 else None

    def accepted_ms(self) -> int:
        return self.now_ms + self.dice.choice((-1 if self.late else 0, 0, 0, 1, 20, 700))

    def order(self) -> None:
        dice = self.dice
        pair = dice.choice(self.pairs)
        kind = dice.choice(("market", "market", "limit", "stop"))
        closes = kind == "market" and dice.random() < 0.15
        most = self.balance_cents * self.leverage // 100_000  # about what margin allows, in thousands
        units = dice.choice((-1, 1)) * 1_000 * max(1, most * dice.choice((1, 5, 10, 30, 50, 80)) // 100)
        self.seq += 1
        wish = Wish(
            f"00000000-0000-0000-0000-{self.seq:012}", dice.randrange(self.players), self.seq, pair, kind, units,
            None if kind == "market" else self.near(pair), None if closes else self.protection(pair),
            None if closes else self.protection(pair), self.accepted_ms(), closes,
        )  # fmt: skip
        self.asked.append(wish)
        self.out.append(wish)

    def change(self) -> None:
        dice = self.dice
        kind = dice.choice(("protect", "protect", "cancel", "modify", "modify", "disqualify"))
        if kind == "disqualify" and dice.random() < 0.95:
            return
        place, order, pair = dice.randrange(self.players), None, dice.choice(self.pairs)
        if kind in ("cancel", "modify"):
            if not self.asked:
                return
            order = dice.choice(self.asked[-12:])
            place, pair = order.place, order.pair
        self.seq += 1
        self.out.append(
            Change(
                f"10000000-0000-0000-0000-{self.seq:012}",
                place,
                self.seq,
                kind,
                order.id if order else None,
                pair,
                dice.choice((None, 4_000, 30_000)) if kind == "modify" else None,
                dice.choice((None, self.near(pair))) if kind == "modify" else None,
                self.protection(pair),
                self.protection(pair),
                self.accepted_ms(),
                "drawn by lot" if kind == "disqualify" else "",
            )  # fmt: skip
        )
