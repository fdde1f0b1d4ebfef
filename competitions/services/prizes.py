"""Final ranks and payouts as rows: written when a contest has ended, written anew after a late disqualification.

How a board is ordered and a pool is shared is pure and lives in `engine/ranking.py` and `engine/prizes.py`.
Rules: docs/rules/prizes.md, docs/rules/ranking.md.
"""

from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

from accounts import audit
from accounts.models import User
from competitions.engine import prizes as shares
from competitions.engine.ranking import Ranked, Standing, rank
from competitions.events import EntryDisqualified, StandingsRecomputed
from competitions.models import Amendment, Competition, Entry, Payout
from competitions.services import buy_ins, notes, orders
from competitions.services.steps import ReasonNeeded, require_operator
from tokens import ledger
from tokens.ledger import House, Kind
from tradingarena.core import events
from tradingarena.core.clock import database_now, to_ms
from tradingarena.core.errors import Conflict, NotFound
from tradingarena.core.ids import derived_id
from tradingarena.core.locks import lock_row, require_transaction


class TooLate(Conflict):
    """Raised when a contest is over and its ranks are final."""

    code, message = "competition_final", "This contest is final; nothing about it changes any more."


class PayoutDecided(Conflict):
    """Raised when a payout is not where the asked step begins."""

    code, message = "payout_decided", "This payout has been decided in the meantime."


def standing_of(entry: Entry) -> Standing:
    """Give what decides an entry's final place.

    Raises: RuntimeError: its final equity has not been frozen.
    """
    if entry.final_equity_cents is None:
        raise RuntimeError(f"entry {entry.pk} has no final equity")
    return Standing(
        number=entry.number,
        final_equity_cents=entry.final_equity_cents,
        max_drawdown_bps=entry.max_drawdown_bps,
        last_fill_ms=None if entry.last_fill_at is None else to_ms(entry.last_fill_at),
        fills=entry.fills_count,
        disqualified=entry.status == Entry.Status.DISQUALIFIED,
    )


def results_write(competition: Competition) -> None:
    """Write the final ranks and the payouts that follow from them; a second time they replace the first.

    Guarantees: Σ payouts + rake = Σ paid − refunds; nobody has two payouts.
    Locks / Effects: in the caller's transaction, which holds the contest's row: entries' ranks, pending payouts.
    Raises: RuntimeError: an entry without a final equity. PayoutDecided: a payout is no longer pending.
    """
    require_transaction()
    entries = {entry.number: entry for entry in competition.entries.exclude(status=Entry.Status.WITHDRAWN)}
    board = rank(standing_of(entry) for entry in entries.values())
    _write_ranks(board, entries)
    barred = set(competition.entries.exclude(user__prizes_barred_at=None).values_list("user", flat=True))
    ranks = shares.without([line.rank for line in board], [entries[line.number].user_id in barred for line in board])
    pools = buy_ins.collected(competition)
    cents, tokens = (
        shares.plan(paid, competition.rake_bps, competition.prize_split_bps, ranks).payouts for paid in pools
    )
    given = zip(cents, tokens, shares.rewards(competition.reward_tokens, ranks), strict=True)
    _write_payouts(competition, board, entries, [Given(*amounts) for amounts in given])


class Given(NamedTuple):
    """What one line of the board receives. Units: US cents, tokens of the pool, tokens that reward the place."""

    cents: int
    tokens: int
    reward: int


def _write_ranks(board: list[Ranked], entries: dict[int, Entry]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE competitions_entry AS entry SET rank = new.rank"
            " FROM unnest(%s::uuid[], %s::int[]) AS new (id, rank) WHERE entry.id = new.id"
            " AND entry.rank IS DISTINCT FROM new.rank",
            [[entries[line.number].pk for line in board], [line.rank for line in board]],
        )


