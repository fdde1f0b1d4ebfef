"""Opening and archiving channels. Their ids follow from what they belong to, so that opening one twice opens it once.

Higher apps open a challenge's channel here. Who may be in it is `selectors/access.py`'s. Rules: docs/rules/chat.md#channels.
"""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from accounts.models import User
from accounts.services import social
from chat.models import Channel, Membership
from chat.selectors import channels as named
from chat.selectors.access import channel_for
from competitions.models import Competition
from tradingarena.core.clock import ClockTimestamp
from tradingarena.core.errors import NotFound, NotSignedIn, RuleRefusal

Kind = Channel.Kind
Status = Competition.Status
OPENED = (Status.OPEN, Status.RUNNING, Status.SETTLING)
OVER = (Status.COMPLETED, Status.CANCELLED)


class NotOneself(RuleRefusal):
    """Raised when somebody would talk to themselves."""

    code, message = "chat_with_oneself", "This is you. Choose somebody else to talk to."


def global_channel() -> Channel:
    """Give the channel of everybody, made when there is none."""
    channel, _ = Channel.objects.get_or_create(pk=named.GLOBAL_ID, defaults={"kind": Kind.GLOBAL, "title": "Everybody"})
    return channel


def competition_channel(competition: Competition) -> Channel:
    """Give the channel of a contest, made when there is none.

    Raises: NotFound: a draft has none.
    """
    if competition.status == Status.DRAFT:
        raise NotFound("A contest has a chat from when it takes entries.")
    channel, _ = Channel.objects.select_related("competition").get_or_create(
        pk=named.of_competition(competition.pk),
        defaults={"kind": Kind.COMPETITION, "competition": competition, "title": competition.title},
    )
    return channel


def pvp_channel(challenge_id: UUID, parties: Collection[UUID], title: str) -> Channel:
    """Open the channel of a challenge for its two people; doing it again changes nothing. For the app of challenges.

    Shapes: parties are two different people's ids; title at most 120 characters.
    """
    with transaction.atomic():
        channel, _ = Channel.objects.get_or_create(
            pk=named.of_challenge(challenge_id),
            defaults={"kind": Kind.PVP, "subject_id": challenge_id, "title": title[:120]},
        )
        _seat(channel, parties)
    return channel


def direct_channel(user: User, other: User) -> Channel:
    """Give the channel of two people, made when there is none.

    Raises: NotSignedIn, NotOneself, Blocked.
    """
    if not user.is_authenticated:
        raise NotSignedIn
    if user.pk == other.pk:
        raise NotOneself
    social.require_unblocked(user.pk, other.pk)
    low, high = sorted((user, other), key=lambda one: one.pk)
    with transaction.atomic():
        channel, _ = Channel.objects.get_or_create(
            pk=named.of_two(user.pk, other.pk),
            defaults={"kind": Kind.DIRECT, "title": f"{low.username} and {high.username}"},
        )
        _seat(channel, [low.pk, high.pk])
    return channel


def read_up_to(user: User, channel_id: UUID, number: int) -> int:
    """Note how far somebody has read; it never goes back, nor beyond what there is. Gives where it stands.

    Raises: NotFound, and whatever keeps them from reading there.
    """
    channel = channel_for(user, channel_id)
    seen = min(number, channel.last_seq)
    row, made = Membership.objects.get_or_create(channel=channel, user=user, defaults={"read_seq": seen})
    if not made and row.read_seq < seen:
        Membership.objects.filter(pk=row.pk).update(read_seq=Greatest(F("read_seq"), seen))
    return max(row.read_seq, seen)


def archive(channel_id: UUID) -> bool:
    """Close a channel for good: what was said can be read, nothing more is said. False when it was so already."""
    rows = Channel.objects.filter(pk=channel_id, archived_at=None)
    return bool(rows.update(archived_at=ClockTimestamp()))


def tend() -> dict[str, int]:
    """Open and archive what an event has missed; say how many."""
    missing = Competition.objects.filter(status__in=OPENED).exclude(
        pk__in=Channel.objects.filter(kind=Kind.COMPETITION).values("competition")
    )
    opened = [competition_channel(competition) for competition in missing]
    over = Channel.objects.filter(competition__status__in=OVER, archived_at=None)
    return {"opened": len(opened), "archived": sum(archive(pk) for pk in over.values_list("pk", flat=True))}


def _seat(channel: Channel, parties: Collection[UUID]) -> None:
    for user_id in parties:
        Membership.objects.update_or_create(
            channel=channel, user_id=user_id, defaults={"party": True}, create_defaults={"party": True}
        )
