"""How bets and markets stand on pages: their words and figures, ready for the templates. Nothing is decided here."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from betting.models import Bet, Line, Market
from betting.rules import odds
from betting.rules.lines import SIDES, Side, percent
from betting.rules.odds import Pools
from betting.selectors.history import LineHistory
from betting.selectors.markets import Shown
from tradingarena.core.money import BPS


@dataclass(frozen=True, slots=True)
class OwnBet:
    """One's own bet. Units: tokens; `possible` while it waits, `pay` and `net` once it is over. `status`: the market's, or won, lost,
    refunded."""

    bet: Bet
    market: Market
    claim: str
    status: str
    reason: str
    possible_tokens: int | None
    pay_tokens: int | None
    net_tokens: int | None


@dataclass(frozen=True, slots=True)
class SideRow:
    """One claim of a line. `price_milli` in thousandths; None: the first takes all."""

    claim: str
    side: str
    stakes_tokens: int
    share_bps: int
    bets: int
    price_milli: int | None


@dataclass(frozen=True, slots=True)
class LineShown:
    """A line with its two claims and how the share of the upper one moved: (milliseconds, bps)."""

    line: Line
    title: str
    total_tokens: int
    sides: list[SideRow]
    moved: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class MarketResult:
    """A market in a trader's record."""

    market: Market
    return_bps: int | None


def claim(threshold_bps: int, side: str) -> str:
    """Say a claim in words.

    Example:
        >>> claim(0, "below"), claim(250, "above")
        ('below zero', 'above +2.5%')
    """
    way = "above" if side == Side.ABOVE else "below"
    return f"{way} {'zero' if not threshold_bps else f'+{percent(threshold_bps)}%'}"


def own_bet(bet: Bet, line: Pools | None = None) -> OwnBet:
    """Show one's own bet, with what it would receive if the pools of its line stay as they are."""
    market, result = bet.market, getattr(bet, "result", None)
    words = claim(bet.line.threshold_bps, bet.side)
    if result is None:
        terms = (bet.side, bet.stake_tokens)
        possible = odds.pay_of_own(line, *terms, weight_bps=bet.weight_bps, rake_bps=market.rake_bps) if line else None
        return OwnBet(bet, market, words, market.status, "", possible, None, None)
    settled = result.settlement
    status = "refunded" if settled.reason else "won" if settled.right_side == bet.side else "lost"
    net = result.pay_tokens - bet.stake_tokens
    return OwnBet(bet, market, words, status, settled.reason.replace("_", " "), None, result.pay_tokens, net)


def lines(one: Shown, histories: Sequence[LineHistory]) -> list[LineShown]:
    """Show a market's lines with their history."""
    points = {UUID(found["line_id"]): found["points"] for found in histories}
    return [
        LineShown(
            line,
            "Return" if not line.threshold_bps else f"Return of +{percent(line.threshold_bps)}%",
            found.total_tokens,
            [side_row(line, found, side, one.market.rake_bps) for side in SIDES],
            [(at_ms, above * BPS // (above + below)) for at_ms, above, below in points.get(line.pk, [])],
        )
        for line, found in one.lines
    ]


def side_row(line: Line, found: Pools, side: Side, rake_bps: int) -> SideRow:
    """Show one claim with its pool and price."""
    pool = found.of(side)
    price = odds.price_milli(found, side, weight_bps=BPS, rake_bps=rake_bps)
    words = claim(line.threshold_bps, side)
    return SideRow(words, side.value, pool.stakes_tokens, odds.share_bps(found, side), pool.bets, price)


def most_staked(markets: Sequence[Shown]) -> list[tuple[Market, SideRow, SideRow]]:
    """List the sign lines of markets that are bet on, the most staked first."""
    found = []
    for one in markets:
        line, line_pools = one.lines[0]
        if line_pools.total_tokens and one.market.status != Market.Status.VOID:
            above, below = (side_row(line, line_pools, side, one.market.rake_bps) for side in SIDES)
            found.append((line_pools.total_tokens, one.market, above, below))
    found.sort(key=lambda row: -row[0])
    return [(market, above, below) for _, market, above, below in found]


def market_result(market: Market) -> MarketResult:
    """Show a market in a trader's record, with the return once it is final. Units: bps, rounded down."""
    start, final = market.competition.starting_balance_cents, market.entry.final_equity_cents
    known = final is not None and market.closed_at is not None
    return MarketResult(market, (final - start) * BPS // start if known and final is not None else None)