def _write_payouts(
    competition: Competition, board: list[Ranked], entries: dict[int, Entry], amounts: list[Given]
) -> None:
    if Payout.objects.filter(competition=competition).exclude(status=Payout.Status.PENDING).exists():
        raise PayoutDecided("Payouts of this contest have been decided already.")
    Payout.objects.filter(competition=competition).delete()
    Payout.objects.bulk_create(
        Payout(
            competition=competition,
            entry=entry,
            user_id=entry.user_id,
            place=line.rank,
            amount_cents=amount.cents,
            amount_tokens=amount.tokens,
            reward_tokens=amount.reward,
        )
        for line, amount in zip(board, amounts, strict=True)
        if any(amount) and (entry := entries[line.number])
    )


def pay_out_tokens(competition: Competition) -> None:
    """Credit what a contest pays in tokens: prizes of its pool, less the rake, and rewards for places; when nobody is ranked, give
    every buy-in back. Money waits for an operator.

    Guarantees: once, however often this is called; nothing is left in the contest's escrow.
    Locks / Effects: in the caller's transaction, which holds the contest's row: the winners' wallets, the escrow; payouts without
        money become paid; refunds are asked for.
    """
    require_transaction()
    if _nobody_wins(competition):
        buy_ins.give_all_back(competition, cause="nobody_ranked", reason=f"Nobody was ranked in {competition.title}")
        return
    payouts = list(Payout.objects.filter(competition=competition).select_related("entry").order_by("pk"))
    ledger.lock_wallets(payout.user_id for payout in payouts)
    pot, promotions = buy_ins.pot(competition.pk), ledger.house(House.PROMOTIONS)
    reference = {"reference_type": "competition"}
    ledger.transfer_many(Kind.PAYOUT, _postings(competition, payouts, pot, "amount_tokens", "prize"), **reference)
    ledger.transfer_many(
        Kind.REWARD, _postings(competition, payouts, promotions, "reward_tokens", "reward"), **reference
    )
    rake = buy_ins.collected(competition).tokens - sum(payout.amount_tokens for payout in payouts)
    if rake:
        words, cause = f"Rake of {competition.title}", derived_id(competition.pk, "rake")
        target = ledger.house(House.RAKE)
        ledger.move(
            Kind.RAKE, cause, rake, source=pot, target=target, reason=words, reference=("competition", competition.pk)
        )
    Payout.objects.filter(competition=competition).update(tokens_paid_at=database_now())
    Payout.objects.filter(competition=competition, amount_cents=0).update(status=Payout.Status.PAID)


def _nobody_wins(competition: Competition) -> bool:
    """Tell whether nobody is ranked, or only people who are barred from prizes: a pool that nobody has a part of."""
    if not competition.entries.exclude(rank=None).exists():
        return True
    pools = [shares.pool(paid, competition.rake_bps) for paid in buy_ins.collected(competition)]
    return any(pools) and not Payout.objects.filter(competition=competition).exists()


def _postings(
    competition: Competition, payouts: list[Payout], source: ledger.AccountRef, field: str, purpose: str
) -> list[ledger.Posting]:
    return [
        ledger.Posting(
            derived_id(payout.entry_id, purpose),
            [ledger.Move(source, -amount), ledger.Move(ledger.wallet(payout.user_id), amount)],
            f"Place {payout.place} in {competition.title}",
            str(competition.pk),
        )
        for payout in payouts
        if (amount := getattr(payout, field))
    ]


