"""Ending a market: every bet gets its result and what it pays, once, in one transaction with a fixed number of statements.

What a line pays is decided in `rules/plans.py`, when nothing counts in `rules/verdicts.py`. Rules: docs/rules/bet-behind.md#settlement.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from accounts import audit
from accounts.models import User
from betting import broadcast
from betting.events import MarketSettled, MarketVoided
from betting.models import Bet, Line, Market, Settlement
from betting.rules.lines import Side, right_side
from betting.rules.parimutuel import RULE_VERSION, LinePlan, Stake
from betting.rules.plans import Decided, plan_line
from betting.rules.verdicts import Refund, TraderResult, refund_reason
from betting.services import aftermath, markets
from betting.services.bets import pot
from betting.services.refusals import AlreadyClosed
from competitions.models import Competition, Entry, Fill
from competitions.services.steps import ReasonNeeded, require_operator
from tokens import ledger
from tokens.ledger import House, Kind, Move, Posting
from tradingarena.core import events
from tradingarena.core.clock import database_now
from tradingarena.core.ids import derived_id
from tradingarena.core.locks import lock_row
from tradingarena.core.statements import give_time

log = logging.getLogger(__name__)

OVERDUE_AFTER = timedelta(hours=24)
PATIENCE_MS = 120_000
UNSETTLED = (Market.Status.OPEN, Market.Status.LOCKED, Market.Status.SETTLING)
FINAL = (Competition.Status.COMPLETED, Competition.Status.CANCELLED)


class BetRow(NamedTuple):
    """A bet as settlement reads it."""

    id: UUID
    user_id: UUID
    side: str
    stake_tokens: int
    weight_bps: int


@dataclass(frozen=True, slots=True)
class Settled:
    """One line with its bets and what they receive, before it is written."""

    line: Line
    bets: Sequence[BetRow]
    plan: LinePlan
    reason: Refund | None


# -- doors ---------------------------------------------------------------------------------------------------------------


def market_settle(market_id: UUID) -> bool:
    """Settle a market whose result is final, or give everything back when nothing of it counts; False when it is not due.

    Guarantees: once, whatever is killed, doubled or raced: results, transfers and the market's new status commit together. Σ payouts +
        rake + refunds = Σ stakes, of every line. Nothing is left in the market's escrow.
    Locks / Effects: the market's row, then the bettors' wallets and the market's escrow; settlements, results, an audit row; publishes
        MarketSettled or MarketVoided; tells the room.
    Raises: NotFound.
    """
    with transaction.atomic():
        market = lock_row(Market, market_id)
        if market.status not in UNSETTLED:
            return False
        competition = Competition.objects.get(pk=market.competition_id)
        entry = Entry.objects.get(pk=market.entry_id)
        reason = refund_reason(_result(competition, entry), market.locks_at)
        early = reason in {Refund.CANCELLED, Refund.WITHDRAWN, Refund.DISQUALIFIED}
        if competition.status not in FINAL and not early:
            if not _is_overdue(competition, database_now()):
                return False
            reason = Refund.OVERDUE
            log.error("market_overdue", extra={"market": str(market.pk), "competition": str(competition.pk)})
        _close(market, competition, entry, reason, actor=None, note="")
    return True


def market_void(actor: User, market_id: UUID, note: str) -> Market:
    """Give every bet on a trader back, because an operator says why.

    Shapes: note is shown to everybody, 1 to 200 characters.
    Locks / Effects: as `market_settle`; the audit row names the actor and the reason.
    Raises: OperatorsOnly, ReasonNeeded, NotFound, AlreadyClosed.
    """
    require_operator(actor)
    if not note.strip():
        raise ReasonNeeded
    with transaction.atomic():
        market = lock_row(Market, market_id)
        if market.status not in UNSETTLED:
            raise AlreadyClosed
        competition = Competition.objects.get(pk=market.competition_id)
        entry = Entry.objects.get(pk=market.entry_id)
        _close(market, competition, entry, Refund.OPERATOR, actor=actor, note=note.strip()[:200])
    return market


def settle_what_is_due() -> dict[str, int]:
    """Take every step that is due on any market: open, lock, await, settle. Beat does it every few seconds, and so may anybody else.

    Shapes: how many markets were opened, locked, moved to settling and closed, how many failed, and for how
        many closed ones everybody was told.
    Guarantees: safe in parallel with itself and every door; one market's failure holds up no other.
    """
    counts = {
        "opened": markets.open_what_is_missing(),
        "locked": markets.lock_what_is_due(),
        "settling": markets.await_final_standings(),
        "closed": 0,
        "failed": 0,
        "followed_up": 0,
    }
    for market_id in _due().values_list("pk", flat=True):
        try:
            counts["closed"] += market_settle(market_id)
        except Exception:  # whatever is wrong with one market, the others are settled
            log.exception("market_failed", extra={"market": str(market_id)})
            counts["failed"] += 1
    counts["followed_up"] = aftermath.follow_up_what_is_due()
    return counts


def settle_contest(competition_id: UUID) -> int:
    """Settle what is due of one contest's markets; say how many were closed."""
    due = _due().filter(competition=competition_id).values_list("pk", flat=True)
    closed = sum(market_settle(pk) for pk in list(due))
    aftermath.follow_up_what_is_due()  # when everybody is paid
    return closed


