"""What a panel shows before its first frame arrives: the newest lines, where they end, and what the asker may do here."""

from typing import Any

from accounts.models import User
from accounts.selectors.social import blocked_by
from chat import messages
from chat.models import Channel, Membership, Message
from chat.rules.text import LONGEST
from chat.selectors import history, sanctions
from chat.selectors.access import Viewer, moderates

FIRST_LINES = 50
MOST_OF_A_FILM = 2_000


def panel(viewer: Viewer, channel: Channel, title: str) -> dict[str, Any]:
    """Give a panel's content for somebody who may read the channel.

    Shapes: `lines` oldest first, `head` the number up to which they are complete (read before them), `sanction` what keeps the asker from
        writing, or None.
    """
    head = channel.last_seq
    rows = list(history.lines(channel).order_by("-seq")[:FIRST_LINES])
    person = viewer if isinstance(viewer, User) else None
    read = (
        Membership.objects.filter(channel=channel, user=person).values_list("read_seq", flat=True).first()
        if person
        else None
    )
    holding = sanctions.against(person.pk, channel.pk) if person else []
    return {
        "channel_id": str(channel.pk),
        "kind": channel.kind,
        "title": title,
        "archived": channel.archived_at is not None,
        "lines": [line(row) for row in reversed(rows)],
        "blocked": sorted(str(pk) for pk in blocked_by(person.pk)) if person else [],
        "older": len(rows) == FIRST_LINES,
        "head": head,
        "read_number": read,
        "longest": LONGEST,
        "user_id": str(person.pk) if person else None,
        "username": person.username if person else "",
        "moderates": moderates(viewer, channel),
        "everywhere": moderates(viewer, None),
        "sanction": messages.sanction(holding[0]) if holding else None,
    }


def line(row: Message) -> dict[str, Any]:
    """Show a line with what it answers, as that is now."""
    return {**messages.message(row), "reply_to": messages.reply_preview(row.reply_to)}


def film(channel: Channel) -> list[dict[str, Any]]:
    """Give what was said in a contest, oldest first, for its replay: the last 2,000 lines."""
    rows = history.lines(channel).order_by("-seq")[:MOST_OF_A_FILM]
    return [line(row) for row in reversed(rows)]
