"""Telling people what happened, once for each cause: on the site, and by mail where they want it.

What kinds there are is in `rules/notices.py`; mails are worded and sent in `mail.py`. Rules: docs/rules/notices.md.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts import broadcast
from accounts.models import Mail, NoticeChoice, Notification, User
from accounts.rules import letters
from accounts.rules.notices import KINDS, SWITCHABLE, Kind
from accounts.selectors import notices as reading
from accounts.services import mail
from tradingarena.core import realtime
from tradingarena.core.clock import database_now
from tradingarena.core.errors import RuleRefusal
from tradingarena.core.ids import new_id

BATCH = 1_000
LONGEST_TEXT = 300


class KindUnknown(RuleRefusal):
    """Raised when somebody would switch a kind of notice that is not there, or that cannot be switched."""

    code, message = "notice_kind_unknown", "There is no such kind of notice to switch."


def tell(
    kind: str,
    user_ids: Iterable[UUID],
    *,
    cause: object,
    url: str = "",
    values: Mapping[str, object] | None = None,
    own_values: Mapping[UUID, Mapping[str, object]] | None = None,
) -> int:
    """Tell people of something that has happened, by the channels that each of them has chosen.

    Shapes: kind is one of `rules.notices.KINDS`; cause names what happened, such as an id; url is a path of this site; values fill
        the words, own_values those that differ from person to person. How many were told on the site.
    Guarantees: once for each person, kind and cause, however often and in however many places this is called; commits or vanishes with
        the caller's transaction. What the mail provider does has no part in it.
    Locks / Effects: notifications and queued mails; on commit pages that are open show them, and mails begin to go out.
    """
    told = KINDS[kind]
    ids = list(dict.fromkeys(user_ids))
    with transaction.atomic():
        return sum(
            _tell_some(told, ids[first : first + BATCH], str(cause), url, values or {}, own_values or {})
            for first in range(0, len(ids), BATCH)
        )


def _tell_some(
    kind: Kind,
    user_ids: Collection[UUID],
    cause: str,
    url: str,
    values: Mapping[str, object],
    own_values: Mapping[UUID, Mapping[str, object]],
) -> int:
    channels = reading.channels_of(kind, user_ids)
    filled = {user_id: {**values, **own_values.get(user_id, {})} for user_id in user_ids}
    present = set(User.objects.filter(pk__in=user_ids, is_active=True, is_bot=False).values_list("pk", flat=True))
    rows = [
        Notification(
            id=new_id(),
            user_id=user_id,
            kind=kind.name,
            cause=cause,
            text=letters.fill(kind.text, filled[user_id]).strip()[:LONGEST_TEXT],
            url=url,
        )
        for user_id in user_ids
        if user_id in present and channels[user_id].site
    ]
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    made = Notification.objects.filter(pk__in=[row.pk for row in rows])  # of those that raced, the ones that are there
    new = list(made)
    realtime.publish_on_commit(*(broadcast.notification(row) for row in new))
    by_mail = [user_id for user_id in user_ids if user_id in present and channels[user_id].email and kind.mailed]
    addresses = reading.confirmed_addresses(by_mail) if by_mail else {}
    mail.queue(
        kind.name,
        [mail.Recipient(address, user_id, filled[user_id]) for user_id, address in addresses.items()],
        cause=cause,
        url=url,
    )
    return len(new)


def was_told(kind: str, cause: object) -> bool:
    """Tell whether anybody has been told of something yet, so that a sweep need not ask person by person."""
    same = {"kind": kind, "cause": str(cause)}
    return Notification.objects.filter(**same).exists() or Mail.objects.filter(**same).exists()


def mark_read(user: User, ids: Collection[UUID] | None = None) -> int:
    """Note that somebody has read some of what they were told, or all (None); say how much is left.

    Locks / Effects: one update; other pages of theirs find the new count when they ask.
    """
    mine: QuerySet[Notification] = Notification.objects.filter(user=user, read_at=None)
    if ids is not None:
        mine = mine.filter(pk__in=ids)
    mine.update(read_at=database_now())
    return reading.unread_count(user.pk)


def choose(user: User, chosen: Mapping[str, Mapping[str, bool]]) -> None:
    """Set by which channels somebody wants to hear of kinds; kinds left out stay as they are.

    Shapes: kind -> {"site": …, "email": …}.
    Raises: KindUnknown.
    """
    known = {kind.name for kind in SWITCHABLE}
    if unknown := set(chosen) - known:
        raise KindUnknown(f"There is no kind {', '.join(sorted(unknown))} to switch.")
    rows = [NoticeChoice(user=user, kind=kind, site=one["site"], email=one["email"]) for kind, one in chosen.items()]
    NoticeChoice.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["user", "kind"], update_fields=["site", "email"]
    )


def sweep() -> int:
    """Forget notifications that were read more than 90 days ago, and any after a year; say how many."""
    now = database_now()
    old = Notification.objects.filter(read_at__lt=now - timedelta(days=90))
    ancient = Notification.objects.filter(created_at__lt=now - timedelta(days=365))
    return old.delete()[0] + ancient.delete()[0]