def disqualify(actor: User | None, entry_id: UUID, reason: str) -> Entry:
    """Put an entry out of a contest: at once before the start and while settling, by the engine while it runs.

    Guarantees: while settling, board and payouts are made anew in the same transaction. Doing it again changes nothing.
    Locks / Effects: the contest's row, then the entry's; an audit row; publishes EntryDisqualified and
        StandingsRecomputed.
    Raises: OperatorsOnly, NotFound, ReasonNeeded, TooLate.
    """
    require_operator(actor)
    if not reason.strip():
        raise ReasonNeeded
    found = Entry.objects.filter(pk=entry_id).first()
    if found is None:
        raise NotFound("There is no such entry.")
    with transaction.atomic():
        competition = lock_row(Competition, found.competition_id)
        entry = lock_row(Entry, entry_id)
        if competition.status in {Competition.Status.COMPLETED, Competition.Status.CANCELLED}:
            raise TooLate
        if entry.status != Entry.Status.ACTIVE:
            return entry
        if competition.status == Competition.Status.RUNNING:
            if not entry.amendments.filter(kind="disqualify", status="accepted").exists():
                orders.request_disqualification(entry, reason.strip()[:200])
                audit.record(actor, "entry.disqualification_asked", entry, reason=reason)
            return entry
        _put_out(actor, competition, entry, reason)
    return entry


def carry_out_pending(competition: Competition) -> None:
    """Carry out what operators asked of the engine in the last moment before the end, and it did not come to.

    Locks / Effects: in the caller's transaction, which holds the contest's row: the entries, their amendments.
    """
    pending = Amendment.objects.filter(
        competition=competition, kind=Amendment.Kind.DISQUALIFY, status=Amendment.Status.ACCEPTED
    )
    for amendment in pending.select_related("entry").order_by("seq"):
        if amendment.entry.status == Entry.Status.ACTIVE:
            _mark_out(None, competition, amendment.entry, amendment.note)
    pending.update(status=Amendment.Status.APPLIED, decided_at=database_now())


def _put_out(actor: User | None, competition: Competition, entry: Entry, reason: str) -> None:
    _mark_out(actor, competition, entry, reason)
    if competition.status == Competition.Status.SETTLING:
        results_write(competition)
        events.publish(StandingsRecomputed(competition.pk))


def _mark_out(actor: User | None, competition: Competition, entry: Entry, reason: str) -> None:
    entry.status, entry.dq_reason, entry.dq_at = Entry.Status.DISQUALIFIED, reason.strip()[:200], database_now()
    entry.save(update_fields=["status", "dq_reason", "dq_at"])
    audit.record(
        actor, "entry.disqualified", entry, old={"status": "active"}, new={"status": "disqualified"}, reason=reason
    )
    events.publish(EntryDisqualified(competition.pk, entry.pk, entry.user_id, entry.dq_reason))


def payout_move(actor: User, payout_id: UUID, to: str, reason: str = "") -> Payout:
    """Approve a pending payout of a completed contest, or note that an approved one was paid or failed.

    Shapes: to is approved (from pending or failed), paid or failed (from approved).
    Locks / Effects: one conditional update; an audit row.
    Raises: OperatorsOnly, NotFound, PayoutDecided: it is elsewhere by now. Conflict `competition_not_completed`, `buy_in_disputed`.
    """
    require_operator(actor)
    begins = {"approved": ["pending", "failed"], "paid": ["approved"], "failed": ["approved"]}
    with transaction.atomic():
        payout = Payout.objects.select_related("competition", "entry").filter(pk=payout_id).first()
        if payout is None:
            raise NotFound("There is no such payout.")
        if payout.competition.status != Competition.Status.COMPLETED:
            raise Conflict("Payouts are decided when the objection window is over.", code="competition_not_completed")
        if to == Payout.Status.APPROVED and payout.entry.buy_ins.filter(disputed=True).exists():
            raise Conflict(
                "The cardholder objects to this entrant's buy-in; decide when that is settled.", code="buy_in_disputed"
            )
        old = payout.status
        moved = Payout.objects.filter(pk=payout_id, status=old, amount_cents__gt=0)
        if old not in begins.get(to, ()) or not moved.update(status=to, note=reason[:200]):
            raise PayoutDecided(f"This payout is {old}; it cannot become {to}.")
        payout.status, payout.note = to, reason[:200]
        if to == Payout.Status.PAID:
            notes.payout_paid(payout)
        audit.record(actor, f"payout.{to}", payout, old={"status": old}, new={"status": to}, reason=reason)
    return payout
