"""Warning, muting, banning and lifting: each a row of its own, never an edit. What holds is `selectors/sanctions.py`'s to say.

Rules: docs/rules/chat.md#sanctions.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.models import User
from accounts.selectors import user_by_id
from chat import broadcast, messages
from chat.events import MessageDeleted, PersonSanctioned
from chat.models import Channel, Message, Note, Sanction
from chat.rules import authority
from chat.selectors import sanctions
from chat.selectors.access import moderates, rank_in, target_rank
from chat.services import telling
from tradingarena.core import events, realtime
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict, Forbidden, NotFound, RuleRefusal
from tradingarena.core.locks import lock_row, queue_for

Action = Sanction.Action
LIFTS = {Action.UNMUTE: Action.MUTE, Action.UNBAN: Action.BAN}


class NotYours(Forbidden):
    """Raised when somebody would moderate where, or whom, they may not."""

    code, message = "not_your_chat", "You do not moderate this person here."


class ReasonMissing(RuleRefusal):
    """Raised when a moderator gives no reason."""

    code, message = "reason_missing", "Say why: the reason is shown to the person."


class NothingToLift(Conflict):
    """Raised when nothing of the kind holds there."""

    code, message = "nothing_to_lift", "Nothing of this kind holds here now."


def sanction_impose(
    actor: User,
    user_id: UUID,
    action: str,
    *,
    channel_id: UUID | None,
    reason: str,
    preset: str = "",
    message: Message | None = None,
) -> Sanction:
    """Warn, mute or ban somebody, or lift it, in a channel or everywhere (None).

    Shapes: action as Sanction.Action; preset as `authority.PRESETS`, for mutes and bans.
    Guarantees: it holds for every door from its commit on, for what was open before as well. Rows are never edited.
    Locks / Effects: the person's turn in the chat; an audit row; the person is told; a ban ends what they hear there within seconds.
    Raises: NotYours, NotFound, ReasonMissing, NothingToLift.
    """
    target = user_by_id(user_id)
    channel = find_channel(channel_id)
    require_authority(actor, target, channel)
    if not reason.strip():
        raise ReasonMissing
    with transaction.atomic():
        queue_for("chat", target.pk)
        now = database_now()
        if action in LIFTS and not _holds(target, LIFTS[Action(action)], channel):
            raise NothingToLift
        until = authority.until(preset or authority.FIRST_SUGGESTION, now) if action in LIFTS.values() else None
        return _write(actor, target, action, channel, reason.strip(), until, message)


def mute_automatically(user: User, until: datetime, reason: str) -> Sanction:
    """Let the arena itself mute somebody everywhere, in the caller's transaction and the person's turn."""
    return _write(None, user, Action.MUTE, None, reason, until, None)


def message_delete(actor: User, channel_id: UUID, message_id: UUID, *, reason: str = "") -> Message:
    """Turn a message into a tombstone: one's own, or as a moderator another's. Doing it again changes nothing.

    Guarantees: from its commit on no door shows the text; rooms that replay it replay the tombstone.
    Locks / Effects: the message's row, then the channel's; an audit row when it was another's; MessageDeleted.
    Raises: NotFound, NotYours.
    """
    with transaction.atomic():
        found = Message.objects.filter(pk=message_id, channel=channel_id, seq__isnull=False).exists()
        if not found:
            raise NotFound("There is no such message.")
        message = lock_row(Message, message_id)
        channel = find_channel(channel_id)
        own = message.author_id == actor.pk
        if not own:
            require_authority(actor, message.author, channel)
        if message.deleted_at is not None:
            return message
        message.deleted_at, message.deleted_by = database_now(), actor
        message.deleted_reason = reason[:200]
        message.deleted_seq = telling.next_number(channel_id, also_archived=True)
        message.save(update_fields=["deleted_at", "deleted_by", "deleted_reason", "deleted_seq"])
        if not own:
            audit.record(actor, "chat.message_deleted", message, reason=reason)
        told = Message.objects.select_related("author", "channel__competition").get(pk=message.pk)
        telling.tell_on_commit(broadcast.message_deleted(told), channel_id)
        events.publish(MessageDeleted(channel_id, message.pk))
    return told


def note_add(actor: User, user_id: UUID, words: str) -> Note:
    """Leave a note on somebody for the other moderators.

    Raises: NotYours, NotFound, ReasonMissing.
    """
    target = user_by_id(user_id)
    require_moderator(actor)
    if not words.strip():
        raise ReasonMissing("Write something.")
    return Note.objects.create(user=target, author=actor, text=words.strip()[:500])


def require_moderator(actor: User) -> None:
    """Let moderators of the whole site pass.

    Raises: NotYours.
    """
    if not moderates(actor, None):
        raise NotYours("This is for moderators.")


def require_authority(actor: User, target: User | None, channel: Channel | None) -> None:
    """Let pass who stands above a person in a channel (None: everywhere); a line of the arena itself has no person.

    Raises: NotYours.
    """
    if not moderates(actor, channel):
        raise NotYours
    theirs = authority.Rank.GUEST if target is None else target_rank(target, channel)
    own = rank_in(actor, channel)
    if not authority.may_moderate(own, theirs, everywhere=channel is None):
        raise NotYours("Nobody moderates an equal or a higher role.")


def find_channel(channel_id: UUID | None) -> Channel | None:
    """Find a channel with its contest; None is everywhere.

    Raises: NotFound.
    """
    if channel_id is None:
        return None
    channel = Channel.objects.select_related("competition").filter(pk=channel_id).first()
    if channel is None:
        raise NotFound("There is no such channel.")
    return channel


def _holds(target: User, action: str, channel: Channel | None) -> bool:
    holding = sanctions.in_force().filter(user=target, action=action)
    return (holding if channel is None else holding.filter(channel=channel)).exists()


def _write(
    actor: User | None,
    target: User,
    action: str,
    channel: Channel | None,
    reason: str,
    until: datetime | None,
    message: Message | None,
) -> Sanction:
    row = Sanction.objects.create(
        user=target, action=action, channel=channel, reason=reason[:200], until=until, actor=actor, message=message, at=database_now()
    )  # fmt: skip
    where = str(channel.pk) if channel else "everywhere"
    until_text = until.isoformat() if until else None
    audit.record(actor, f"chat.{action}", target, new={"where": where, "until": until_text}, reason=reason)
    channel_id = channel.pk if channel else None
    realtime.publish_on_commit(broadcast.sanction(row))
    if action == Action.BAN and channel is not None:
        transaction.on_commit(lambda: realtime.recheck_room(messages.room_of(channel.pk)), robust=True)
    events.publish(
        PersonSanctioned(row.pk, target.pk, action, channel_id, row.reason, until, actor.pk if actor else None)
    )
    return row
