"""What REST takes about contests and trading: bodies and query strings, each field strict and bounded.

Whether a value is allowed in this contest is decided by the services. Schema of the answers: `outputs.py`.
"""

from decimal import Decimal
from typing import Any

from competitions.engine.instruments import INSTRUMENTS
from competitions.models import Competition, Order
from competitions.models.trading import Side
from competitions.selectors.market import MOST_CANDLES, timeframes
from competitions.services.terms import BOUNDS, MAX_PLACES
from tradingarena.core.money import BPS
from tradingarena.core.paging import PageQuery
from tradingarena.core.serializers import (
    QueryBoolean,
    QueryInteger,
    QuerySerializer,
    StrictBoolean,
    StrictChoice,
    StrictDecimal,
    StrictInteger,
    StrictList,
    StrictSerializer,
    StrictText,
    StrictTime,
    StrictUUID,
)

PAIRS = list(INSTRUMENTS)
KINDS = ["public", "private"]
QUOTE_SIDES = ["bid", "ask"]
ORDER_FILTERS = ["open", *Order.Status.values]
MAX_UNITS = BOUNDS["max_units"][1]
MAX_PRICE = Decimal("9999999.99999")


def price_field(**kwargs: Any) -> StrictDecimal:
    """A price: a text with at most five decimals; the pair's own digits are a rule of the service."""
    return StrictDecimal(decimal_places=5, max_value=MAX_PRICE, **kwargs)


def units_field(**kwargs: Any) -> StrictInteger:
    """Units of the base currency."""
    return StrictInteger(min_value=1, max_value=MAX_UNITS, **kwargs)


# -- market data ------------------------------------------------------------------------------------------------------


class QuotesQuery(QuerySerializer):
    pair = StrictChoice(choices=PAIRS, required=False, help_text="one pair; all of them without it")


class CandlesQuery(QuerySerializer):
    pair = StrictChoice(choices=PAIRS)
    timeframe = StrictChoice(choices=timeframes(), default="1m")
    side = StrictChoice(choices=QUOTE_SIDES, default="bid")
    to = StrictTime(required=False, help_text="candles that open before this; default now")
    limit = QueryInteger(min_value=1, max_value=MOST_CANDLES, default=500)

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python's own
        start = StrictTime(
            required=False, help_text="candles that open from here on; default as far back as limit goes"
        )
        return {**super().get_fields(), "from": start}


# -- contests ---------------------------------------------------------------------------------------------------------


class CompetitionsQuery(PageQuery):
    status = StrictChoice(choices=Competition.Status.values, required=False)
    q = StrictText(max_length=100, required=False, help_text="part of a title")
    free = QueryBoolean(required=False, help_text="whether it costs neither money nor tokens")
    bots_only = QueryBoolean(required=False, help_text="whether it is for bots alone")
    mine = QueryBoolean(required=False, help_text="true: entered or hosted by the asker")


class JoinBody(StrictSerializer):
    invite_code = StrictText(max_length=64, required=False, default="", allow_blank=True)


class EmptyBody(StrictSerializer):
    """No fields."""


class TransitionBody(StrictSerializer):
    to = StrictChoice(choices=["open", "running", "completed", "cancelled"])
    reason = StrictText(max_length=200, required=False, default="", allow_blank=True, help_text="needed to cancel")


def bounded(name: str, **kwargs: Any) -> StrictInteger:
    """An integer with the bounds that the rules give it."""
    low, high = BOUNDS[name]
    return StrictInteger(min_value=low, max_value=high, **kwargs)


