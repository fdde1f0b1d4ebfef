"""Reading what a person has been told and how they want to be told. Nothing here writes."""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db.models import F, QuerySet

from accounts.models import MailStop, NoticeChoice, Notification, User
from accounts.rules.notices import SWITCHABLE, Kind


class Channels(NamedTuple):
    """By which channels somebody hears of a kind."""

    site: bool
    email: bool


def notifications(user: User, *, unread: bool = False) -> QuerySet[Notification]:
    """List what somebody has been told, the newest first."""
    found = Notification.objects.filter(user=user).order_by("-id")
    return found.filter(read_at=None) if unread else found


def unread_count(user_id: UUID) -> int:
    """Count what somebody has not read yet."""
    return Notification.objects.filter(user=user_id, read_at=None).count()


def usual(kind: Kind) -> Channels:
    """Give the channels of a kind for whoever has not chosen."""
    return Channels(kind.site, kind.email and kind.mailed)


def choices_of(user: User) -> dict[str, Channels]:
    """Give a person's channels for every kind that can be switched."""
    chosen = {row.kind: Channels(row.site, row.email) for row in NoticeChoice.objects.filter(user=user)}
    return {kind.name: chosen.get(kind.name, usual(kind)) for kind in SWITCHABLE}


def channels_of(kind: Kind, user_ids: Collection[UUID]) -> dict[UUID, Channels]:
    """Give the channels of one kind for many people, with one query."""
    chosen: dict[UUID, Channels] = {}
    if not kind.fixed:
        rows = NoticeChoice.objects.filter(kind=kind.name, user__in=user_ids)
        chosen = {row.user_id: Channels(row.site, row.email and kind.mailed) for row in rows}
    return {user_id: chosen.get(user_id, usual(kind)) for user_id in user_ids}


def confirmed_addresses(user_ids: Collection[UUID]) -> dict[UUID, str]:
    """Give the confirmed addresses of people who may sign in."""
    rows = EmailAddress.objects.filter(user__in=user_ids, verified=True, user__is_active=True, email=F("user__email"))
    return dict(rows.values_list("user_id", "email"))


def stopped(kind: str, addresses: Collection[str]) -> set[str]:
    """Tell which addresses want no mail of a kind."""
    return set(MailStop.objects.filter(address__in=addresses, kind__in=["", kind]).values_list("address", flat=True))
