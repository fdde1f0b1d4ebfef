"""Single rules of the book that a random contest meets too seldom to rely on."""

import pytest

from competitions.engine.book import Book
from competitions.engine.decisions import (
    Account,
    Change,
    Decided,
    Decision,
    Disqualified,
    Filled,
    Protected,
    Rules,
    Wish,
)
from competitions.engine.quotes import Quote

MIDS = {
    "EUR/USD": (108_500, 108_510),
    "USD/JPY": (150_000, 150_010),
    "EUR/JPY": (162_750, 162_770),
    "GBP/USD": (127_000, 127_010),
}


class Desk:
    """One entry, and quotes that come a second apart."""

    def __init__(self, balance_cents: int = 10_000_000, **rules: object) -> None:
        pairs = tuple(MIDS)
        self.book = Book(Rules(pairs, balance_cents, **rules))  # type: ignore[arg-type]  rules by name
        self.book.add_account(
            Account(1, balance_cents), peak_cents=balance_cents, drawdown_bps=0, day_start_cents=balance_cents
        )
        self.book.loaded()
        self.said: list[Decision] = []
        self.now_ms, self.quote_id, self.seq = 1_772_452_800_000, 1, 0
        for pair, (bid, ask) in MIDS.items():
            self.quote(pair, bid, ask)

    def quote(self, pair: str, bid: int, ask: int, *, confirmed: bool = True, armed: bool = True) -> list[Decision]:
        self.now_ms += 1_000
        self.quote_id += 1
        made = self.book.on_quote(
            Quote(self.quote_id, pair, bid, ask, self.now_ms, self.now_ms, confirmed, armed, "test")
        )
        self.said += made
        return made

    def order(self, pair: str, units: int, kind: str = "market", price: int | None = None, **more: object) -> Wish:
        self.seq += 1
        values = {"stop_loss": None, "take_profit": None} | more
        wish = Wish(str(self.seq), 0, self.seq, pair, kind, units, price, accepted_ms=self.now_ms, **values)  # type: ignore[arg-type]
        self.book.accept(wish)
        return wish

    def change(self, kind: str, note: str = "", **fields: object) -> None:
        self.seq += 1
        values = {
            "order_id": None,
            "pair": None,
            "units": None,
            "price": None,
            "stop_loss": None,
            "take_profit": None,
        } | fields
        self.book.accept(Change(f"c{self.seq}", 0, self.seq, kind, accepted_ms=self.now_ms, note=note, **values))  # type: ignore[arg-type]

    def rules(self) -> list[str]:
        return [one.rule for one in self.said if isinstance(one, Filled)]

    @property
    def equity(self) -> int:
        return int(self.book.marks.equity[0])

    @property
    def peak(self) -> int:
        return int(self.book.marks.peak[0])

    @property
    def drawdown_bps(self) -> int:
        return int(self.book.marks.drawdown_bps[0])


def test_an_order_that_only_shrinks_a_position_leaves_its_protection_alone() -> None:
    desk = Desk()
    desk.order("EUR/USD", 10_000, stop_loss=108_000)
    desk.quote("EUR/USD", 108_500, 108_510)
    desk.order("EUR/USD", -4_000, stop_loss=109_000)
    desk.quote("EUR/USD", 108_500, 108_510)
    held = desk.book.accounts[0].holdings["EUR/USD"]
    assert (held.units, held.stop_loss) == (6_000, 108_000)
    desk.quote("EUR/USD", 108_400, 108_410)
    assert desk.rules() == ["market", "market"]


def test_a_jump_of_a_base_currency_stops_out_at_that_very_quote() -> None:
    # 3,000 dollars hold 27,000 euros against yen; a dearer euro raises the margin that they need
    desk = Desk(300_000, leverage=10)
    desk.order("EUR/JPY", 27_000)
    desk.quote("EUR/JPY", 162_750, 162_770)
    assert desk.rules() == ["market"]
    desk.quote("EUR/JPY", 155_800, 155_820)
    made = desk.quote("EUR/USD", 150_000, 150_010)
    # equity 174,5xx: above half of 292,963, below half of 27,000 * 1.50005 / 10 = 405,014
    assert [one.rule for one in made if isinstance(one, Filled)] == ["stop_out"]


def test_a_limit_order_that_closes_a_short_needs_no_margin() -> None:
    desk = Desk(100_000)
    desk.order("EUR/USD", -27_000)
    desk.quote("EUR/USD", 108_500, 108_510)
    desk.quote("EUR/USD", 108_900, 108_910)
    wish = desk.order("EUR/USD", 27_000, "limit", 108_000)
    desk.quote("EUR/USD", 108_900, 108_910)
    assert (wish.working, wish.live) == (True, True)


def test_a_fill_at_an_unconfirmed_quote_moves_no_highest_equity() -> None:
    desk = Desk()
    desk.order("EUR/USD", 100_000, "limit", 107_000)
    desk.quote("EUR/USD", 108_500, 108_510)
    desk.quote("EUR/USD", 105_000, 105_010, confirmed=False)
    assert desk.rules() == ["limit"]
    assert desk.peak == 10_000_000
    desk.quote("EUR/USD", 105_000, 105_010)
    assert (desk.peak, desk.equity) == (10_000_000, 10_000_000 - 200_000)