class CompetitionPatch(StrictSerializer):
    """Terms of a contest; a field left out stays as it is. They freeze when the first entrant has joined."""

    title = StrictText(max_length=120, required=False)
    description = StrictText(max_length=4_000, required=False, allow_blank=True)
    kind = StrictChoice(choices=KINDS, required=False)
    starts_at = StrictTime(required=False)
    ends_at = StrictTime(required=False)
    pairs = StrictList(child=StrictChoice(choices=PAIRS), min_length=1, max_length=len(PAIRS), required=False)
    starting_balance_cents = bounded("starting_balance_cents", required=False)
    leverage = bounded("leverage", required=False)
    min_units = bounded("min_units", required=False)
    unit_step = bounded("unit_step", required=False)
    max_units = bounded("max_units", required=False)
    max_orders = bounded("max_orders", required=False)
    commission_cents_per_lot = bounded("commission_cents_per_lot", required=False)
    stop_out_level_bps = bounded("stop_out_level_bps", required=False)
    margin_call_level_bps = bounded("margin_call_level_bps", required=False)
    drawdown_rule = StrictChoice(choices=Competition.DrawdownRule.values, required=False)
    drawdown_limit_bps = bounded("drawdown_limit_bps", required=False)
    close_only_s = bounded("close_only_s", required=False)
    market_order_timeout_ms = bounded("market_order_timeout_ms", required=False)
    quote_stale_ms = bounded("quote_stale_ms", required=False)
    min_entries = bounded("min_entries", required=False)
    max_entries = bounded("max_entries", required=False, allow_null=True)
    late_join_bps = bounded("late_join_bps", required=False)
    invite_code = StrictText(max_length=64, required=False, allow_blank=True)
    min_account_age_h = bounded("min_account_age_h", required=False)
    max_linked_entries = bounded("max_linked_entries", required=False)
    blocked_countries = StrictList(child=StrictText(max_length=2, min_length=2), max_length=250, required=False)
    bots_allowed = StrictBoolean(required=False)
    bots_only = StrictBoolean(required=False)
    buy_in_cents = bounded("buy_in_cents", required=False)
    entry_tokens = bounded("entry_tokens", required=False)
    rake_bps = bounded("rake_bps", required=False)
    prize_split_bps = StrictList(child=StrictInteger(min_value=1, max_value=BPS), max_length=MAX_PLACES, required=False)
    reward_tokens = StrictList(
        child=StrictInteger(min_value=0, max_value=1_000_000), max_length=MAX_PLACES, required=False
    )
    objection_s = bounded("objection_s", required=False)


class CompetitionBody(CompetitionPatch):
    """A new contest; `open_now` opens it for entries at once, else it is a draft."""

    title = StrictText(max_length=120)
    starts_at = StrictTime()
    ends_at = StrictTime()
    pairs = StrictList(child=StrictChoice(choices=PAIRS), min_length=1, max_length=len(PAIRS))
    open_now = StrictBoolean(required=False, default=False)


# -- trading ----------------------------------------------------------------------------------------------------------


class OrdersQuery(PageQuery):
    status = StrictChoice(choices=ORDER_FILTERS, required=False, help_text="open: not decided yet")
    pair = StrictChoice(choices=PAIRS, required=False)


class EntryQuery(QuerySerializer):
    entry_id = StrictUUID(required=False, help_text="whose; one's own without it")


class EntryPageQuery(PageQuery):
    entry_id = StrictUUID(required=False, help_text="whose; one's own without it")


class EquityQuery(EntryQuery):
    points = QueryInteger(min_value=2, max_value=2_000, default=500, help_text="at most this many")


class OrderBody(StrictSerializer):
    id = StrictUUID(help_text="made by the client; the same id again is the same order")
    pair = StrictChoice(choices=PAIRS)
    side = StrictChoice(choices=Side.values)
    type = StrictChoice(choices=Order.Type.values)
    units = units_field(help_text="units of the base currency; 100000 is a lot")
    price = price_field(required=False, allow_null=True, default=None, help_text="of a limit or stop order")
    stop_loss = price_field(required=False, allow_null=True, default=None)
    take_profit = price_field(required=False, allow_null=True, default=None)


class OrderPatch(StrictSerializer):
    """What changes; null takes a stop-loss or take-profit away."""

    units = units_field(required=False)
    price = price_field(required=False)
    stop_loss = price_field(required=False, allow_null=True)
    take_profit = price_field(required=False, allow_null=True)


class ProtectionPatch(StrictSerializer):
    """What changes; null takes it away."""

    stop_loss = price_field(required=False, allow_null=True)
    take_profit = price_field(required=False, allow_null=True)


class CloseBody(StrictSerializer):
    id = StrictUUID(required=False, help_text="of the closing order, made by the client; or send an Idempotency-Key")
    units = units_field(required=False, allow_null=True, default=None, help_text="all of it when left out")
