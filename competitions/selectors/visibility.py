"""How much of somebody's trading others may see, and when. Pages, REST and rooms all ask here, and nowhere else.

Who may know of a contest at all is decided in `competitions.py`, who may watch it in `watching.py`. Rules: docs/rules/arena.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from competitions.models import Competition, Deal, Entry, Fill, Trade
from competitions.selectors import watching
from competitions.selectors.competitions import entry_of
from competitions.selectors.watching import OVER, Viewer
from tradingarena.core.clock import database_now
from tradingarena.core.errors import DomainError, NotFound
from tradingarena.core.statements import fetch


@dataclass(frozen=True, slots=True)
class Sight:
    """How much of another's trading somebody sees: `open_trades` or only those that are over, as they were at `until`.

    Shapes: until is aware UTC; None is now.
    """

    open_trades: bool
    until: datetime | None = None


EVERYTHING = Sight(open_trades=True)


def sight(viewer: Viewer, competition: Competition) -> Sight:
    """Tell how much of others' trading somebody sees of a contest.

    Formula: entrants of a contest under way see closed trades alone; everybody sees what happened at least the contest's delay ago;
        all is seen once it is over. Source: docs/rules/arena.md#who-sees-what-when.
    Raises: DomainError: they may not watch it.
    """
    entry = entry_of(viewer, competition)
    if entry is None:
        require_watching(viewer, competition)
    return sight_of(competition, entry)


def sight_of(competition: Competition, entry: Entry | None) -> Sight:
    """Tell how much is seen now by somebody who may watch: an entrant, or a spectator (None)."""
    if competition.status in OVER:
        return EVERYTHING
    delay_s = watching.delay_s(competition)
    until = database_now() - timedelta(seconds=delay_s) if delay_s else None
    return Sight(open_trades=entry is None, until=until)


def require_watching(viewer: Viewer, competition: Competition) -> None:
    """Let those pass who may watch a contest: its entrants, and whom the gate admits.

    Raises: DomainError: what the gate says.
    """
    refusal = watching_refusal(viewer, competition)
    if refusal is not None:
        raise refusal


def watching_refusal(viewer: Viewer, competition: Competition) -> DomainError | None:
    """Say why somebody may not watch a contest; None when they may."""
    return watching_refusals([(viewer, competition)])[0]


def watching_refusals(asked: Sequence[watching.Question]) -> list[DomainError | None]:
    """Answer many times, with few queries, why somebody may not watch; None where they may."""
    inside = _entrants(asked)
    outside = [(viewer, competition) for viewer, competition in asked if (competition.pk, viewer.pk) not in inside]
    answers = iter(watching.refusals(outside))
    return [None if (competition.pk, viewer.pk) in inside else next(answers) for viewer, competition in asked]


def _entrants(asked: Sequence[watching.Question]) -> set[tuple[UUID, UUID]]:
    people = {viewer.pk for viewer, _ in asked if isinstance(viewer, User)}
    if not people:
        return set()
    return set(fetch(_ENTRANTS, [list(people), list({competition.pk for _, competition in asked})]))


_ENTRANTS = """
    SELECT competition_id, user_id FROM competitions_entry
    WHERE user_id = ANY(%s) AND competition_id = ANY(%s) AND status <> 'withdrawn'
"""


def own_entry(viewer: Viewer, competition_id: UUID) -> Entry:
    """Find the viewer's own entry in a contest, with the contest.

    Raises: NotFound `no_entry`: they have none, or withdrew it; the same whether the contest exists or not.
    """
    entry = None
    if isinstance(viewer, User):
        present = Entry.objects.exclude(status=Entry.Status.WITHDRAWN).select_related("competition")
        entry = present.filter(competition_id=competition_id, user_id=viewer.pk).first()
    if entry is None:
        raise NotFound("You have no entry in this contest.", code="no_entry")
    return entry


def entry_for(viewer: Viewer, competition: Competition, entry_id: UUID | None) -> tuple[Entry, Sight]:
    """Find an entry of a contest that the viewer may know of (their own when None), and how much of it they see.

    Raises: NotFound: there is no such entry; `no_entry`: None is asked for, and they have none. DomainError: they may not watch.
    """
    if entry_id is None:
        return own_entry(viewer, competition.pk), EVERYTHING
    entry = Entry.objects.filter(competition=competition, pk=entry_id).exclude(status=Entry.Status.WITHDRAWN).first()
    if entry is None:
        raise NotFound("There is no such entry.")
    entry.competition = competition
    return entry, EVERYTHING if entry.user_id == viewer.pk else sight(viewer, competition)


def is_over(seen: Sight, prefix: str = "") -> Q:
    """Select trades that the viewer knows to be over, through a relation's name such as `trade__`."""
    if seen.until is None:
        return Q(**{f"{prefix}closed_at__isnull": False})
    return Q(**{f"{prefix}closed_at__lte": seen.until})


def trades_seen(trades: QuerySet[Trade], seen: Sight) -> QuerySet[Trade]:
    """Keep the trades that may be seen; one that was open at `until` is still to be shown as it was then (`hindsight.py`)."""
    if not seen.open_trades:
        return trades.filter(is_over(seen))
    return trades if seen.until is None else trades.filter(opened_at__lte=seen.until)


def deals_seen(deals: QuerySet[Deal], seen: Sight) -> QuerySet[Deal]:
    """Keep the deals that may be seen: none later than `until`, and not those of a trade still open for who sees closed ones alone."""
    if seen.until is not None:
        deals = deals.filter(at__lte=seen.until)
    return deals if seen.open_trades else deals.filter(Q(trade__isnull=True) | is_over(seen, "trade__"))


def fills_seen(fills: QuerySet[Fill], seen: Sight) -> QuerySet[Fill]:
    """Keep the fills that may be seen, as their deals."""
    if seen.until is not None:
        fills = fills.filter(filled_at__lte=seen.until)
    if seen.open_trades:
        return fills
    hidden = Deal.objects.filter(fill=OuterRef("pk"), trade__isnull=False).exclude(is_over(seen, "trade__"))
    return fills.filter(~Exists(hidden))
