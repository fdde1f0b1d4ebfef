"""What REST answers about contests and trading: for the OpenAPI schema, which tests hold real answers against.

The rows are made by `messages.py` and `rows.py`, so that pages, REST and rooms show the same.
"""

from typing import Any

from rest_framework import serializers

from competitions.models import Competition, Deal, Entry, Fill, Order, Payout
from competitions.models.trading import Side

Text = serializers.CharField
Whole = serializers.IntegerField
Time = serializers.DateTimeField
Id = serializers.UUIDField
YesNo = serializers.BooleanField
Output = serializers.Serializer

POSITION_SIDES = ["long", "short", "flat"]


class InstrumentOut(Output):
    pair = Text()
    base = Text()
    quote = Text()
    digits = Whole(help_text="decimals of a price")
    pip = Text(help_text="the pip as a price difference")
    lot_units = Whole()
    min_units = Whole(help_text="default of a contest")
    unit_step = Whole(help_text="default of a contest")
    usd_pair = Text(allow_null=True, help_text="what turns the quote currency into dollars; null: it is the dollar")
    usd_inverse = YesNo(help_text="true: divide by that pair's mid; false: multiply")


class QuoteOut(Output):
    bid = Text()
    ask = Text()
    timestamp = Time(help_text="the source's time")
    received_at = Time()
    age_ms = Whole()
    stale = YesNo(help_text="too old to trade on")


class QuotesOut(Output):
    as_of = Time()
    provider = Text()
    simulated = YesNo(help_text="true: not a live market")
    market_open = YesNo()
    quotes = serializers.DictField(child=QuoteOut(), help_text="by pair")


class CandlesOut(Output):
    pair = Text()
    timeframe = Text()
    side = Text()
    candles = serializers.ListField(
        child=serializers.ListField(child=serializers.JSONField(), min_length=6, max_length=6),
        help_text="oldest first: [opening in Unix seconds, open, high, low, close, ticks], prices as texts",
    )


class ReasonOut(Output):
    code = Text()
    message = Text()


class OwnPlaceOut(Output):
    entry_id = Id(allow_null=True)
    status = serializers.ChoiceField(choices=Entry.Status.choices, allow_null=True)
    rank = Whole(allow_null=True)
    can_join = YesNo()
    reasons = ReasonOut(many=True, help_text="why one cannot join now; empty when one can")


class CompetitionRow(Output):
    id = Id()
    slug = Text()
    title = Text()
    kind = serializers.ChoiceField(choices=Competition.Kind.choices)
    status = serializers.ChoiceField(choices=Competition.Status.choices)
    starts_at = Time()
    ends_at = Time()
    pairs = serializers.ListField(child=Text())
    starting_balance_cents = Whole()
    leverage = Whole()
    entrants = Whole()
    max_entries = Whole(allow_null=True)
    buy_in_cents = Whole()
    entry_tokens = Whole()
    drawdown_rule = Text()
    drawdown_limit_bps = Whole()
    host = Text(allow_null=True, help_text="username")


class CompetitionDetail(CompetitionRow):
    description = Text()
    planned_ends_at = Time(allow_null=True)
    created_at = Time()
    completed_at = Time(allow_null=True)
    objection_ends_at = Time(allow_null=True)
    join_ends_at = Time()
    cancel_reason = Text()
    invite_needed = YesNo()
    min_units = Whole()
    unit_step = Whole()
    max_units = Whole()
    max_orders = Whole()
    commission_cents_per_lot = Whole()
    stop_out_level_bps = Whole()
    margin_call_level_bps = Whole()
    close_only_s = Whole()
    market_order_timeout_ms = Whole()
    quote_stale_ms = Whole()
    min_entries = Whole()
    late_join_bps = Whole()
    min_account_age_h = Whole()
    max_linked_entries = Whole()
    blocked_countries = serializers.ListField(child=Text())
    bots_allowed = YesNo()
    bots_only = YesNo()
    rake_bps = Whole()
    prize_split_bps = serializers.ListField(child=Whole())
    reward_tokens = serializers.ListField(child=Whole())
    objection_s = Whole()
    own = OwnPlaceOut(allow_null=True, help_text="the asker's place; null for strangers")


