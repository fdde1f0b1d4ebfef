"""Computing settlements again from the bets' own rows, and comparing them with what was written and what the ledger moved.

What a receipt shows is in `selectors/receipts.py`. Rules: docs/rules/bet-behind.md#receipts.
"""

from collections.abc import Iterator
from uuid import UUID

from betting.models import Bet, Market, Settlement
from betting.rules.lines import Side
from betting.rules.parimutuel import RULE_VERSION, Stake
from betting.rules.plans import Decided, plan_line
from betting.rules.verdicts import Refund
from betting.selectors import receipts
from tradingarena.core.errors import NotFound


def verify(market_id: UUID) -> list[str]:
    """Say everything about a market's settlement that is not as the rules and the ledger have it; nothing when it is.

    Guarantees: reads only; recomputes each line from stakes, weights and the equity that decided.
    Raises: NotFound: there is no such market, or it is not settled yet.
    """
    market = Market.objects.filter(pk=market_id).first()
    if market is None or market.status not in {Market.Status.SETTLED, Market.Status.VOID}:
        raise NotFound("There is no settled market of this id.")
    found = list(Settlement.objects.filter(market=market).select_related("line"))
    wrong = [fault for settlement in found for fault in _line(market, settlement)]
    if len(found) != market.lines.count():
        wrong.append(f"{len(found)} of {market.lines.count()} lines have a settlement")
    return wrong + list(_ledger(market, found))


def _line(market: Market, settlement: Settlement) -> Iterator[str]:
    name = f"line {settlement.line.threshold_bps} bps"
    if settlement.rule_version != RULE_VERSION:
        yield f"{name}: settled by version {settlement.rule_version} of the rules, this is {RULE_VERSION}"
        return
    rows = list(Bet.objects.filter(line=settlement.line).select_related("result").order_by("placed_at", "id"))
    if len(rows) != settlement.bets:
        yield f"{name}: {len(rows)} bets, {settlement.bets} were settled"
    if not rows:
        return
    decided = Decided(
        Refund(market.void_reason) if market.void_reason else None,
        settlement.starting_balance_cents,
        settlement.final_equity_cents,
    )
    stakes = [Stake(Side(bet.side), bet.stake_tokens, bet.weight_bps) for bet in rows]
    plan, reason = plan_line(stakes, decided, threshold_bps=settlement.line.threshold_bps, rake_bps=settlement.rake_bps)
    expected = (plan.right or "", reason or "", plan.total_tokens, plan.winning_tokens, plan.losing_tokens)
    expected += (plan.refunded_tokens, plan.rake_tokens)
    written = (settlement.right_side, settlement.reason, settlement.total_tokens, settlement.winning_tokens)
    written += (settlement.losing_tokens, settlement.refunded_tokens, settlement.rake_tokens)
    if expected != written:
        yield f"{name}: computed {expected}, written {written}"
    for bet, pay in zip(rows, plan.pays, strict=True):
        got = bet.result.pay_tokens if hasattr(bet, "result") else None
        if got != pay:
            yield f"{name}: bet {bet.pk} should receive {pay}, its result is {got}"


def _ledger(market: Market, settlements: list[Settlement]) -> Iterator[str]:
    moved = receipts.moved(market.pk)
    paid = sum(one.total_tokens - one.rake_tokens for one in settlements)
    rake = sum(one.rake_tokens for one in settlements)
    staked = sum(one.total_tokens for one in settlements)
    if (moved.staked_tokens, moved.paid_tokens, moved.rake_tokens) != (staked, paid, rake):
        yield f"ledger: moved {tuple(moved)}, settled {(staked, paid, rake)}"
