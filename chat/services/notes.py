"""What the chat tells people outside of it: that a moderator acted, and that somebody called them. Blocked people call nobody.

How people hear of it is their own choice (`accounts.services.notices`). Rules: docs/rules/notices.md#kinds.
"""

from datetime import timedelta
from uuid import UUID

from accounts.selectors.social import is_blocked
from accounts.services import notices
from chat.models import Channel, Message, Sanction
from tradingarena.core.clock import database_now

LOOK_BACK = timedelta(hours=1)
WORDS = {
    Sanction.Action.WARN: "You were warned{where}.",
    Sanction.Action.MUTE: "You are muted{where}.",
    Sanction.Action.BAN: "You are banned{where}.",
    Sanction.Action.UNMUTE: "You may write again{where}.",
    Sanction.Action.UNBAN: "You are no longer banned{where}.",
}


def sanctioned(sanction_id: UUID) -> int:
    """Tell somebody what was decided about them, why, until when, and where to appeal."""
    row = Sanction.objects.select_related("channel").get(pk=sanction_id)
    where = f" in {row.channel.title}" if row.channel else " in every chat"
    until = f"Until {row.until:%d %B %Y, %H:%M} UTC." if row.until else ""
    values = {"what": WORDS[Sanction.Action(row.action)].format(where=where), "until": until, "reason": row.reason}
    return notices.tell("sanction", [row.user_id], cause=row.pk, url="/chat/standing", values=values)


def mentioned(message_id: UUID, user_id: UUID) -> int:
    """Tell somebody that they were named or answered, unless one of the two has blocked the other or the message is gone."""
    row = Message.objects.select_related("author", "channel__competition").filter(pk=message_id).first()
    if row is None or row.deleted_at is not None or row.author is None or is_blocked(row.author_id, user_id):
        return 0
    values = {"other": row.author.username, "title": row.channel.title}
    return notices.tell("mentioned", [user_id], cause=row.pk, url=_place(row.channel), values=values)


def sweep() -> int:
    """Tell of sanctions of the last hour that no event has told of; say how many."""
    recent = Sanction.objects.filter(at__gt=database_now() - LOOK_BACK).values_list("pk", flat=True)
    return sum(sanctioned(pk) for pk in recent if not notices.was_told("sanction", pk))


def _place(channel: Channel) -> str:
    if channel.competition is not None:
        return f"/arena/{channel.competition.slug}"
    return f"/pvp/{channel.subject_id}" if channel.kind == Channel.Kind.PVP else "/chat"
