"""What the chat does when something has happened in a contest, a line per fact. What an event missed, `tasks.tend` finds.

Rules: docs/rules/chat.md#lines-of-the-arena.
"""

from accounts.services import exports
from chat.events import PersonMentioned, PersonSanctioned
from chat.messages import room_of
from chat.selectors.channels import of_competition
from chat.services import channels, lines, notes, own_data
from competitions.events import (
    CompetitionCancelled,
    CompetitionCompleted,
    CompetitionEnded,
    CompetitionOpened,
    CompetitionStarted,
    EntryDisqualified,
    EntryJoined,
)
from competitions.models import Competition, Entry
from tradingarena.core import events, realtime


def connect() -> None:
    """Listen: a line for each."""
    exports.register("chat", own_data.chat_of)
    events.on(CompetitionOpened, open_channel)
    events.on(CompetitionStarted, say_started)
    events.on(CompetitionEnded, say_ended)
    events.on(EntryDisqualified, say_disqualified)
    events.on(EntryJoined, judge_who_listens)
    events.on(CompetitionCompleted, archive_channel)
    events.on(CompetitionCancelled, say_cancelled)
    events.on(PersonSanctioned, lambda event: notes.sanctioned(event.sanction_id))
    events.on(PersonMentioned, lambda event: notes.mentioned(event.message_id, event.user_id))


def open_channel(event: CompetitionOpened) -> None:
    """Open the channel with the contest."""
    channels.competition_channel(Competition.objects.get(pk=event.competition_id))


def say_started(event: CompetitionStarted) -> None:
    """Open the channel of a contest that starts at once, and say that it runs."""
    channel = channels.competition_channel(Competition.objects.get(pk=event.competition_id))
    lines.announce(channel.pk, "started", "The contest has started. Good luck to everybody.", {"fact": "started"})


def say_ended(event: CompetitionEnded) -> None:
    """Say that it is over, and who came first."""
    first = Entry.objects.filter(competition=event.competition_id, rank=1).select_related("user")
    names = ", ".join(entry.user.username for entry in first[:3])
    text = (
        f"The contest is over. First: {names}. Results are final when the time for objections has passed."
        if names
        else ("The contest is over. Nobody has traded.")
    )
    lines.announce(of_competition(event.competition_id), "ended", text, {"fact": "ended"})


def say_disqualified(event: EntryDisqualified) -> None:
    """Say that somebody is out."""
    name = Entry.objects.filter(pk=event.entry_id).values_list("user__username", flat=True).first()
    text = f"{name} was disqualified by an operator."
    lines.announce(of_competition(event.competition_id), f"out:{event.entry_id}", text, {"fact": "disqualified"})


def judge_who_listens(event: EntryJoined) -> None:
    """Judge again who may listen, since who watches may depend on who has joined."""
    realtime.recheck_room(room_of(of_competition(event.competition_id)))


def archive_channel(event: CompetitionCompleted) -> None:
    """Close the channel: it stays to be read."""
    channels.archive(of_competition(event.competition_id))


def say_cancelled(event: CompetitionCancelled) -> None:
    """Say why the contest does not take place, and close the channel."""
    channel_id = of_competition(event.competition_id)
    lines.announce(channel_id, "cancelled", f"The contest was cancelled: {event.reason}", {"fact": "cancelled"})
    channels.archive(channel_id)
