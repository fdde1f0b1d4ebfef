"""The trading rules once more, written as naively as they read: lists that are searched and fractions that are exact.

Nothing of the engine is used here but the records that go in. It is slow and it is what the engine is held against.
Rules: docs/rules/trading.md.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from competitions.engine.decisions import Change, Rules, Wish
from competitions.engine.quotes import Quote

DAY_MS = 86_400_000
WHOLE = 10_000

Said = tuple[Any, ...]  # one decision, in words: its kind first


def scale(pair: str) -> int:
    return 1_000 if pair.endswith("JPY") else 100_000


def dollar_pair(currency: str) -> str | None:
    """Name the pair that prices a currency: the dollar comes second against these four, first against the others."""
    if currency == "USD":
        return None
    return f"{currency}/USD" if currency in ("EUR", "GBP", "AUD", "NZD") else f"USD/{currency}"


@dataclass
class Held:
    """A position. Units: signed units; cost in the quote currency."""

    units: int = 0
    cost: Fraction = Fraction(0)
    stop_loss: int | None = None
    take_profit: int | None = None
    seq: int = 0


@dataclass
class Asked:
    """An order that waits."""

    id: str
    seq: int
    pair: str
    kind: str
    units: int
    price: int | None
    stop_loss: int | None
    take_profit: int | None
    accepted_ms: int
    closes: bool


@dataclass
class Player:
    """One entry."""

    cash: int
    peak: int
    day_start: int
    drawdown: int = 0
    fills: int = 0
    deals: int = 0
    active: bool = True
    held: dict[str, Held] = field(default_factory=dict)
    waiting: list[Asked] = field(default_factory=list)


class Oracle:
    """A contest, told quote by quote."""

    def __init__(self, rules: Rules, players: int) -> None:
        self.rules = rules
        start = rules.starting_balance_cents
        self.players = [Player(start, start, start) for _ in range(players)]
        self.fed = set(rules.pairs)
        for pair in rules.pairs:
            self.fed |= {name for name in (dollar_pair(pair[:3]), dollar_pair(pair[4:])) if name}
        self.quotes: dict[str, Quote] = {}
        self.inbox: list[Wish | Change] = []
        self.last_ms = 0
        self.day: int | None = None
        self.said: list[Said] = []

    # -- value ----------------------------------------------------------------------------------------------------------
    def rate(self, currency: str) -> Fraction | None:
        pair = dollar_pair(currency)
        if pair is None:
            return Fraction(1)
        if pair not in self.quotes:
            return None
        mid = Fraction(self.quotes[pair].bid + self.quotes[pair].ask, 2 * scale(pair))
        return mid if pair.endswith("/USD") else 1 / mid

    def open_profit(self, pair: str, held: Held) -> Fraction:
        quote = self.quotes[pair]
        return Fraction(held.units * (quote.bid if held.units > 0 else quote.ask), scale(pair)) - held.cost

    def equity(self, player: Player, instead: dict[str, Held] | None = None, cash: int | None = None) -> int:
        """Cash, and per quote currency the open profit of all its positions, converted once and rounded down to 1/100,000."""
        per_currency: dict[str, Fraction] = {}
        for pair, held in (player.held | (instead or {})).items():
            if held.units:
                per_currency[pair[4:]] = per_currency.get(pair[4:], Fraction(0)) + self.open_profit(pair, held)
        small = (player.cash if cash is None else cash) * 1_000
        for currency, profit in per_currency.items():
            rate = self.rate(currency)
            if rate is not None:
                small += int(profit * rate * 100_000 // 1)
        return small // 1_000

    def margin(self, player: Player, instead: dict[str, Held] | None = None) -> int:
        notional = 0
        for pair, held in (player.held | (instead or {})).items():
            rate = self.rate(pair[:3])
            if held.units and rate is not None:
                notional += round(abs(held.units) * rate * 100)
        return -(-notional // self.rules.leverage)

    def mark(self, player: Player) -> None:
        if not player.active:
            return
        equity = self.equity(player)
        player.peak = max(player.peak, equity)
        player.drawdown = max(player.drawdown, min((player.peak - equity) * WHOLE // player.peak, WHOLE))

    # -- time -----------------------------------------------------------------------------------------------------------
    def on_time(self, now_ms: int, ends_ms: int = 1 << 62) -> None:
        """Take what was accepted before now, each after the market orders that had lapsed by then; none lapses after the end."""
        for item in sorted(self.inbox, key=lambda one: (one.accepted_ms, one.seq)):
            if item.accepted_ms < now_ms:
                self.inbox.remove(item)
                self.lapse(min(item.accepted_ms, ends_ms))
                at_ms = max(item.accepted_ms, self.last_ms)
                if isinstance(item, Wish):
                    self.take(item, at_ms)
                else:
                    self.amend(item, at_ms)
        self.lapse(min(now_ms, ends_ms))

    def lapse(self, now_ms: int) -> None:
        timeout = self.rules.market_order_timeout_ms
        late = [
            (asked.accepted_ms, asked.seq, player, asked)
            for player in self.players
            for asked in player.waiting
            if asked.kind == "market" and asked.accepted_ms + timeout < now_ms
        ]
        for _, _, player, asked in sorted(late, key=lambda one: one[:2]):
            player.waiting.remove(asked)
            self.said.append(("decided", asked.id, "rejected", "no_quote", asked.accepted_ms + timeout))

    def on_quote(self, quote: Quote) -> None:
        self.on_time(quote.received_ms)
        self.last_ms = max(self.last_ms, quote.received_ms)
        day = quote.received_ms // DAY_MS
        if self.day is not None and day > self.day:
            for player in self.players:
                if player.active:
                    player.day_start = self.equity(player)
        self.day = max(day, self.day or 0)
        if quote.pair not in self.fed:
            return
        if quote.confirmed:
            self.quotes[quote.pair] = quote
            for player in self.players:
                self.mark(player)
            if quote.armed:
                for place, player in enumerate(self.players):
                    if player.active:
                        self.look_at(place, player, quote)
        if quote.pair in self.rules.pairs:
            self.trigger(quote)

    def finish(self, at_ms: int) -> None:
        self.on_time(1 << 62, at_ms)
        for place, player in enumerate(self.players):
            self.close_player(place, player, "end", at_ms)

    # -- orders ---------------------------------------------------------------------------------------------------------
    def take(self, wish: Wish, at_ms: int) -> None:
        player = self.players[wish.place]
        asked = Asked(
            wish.id, wish.seq, wish.pair, wish.kind, wish.units, wish.price, wish.stop_loss, wish.take_profit,
            wish.accepted_ms, wish.closes,
        )  # fmt: skip
        reason = ""
        if not player.active:
            reason = "not_active"
        elif wish.accepted_ms >= self.rules.ends_ms:
            reason = "competition_over"
        elif wish.kind != "market":
            count = len(player.waiting) + sum(1 for held in player.held.values() if held.units)
            if count >= self.rules.max_orders:
                reason = "too_many_orders"
            elif self.valued(wish.pair):
                assert wish.price is not None
                if not self.affordable(player, asked, wish.price):
                    reason = "insufficient_margin"
        if reason:
            self.said.append(("decided", wish.id, "rejected", reason, at_ms))
            return
        player.waiting.append(asked)
        if wish.kind != "market":
            self.said.append(("decided", wish.id, "working", "", at_ms))

    def amend(self, change: Change, at_ms: int) -> None:
        player = self.players[change.place]
        asked = next((one for one in player.waiting if one.id == change.order_id), None)
        reason = ""
        if change.kind == "disqualify":
            if player.active:
                self.disqualify(change.place, player, change.note, "disqualified", at_ms, None)
        elif change.kind == "protect":
            held = player.held.get(change.pair or "")
            if held is None or not held.units:
                reason = "position_closed"
            else:
                held.stop_loss, held.take_profit = change.stop_loss, change.take_profit
        elif asked is None:
            reason = "order_decided"
        elif change.kind == "cancel":
            player.waiting.remove(asked)
            self.said.append(("decided", asked.id, "cancelled", "by_trader", at_ms))
        elif asked.kind == "market":
            reason = "not_pending"
        else:
            asked.price = asked.price if change.price is None else change.price
            if change.units is not None:
                asked.units = change.units if asked.units > 0 else -change.units
            asked.stop_loss, asked.take_profit = change.stop_loss, change.take_profit
        self.said.append(("amended", change.id, reason, at_ms))

    def valued(self, pair: str) -> bool:
        return pair in self.quotes and self.rate(pair[:3]) is not None and self.rate(pair[4:]) is not None

    def affordable(self, player: Player, asked: Asked, price: int) -> bool:
        """Free margin after the fill, exactly as the account would then show it, is not below zero."""
        before = player.held.get(asked.pair, Held())
        after, legs = self.netted(before, asked.pair, asked.units, price)
        if abs(after.units) <= abs(before.units) and after.units * before.units >= 0:
            return True
        cash = player.cash + sum(pnl - fee for _, _, pnl, fee in legs)
        return self.equity(player, {asked.pair: after}, cash) >= self.margin(player, {asked.pair: after})

    def netted(self, before: Held, pair: str, units: int, price: int) -> tuple[Held, list[tuple[bool, int, int, int]]]:
        """What a fill leaves behind, and its legs: (opens, units, pnl, fee) with the closing one first."""
        value = Fraction(price, scale(pair))
        legs = []
        held = Held(before.units, before.cost)
        if before.units * units < 0:
            closed = min(abs(units), abs(before.units))
            sign = 1 if before.units > 0 else -1
            taken = Fraction(round(before.cost * scale(pair) * closed / abs(before.units)), scale(pair))
            rate = self.rate(pair[4:])
            assert rate is not None
            legs.append((False, closed, round((sign * closed * value - taken) * rate * 100), self.fee(closed)))
            held = Held(before.units - sign * closed, before.cost - taken)
            units += sign * closed
        if units:
            legs.append((True, abs(units), 0, self.fee(abs(units))))
            held = Held(held.units + units, held.cost + units * value)
        return held, legs

    def fee(self, units: int) -> int:
        return round(Fraction(units * self.rules.commission_cents_per_lot, 100_000))

    # -- a quote --------------------------------------------------------------------------------------------------------
    def look_at(self, place: int, player: Player, quote: Quote) -> None:
        while (
            self.margin(player) and self.equity(player) * WHOLE <= self.margin(player) * self.rules.stop_out_level_bps
        ):
            fresh = [
                (self.open_dollars(pair, held), pair)
                for pair, held in player.held.items()
                if held.units and quote.received_ms - self.quotes[pair].received_ms <= self.rules.quote_stale_ms
            ]
            if not fresh:
                break
            self.close(place, player, min(fresh)[1], "stop_out", quote.received_ms)
        base = {
            "start": self.rules.starting_balance_cents,
            "peak": player.peak,
            "daily": player.day_start,
        }.get(self.rules.drawdown_rule)
        if base is not None and (base - self.equity(player)) * WHOLE >= base * self.rules.drawdown_limit_bps:
            reason = f"drawdown_{self.rules.drawdown_rule}"
            self.disqualify(place, player, reason, "drawdown", quote.received_ms, quote.id)

    def open_dollars(self, pair: str, held: Held) -> int:
        rate = self.rate(pair[4:])
        assert rate is not None
        return int(self.open_profit(pair, held) * rate * 100_000 // 1)

    def trigger(self, quote: Quote) -> None:
        """Stop-losses, take-profits, stops, limits, market orders; ties by acceptance sequence."""
        if quote.confirmed and quote.armed:
            for place, player in self.by_seq(quote.pair, lambda held: self.stop_is_hit(held, quote)):
                held = player.held[quote.pair]
                self.close(
                    place,
                    player,
                    quote.pair,
                    "stop_loss",
                    quote.received_ms,
                    quote.bid if held.units > 0 else quote.ask,
                )
            for place, player in self.by_seq(quote.pair, lambda held: self.target_is_hit(held, quote)):
                price = player.held[quote.pair].take_profit
                self.close(place, player, quote.pair, "take_profit", quote.received_ms, price)
            for place, player, asked in self.asked("stop", quote.pair):
                assert asked.price is not None
                if quote.ask >= asked.price if asked.units > 0 else quote.bid <= asked.price:
                    self.execute(place, player, asked, quote.ask if asked.units > 0 else quote.bid, quote)
        if quote.armed:
            for place, player, asked in self.asked("limit", quote.pair):
                assert asked.price is not None
                if quote.ask <= asked.price if asked.units > 0 else quote.bid >= asked.price:
                    self.execute(place, player, asked, asked.price, quote)
        for place, player, asked in self.asked("market", quote.pair):
            if asked.accepted_ms < quote.received_ms and self.valued(quote.pair):
                self.execute(place, player, asked, quote.ask if asked.units > 0 else quote.bid, quote)

    def by_seq(self, pair: str, hit: Any) -> list[tuple[int, Player]]:
        found = [
            (player.held[pair].seq, place, player)
            for place, player in enumerate(self.players)
            if pair in player.held and player.held[pair].units and hit(player.held[pair])
        ]
        return [(place, player) for _, place, player in sorted(found, key=lambda one: one[:2])]

    def asked(self, kind: str, pair: str) -> list[tuple[int, Player, Asked]]:
        found = [
            (asked.seq, place, player, asked)
            for place, player in enumerate(self.players)
            for asked in player.waiting
            if asked.kind == kind and asked.pair == pair
        ]
        return [(place, player, asked) for _, place, player, asked in sorted(found, key=lambda one: one[0])]

    @staticmethod
    def stop_is_hit(held: Held, quote: Quote) -> bool:
        if held.stop_loss is None:
            return False
        return quote.bid <= held.stop_loss if held.units > 0 else quote.ask >= held.stop_loss

    @staticmethod
    def target_is_hit(held: Held, quote: Quote) -> bool:
        if held.take_profit is None:
            return False
        return quote.bid >= held.take_profit if held.units > 0 else quote.ask <= held.take_profit

    # -- filling --------------------------------------------------------------------------------------------------------
    def execute(self, place: int, player: Player, asked: Asked, price: int, quote: Quote) -> None:
        held = player.held.get(asked.pair, Held()).units
        units = asked.units
        shrinks = held * units < 0 and abs(units) <= abs(held)
        reason = ""
        if asked.closes:
            if held * units >= 0:
                reason = "nothing_to_close"
            elif abs(units) > abs(held):
                units = -held
        elif not shrinks:
            if quote.received_ms >= self.rules.ends_ms - self.rules.close_only_ms:
                reason = "close_only"
            elif abs(held + units) > self.rules.max_units:
                reason = "position_too_large"
            elif not self.valued(asked.pair):
                reason = "no_conversion_rate"
            elif not self.affordable(player, asked, price):
                reason = "insufficient_margin"
        player.waiting.remove(asked)
        if reason:
            self.said.append(("decided", asked.id, "rejected", reason, quote.received_ms))
        else:
            self.fill(place, player, asked, asked.pair, units, price, asked.kind, quote, quote.received_ms)

    def close(self, place: int, player: Player, pair: str, rule: str, at_ms: int, price: int | None = None) -> None:
        quote, units = self.quotes[pair], player.held[pair].units
        price = (quote.bid if units > 0 else quote.ask) if price is None else price
        self.fill(place, player, None, pair, -units, price, rule, quote, at_ms)

    def fill(
        self,
        place: int,
        player: Player,
        asked: Asked | None,
        pair: str,
        units: int,
        price: int,
        rule: str,
        quote: Quote,
        at_ms: int,
    ) -> None:
        before = player.held.get(pair, Held())
        after, legs = self.netted(before, pair, units, price)
        booked = []
        for opens, size, pnl, fee in legs:
            player.cash += pnl - fee
            player.deals += 1
            booked.append((player.deals, opens, size, pnl, fee, player.cash))
        if after.units * before.units > 0:  # the same position goes on
            after.stop_loss, after.take_profit, after.seq = before.stop_loss, before.take_profit, before.seq
        elif after.units and asked:
            after.seq = asked.seq
        if asked and not asked.closes and after.units * units > 0:  # opened or enlarged
            after.stop_loss = (
                before.stop_loss if asked.stop_loss is None and after.units * before.units > 0 else asked.stop_loss
            )
            after.take_profit = (
                before.take_profit
                if asked.take_profit is None and after.units * before.units > 0
                else asked.take_profit
            )
        player.held[pair] = after
        player.fills += 1
        if quote.confirmed:
            self.mark(player)
        self.said.append(
            ("filled", place, player.fills, asked.id if asked else None, pair, units, price, rule, quote.id, self.rate(pair[4:]),
             tuple(booked), after.units, after.cost * scale(pair), after.stop_loss, after.take_profit, after.seq, at_ms)
        )  # fmt: skip
        if player.cash < 0 and not any(held.units for held in player.held.values()):
            shortfall, player.cash = -player.cash, 0
            player.deals += 1
            self.said.append(("protected", place, player.deals, shortfall, at_ms))

    def disqualify(self, place: int, player: Player, reason: str, rule: str, at_ms: int, quote_id: int | None) -> None:
        self.close_player(place, player, rule, at_ms)
        player.active = False
        self.said.append(("disqualified", place, reason, quote_id, player.cash, at_ms))

    def close_player(self, place: int, player: Player, rule: str, at_ms: int) -> None:
        for asked in sorted(player.waiting, key=lambda one: one.seq):
            player.waiting.remove(asked)
            self.said.append(("decided", asked.id, "cancelled", rule, at_ms))
        for pair in sorted(player.held):
            if player.held[pair].units:
                self.close(place, player, pair, rule, at_ms)