def _due() -> QuerySet[Market]:
    """Find markets that may have to be closed; `market_settle` judges each again under its lock."""
    out = Q(entry__status=Entry.Status.DISQUALIFIED) & (Q(entry__dq_quote_id=None) | Q(entry__dq_at__lt=F("locks_at")))
    end = Coalesce("competition__planned_ends_at", "competition__ends_at")
    found = Market.objects.filter(status__in=UNSETTLED).annotate(planned=end)
    overdue = Q(planned__lte=database_now() - OVERDUE_AFTER)
    return found.filter(
        Q(competition__status__in=FINAL) | Q(entry__status=Entry.Status.WITHDRAWN) | out | overdue
    ).order_by("pk")


def _is_overdue(competition: Competition, now: datetime) -> bool:
    return (competition.planned_ends_at or competition.ends_at) + OVERDUE_AFTER <= now


def _result(competition: Competition, entry: Entry) -> TraderResult:
    """Read how the trader ended. The engine names the quote that breached the drawdown rule; nobody else's disqualification has one."""
    out = entry.status == Entry.Status.DISQUALIFIED
    return TraderResult(
        cancelled=competition.status == Competition.Status.CANCELLED,
        withdrawn=entry.status == Entry.Status.WITHDRAWN,
        fills=entry.fills_count,
        out_at=entry.dq_at if out else None,
        by_drawdown=out and entry.dq_quote_id is not None,
    )


# -- how it is done ------------------------------------------------------------------------------------------------------


def _close(
    market: Market, competition: Competition, entry: Entry, reason: Refund | None, *, actor: User | None, note: str
) -> None:
    give_time(PATIENCE_MS)  # a market may have a hundred thousand bets
    now = database_now()
    decided = Decided(reason, competition.starting_balance_cents, entry.final_equity_cents)
    quote_id = Fill.objects.filter(entry=entry).order_by("-number").values_list("quote_id", flat=True).first()
    settled = [_plan(line, decided, market.rake_bps) for line in Line.objects.filter(market=market)]
    _write(market, settled, decided, quote_id, now)
    _pay(market, competition, entry, settled)
    old = market.status
    market.status = Market.Status.VOID if reason else Market.Status.SETTLED
    market.void_reason, market.note, market.closed_at = reason or "", note, now
    market.save(update_fields=["status", "void_reason", "note", "closed_at"])
    audit.record(
        actor, f"market.{market.status}", market, old={"status": old}, new={"status": market.status},
        reason=note or (f"{reason}" if reason else ""),
    )  # fmt: skip
    ids = (market.pk, competition.pk, market.trader_id)
    events.publish(MarketVoided(*ids, reason.value, note) if reason else MarketSettled(*ids))
    broadcast.market_closed(market, [(one.line, one.plan, one.reason) for one in settled])


