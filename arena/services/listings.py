"""Making and changing listings. What a listing means for who watches is `selectors/access.py`'s.

Rules: docs/rules/arena.md#listings.
"""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.models import User
from arena.models import MOST_THRESHOLDS, Listing
from competitions.messages import arena_room
from competitions.models import Competition
from competitions.selectors import viewers, watching
from competitions.services.steps import require_operator
from tradingarena.core import realtime
from tradingarena.core.clock import database_now
from tradingarena.core.errors import NotFound, RuleRefusal
from tradingarena.core.locks import lock_row

Status = Competition.Status
LISTED = (Status.OPEN, Status.RUNNING)
SETTINGS = frozenset(
    {
        "mode", "spectator_token_cost", "delay_s", "featured", "bets_allowed", "min_stake_tokens", "max_stake_tokens",
        "bet_lock_bps", "bet_thresholds_bps", "bet_rake_bps",
    }
)  # fmt: skip
DECIDES_ACCESS = frozenset({"mode", "spectator_token_cost"})


class ListingRefused(RuleRefusal):
    """Raised when a listing's settings contradict each other or their bounds."""

    code, message = "listing_refused", "These settings do not go together."


def listing_make(actor: User | None, competition_id: UUID, **settings: Any) -> Listing:
    """Make the listing of a contest, or give the one there is.

    Shapes: actor None is the system; settings as SETTINGS names them. A private contest is watched by invitation, a public one by
        everybody; the delay is the contest's default.
    Guarantees: one listing a contest, also under races.
    Locks / Effects: the contest's row; an audit row.
    Raises: OperatorsOnly, NotFound, ListingRefused.
    """
    require_operator(actor)
    with transaction.atomic():
        competition = lock_row(Competition, competition_id)
        listing = Listing.objects.filter(competition=competition).first()
        if listing is not None:
            return listing
        public = competition.kind == Competition.Kind.PUBLIC
        listing = Listing(
            competition=competition,
            mode=Listing.Mode.OPEN if public else Listing.Mode.PRIVATE,
            delay_s=watching.default_delay_s(competition),
            bets_allowed=public,
        )
        _set(listing, settings)
        listing.save(force_insert=True)
        audit.record(actor, "listing.made", listing, new={"competition": str(competition.pk), "mode": listing.mode})
        _tell(listing)
    return listing


def listing_change(actor: User | None, listing_id: UUID, **settings: Any) -> Listing:
    """Change how a contest is shown. Whoever may no longer watch is sent out of the rooms within seconds.

    Guarantees: a mode that is no longer token gated costs nothing.
    Locks / Effects: the listing's row; an audit row with old and new; sockets in the contest's rooms are judged again.
    Raises: OperatorsOnly, NotFound, ListingRefused.
    """
    require_operator(actor)
    with transaction.atomic():
        listing = lock_row(Listing, listing_id)
        if settings.get("mode", Listing.Mode.TOKEN_GATED) != Listing.Mode.TOKEN_GATED:
            settings.setdefault("spectator_token_cost", 0)
        old = {name: getattr(listing, name) for name in settings}
        _set(listing, settings)
        changed = [name for name in settings if old[name] != settings[name]]
        if not changed:
            return listing
        listing.save(update_fields=changed)
        audit.record(
            actor,
            "listing.changed",
            listing,
            old={name: old[name] for name in changed},
            new={name: settings[name] for name in changed},
        )
        if DECIDES_ACCESS & set(changed):
            _tell(listing)
    return listing


def _set(listing: Listing, settings: dict[str, Any]) -> None:
    unknown = set(settings) - SETTINGS
    if unknown:
        raise NotFound(f"A listing has no {', '.join(sorted(unknown))}.")
    for name, value in settings.items():
        setattr(listing, name, value)
    try:
        listing.full_clean(exclude=["competition", "invite_code"], validate_unique=False)
    except ValidationError as wrong:
        raise ListingRefused(" ".join(wrong.messages)) from None
    thresholds = listing.bet_thresholds_bps
    if len(thresholds) > MOST_THRESHOLDS or thresholds != sorted({*thresholds} - {0}):
        raise ListingRefused(f"Name at most {MOST_THRESHOLDS} thresholds above 0, each once, the smallest first.")


def _tell(listing: Listing) -> None:
    room = arena_room(listing.competition_id)
    transaction.on_commit(lambda: realtime.recheck_room(room), robust=True)


def list_what_is_missing() -> int:
    """Make the listings of public contests that an event has missed; say how many."""
    listed = Listing.objects.values("competition_id")
    missing = Competition.objects.filter(kind=Competition.Kind.PUBLIC, status__in=LISTED).exclude(pk__in=listed)
    found = list(missing.values_list("pk", flat=True))
    for competition_id in found:
        listing_make(None, competition_id)
    return len(found)


def count_viewers() -> int:
    """Write down how many watch each running contest, in one statement; say in how many rows. Beat does it every 15 s."""
    now = database_now()
    rows = list(Listing.objects.filter(competition__status=Status.RUNNING))
    counts = viewers.counts([row.competition_id for row in rows])
    for row in rows:
        row.viewers, row.viewers_at = counts.get(row.competition_id, 0), now
    Listing.objects.bulk_update(rows, ["viewers", "viewers_at"])
    over = Listing.objects.filter(viewers__gt=0).exclude(competition__status=Status.RUNNING)
    return len(rows) + over.update(viewers=0, viewers_at=now)