class EntryOut(Output):
    entry_id = Id()
    competition_id = Id()
    number = Whole()
    user_id = Id()
    username = Text()
    country = Text()
    is_bot = YesNo()
    status = serializers.ChoiceField(choices=Entry.Status.choices)
    joined_at = Time()


class SeatOut(Output):
    """A seat that is held while its checkout is open. The same key gives these same words again."""

    competition_id = Id()
    amount_cents = Whole()
    payment_id = Id(help_text="see /api/tokens/payments")
    checkout_url = Text(help_text="send the person there to pay; empty: the provider did not open one")
    held_until = Time(allow_null=True)


class BoardRowOut(Output):
    rank = Whole(allow_null=True)
    previous_rank = Whole(allow_null=True)
    entry_id = Id()
    user_id = Id()
    username = Text()
    country = Text()
    equity_cents = Whole()
    return_bps = Whole(help_text="rounded down; for showing")
    max_drawdown_bps = Whole()
    fills = Whole()
    status = Text()


class BoardOut(Output):
    as_of = Time()
    total = Whole(help_text="places on the board")
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = BoardRowOut(many=True)


class ResultRowOut(Output):
    rank = Whole(allow_null=True, help_text="shared by ties; null: without a fill, or disqualified")
    entry_id = Id()
    user_id = Id()
    username = Text()
    country = Text()
    is_bot = YesNo()
    final_equity_cents = Whole()
    return_bps = Whole(help_text="rounded down; for showing")
    max_drawdown_bps = Whole()
    fills = Whole()
    trades = Whole()
    last_fill_at = Time(allow_null=True)
    status = serializers.ChoiceField(choices=Entry.Status.choices)
    disqualified_for = Text()
    prize_cents = Whole()
    prize_tokens = Whole(help_text="from the pool of entries with tokens")
    reward_tokens = Whole(help_text="for the place")
    payout_status = serializers.ChoiceField(choices=Payout.Status.choices, allow_null=True)
    finalized_at = Time(allow_null=True)


class ResultsOut(Output):
    competition_id = Id()
    slug = Text()
    title = Text()
    status = Text()
    starts_at = Time()
    ends_at = Time()
    final = YesNo(help_text="false while objections may still be raised")
    objection_ends_at = Time(allow_null=True)
    starting_balance_cents = Whole()
    prize_pool_cents = Whole()
    prize_pool_tokens = Whole()
    rankings = ResultRowOut(many=True)


class OrderOut(Output):
    id = Id()
    competition_id = Id()
    entry_id = Id()
    seq = Whole(help_text="acceptance sequence: breaks ties within a quote")
    pair = Text()
    side = serializers.ChoiceField(choices=Side.choices)
    type = serializers.ChoiceField(choices=Order.Type.choices)
    units = Whole()
    price = Text(allow_null=True)
    stop_loss = Text(allow_null=True)
    take_profit = Text(allow_null=True)
    closes_position = Id(allow_null=True)
    status = serializers.ChoiceField(choices=Order.Status.choices)
    reason = Text(help_text="code of the rule that rejected or cancelled it")
    accepted_at = Time()
    decided_at = Time(allow_null=True)


class FillOut(Output):
    id = Id()
    order_id = Id(allow_null=True)
    number = Whole()
    pair = Text()
    side = serializers.ChoiceField(choices=Side.choices)
    units = Whole()
    price = Text()
    fee_cents = Whole()
    rule = serializers.ChoiceField(choices=Fill.Rule.choices)
    bid = Text()
    ask = Text()
    quote_id = Text()
    quote_at = Time()
    quote_received_at = Time()
    quote_age_ms = Whole()
    source = Text()
    engine_epoch = Whole()
    filled_at = Time()


class DealOut(Output):
    id = Id()
    fill_id = Id(allow_null=True)
    trade_id = Id(allow_null=True)
    number = Whole()
    direction = serializers.ChoiceField(choices=Deal.Direction.choices)
    pair = Text()
    side = Text()
    units = Whole()
    price = Text(allow_null=True)
    pnl_cents = Whole()
    fee_cents = Whole()
    cash_after_cents = Whole()
    conversion_pair = Text()
    conversion_rate = Text()
    at = Time()