def test_a_balance_below_zero_is_protected_whatever_closed_the_last_position() -> None:
    desk = Desk(100_000)
    desk.order("EUR/USD", 20_000)
    desk.quote("EUR/USD", 108_500, 108_510)
    desk.order("EUR/USD", -20_000)
    made = desk.quote("EUR/USD", 103_000, 103_010, armed=False)  # nothing triggers yet, but a market order fills
    assert [type(one) for one in made] == [Filled, Protected]
    assert (desk.book.accounts[0].cash_cents, desk.equity) == (0, 0)


def test_a_drawdown_is_never_more_than_everything() -> None:
    desk = Desk(100_000)
    desk.order("EUR/USD", 20_000)
    desk.quote("EUR/USD", 108_500, 108_510)
    desk.quote("EUR/USD", 103_000, 103_010)
    assert desk.rules() == ["market", "stop_out"]
    assert desk.drawdown_bps == 10_000


def test_an_operators_reason_does_not_choose_the_rule_on_the_fill() -> None:
    desk = Desk()
    desk.order("EUR/USD", 1_000)
    desk.quote("EUR/USD", 108_500, 108_510)
    desk.change("disqualify", "drawdown figures were manipulated")
    desk.quote("EUR/USD", 108_500, 108_510)
    assert desk.rules() == ["market", "disqualified"]
    assert next(one.reason for one in desk.said if isinstance(one, Disqualified)) == "drawdown figures were manipulated"


@pytest.mark.parametrize("clock_asks", [True, False])
def test_a_market_order_has_lapsed_before_a_later_order_is_counted(clock_asks: bool) -> None:
    desk = Desk(max_orders=1)
    desk.order("USD/JPY", 1_000)
    for _ in range(4):
        desk.quote("EUR/USD", 108_500, 108_510)
        if clock_asks:
            desk.said += desk.book.on_time(desk.now_ms)
    later = desk.order("EUR/USD", 1_000, "limit", 108_000)
    desk.quote("EUR/USD", 108_500, 108_510)
    assert [(one.status, one.reason) for one in desk.said if isinstance(one, Decided)] == [
        ("rejected", "no_quote"),
        ("working", ""),
    ]
    assert later.live


def test_a_market_order_is_judged_by_margin_at_its_fill_and_not_before() -> None:
    desk = Desk(100_000)
    desk.order("EUR/USD", 20_000)
    desk.quote("EUR/USD", 108_500, 108_510)
    desk.quote("EUR/USD", 107_200, 107_210)
    wish = desk.order("GBP/USD", 3_000)
    desk.quote("EUR/USD", 107_200, 107_210)  # at these prices there is no margin for it, but they are not its own
    desk.quote("EUR/USD", 112_000, 112_010)
    assert wish.live
    desk.quote("GBP/USD", 127_000, 127_010)
    assert desk.rules() == ["market", "market"]


def test_a_cross_is_not_filled_before_it_can_be_valued_itself() -> None:
    book = Book(Rules(("EUR/GBP",), 10_000_000))
    book.add_account(Account(1, 10_000_000), peak_cents=10_000_000, drawdown_bps=0, day_start_cents=10_000_000)
    book.seed(
        Quote(place, pair, *MIDS[pair], 1_000, 1_000) for place, pair in enumerate(("EUR/USD", "GBP/USD"), start=1)
    )
    book.accept(Wish("1", 0, 1, "EUR/GBP", "market", 1_000, None, None, None, 1_000))
    assert book.on_quote(Quote(3, "EUR/GBP", 85_400, 85_410, 1_500, 1_500, confirmed=False)) == []
    made = book.on_quote(Quote(4, "EUR/GBP", 85_400, 85_410, 2_000, 2_000))
    assert [one.rule for one in made if isinstance(one, Filled)] == ["market"]


def test_two_positions_at_one_stop_loss_close_in_the_order_of_their_own_orders() -> None:
    book = Book(Rules(("EUR/USD",), 10_000_000))
    for number in (1, 2):
        book.add_account(Account(number, 10_000_000), peak_cents=10_000_000, drawdown_bps=0, day_start_cents=10_000_000)
    made: list[Decision] = []

    def ask(seq: int, place: int, units: int, stop_loss: int | None) -> None:
        book.accept(Wish(str(seq), place, seq, "EUR/USD", "market", units, None, stop_loss, None, seq * 1_000))

    def quote(at: int, bid: int) -> None:
        made.extend(book.on_quote(Quote(at, "EUR/USD", bid, bid + 10, at * 1_000, at * 1_000)))

    quote(1, 108_500)
    ask(1, 0, 1_000, 108_000)
    quote(2, 108_500)
    ask(2, 0, -1_000, None)
    quote(3, 108_500)
    ask(3, 1, 1_000, 108_000)
    quote(4, 108_500)
    ask(4, 0, 1_000, 108_000)  # the first one's position again, at the stop-loss it had before
    quote(5, 108_500)
    quote(6, 107_900)
    assert [one.place for one in made if isinstance(one, Filled) and one.rule == "stop_loss"] == [1, 0]