def _plan(line: Line, decided: Decided, rake_bps: int) -> Settled:
    rows = Bet.objects.filter(line=line).order_by("placed_at", "id")
    bets = [BetRow(*row) for row in rows.values_list("id", "user_id", "side", "stake_tokens", "weight_bps")]
    if not bets:
        return _empty(line, decided)
    stakes = [Stake(Side(one.side), one.stake_tokens, one.weight_bps) for one in bets]
    plan, reason = plan_line(stakes, decided, threshold_bps=line.threshold_bps, rake_bps=rake_bps)
    return Settled(line, bets, plan, reason)


def _empty(line: Line, decided: Decided) -> Settled:
    """A line on which nobody has bet says what came true, and pays nothing."""
    right = None
    if decided.reason is None and decided.final_equity_cents is not None:
        right = right_side(decided.final_equity_cents, decided.starting_balance_cents, line.threshold_bps)
    reason = None if right else decided.reason or Refund.ON_THE_LINE
    return Settled(line, [], LinePlan(right, 0, 0, 0, 0, 0, []), reason)


def _write(market: Market, settled: Iterable[Settled], decided: Decided, quote_id: int | None, now: datetime) -> None:
    rows = []
    for one in settled:
        plan = one.plan
        rows.append(
            Settlement(
                id=derived_id(one.line.pk, "settlement"),
                line=one.line,
                market=market,
                right_side=plan.right or "",
                reason=one.reason or "",
                bets=len(one.bets),
                total_tokens=plan.total_tokens,
                winning_tokens=plan.winning_tokens,
                losing_tokens=plan.losing_tokens,
                refunded_tokens=plan.refunded_tokens,
                rake_tokens=plan.rake_tokens,
                rake_bps=market.rake_bps,
                rule_version=RULE_VERSION,
                starting_balance_cents=decided.starting_balance_cents,
                final_equity_cents=decided.final_equity_cents,
                quote_id=quote_id,
                settled_at=now,
            )
        )
        _write_results(rows[-1].pk, one)
    Settlement.objects.bulk_create(rows)


def _write_results(settlement_id: UUID, one: Settled) -> None:
    if not one.bets:
        return
    ids = f"{{{','.join(str(bet.id) for bet in one.bets)}}}"
    pays = f"{{{','.join(map(str, one.plan.pays))}}}"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO betting_result (bet_id, settlement_id, pay_tokens)"
            " SELECT one.bet, %s, one.pay FROM unnest(%s::uuid[], %s::bigint[]) AS one (bet, pay)",
            [settlement_id, ids, pays],
        )


def _pay(market: Market, competition: Competition, entry: Entry, settled: Sequence[Settled]) -> None:
    """Move what each bet receives to its wallet, and the rake to the house."""
    name = User.objects.values_list("username", flat=True).get(pk=entry.user_id)
    words = f"{name} in {competition.title}"[:150]
    payouts = list(_postings(market, (one for one in settled if one.plan.right), "payout", f"Won on {words}"))
    refunds = list(_postings(market, (one for one in settled if not one.plan.right), "refund", f"Refund: {words}"))
    if payouts and refunds:
        ledger.lock_wallets({bet.user_id for one in settled for bet in one.bets})
    ledger.transfer_many(Kind.PAYOUT, payouts, reference_type="market")
    ledger.transfer_many(Kind.REFUND, refunds, reference_type="market")
    rakes = [
        Posting(
            derived_id(one.line.pk, "rake"),
            [Move(pot(market.pk), -one.plan.rake_tokens), Move(ledger.house(House.RAKE), one.plan.rake_tokens)],
            f"Rake: {words}",
            str(market.pk),
        )
        for one in settled
        if one.plan.rake_tokens
    ]
    ledger.transfer_many(Kind.RAKE, rakes, reference_type="market")


def _postings(market: Market, lines: Iterable[Settled], purpose: str, words: str) -> Iterator[Posting]:
    source, reference = pot(market.pk), str(market.pk)
    wallets: dict[UUID, ledger.AccountRef] = {}
    for one in lines:
        for bet, pay in zip(one.bets, one.plan.pays, strict=True):
            if pay:
                target = wallets.get(bet.user_id) or wallets.setdefault(bet.user_id, ledger.wallet(bet.user_id))
                moves = (Move(source, -pay), Move(target, pay))
                yield Posting(derived_id(bet.id, purpose), moves, words, reference)
