"""Reads the tables of docs/rules/trading.md and computes every row of them again."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from competitions.engine import margin
from competitions.engine.book import Book
from competitions.engine.decisions import Account, Decision, Filled, Holding, Rules, Wish
from competitions.engine.instruments import INSTRUMENTS, usd_pair
from competitions.engine.marks import Marks, bps_share_up
from competitions.engine.netting import net
from competitions.engine.quotes import Quote

PAGE = Path(__file__).resolve().parents[3] / "docs" / "rules" / "trading.md"
Row = dict[str, str]


def tables() -> dict[str, list[Row]]:
    """Give every table of the page by its first line of headings."""
    found: dict[str, list[Row]] = {}
    for block in re.findall(r"(?:^\|.*\n)+", PAGE.read_text(), flags=re.MULTILINE):
        head, _, *lines = ([cell.strip() for cell in line.strip().strip("|").split("|")] for line in block.splitlines())
        found[" | ".join(head)] = [dict(zip(head, line, strict=True)) for line in lines]
    return found


TABLES = tables()


def rows(head: str) -> list[Row]:
    return TABLES[head]


def whole(text: str) -> int:
    return int(text.replace(",", ""))


def cents(text: str) -> int:
    amount = Decimal(text.replace(",", "")) * 100
    assert amount == int(amount)
    return int(amount)


def points(pair: str, price: str) -> int:
    return INSTRUMENTS[pair].to_points(Decimal(price))


def rate_of(pair: str, row: Row) -> margin.Rate:
    currency = INSTRUMENTS[pair].quote
    name = usd_pair(currency)
    return margin.rate_of(currency, points(name, row["bid"]), points(name, row["ask"])) if name else margin.DOLLAR


def test_the_page_has_these_tables_and_no_other() -> None:
    assert list(TABLES) == [
        "what waits | at | bid | ask | fills at",
        "side | units | price | position | average | profit",
        "pair | profit in its quote currency | conversion pair | bid | ask | mid | dollars",
        "units | cents per lot | fee in cents",
        "pair | units | average | bid | ask | open profit",
        "cash | dollar profit | yen profit in dollars | equity",
        "positions | base mid | notional | leverage | margin",
        "equity | margin | level | stopped out",
        "highest equity | equity | drawdown in bps",
        "measured from | limit in bps | breached at or below",
    ]
    assert all(TABLES.values())


@pytest.mark.parametrize(
    "row", rows("what waits | at | bid | ask | fills at"), ids=lambda row: f"{row['what waits']} {row['bid']}"
)
def test_what_triggers_and_at_which_price(row: Row) -> None:
    pair = "EUR/USD"
    at, bid, ask = (points(pair, row[name]) for name in ("at", "bid", "ask"))
    book = Book(Rules((pair,), 10_000_000))
    book.seed([Quote(1, pair, 108_500, 108_510, 1, 1)])
    book.add_account(Account(1, 10_000_000), peak_cents=10_000_000, drawdown_bps=0, day_start_cents=10_000_000)
    what = row["what waits"]
    if " of a " in what:
        units = 1_000 if what.endswith("long") else -1_000
        sides = (at, None) if what.startswith("stop-loss") else (None, at)
        book.restore(Holding(0, pair, units, units * 108_500, *sides, 1))
    else:
        side, kind = what.split()
        book.accept(Wish("1", 0, 1, pair, kind, 1_000 if side == "buy" else -1_000, at, None, None, 1))
    book.loaded()
    made: list[Decision] = book.on_quote(Quote(2, pair, bid, ask, 2_000, 2_000))
    filled = [one.price for one in made if isinstance(one, Filled)]
    assert filled == ([points(pair, row["fills at"])] if row["fills at"] else [])


def test_netting() -> None:
    units = cost = 0
    for row in rows("side | units | price | position | average | profit"):
        size = whole(row["units"]) * (1 if row["side"] == "buy" else -1)
        netted = net(units, cost, size, points("EUR/USD", row["price"]))
        units, cost = netted.units, netted.cost_points
        assert units == whole(row["position"])
        assert (cost == units * points("EUR/USD", row["average"])) if row["average"] else (units, cost) == (0, 0)
        profit = sum(leg.profit_points for leg in netted.legs)
        assert margin.cents(profit, 100_000, margin.DOLLAR) == (cents(row["profit"]) if row["profit"] else 0)


def test_a_profit_becomes_dollars() -> None:
    for row in rows("pair | profit in its quote currency | conversion pair | bid | ask | mid | dollars"):
        pair = row["pair"]
        rate = rate_of(pair, row)
        assert (rate.pair, rate.mid) == (row["conversion pair"], Decimal(row["mid"]))
        profit = points(pair, row["profit in its quote currency"])
        assert margin.cents(profit, INSTRUMENTS[pair].scale, rate) == cents(row["dollars"])


def test_fees() -> None:
    for row in rows("units | cents per lot | fee in cents"):
        assert margin.fee_cents(whole(row["units"]), whole(row["cents per lot"])) == whole(row["fee in cents"])


def test_equity_sums_a_currency_before_it_is_converted() -> None:
    held = rows("pair | units | average | bid | ask | open profit")
    (total,) = rows("cash | dollar profit | yen profit in dollars | equity")
    marks = Marks([row["pair"] for row in held])
    marks.add(cash_cents=cents(total["cash"]), peak_cents=0, drawdown_bps=0, day_start_cents=0)
    per_currency = {"USD": 0, "JPY": 0}
    for row in held:
        pair, units = row["pair"], whole(row["units"])
        bid, ask = points(pair, row["bid"]), points(pair, row["ask"])
        marks.quote(pair, bid, ask)
        marks.hold(0, pair, units, units * points(pair, row["average"]), 0, 0)
        profit = units * (bid if units > 0 else ask) - units * points(pair, row["average"])
        assert profit == points(pair, row["open profit"])
        per_currency[INSTRUMENTS[pair].quote] += profit
    yen = margin.rate_of("JPY", 150_123, 150_133)
    assert margin.dollar_points(per_currency["USD"], 100_000, margin.DOLLAR) == int(
        Decimal(total["dollar profit"]) * 100_000
    )
    assert margin.dollar_points(per_currency["JPY"], 1_000, yen) == int(
        Decimal(total["yen profit in dollars"]) * 100_000
    )
    assert int(marks.equity[0]) == cents(total["equity"])


def test_margin() -> None:
    for row in rows("positions | base mid | notional | leverage | margin"):
        units, _ = row["positions"].split()
        mid = Decimal(row["base mid"])
        rate = margin.DOLLAR if mid == 1 else margin.Rate(int(mid * 200_000), 200_000)
        notional = margin.notional_cents(whole(units), rate)
        assert notional == cents(row["notional"])
        assert margin.required_margin_cents(notional, whole(row["leverage"])) == cents(row["margin"])


def test_the_stop_out_level_is_compared_in_integers() -> None:
    for row in rows("equity | margin | level | stopped out"):
        equity, needed = cents(row["equity"]), cents(row["margin"])
        level = margin.margin_level_bps(equity, needed)
        assert level is not None
        assert f"{level / 100:.2f} %" == row["level"]
        assert margin.at_or_below_level(equity, needed, 5_000) == (row["stopped out"] == "yes")


def test_drawdown_is_rounded_down_and_never_more_than_everything() -> None:
    for row in rows("highest equity | equity | drawdown in bps"):
        marks = Marks(["EUR/USD"])
        peak = cents(row["highest equity"])
        marks.add(cash_cents=peak, peak_cents=peak, drawdown_bps=0, day_start_cents=peak)
        marks.add_cash(0, cents(row["equity"]) - peak)
        marks.quote("EUR/USD", 108_500, 108_510)
        assert int(marks.drawdown_bps[0]) == whole(row["drawdown in bps"])


def test_the_line_at_which_a_drawdown_rule_is_breached() -> None:
    for row in rows("measured from | limit in bps | breached at or below"):
        base, limit = cents(row["measured from"]), whole(row["limit in bps"])
        line = base - bps_share_up(base, limit)
        assert line == cents(row["breached at or below"])
        assert (base - line) * 10_000 >= base * limit > (base - line - 1) * 10_000
