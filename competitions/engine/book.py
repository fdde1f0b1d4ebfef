"""One contest in memory: accounts, positions and resting orders, and what a quote does to them.

The book decides and changes itself; it neither writes nor sends. Given the same accounts, wishes and quotes it makes the same
decisions, so a book that is lost is rebuilt from what was committed. Within a quote the order is stop-out, drawdown rule,
stop-loss, take-profit, stop orders, limit orders, market orders; ties go by acceptance sequence.
Rules: docs/rules/trading.md.
"""

import heapq
from collections.abc import Callable, Iterable
from typing import TypeVar

from competitions.engine.decisions import Account, Amended, Change, Decided, Decision, Holding, Rules, Wish
from competitions.engine.positions import Armed, Positions
from competitions.engine.quotes import Quote
from competitions.engine.triggers import PriceHeap

Owner = TypeVar("Owner")

DAY_MS = 86_400_000


class Book(Positions):
    """The accounts, positions and resting orders of one contest, led by its quotes."""

    def __init__(self, rules: Rules) -> None:
        super().__init__(rules)
        self.queues: dict[str, list[Wish]] = {pair: [] for pair in rules.pairs}  # market orders, by sequence
        self.deadlines: list[tuple[int, int, Wish]] = []  # when each of them lapses, then sequence
        self.due: list[tuple[int, int, Wish | Change]] = []  # accepted, not yet taken: by time, then sequence
        self.day: int | None = None
        self.last_ms = 0
        self._asleep: list[tuple[int, int]] = []  # (quote id it has seen, place), latest first

    def add_account(
        self,
        account: Account,
        *,
        peak_cents: int,
        drawdown_bps: int,
        day_start_cents: int,
        seen_quote_id: int = 0,
    ) -> int:
        """Add an entry and return its place; its high and low marks begin after the quote it has seen."""
        place = self.marks.add(
            cash_cents=account.cash_cents,
            peak_cents=peak_cents,
            drawdown_bps=drawdown_bps,
            day_start_cents=day_start_cents,
        )
        self.accounts.append(account)
        if seen_quote_id or not account.active:
            self.marks.sleep(place)
        if seen_quote_id and account.active:
            self._asleep.append((seen_quote_id, place))
        return place

    def restore(self, holding: Holding) -> None:
        """Put back a position as it was committed."""
        self.accounts[holding.place].holdings[holding.pair] = holding
        self.marks.hold(holding.place, holding.pair, holding.units, holding.cost_points, 0, 0)
        self._arm(holding)
        self._watch(holding.place)

    def seed(self, quotes: Iterable[Quote], last_ms: int = 0) -> None:
        """Give the confirmed prices and the time as they were when the stored marks were written, before any position."""
        self.last_ms = max(self.last_ms, last_ms)
        for quote in quotes:
            if quote.pair in self.fed and quote.confirmed:
                self.quotes[quote.pair] = quote
                self.marks.set_price(quote.pair, quote.bid, quote.ask)
                self.last_ms = max(self.last_ms, quote.received_ms)
        self.day = self.last_ms // DAY_MS if self.last_ms else None

    def loaded(self) -> None:
        """Finish loading: sleepers are sorted, alarm lines drawn."""
        self._asleep.sort(reverse=True)
        self._draw_alarms()

    def accept(self, wish: Wish | Change) -> None:
        """Hand over an accepted order or amendment; it is taken when the contest's clock has passed its acceptance."""
        heapq.heappush(self.due, (wish.accepted_ms, wish.seq, wish))

    def remark(self, quote: Quote) -> None:
        """Mark a quote whose decisions are committed already: only highest equities and drawdowns move."""
        self._wake(quote.id)
        self._roll_day(quote.received_ms)
        self.last_ms = max(self.last_ms, quote.received_ms)
        if quote.pair in self.fed and quote.confirmed:
            self.quotes[quote.pair] = quote
            self._redraw_if_moved(quote)
            self.marks.quote(quote.pair, quote.bid, quote.ask)

    def on_quote(self, quote: Quote) -> list[Decision]:
        """Decide everything that one quote brings about.

        Shapes: decisions in the order in which they were made, usually none.
        Guarantees: fills only at this quote's bid or ask, at a limit or take-profit price it has reached, or (stop-out,
            drawdown) at the newest confirmed quote of the position's own pair.
        """
        if self._asleep:
            self._wake(quote.id)
        out: list[Decision] = []
        if self.due or self.deadlines:
            self._take_due(quote.received_ms, out)
        self._roll_day(quote.received_ms)
        self.last_ms = max(self.last_ms, quote.received_ms)
        if quote.pair not in self.fed:
            return out
        if quote.confirmed:
            self.quotes[quote.pair] = quote
            self._redraw_if_moved(quote)
            alarmed = self.marks.quote(quote.pair, quote.bid, quote.ask)
            if alarmed is not None and quote.armed:
                for place in alarmed.tolist():
                    self._look_at(place, quote, out)
        if quote.pair in self.triggers:
            self._trigger(quote, out)
        return out

    def on_time(self, now_ms: int) -> list[Decision]:
        """Decide what time alone brings about: what has been accepted is taken, market orders without a quote lapse."""
        out: list[Decision] = []
        self._take_due(now_ms, out)
        return out

    def finish(self, at_ms: int) -> list[Decision]:
        """End the contest: whatever is still due is refused, orders are cancelled, positions closed."""
        out: list[Decision] = []
        self._take_due(1 << 62, out, ends_ms=at_ms)
        for place, account in enumerate(self.accounts):
            if account.active or account.wishes:
                self.close_entry(place, "end", at_ms, out)
        return out

    def _roll_day(self, now_ms: int) -> None:
        day = now_ms // DAY_MS
        if self.day is None:
            self.day = day
        elif day > self.day:
            self.day = day
            self.marks.new_day()
            if self.rules.drawdown_rule == "daily":
                self._draw_alarms()

    def _wake(self, quote_id: int) -> None:
        while self._asleep and self._asleep[-1][0] < quote_id:
            _, place = self._asleep.pop()
            self.marks.wake(place)
            self._watch(place)

    def _take_due(self, now_ms: int, out: list[Decision], *, ends_ms: int = 1 << 62) -> None:
        """Take what was accepted before now, each item after the market orders that had lapsed by its time.

        Guarantees: the same decisions at the same times, whether a quote or the clock alone asks, and however often.
        """
        while self.due and self.due[0][0] < now_ms:
            accepted_ms, _, item = heapq.heappop(self.due)
            self._lapse(min(accepted_ms, ends_ms), out)
            at_ms = max(accepted_ms, self.last_ms)
            if isinstance(item, Wish):
                self._take(item, at_ms, out)
            else:
                self._amend(item, at_ms, out)
        self._lapse(min(now_ms, ends_ms), out)

    def _take(self, wish: Wish, at_ms: int, out: list[Decision]) -> None:
        account = self.accounts[wish.place]
        reason = "" if wish.working else self._refusal(account, wish)
        if reason:
            wish.live = False
            out.append(Decided(wish, "rejected", reason, at_ms))
            return
        account.wishes[wish.id] = self.orders[wish.id] = wish
        if wish.kind == "market":
            self.queues[wish.pair].append(wish)
            deadline_ms = wish.accepted_ms + self.rules.market_order_timeout_ms
            heapq.heappush(self.deadlines, (deadline_ms, wish.seq, wish))
            return
        self._rest(wish)
        if not wish.working:
            wish.working = True
            out.append(Decided(wish, "working", "", at_ms))

    def _refusal(self, account: Account, wish: Wish) -> str:
        if not account.active:
            return "not_active"
        if wish.accepted_ms >= self.rules.ends_ms:
            return "competition_over"
        if wish.kind == "market":
            return ""  # judged at its fill alone, so that an order taken twice, before and after a crash, fares alike
        open_positions = sum(1 for holding in account.holdings.values() if holding.units)
        if open_positions + len(account.wishes) >= self.rules.max_orders:
            return "too_many_orders"
        if self.priced(wish.pair):
            assert wish.price is not None
            if not self.affordable(wish, wish.price):
                return "insufficient_margin"
        return ""

    def _rest(self, wish: Wish) -> None:
        triggers = self.triggers[wish.pair]
        if wish.kind == "limit":
            heap = triggers.buy_limits if wish.units > 0 else triggers.sell_limits
        else:
            heap = triggers.buy_stops if wish.units > 0 else triggers.sell_stops
        assert wish.price is not None
        heap.push(wish.price, wish.seq, wish)

    def _amend(self, change: Change, at_ms: int, out: list[Decision]) -> None:
        if change.kind == "disqualify":
            if self.accounts[change.place].active:
                self.disqualify(change.place, change.note, "disqualified", at_ms, out)
            out.append(Amended(change, "", at_ms))
            return
        if change.kind == "protect":
            assert change.pair is not None
            holding = self.accounts[change.place].holdings.get(change.pair)
            if holding is None or not holding.units:
                out.append(Amended(change, "position_closed", at_ms))
                return
            holding.stop_loss, holding.take_profit = change.stop_loss, change.take_profit
            self._arm(holding)
            out.append(Amended(change, "", at_ms, holding=holding))
            return
        wish = self.orders.get(change.order_id or "")
        if wish is None or not wish.live:
            out.append(Amended(change, "order_decided", at_ms))
        elif change.kind == "cancel":
            self._drop(wish)
            out.append(Decided(wish, "cancelled", "by_trader", at_ms))
            out.append(Amended(change, "", at_ms, order=wish))
        elif wish.kind == "market":
            out.append(Amended(change, "not_pending", at_ms))
        else:
            wish.price = change.price if change.price is not None else wish.price
            if change.units is not None:
                wish.units = change.units if wish.units > 0 else -change.units
            wish.stop_loss, wish.take_profit = change.stop_loss, change.take_profit
            self._rest(wish)
            out.append(Amended(change, "", at_ms, order=wish))

    def _lapse(self, now_ms: int, out: list[Decision]) -> None:
        while self.deadlines and self.deadlines[0][0] < now_ms:
            deadline_ms, _, wish = heapq.heappop(self.deadlines)
            if wish.live:
                self._drop(wish)
                out.append(Decided(wish, "rejected", "no_quote", deadline_ms))

    def _trigger(self, quote: Quote, out: list[Decision]) -> None:
        triggers, bid, ask = self.triggers[quote.pair], quote.bid, quote.ask
        if quote.confirmed and quote.armed:
            for armed in _reached(triggers.long_stop_losses, bid, triggers.short_stop_losses, ask, _stop_loss_is):
                holding, long, _ = armed
                if _is_held(*armed):
                    self._close(holding, bid if long else ask, "stop_loss", quote, quote.received_ms, out)
            for armed in _reached(triggers.long_take_profits, bid, triggers.short_take_profits, ask, _take_profit_is):
                holding = armed[0]
                if _is_held(*armed) and holding.take_profit is not None:
                    self._close(holding, holding.take_profit, "take_profit", quote, quote.received_ms, out)
            for wish in _reached(triggers.sell_stops, bid, triggers.buy_stops, ask, _rests_at):
                if wish.live:
                    self._execute(wish, ask if wish.units > 0 else bid, "stop", quote, out)
        if quote.armed:
            for wish in _reached(triggers.sell_limits, bid, triggers.buy_limits, ask, _rests_at):
                if wish.live and wish.price is not None:
                    self._execute(wish, wish.price, "limit", quote, out)
        if self.queues[quote.pair]:
            self._market(quote, out)

    def _market(self, quote: Quote, out: list[Decision]) -> None:
        queue = self.queues[quote.pair]
        waiting = []
        for wish in sorted(queue, key=lambda w: w.seq):
            if not wish.live:
                continue
            if wish.accepted_ms >= quote.received_ms or not self.priced(wish.pair):
                waiting.append(wish)
            else:
                self._execute(wish, quote.ask if wish.units > 0 else quote.bid, "market", quote, out)
        queue[:] = waiting

    def _execute(self, wish: Wish, price: int, rule: str, quote: Quote, out: list[Decision]) -> None:
        """Fill an order, or reject it by the rules that are judged again at the fill."""
        account = self.accounts[wish.place]
        holding = account.holdings.get(wish.pair)
        held = holding.units if holding else 0
        units = wish.units
        shrinks = held != 0 and (held > 0) != (units > 0) and abs(units) <= abs(held)
        reason = ""
        if wish.closes:
            if held == 0 or (held > 0) == (units > 0):
                reason = "nothing_to_close"
            elif not shrinks:
                units = -held
        elif not shrinks:
            if quote.received_ms >= self.rules.ends_ms - self.rules.close_only_ms:
                reason = "close_only"
            elif abs(held + units) > self.rules.max_units:
                reason = "position_too_large"
            elif not self.priced(wish.pair):
                reason = "no_conversion_rate"
            elif not self.affordable(wish, price):
                reason = "insufficient_margin"
        self._drop(wish)
        if reason:
            out.append(Decided(wish, "rejected", reason, quote.received_ms))
            return
        self._fill(wish.place, wish, wish.pair, units, price, rule, quote, quote.received_ms, out)


def _reached(
    bid_heap: PriceHeap[Owner], bid: int, ask_heap: PriceHeap[Owner], ask: int, is_live: Callable[[Owner, int], bool]
) -> list[Owner]:
    """Take what both sides of a quote reach, in acceptance sequence."""
    taken = bid_heap.take_reached(bid, is_live) + ask_heap.take_reached(ask, is_live)
    if len(taken) > 1:
        taken.sort(key=lambda pair: pair[0])
    return [owner for _, owner in taken]


def _is_held(holding: Holding, long: bool, seq: int) -> bool:
    return holding.units != 0 and (holding.units > 0) == long and holding.seq == seq


def _stop_loss_is(armed: Armed, price: int) -> bool:
    return armed[0].stop_loss == price and _is_held(*armed)


def _take_profit_is(armed: Armed, price: int) -> bool:
    return armed[0].take_profit == price and _is_held(*armed)


def _rests_at(wish: Wish, price: int) -> bool:
    return wish.live and wish.price == price
