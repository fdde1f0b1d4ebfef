"""What the pages show beyond single facts: cards of contests, a contest's page, its receipts. Who may see what is in `visibility.py`."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from competitions import messages
from competitions.messages import BoardRow, when
from competitions.models import Competition, Deal, Entry, Fill, Trade
from competitions.selectors import hindsight, room, standings, trading, viewers, visibility
from competitions.selectors.market import instruments
from tradingarena.core import realtime
from tradingarena.core.errors import NotFound

Person = User | AnonymousUser
STARTED = (Competition.Status.RUNNING, Competition.Status.SETTLING, Competition.Status.COMPLETED)
CURVE_POINTS = 60
RULES = (
    "slug", "title", "status", "pairs", "starting_balance_cents", "leverage", "min_units", "unit_step", "max_units",
    "commission_cents_per_lot", "stop_out_level_bps", "margin_call_level_bps", "drawdown_rule", "drawdown_limit_bps", "close_only_s",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Card:
    """A contest at a glance. Units: curve in cents, oldest first; duration in seconds. `watchable`: by whom the card is made for."""

    competition: Competition
    entrants: int
    joined: bool
    duration_s: int
    top: list[BoardRow] = field(default_factory=list)
    curve: list[int] = field(default_factory=list)
    viewers: int = 0
    watchable: bool = True

    @property
    def leader(self) -> BoardRow | None:
        """The first of the board, when somebody has traded."""
        return self.top[0] if self.top and self.top[0]["rank"] else None


def cards(
    user: Person, competitions: Iterable[Competition], *, top: int = 5, teased: Collection[UUID] = ()
) -> list[Card]:
    """Make cards of contests, in their order, each with its best entries and the leader's curve, as far as one may watch.

    Shapes: `teased` are contests whose leader is told also to who may not watch them yet.
    """
    rows = list(competitions)
    mine = _joined(user, [row.pk for row in rows])
    refusals = visibility.watching_refusals([(user, row) for row in rows])
    return [
        _card(row, row.pk in mine, top if refusal is None else int(row.pk in teased), drawn=refusal is None)
        for row, refusal in zip(rows, refusals, strict=True)
    ]


def _card(competition: Competition, joined: bool, top: int, *, drawn: bool) -> Card:
    board = standings.live_board(competition)["rankings"][:top] if top and competition.status in STARTED else []
    curve: list[int] = []
    if drawn and board and board[0]["rank"]:
        leader = Entry.objects.get(pk=board[0]["entry_id"])
        leader.competition = competition
        curve = [cents for _, cents in trading.equity_curve(leader, points=CURVE_POINTS)]
    return Card(
        competition=competition,
        entrants=getattr(competition, "entrants", 0),
        joined=joined,
        duration_s=int((competition.ends_at - competition.starts_at).total_seconds()),
        top=board,
        curve=curve,
        viewers=viewers.count(competition.pk) if competition.status == Competition.Status.RUNNING else 0,
        watchable=drawn,
    )


def _joined(user: Person, competition_ids: list[UUID]) -> set[UUID]:
    if not user.is_authenticated:
        return set()
    own = Entry.objects.filter(user_id=user.pk, competition_id__in=competition_ids).exclude(
        status=Entry.Status.WITHDRAWN
    )
    return set(own.values_list("competition_id", flat=True))


def room_data(user: Person, competition: Competition) -> dict[str, Any]:
    """Give what a live page starts from: the arena's snapshot and the contest's rules, as GET …/room does.

    Raises: Unavailable: Redis does not answer.
    """
    return {"competition": _rules(competition), **room.snapshot(user, competition)}


def board_data(competition: Competition) -> dict[str, Any]:
    """Give what a page of the board alone starts from: nothing in it is anybody's trade. The caller has asked who may watch."""
    head = {messages.arena_room(competition.pk): realtime.current_seq(messages.arena_room(competition.pk))}
    return {"competition": _rules(competition), "rooms": head, **standings.live_board(competition)}


def _rules(competition: Competition) -> dict[str, Any]:
    about = {"id": str(competition.pk), "starts_at": when(competition.starts_at), "ends_at": when(competition.ends_at)}
    return {name: getattr(competition, name) for name in RULES} | about


def instruments_for(pairs: Iterable[str]) -> list[dict[str, Any]]:
    """Give the instruments a page needs to price its pairs in dollars: the pairs, and every pair with the dollar."""
    wanted = set(pairs)
    return [row for row in instruments() if row["pair"] in wanted or "USD" in (row["base"], row["quote"])]


def entry_of(user: Person, competition: Competition, username: str) -> tuple[Entry, visibility.Sight]:
    """Find a trader's entry by name, and how much of it somebody may see.

    Raises: NotFound: nobody of that name is in the contest.
    """
    named = Entry.objects.filter(competition=competition, user__username__iexact=username.replace("\0", ""))
    pk = named.values_list("pk", flat=True).first()
    if pk is None:
        raise NotFound("There is no such trader in this contest.")
    entry, seen = visibility.entry_for(user, competition, pk)
    return entry, seen


def receipt(user: Person, competition: Competition, fill_id: UUID) -> tuple[Fill, list[Deal]]:
    """Find a fill that somebody may see, and the deals it made.

    Raises: NotFound: it does not exist, or may not be seen yet.
    """
    fill = Fill.objects.filter(pk=fill_id, competition=competition).select_related("entry__user", "order").first()
    if fill is None:
        raise NotFound("There is no such fill.")
    entry, seen = visibility.entry_for(user, competition, fill.entry_id)
    trading.fill(seen, entry, fill_id)  # raises where it may not be seen yet
    return fill, list(fill.deals.order_by("number"))


def trade(user: Person, competition: Competition, trade_id: UUID) -> Trade:
    """Find a trade that somebody may see, as they may see it now, with its entry and trader.

    Raises: NotFound: it does not exist, or may not be seen yet. DomainError: they may not watch.
    """
    found = Trade.objects.filter(pk=trade_id, entry__competition=competition).select_related("entry__user").first()
    if found is None:
        raise NotFound("There is no such trade.")
    entry, seen = visibility.entry_for(user, competition, found.entry_id)
    if not trading.trades(entry, seen).filter(pk=trade_id).exists():
        raise NotFound("There is no such trade.")
    past = hindsight.trade_at(found, seen.until)
    past.entry = found.entry
    return past


def deals_of(user: Person, competition: Competition, trade_: Trade) -> list[Deal]:
    """List the deals of a trade that somebody may see."""
    entry, seen = visibility.entry_for(user, competition, trade_.entry_id)
    return list(trading.deals(entry, seen).filter(trade=trade_.pk).order_by("number"))