class PublicDealOut(Output):
    deal_id = Id()
    user_id = Id()
    username = Text()
    pair = Text()
    side = Text()
    direction = serializers.ChoiceField(choices=Deal.Direction.choices)
    units = Whole()
    lots = Text()
    price = Text(allow_null=True)
    pnl_cents = Whole()
    at = Time()


class TradeOut(Output):
    id = Id()
    pair = Text()
    side = serializers.ChoiceField(choices=Side.choices)
    opened_at = Time()
    closed_at = Time(allow_null=True)
    opened_units = Whole()
    average_open_price = Text(allow_null=True)
    closed_units = Whole()
    average_close_price = Text(allow_null=True)
    pnl_cents = Whole()
    fee_cents = Whole()
    close_reason = Text()


class PositionOut(Output):
    position_id = Id()
    pair = Text()
    side = serializers.ChoiceField(choices=POSITION_SIDES)
    units = Whole()
    average_price = Text(allow_null=True)
    stop_loss = Text(allow_null=True)
    take_profit = Text(allow_null=True)
    opened_at = Time(allow_null=True)
    unrealized_cents = Whole(required=False, help_text="one's own only")
    margin_cents = Whole(required=False, help_text="one's own only")
    mark_price = Text(required=False, allow_null=True, help_text="one's own only")


class PositionsOut(Output):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = PositionOut(many=True)


class EquityPointOut(Output):
    at = Time()
    equity_cents = Whole()


class EquityOut(Output):
    entry_id = Id()
    points = EquityPointOut(many=True, help_text="oldest first")


class StatisticsOut(Output):
    entry_id = Id()
    trades = Whole(help_text="closed ones that may be seen")
    won = Whole()
    lost = Whole()
    win_rate_bps = Whole(allow_null=True, help_text="rounded down; null without a trade")
    gross_profit_cents = Whole()
    gross_loss_cents = Whole()
    net_cents = Whole(help_text="after fees")
    profit_factor = Text(allow_null=True, help_text="gross profit / gross loss; null without a loss")
    average_cents = Whole(allow_null=True)
    best_cents = Whole(allow_null=True)
    worst_cents = Whole(allow_null=True)
    average_hold_s = Whole(allow_null=True)
    sharpe = Text(allow_null=True, help_text="of the trades' results, not annualised; null for fewer than two")
    max_drawdown_bps = Whole(help_text="of the entry's equity")


class AccountOut(Output):
    entry_id = Id()
    cash_cents = Whole()
    equity_cents = Whole()
    max_equity_cents = Whole(help_text="highest equity on a confirmed quote")
    day_start_equity_cents = Whole(help_text="equity when the current UTC day began")
    used_margin_cents = Whole()
    free_margin_cents = Whole()
    margin_level_bps = Whole(allow_null=True)
    unrealized_cents = Whole()
    rank = Whole(allow_null=True)
    status = Text()
    positions = PositionOut(many=True)


class RoomHeadOut(Output):
    epoch = Text()
    seq = Whole()


class OwnRoomOut(Output):
    entry_id = Id()
    account = AccountOut()
    orders = OrderOut(many=True)
    positions = PositionOut(many=True)


class RoomQuoteOut(Output):
    bid = Text()
    ask = Text()
    timestamp = Time()
    stale = YesNo()


class HeldByOut(Output):
    user_id = Id()
    entry_id = Id()
    positions = PositionOut(many=True)


class RoomOut(Output):
    competition = CompetitionRow()
    rooms = serializers.DictField(child=RoomHeadOut(), help_text="how far each room had come before the rest was read")
    as_of = Time()
    rankings = BoardRowOut(many=True)
    quotes = serializers.DictField(child=RoomQuoteOut())
    deals = PublicDealOut(many=True, help_text="the last 50 that may be seen, newest first")
    positions = HeldByOut(many=True, help_text="of those on the board who hold something; none for entrants")
    delay_s = Whole(help_text="how late deals and positions are shown, in seconds")
    viewers = Whole()
    own = OwnRoomOut(allow_null=True)


Schema = type[serializers.Serializer[Any]]
