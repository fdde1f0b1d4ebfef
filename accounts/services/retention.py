"""What is thrown away by itself, and after how long. The table of docs/privacy.md#how-long is held against this one.

Each app says what of its own expires (`register`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

from accounts.models import ApiToken, DataExport, Mail, Sighting, UsernameHistory
from tradingarena.core.clock import database_now


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of thing that is kept for a while. `forget` takes the moment before which it is too old, and says how many went."""

    name: str
    days: int
    forget: Callable[[datetime], int]


_kept: dict[str, Kept] = {}


def register(kept: Kept) -> None:
    """Say what of an app's expires. Apps do so in ready()."""
    _kept[kept.name] = kept


def kept() -> list[Kept]:
    """List everything that expires, by name."""
    return [_kept[name] for name in sorted(_kept)]


def sweep() -> dict[str, int]:
    """Throw away what is too old; give how many of each. Safe at any time and any number of times at once."""
    now = database_now()
    return {one.name: one.forget(now - timedelta(days=one.days)) for one in kept()}


def _sessions(before: datetime) -> int:
    Session.objects.filter(expire_date__lt=before).delete()
    live = Session.objects.values("session_key")
    return UserSession.objects.exclude(session_key__in=live).filter(last_seen_at__lt=before).delete()[0]


register(Kept("sessions", 1, _sessions))
register(Kept("sightings", 180, lambda before: Sighting.objects.filter(last_at__lt=before).delete()[0]))
register(Kept("data exports", 30, lambda before: DataExport.objects.filter(requested_at__lt=before).delete()[0]))
register(Kept("revoked API tokens", 365, lambda before: ApiToken.objects.filter(revoked_at__lt=before).delete()[0]))
register(Kept("former names", 180, lambda before: UsernameHistory.objects.filter(changed_at__lt=before).delete()[0]))
register(Kept("mails", 365, lambda before: Mail.objects.filter(created_at__lt=before).delete()[0]))
