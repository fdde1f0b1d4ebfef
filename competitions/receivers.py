"""What contests do when something has happened here or below, a line per fact. Rules: docs/rules/competitions.md#names."""

from uuid import UUID

from accounts.selectors import profiles
from accounts.services import deletion, exports, usernames
from competitions.events import CompetitionCompleted, CompetitionOpened, EntryJoined
from competitions.models import Competition
from competitions.selectors import records
from competitions.selectors.competitions import contest_links, in_live_contest
from competitions.services import awards, notes, own_data, seats, tallies
from competitions.tasks import BEAT_EVERY, look_at
from tokens.events import PaymentClosed, PaymentPaid, PaymentReversed
from tokens.selectors import references
from tradingarena.core import events
from tradingarena.core.clock import database_now


def connect() -> None:
    """Listen: a line for each."""
    events.on(CompetitionOpened, look_when_it_starts)
    events.on(CompetitionCompleted, lambda event: tallies.contest_count(event.competition_id))
    events.on(PaymentPaid, follow_payment)
    events.on(PaymentClosed, follow_payment)
    events.on(PaymentReversed, follow_payment)
    events.on(EntryJoined, lambda event: notes.joined(event.competition_id, event.entry_id, event.user_id))
    events.on(CompetitionCompleted, lambda event: awards.award(event.competition_id))
    events.on(CompetitionCompleted, lambda event: notes.finished(event.competition_id))
    usernames.add_blocker(live_contest_shows_the_name)
    references.register("competition", contest_links)
    profiles.add_section("competitions/_profile.html", records.profile, place=10)
    exports.register("contests", own_data.contests_of)
    for name in ("orders", "fills", "deals", "trades"):
        exports.register(name, getattr(own_data, f"{name}_of"))
    deletion.add_blocker(own_data.open_contests)


def look_when_it_starts(event: CompetitionOpened) -> None:
    """See to it that a contest that starts before beat looks twice starts in time."""
    starts_at = Competition.objects.values_list("starts_at", flat=True).get(pk=event.competition_id)
    if starts_at - database_now() < 2 * BEAT_EVERY:
        look_at(starts_at)


def follow_payment(event: PaymentPaid | PaymentClosed | PaymentReversed) -> None:
    """Let a buy-in follow its payment; `seats.sweep` finds what this misses."""
    if event.purpose == seats.PURPOSE:
        seats.payment_looked_at(event.payment_id)


def live_contest_shows_the_name(user_id: UUID) -> str | None:
    """Say why a name cannot change while a contest with it on the board runs."""
    if in_live_contest(user_id):
        return "You are in a contest that is running: your name is on its board. Change it when the contest is over."
    return None
