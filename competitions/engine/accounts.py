"""The accounts of one contest: what they are worth, what margin they need, what they can afford, and when somebody must look.

Positions change in `positions.py`, quotes and orders arrive in `book.py`. Rules: docs/rules/trading.md#margin.
"""

from competitions.engine import margin
from competitions.engine.decisions import Account, Holding, Rules, Wish
from competitions.engine.instruments import INSTRUMENTS, needed_pairs, usd_pair
from competitions.engine.marks import NEVER_BELOW, Marks, bps_share_up
from competitions.engine.netting import Leg, net
from competitions.engine.quotes import Quote

# An alarm line is computed from the margin at the rates of its time; it is drawn higher by this much, and drawn anew when a
# rate has moved by half of it, so that no stop-out is missed between.
ALARM_GUARD_BPS = 200


class Accounts:
    """Accounts valued at the newest confirmed quotes.

    Shapes: an entry's place is its index in `accounts` and in the arrays of `marks`.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.accounts: list[Account] = []
        self.fed = needed_pairs(rules.pairs)
        self.marks = Marks(rules.pairs, peak_limit_bps=rules.drawdown_limit_bps if rules.drawdown_rule == "peak" else 0)
        self.quotes: dict[str, Quote] = {}  # newest confirmed quote of every fed pair
        self._alarm_rates: dict[str, int] = {}
        self._rates: dict[str, tuple[Quote, margin.Rate]] = {}  # as last asked for, with the quote it came from

    def priced(self, pair: str) -> bool:
        """Tell whether a position of a pair can be valued in dollars, and so can both its currencies."""
        traded = INSTRUMENTS[pair]
        return all(
            name is None or name in self.quotes for name in (pair, usd_pair(traded.base), usd_pair(traded.quote))
        )

    def affordable(self, wish: Wish, price: int) -> bool:
        """Tell whether free margin would be zero or above after this fill, exactly as the account would then show it.

        Guarantees: a fill that only shrinks a position is always affordable, one of a pair that is not `priced` never.
        """
        account = self.accounts[wish.place]
        held = account.holdings.get(wish.pair) or Holding(wish.place, wish.pair)
        netted = net(held.units, held.cost_points, wish.units, price)
        if abs(netted.units) <= abs(held.units) and netted.units * held.units >= 0:
            return True
        rate = self._rate(INSTRUMENTS[wish.pair].quote)
        if rate is None or not self.priced(wish.pair):
            return False
        cash = sum(sum(self._booked_cents(wish.pair, leg, rate)) for leg in netted.legs)
        equity = self.marks.would_be(
            wish.place, wish.pair, netted.units, netted.cost_points, held.units, held.cost_points, cash
        )
        return equity >= self.used_margin_cents(wish.place, instead={wish.pair: netted.units})

    def _booked_cents(self, pair: str, leg: Leg, rate: margin.Rate) -> tuple[int, int]:
        """Give what a leg does to the balance: its profit, and its fee as a negative amount."""
        pnl = margin.cents(leg.profit_points, INSTRUMENTS[pair].scale, rate)
        return pnl, -margin.fee_cents(leg.units, self.rules.commission_cents_per_lot)

    def _rate(self, currency: str) -> margin.Rate | None:
        pair = usd_pair(currency)
        if pair is None:
            return margin.DOLLAR
        quote = self.quotes.get(pair)
        if quote is None:
            return None
        known = self._rates.get(currency)
        if known is None or known[0] is not quote:
            known = self._rates[currency] = quote, margin.rate_of(currency, quote.bid, quote.ask, quote.id)
        return known[1]

    def used_margin_cents(self, place: int, *, instead: dict[str, int] | None = None) -> int:
        """Give the margin an entry needs for its positions at the newest mids, with some positions replaced."""
        sizes = {pair: holding.units for pair, holding in self.accounts[place].holdings.items() if holding.units}
        sizes |= instead or {}
        total = 0
        for pair, units in sizes.items():
            rate = self._rate(INSTRUMENTS[pair].base)
            if units and rate is not None:
                total += margin.notional_cents(units, rate)
        return margin.required_margin_cents(total, self.rules.leverage)

    def margin_of(self, holding: Holding) -> int:
        """Give the margin that one position needs by itself, in cents."""
        rate = self._rate(INSTRUMENTS[holding.pair].base)
        if rate is None:
            return 0
        return margin.required_margin_cents(margin.notional_cents(holding.units, rate), self.rules.leverage)

    def open_profit(self, holding: Holding) -> int:
        """Give a position's open profit in 1/100,000 dollar at the newest confirmed quotes; 0 while it cannot be valued."""
        quote, rate = self.quotes.get(holding.pair), self._rate(INSTRUMENTS[holding.pair].quote)
        if quote is None or rate is None or not holding.units:
            return 0
        points = holding.units * (quote.bid if holding.units > 0 else quote.ask) - holding.cost_points
        return margin.dollar_points(points, INSTRUMENTS[holding.pair].scale, rate)

    def _drawdown_line(self, place: int) -> int:
        """Give the equity at or below which the drawdown rule is breached."""
        limit = self.rules.drawdown_limit_bps
        match self.rules.drawdown_rule:
            case "start":
                base = self.rules.starting_balance_cents
            case "peak":
                base = int(self.marks.peak[place])  # the arrays move this line with the peak
            case "daily":
                base = int(self.marks.day_start[place])
            case _:
                return NEVER_BELOW
        return base - bps_share_up(base, limit)

    def _drawdown_breached(self, place: int) -> bool:
        return self.accounts[place].active and int(self.marks.equity[place]) <= self._drawdown_line(place)

    def _watch(self, place: int) -> None:
        account = self.accounts[place]
        if not account.active:
            self.marks.sleep(place)
            return
        line = self._drawdown_line(place)
        needed = self.used_margin_cents(place)
        if needed:
            guarded = bps_share_up(needed, 10_000 + ALARM_GUARD_BPS)
            line = max(line, bps_share_up(guarded, self.rules.stop_out_level_bps))
        self.marks.watch(place, line)

    def _draw_alarms(self) -> None:
        self._alarm_rates = {pair: quote.bid + quote.ask for pair, quote in self.quotes.items()}
        for place in range(len(self.accounts)):
            self._watch(place)

    def _redraw_if_moved(self, quote: Quote) -> None:
        now = quote.bid + quote.ask
        drawn = self._alarm_rates.setdefault(quote.pair, now)
        if abs(now - drawn) * 20_000 > drawn * ALARM_GUARD_BPS:
            self._draw_alarms()
