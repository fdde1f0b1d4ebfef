"""What the arena does when something has happened in a contest, a line per fact. What an event missed, `tasks.tend` finds.

Rules: docs/rules/arena.md#listings.
"""

from accounts.services import exports
from arena.services import listings, own_data, passes
from competitions.events import CompetitionCancelled, CompetitionOpened, CompetitionStarted, EntryJoined
from competitions.messages import arena_room
from competitions.models import Competition
from tradingarena.core import events, realtime


def connect() -> None:
    """Listen: a line for each."""
    events.on(CompetitionOpened, list_public_contest)
    events.on(CompetitionStarted, list_public_contest)
    events.on(CompetitionCancelled, refund_passes)
    events.on(EntryJoined, judge_who_watches)
    exports.register("admissions", own_data.admissions_of)


def list_public_contest(event: CompetitionOpened | CompetitionStarted) -> None:
    """List a public contest from when it takes entries, so that its settings can be chosen before it starts."""
    kind = Competition.objects.values_list("kind", flat=True).get(pk=event.competition_id)
    if kind == Competition.Kind.PUBLIC:
        listings.listing_make(None, event.competition_id)


def refund_passes(event: CompetitionCancelled) -> None:
    """Give back what was paid to watch a contest that does not take place."""
    passes.refund_of_contest(event.competition_id)


def judge_who_watches(event: EntryJoined) -> None:
    """Take the tape from a spectator who has become an entrant, at once and not only at the next re-check."""
    realtime.recheck_room(arena_room(event.competition_id))
