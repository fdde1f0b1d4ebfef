"""The life of a market up to the end of its contest: opened for each trader, locked, waiting for the final standings.

How it is settled or becomes void is in `settlement.py`, how bets are placed in `bets.py`. Rules: docs/rules/bet-behind.md#markets.
"""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts import audit
from arena.models import Listing
from betting import broadcast
from betting.events import MarketsOpened
from betting.models import Line, Market
from betting.rules.lines import thresholds
from betting.rules.weights import locks_at
from competitions.models import Competition, Entry
from tradingarena.core import events
from tradingarena.core.clock import ClockTimestamp, database_now
from tradingarena.core.locks import lock_row, require_transaction

Status = Market.Status
UNDER_WAY = (Competition.Status.OPEN, Competition.Status.RUNNING)
OVER = (Competition.Status.SETTLING, Competition.Status.COMPLETED)


def markets_open(competition_id: UUID) -> list[Market]:
    """Open what is missing of a contest's markets: one for each trader in it, while bets are taken at all.

    Shapes: the markets that were made now; none when the listing allows no bets, or the lock has passed.
    Guarantees: one market a trader, also under races; doing it again makes nothing.
    Locks / Effects: the contest's row; markets with their lines, audit rows; publishes MarketsOpened; tells the room.
    """
    with transaction.atomic():
        competition = lock_row(Competition, competition_id)
        listing = Listing.objects.filter(competition=competition).first()
        if listing is None or not listing.bets_allowed or competition.status not in UNDER_WAY:
            return []
        planned_end = competition.planned_ends_at or competition.ends_at
        lock = locks_at(competition.starts_at, planned_end, listing.bet_lock_bps)
        if database_now() >= lock:
            return []
        markets = [
            Market(
                competition=competition,
                entry=entry,
                trader_id=entry.user_id,
                starts_at=competition.starts_at,
                locks_at=lock,
                rake_bps=listing.bet_rake_bps,
            )
            for entry in _without_market(competition)
        ]
        _make(competition, markets, thresholds(listing.bet_thresholds_bps))
    return markets


def _without_market(competition: Competition) -> QuerySet[Entry]:
    living = Market.objects.filter(entry=OuterRef("pk")).exclude(status=Status.VOID)
    voided = Market.objects.filter(entry=OuterRef("pk"), status=Status.VOID).exclude(void_reason="withdrawn")
    return competition.entries.filter(~Exists(living), ~Exists(voided), status=Entry.Status.ACTIVE)


def _make(competition: Competition, markets: list[Market], asked_bps: list[int]) -> None:
    if not markets:
        return
    Market.objects.bulk_create(markets)
    Line.objects.bulk_create(Line(market=market, threshold_bps=bps) for market in markets for bps in asked_bps)
    for market in markets:
        audit.record(None, "market.opened", market, new={"status": "open", "competition": str(competition.pk)})
    ids = tuple(market.pk for market in markets)
    events.publish(MarketsOpened(competition.pk, ids, tuple(market.trader_id for market in markets)))
    broadcast.markets_changed(competition.pk, [(market.pk, Status.OPEN) for market in markets])


def open_what_is_missing() -> int:
    """Open markets that an event has missed; say how many."""
    living = Market.objects.filter(entry=OuterRef("pk")).exclude(status=Status.VOID)
    waiting = Entry.objects.filter(~Exists(living), competition=OuterRef("competition"), status=Entry.Status.ACTIVE)
    listed = Listing.objects.filter(Exists(waiting), bets_allowed=True, competition__status__in=UNDER_WAY)
    return sum(len(markets_open(pk)) for pk in listed.values_list("competition", flat=True))


def lock_what_is_due() -> int:
    """Lock the markets whose moment has come, and those of contests that are closed early; say how many.

    Bets are refused from the moment of the lock on in any case.
    """
    closing = Q(competition__status=Competition.Status.RUNNING) & Q(
        competition__ends_at__lt=F("competition__planned_ends_at")
    )
    due = Market.objects.filter(Q(locks_at__lte=ClockTimestamp()) | closing, status=Status.OPEN)
    return _move_all(due, Status.LOCKED)


def await_final_standings() -> int:
    """Note which markets' contests have ended; say how many."""
    due = Market.objects.filter(status__in=[Status.OPEN, Status.LOCKED], competition__status__in=OVER)
    return _move_all(due, Status.SETTLING)


def _move_all(due: QuerySet[Market], to: str) -> int:
    moved = 0
    for competition_id in set(due.values_list("competition", flat=True)):
        with transaction.atomic():
            markets = list(due.filter(competition=competition_id).order_by("pk").values_list("pk", "status"))
            done = [(pk, old) for pk, old in markets if move(pk, [old], to)]
            for pk, old in done:
                audit.record(None, f"market.{to}", ("betting.market", pk), old={"status": old}, new={"status": str(to)})
            broadcast.markets_changed(competition_id, [(pk, to) for pk, _ in done])
            moved += len(done)
    return moved


def move(market_id: UUID, begins: Collection[str], to: str, **fields: object) -> bool:
    """Take a market to a status where it is still at one of those it begins from: of several callers one succeeds.

    Locks / Effects: in the caller's transaction: the market's row.
    """
    require_transaction()
    return bool(Market.objects.filter(pk=market_id, status__in=begins).update(status=to, **fields))
