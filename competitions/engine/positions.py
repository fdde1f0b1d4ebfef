"""What fills do to positions, and the rules that close them: stop-out, drawdown, negative-balance protection.

Which order fills when is decided in `book.py`. Rules: docs/rules/trading.md#netting.
"""

from competitions.engine import margin
from competitions.engine.accounts import Accounts
from competitions.engine.decisions import (
    Account,
    Decided,
    Decision,
    Disqualified,
    Filled,
    Holding,
    LegBooked,
    Protected,
    Rules,
    Wish,
)
from competitions.engine.instruments import INSTRUMENTS
from competitions.engine.netting import net
from competitions.engine.quotes import Quote
from competitions.engine.triggers import PairTriggers

Armed = tuple[Holding, bool, int]  # a protected position, whether it is long, and its sequence: a later one is another


class Positions(Accounts):
    """Accounts with their positions and what protects them."""

    def __init__(self, rules: Rules) -> None:
        super().__init__(rules)
        self.triggers: dict[str, PairTriggers[Wish, Armed]] = {pair: PairTriggers() for pair in rules.pairs}
        self.orders: dict[str, Wish] = {}  # taken and not yet decided

    def _fill(
        self,
        place: int,
        wish: Wish | None,
        pair: str,
        units: int,
        price: int,
        rule: str,
        quote: Quote,
        at_ms: int,
        out: list[Decision],
    ) -> None:
        account = self.accounts[place]
        holding = account.holdings.get(pair)
        if holding is None:
            holding = account.holdings[pair] = Holding(place, pair)
        rate = self._rate(INSTRUMENTS[pair].quote)
        assert rate is not None  # nothing is opened that cannot be valued
        netted = net(holding.units, holding.cost_points, units, price)
        if not self.marks.awake[place]:  # nothing that a sleeper has seen already fills again: this is new to it
            self.marks.wake(place)
        booked = []
        for leg in netted.legs:
            pnl, fee = self._booked_cents(pair, leg, rate)
            account.cash_cents += pnl + fee
            account.deals += 1
            booked.append(LegBooked(account.deals, leg, pnl, -fee, account.cash_cents))
            self.marks.add_cash(place, pnl + fee)
        self.marks.hold(place, pair, netted.units, netted.cost_points, holding.units, holding.cost_points)
        opened = holding.units == 0 or (netted.units != 0 and (netted.units > 0) != (holding.units > 0))
        holding.units, holding.cost_points = netted.units, netted.cost_points
        if opened or netted.units == 0:
            holding.stop_loss = holding.take_profit = None
            holding.seq = wish.seq if wish and netted.units else 0
        if wish and not wish.closes and netted.units and (netted.units > 0) == (units > 0):  # opened or enlarged
            holding.stop_loss = wish.stop_loss if wish.stop_loss is not None else holding.stop_loss
            holding.take_profit = wish.take_profit if wish.take_profit is not None else holding.take_profit
        self._arm(holding)
        account.fills += 1
        account.last_fill_ms = at_ms
        if quote.confirmed:
            self.marks.note(place)
        self._watch(place)
        out.append(
            Filled(
                place,
                account.fills,
                wish,
                pair,
                units,
                price,
                rule,
                quote,
                rate,
                tuple(booked),
                holding.units,
                holding.cost_points,
                holding.stop_loss,
                holding.take_profit,
                holding.seq,
                at_ms,
            )  # fmt: skip
        )
        self._protect_balance(place, at_ms, out)

    def _close(self, holding: Holding, price: int, rule: str, quote: Quote, at_ms: int, out: list[Decision]) -> None:
        self._fill(holding.place, None, holding.pair, -holding.units, price, rule, quote, at_ms, out)

    def _arm(self, holding: Holding) -> None:
        if not holding.units:
            return
        triggers = self.triggers[holding.pair]
        long = holding.units > 0
        if holding.stop_loss is not None:
            heap = triggers.long_stop_losses if long else triggers.short_stop_losses
            heap.push(holding.stop_loss, holding.seq, (holding, long, holding.seq))
        if holding.take_profit is not None:
            heap = triggers.long_take_profits if long else triggers.short_take_profits
            heap.push(holding.take_profit, holding.seq, (holding, long, holding.seq))

    def _drop(self, wish: Wish) -> None:
        wish.live = False
        self.orders.pop(wish.id, None)
        self.accounts[wish.place].wishes.pop(wish.id, None)

    def _protect_balance(self, place: int, at_ms: int, out: list[Decision]) -> None:
        account = self.accounts[place]
        if account.cash_cents < 0 and not any(holding.units for holding in account.holdings.values()):
            shortfall, account.cash_cents = -account.cash_cents, 0
            account.deals += 1
            self.marks.add_cash(place, shortfall)
            out.append(Protected(place, account.deals, shortfall, at_ms))

    def _look_at(self, place: int, quote: Quote, out: list[Decision]) -> None:
        """Stop out or disqualify an entry whose equity has reached its alarm line, if a rule says so exactly."""
        account = self.accounts[place]
        if not account.active:
            return
        while margin.at_or_below_level(
            int(self.marks.equity[place]), self.used_margin_cents(place), self.rules.stop_out_level_bps
        ):
            loser = self._largest_loser(account, quote.received_ms)
            if loser is None:
                break
            its = self.quotes[loser.pair]
            self._close(loser, its.bid if loser.units > 0 else its.ask, "stop_out", its, quote.received_ms, out)
        if self._drawdown_breached(place):
            reason = f"drawdown_{self.rules.drawdown_rule}"
            self.disqualify(place, reason, "drawdown", quote.received_ms, out, quote_id=quote.id)
        self._watch(place)

    def _largest_loser(self, account: Account, now_ms: int) -> Holding | None:
        fresh = [
            holding
            for holding in account.holdings.values()
            if holding.units and now_ms - self.quotes[holding.pair].received_ms <= self.rules.quote_stale_ms
        ]
        return min(fresh, key=lambda holding: (self.open_profit(holding), holding.pair), default=None)

    def disqualify(
        self, place: int, reason: str, rule: str, at_ms: int, out: list[Decision], *, quote_id: int | None = None
    ) -> None:
        """Put an entry out: its orders are cancelled, its positions closed at the newest confirmed quotes."""
        self.close_entry(place, rule, at_ms, out)
        account = self.accounts[place]
        account.active = False
        out.append(Disqualified(place, reason, quote_id, account.cash_cents, at_ms))
        self._watch(place)

    def close_entry(self, place: int, rule: str, at_ms: int, out: list[Decision]) -> None:
        """Cancel an entry's orders and close its positions at the newest confirmed quotes."""
        account = self.accounts[place]
        for wish in sorted(account.wishes.values(), key=lambda w: w.seq):
            self._drop(wish)
            out.append(Decided(wish, "cancelled", rule, at_ms))
        for pair in sorted(account.holdings):
            holding = account.holdings[pair]
            if holding.units:
                its = self.quotes[pair]
                self._close(holding, its.bid if holding.units > 0 else its.ask, rule, its, at_ms, out)
