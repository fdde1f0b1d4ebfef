"""What REST answers about bets, for the OpenAPI schema, and how rows look there."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from rest_framework import serializers

from betting import messages
from betting.models import REFUNDS, SIDES, Bet, Market
from betting.rules import odds
from betting.rules.lines import outcome
from betting.rules.odds import Pools
from betting.selectors.markets import Reason, Shown
from betting.services.bets import Placed
from competitions.messages import when

BET_STATUSES = [(name, name) for name in ("open", "locked", "settling", "won", "lost", "refunded")]
CLOSED = [(name, name) for name in ("settled", "void")]

Text = serializers.CharField
Whole = serializers.IntegerField
Output = serializers.Serializer
Id = serializers.UUIDField
Time = serializers.DateTimeField


class BetTraderOut(Output):
    user_id = Id()
    username = Text()


class OutcomeOut(Output):
    outcome = Text()
    side = serializers.ChoiceField(choices=SIDES)
    stakes_tokens = Whole()
    weighted = Whole(help_text="Σ stake × weight in bps, by which the losing pool is shared")
    bets = Whole()
    share_bps = Whole(help_text="of the line's stakes")
    price_milli = Whole(
        allow_null=True,
        help_text="what one more token of full weight receives if right, in thousandths; null: the first takes all",
    )


class LineOut(Output):
    line_id = Id()
    threshold_bps = Whole(help_text="0: the sign of the return")
    total_tokens = Whole()
    outcomes = OutcomeOut(many=True)


class OwnBetOut(Output):
    id = Id()
    line_id = Id()
    outcome = Text()
    stake_tokens = Whole()
    weight_bps = Whole()
    placed_at = Time()
    possible_pay_tokens = Whole(help_text="received if right and nobody bets any more; once settled: what was received")
    pay_tokens = Whole(allow_null=True, help_text="received; null while it is not settled")


class MarketOut(Output):
    market_id = Id()
    entry_id = Id()
    trader = BetTraderOut()
    status = serializers.ChoiceField(choices=Market.Status.choices)
    void_reason = serializers.ChoiceField(choices=REFUNDS, allow_null=True)
    note = Text(allow_blank=True)
    rake_bps = Whole()
    starts_at = Time(help_text="until then a bet has its full weight")
    locks_at = Time()
    lines = LineOut(many=True)
    own = OwnBetOut(many=True, help_text="one's own bets here")


class BetRoomOut(Output):
    epoch = Text(allow_blank=True)
    seq = Whole()


class BetReasonOut(Output):
    code = Text()
    detail = Text()


class MarketsOut(Output):
    competition_id = Id()
    room = BetRoomOut(help_text="where the room `betting.<competition>` stood before the rows were read")
    now = Time(help_text="the database's clock")
    min_stake_tokens = Whole()
    max_stake_tokens = Whole(help_text="the sum of one person's stakes in a market")
    balance_tokens = Whole(allow_null=True, help_text="null: nobody is signed in")
    reasons = BetReasonOut(many=True, help_text="why the asker cannot bet here; empty when they can")
    markets = MarketOut(many=True)


class PlacedOut(Output):
    id = Id()
    market_id = Id()
    outcome = Text()
    stake_tokens = Whole()
    weight_bps = Whole()
    placed_at = Time()


class BetOut(OwnBetOut):
    market_id = Id()
    competition_id = Id()
    competition = Text()
    slug = Text()
    trader = BetTraderOut()
    status = serializers.ChoiceField(choices=BET_STATUSES)
    reason = serializers.ChoiceField(choices=REFUNDS, allow_null=True, help_text="why it was refunded")
    net_tokens = Whole(allow_null=True)


class ReceiptBetOut(Output):
    bettor = Text(help_text="a pseudonym that holds within the market")
    own = serializers.BooleanField()
    bet_id = Id(allow_null=True, help_text="of one's own bets")
    side = serializers.ChoiceField(choices=SIDES)
    stake_tokens = Whole()
    weight_bps = Whole()
    placed_at = Time()
    pay_tokens = Whole()


class ReceiptLineOut(Output):
    line_id = Id()
    threshold_bps = Whole()
    outcomes = serializers.ListField(child=Text(), help_text="the claim above, the claim below")
    right = Text(allow_null=True, help_text="the claim that came true; null: refunded")
    reason = serializers.ChoiceField(choices=REFUNDS, allow_null=True)
    total_tokens = Whole()
    winning_tokens = Whole()
    losing_tokens = Whole()
    refunded_tokens = Whole()
    rake_tokens = Whole()
    rake_bps = Whole()
    rule_version = Whole()
    starting_balance_cents = Whole()
    final_equity_cents = Whole(allow_null=True)
    quote_id = Text(allow_null=True, help_text="of the trader's last fill")
    bets = ReceiptBetOut(many=True, help_text="in the order of placing, by which ties of rounding are decided")


class SettlementReceiptOut(Output):
    market_id = Id()
    competition_id = Id()
    competition = Text()
    slug = Text()
    trader = BetTraderOut()
    status = serializers.ChoiceField(choices=CLOSED)
    void_reason = serializers.ChoiceField(choices=REFUNDS, allow_null=True)
    note = Text(allow_blank=True)
    rake_bps = Whole()
    rule_version = Whole()
    starts_at = Time()
    locks_at = Time()
    settled_at = Time()
    lines = ReceiptLineOut(many=True)
    staked_tokens = Whole(help_text="what the ledger moved into the market's escrow")
    paid_tokens = Whole(help_text="what it moved from there to wallets")
    rake_tokens = Whole(help_text="what it moved from there to the house")


class LineRecordOut(Output):
    threshold_bps = Whole()
    above = Whole()
    below = Whole()


class TraderMarketOut(Output):
    market_id = Id()
    competition_id = Id()
    competition = Text()
    slug = Text()
    status = serializers.ChoiceField(choices=Market.Status.choices)
    void_reason = serializers.ChoiceField(choices=REFUNDS, allow_null=True)
    closed_at = Time(allow_null=True)
    return_bps = Whole(allow_null=True, help_text="rounded down, for showing; null while it is not final")


class BetBehindRecordOut(Output):
    trader = BetTraderOut()
    markets = Whole()
    settled = Whole()
    void = Whole()
    staked_tokens = Whole()
    backers = Whole()
    lines = LineRecordOut(many=True)
    results = TraderMarketOut(many=True, help_text="the latest 50")


class BandOut(Output):
    from_bps = Whole()
    to_bps = Whole()
    bets = Whole()
    expected_bps = Whole(help_text="mean share of the line's stakes on the bets' side when they were placed")
    hit_bps = Whole(help_text="how many of them were right")


class BettorRecordOut(Output):
    bets = Whole(help_text="that are over")
    open = Whole()
    won = Whole()
    lost = Whole()
    refunded = Whole()
    staked_tokens = Whole(help_text="without refunded bets")
    paid_tokens = Whole()
    net_tokens = Whole()
    hit_rate_bps = Whole(allow_null=True)
    return_bps = Whole(allow_null=True)
    calibration = BandOut(many=True)


class LineHistoryOut(Output):
    market_id = Id()
    line_id = Id()
    threshold_bps = Whole()
    points = serializers.ListField(
        child=serializers.ListField(child=Whole(), min_length=3, max_length=3),
        help_text="[Unix milliseconds, tokens above, tokens below] after a bet, oldest first, at most 120",
    )


class BetHistoryOut(Output):
    competition_id = Id()
    lines = LineHistoryOut(many=True)


# -- rows ----------------------------------------------------------------------------------------------------------------


def placed_row(placed: Placed) -> dict[str, Any]:
    """Show a bet's terms: the same whenever it is asked for."""
    return {
        "id": str(placed.id),
        "market_id": str(placed.market_id),
        "outcome": outcome(placed.threshold_bps, placed.side),
        "stake_tokens": placed.stake_tokens,
        "weight_bps": placed.weight_bps,
        "placed_at": when(placed.placed_at),
    }


