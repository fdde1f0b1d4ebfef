"""A trader's journal in one contest: what their closed trades amount to, and the trades as rows for a spreadsheet.

Who may see which trades is decided in `visibility.py`. Rules: docs/rules/statistics.md.
"""

from collections.abc import Iterator
from typing import Any

from competitions import messages
from competitions.engine.statistics import Outcome, statistics
from competitions.models import Entry, Trade
from competitions.selectors import trading
from competitions.selectors.visibility import Sight, is_over
from tradingarena.core.clock import to_ms

CSV_HEADER = (
    "trade_id", "pair", "side", "opened_at", "closed_at", "held_s", "units", "average_open_price", "average_close_price",
    "pnl_cents", "fee_cents", "net_cents", "close_reason",
)  # fmt: skip


def closed_trades(entry: Entry, seen: Sight) -> list[Trade]:
    """List an entry's closed trades that may be seen, oldest first."""
    return list(trading.trades(entry, seen).filter(is_over(seen)).order_by("closed_at", "id"))


def summary(entry: Entry, seen: Sight) -> dict[str, Any]:
    """Give the figures of an entry's closed trades that may be seen, JSON-ready.

    Shapes: as engine.statistics.Statistics, ratios as texts, with the entry and its largest drawdown in bps.
    """
    outcomes = [Outcome(trade.pnl_cents - trade.fee_cents, _held_ms(trade)) for trade in closed_trades(entry, seen)]
    found = statistics(outcomes)._asdict()
    ratios = {name: None if found[name] is None else str(found[name]) for name in ("profit_factor", "sharpe")}
    return {"entry_id": str(entry.pk), **found, **ratios, "max_drawdown_bps": entry.max_drawdown_bps}


def csv_rows(entry: Entry, seen: Sight) -> Iterator[tuple[str, ...]]:
    """Give the closed trades that may be seen as rows of text, the header first."""
    yield CSV_HEADER
    for trade in closed_trades(entry, seen):
        shown = messages.trade(trade)
        values = shown | {
            "trade_id": shown["id"],
            "held_s": _held_ms(trade) // 1000,
            "units": trade.opened_units,
            "net_cents": trade.pnl_cents - trade.fee_cents,
        }
        yield tuple(str(values[name]) for name in CSV_HEADER)


def _held_ms(trade: Trade) -> int:
    assert trade.closed_at is not None
    return to_ms(trade.closed_at) - to_ms(trade.opened_at)
