"""Which channels somebody has, what is new in them, and what each is called for them. Rules: docs/rules/chat.md#channels."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q

from accounts.models import User
from chat import messages
from chat.models import Channel, Membership, Message
from chat.selectors.access import Viewer, reading_refusals
from competitions.models import Competition, Entry
from tradingarena.core.ids import NAMESPACE, derived_id

GLOBAL_ID = derived_id(NAMESPACE, "chat:global")
MOST_UNREAD = 99
MOST_CHANNELS = 200
LIVE = (Competition.Status.OPEN, Competition.Status.RUNNING, Competition.Status.SETTLING)


def of_competition(competition_id: UUID) -> UUID:
    """Name the channel of a contest."""
    return derived_id(competition_id, "chat")


def of_challenge(challenge_id: UUID) -> UUID:
    """Name the channel of a challenge."""
    return derived_id(challenge_id, "chat")


def of_two(one: UUID, other: UUID) -> UUID:
    """Name the channel of two people, whoever asks."""
    low, high = sorted((one, other))
    return derived_id(low, f"chat:{high}")


def channels_of(viewer: Viewer) -> list[dict[str, Any]]:
    """List the channels of somebody's own, with what is new: the global one, contests they are in or have visited, challenges, people.

    Shapes: at most 200, the global one first, then those with the newest lines first; unread is counted up to 99.
    """
    mine = _theirs(viewer)
    refused = reading_refusals([(viewer, channel) for channel in mine])
    open_to = [channel for channel, refusal in zip(mine, refused, strict=True) if refusal is None]
    read = dict(Membership.objects.filter(user=viewer.pk, channel__in=open_to).values_list("channel_id", "read_seq"))
    unread = _unread(viewer, open_to, read)
    titles = titles_for(viewer, open_to)
    return [
        messages.channel(
            channel, title=titles[channel.pk], unread=unread.get(channel.pk, 0), read_number=read.get(channel.pk, 0)
        )
        for channel in open_to
    ]


def titles_for(viewer: Viewer, channels: Sequence[Channel]) -> dict[UUID, str]:
    """Say what channels are called for somebody: one of two people by the other's name."""
    two = [channel.pk for channel in channels if channel.kind == Channel.Kind.DIRECT]
    others = Membership.objects.filter(channel__in=two, party=True).exclude(user=viewer.pk) if two else ()
    names = {one.channel_id: one.user.username for one in others.select_related("user")} if others != () else {}
    return {channel.pk: names.get(channel.pk, channel.title) for channel in channels}


def _theirs(viewer: Viewer) -> list[Channel]:
    everybody = Q(kind=Channel.Kind.GLOBAL)
    if isinstance(viewer, User):
        entered = Entry.objects.filter(user=viewer, competition__status__in=LIVE).exclude(status=Entry.Status.WITHDRAWN)
        everybody |= Q(competition__in=entered.values("competition")) | Q(
            pk__in=Membership.objects.filter(user=viewer).values("channel")
        )
    rows = Channel.objects.filter(everybody).select_related("competition")
    newest = rows.order_by(F("archived_at").desc(nulls_first=True), "-created_at")[:MOST_CHANNELS]
    return sorted(newest, key=lambda channel: channel.kind != Channel.Kind.GLOBAL)


def _unread(viewer: Viewer, channels: Sequence[Channel], read: dict[UUID, int]) -> dict[UUID, int]:
    """Count what is new in each, in one query; a channel never opened has nothing new unless it is the person's own."""
    if not isinstance(viewer, User):
        return {}
    new = Q(pk__in=[])
    for channel in channels:
        since = read.get(channel.pk)
        if since is None or channel.last_seq <= since:
            continue
        new |= Q(channel=channel.pk, seq__gt=max(since, channel.last_seq - 2 * MOST_UNREAD))
    found = Message.objects.filter(new, deleted_at=None, state=Message.State.SHOWN).exclude(author=viewer)
    counted = found.order_by().values("channel").annotate(count=Count("pk"))
    return {row["channel"]: min(row["count"], MOST_UNREAD) for row in counted}