def own_row(bet: Bet, line_pools: Pools, rake_bps: int) -> dict[str, Any]:
    """Show one's own bet with what it would receive as things stand, or has received."""
    result = getattr(bet, "result", None)
    pay = None if result is None else result.pay_tokens
    possible = odds.pay_of_own(line_pools, bet.side, bet.stake_tokens, weight_bps=bet.weight_bps, rake_bps=rake_bps)
    return {
        "id": str(bet.pk),
        "line_id": str(bet.line_id),
        "outcome": bet.line.outcome(bet.side),
        "stake_tokens": bet.stake_tokens,
        "weight_bps": bet.weight_bps,
        "placed_at": when(bet.placed_at),
        "possible_pay_tokens": possible if pay is None else pay,
        "pay_tokens": pay,
    }


def bet_row(bet: Bet, line_pools: Mapping[UUID, Pools]) -> dict[str, Any]:
    """Show one's own bet with where it stands."""
    market, result = bet.market, getattr(bet, "result", None)
    status, reason = market.status, None
    if result is not None:
        settled = result.settlement
        reason = settled.reason or None
        status = "refunded" if reason else "won" if settled.right_side == bet.side else "lost"
    return own_row(bet, line_pools[bet.line_id], market.rake_bps) | {
        "market_id": str(market.pk),
        "competition_id": str(market.competition_id),
        "competition": market.competition.title,
        "slug": market.competition.slug,
        "trader": {"user_id": str(market.trader_id), "username": market.trader.username},
        "status": status,
        "reason": reason,
        "net_tokens": None if result is None else result.pay_tokens - bet.stake_tokens,
    }


def market_row(shown: Shown) -> dict[str, Any]:
    """Show a market with its pools and the asker's bets."""
    market = shown.market
    line_pools = {line.pk: found for line, found in shown.lines}
    return {
        "market_id": str(market.pk),
        "entry_id": str(market.entry_id),
        "trader": {"user_id": str(market.trader_id), "username": market.trader.username},
        "status": market.status,
        "void_reason": market.void_reason or None,
        "note": market.note,
        "rake_bps": market.rake_bps,
        "starts_at": when(market.starts_at),
        "locks_at": when(market.locks_at),
        "lines": [messages.line_row(line, found, market.rake_bps) for line, found in shown.lines],
        "own": [own_row(bet, line_pools[bet.line_id], market.rake_bps) for bet in shown.own_with_lines()],
    }


def reason_rows(reasons: Sequence[Reason]) -> list[dict[str, str]]:
    """Show why somebody cannot bet."""
    return [{"code": one.code, "detail": one.message} for one in reasons]


def trader_market_row(market: Market) -> dict[str, Any]:
    """Show a market on a trader in their record."""
    contest, final = market.competition, market.entry.final_equity_cents
    start = contest.starting_balance_cents
    return {
        "market_id": str(market.pk),
        "competition_id": str(contest.pk),
        "competition": contest.title,
        "slug": contest.slug,
        "status": market.status,
        "void_reason": market.void_reason or None,
        "closed_at": when(market.closed_at),
        "return_bps": None if final is None or not market.closed_at else (final - start) * 10_000 // start,
    }
