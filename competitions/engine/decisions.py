"""What the engine decides: plain records that the service writes to the database and tells the rooms, in this order."""

from dataclasses import dataclass, field

from competitions.engine.margin import Rate
from competitions.engine.netting import Leg
from competitions.engine.quotes import Quote


@dataclass(frozen=True, slots=True)
class Rules:
    """The trading rules of one contest, as the engine needs them. Units: cents, bps, units, milliseconds."""

    pairs: tuple[str, ...]
    starting_balance_cents: int
    leverage: int = 30
    max_units: int = 50_000_000
    max_orders: int = 50
    commission_cents_per_lot: int = 0
    stop_out_level_bps: int = 5_000
    drawdown_rule: str = "none"
    drawdown_limit_bps: int = 0
    starts_ms: int = 0
    ends_ms: int = 1 << 62
    close_only_ms: int = 0
    market_order_timeout_ms: int = 3_000
    quote_stale_ms: int = 5_000


@dataclass(slots=True, eq=False)
class Wish:
    """An order in the engine's hands. Units: signed units (buy > 0), prices in points, seq = acceptance sequence."""

    id: str
    place: int
    seq: int
    pair: str
    kind: str  # market, limit, stop
    units: int
    price: int | None
    stop_loss: int | None
    take_profit: int | None
    accepted_ms: int
    closes: bool = False
    working: bool = False  # known to be waiting; its status is already stored
    live: bool = True


@dataclass(slots=True, eq=False)
class Change:
    """An amendment in the engine's hands."""

    id: str
    place: int
    seq: int
    kind: str  # cancel, modify, protect, disqualify
    order_id: str | None
    pair: str | None  # of the position to protect
    units: int | None
    price: int | None
    stop_loss: int | None
    take_profit: int | None
    accepted_ms: int
    note: str = ""  # why an operator disqualifies


@dataclass(slots=True, eq=False)
class Holding:
    """A position in the engine's hands. Units: signed units, cost and prices in points."""

    place: int
    pair: str
    units: int = 0
    cost_points: int = 0
    stop_loss: int | None = None
    take_profit: int | None = None
    seq: int = 0


@dataclass(frozen=True, slots=True)
class LegBooked:
    """One in or out with what it did to the account, in cents."""

    number: int  # 1, 2, 3 … within the entry
    leg: Leg
    pnl_cents: int
    fee_cents: int
    cash_after_cents: int


@dataclass(frozen=True, slots=True)
class Filled:
    """The engine executed something. `order` is None when no order asked for it; `quote` is the evidence."""

    place: int
    number: int  # 1, 2, 3 … within the entry
    order: Wish | None
    pair: str
    units: int  # signed
    price: int
    rule: str
    quote: Quote
    rate: Rate
    legs: tuple[LegBooked, ...]
    units_after: int
    cost_after: int
    stop_loss: int | None
    take_profit: int | None
    seq: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Decided:
    """An order changed its status without a fill."""

    order: Wish
    status: str  # working, cancelled, rejected
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Amended:
    """An amendment was applied (reason empty) or refused."""

    change: Change
    reason: str
    at_ms: int
    order: Wish | None = None
    holding: Holding | None = None


@dataclass(frozen=True, slots=True)
class Protected:
    """A balance below zero was brought back to zero."""

    place: int
    number: int  # of the deal, within the entry
    shortfall_cents: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Disqualified:
    """A rule put an entry out; everything it held has been closed just before."""

    place: int
    reason: str
    quote_id: int | None
    equity_cents: int
    at_ms: int


Decision = Filled | Decided | Amended | Protected | Disqualified


@dataclass(slots=True)
class Account:
    """One entry in the engine's hands. Everything per quote is in the arrays of `marks`."""

    number: int
    cash_cents: int
    fills: int = 0
    deals: int = 0
    last_fill_ms: int | None = None
    active: bool = True
    holdings: dict[str, Holding] = field(default_factory=dict)
    wishes: dict[str, Wish] = field(default_factory=dict)
