"""What accounts itself forgets of somebody: the name, the address, the sessions, the keys, and where the audit log names them.

Rules: docs/privacy.md#deleting-your-account.
"""

from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession

from accounts.models import (
    ApiToken,
    AuditLog,
    Block,
    DataExport,
    Follow,
    Mail,
    MailStop,
    NoticeChoice,
    Notification,
    SelfLimits,
    Sighting,
    User,
    UsernameHistory,
)
from tradingarena.core.locks import lock_row
from tradingarena.core.models import IdempotentAnswer

GONE = "gone-"
OWN: list[tuple[type[Any], str]] = [
    (EmailAddress, "user"), (Authenticator, "user"), (UserSession, "user"), (ApiToken, "user"), (SelfLimits, "user"),
    (Sighting, "user"), (UsernameHistory, "user"), (DataExport, "user"), (IdempotentAnswer, "user_id"), (Mail, "user"),
    (Notification, "user"), (NoticeChoice, "user"), (Follow, "follower"), (Follow, "followed"), (Block, "blocker"),
    (Block, "blocked"),
]  # fmt: skip


def erase(user_id: UUID) -> None:
    """Leave of an account nothing but its id, and a name that says nobody.

    Locks / Effects: the user's row; deletes what is only about the person. The audit log keeps who did what when, by id; names, values and
        addresses in it go, which its trigger allows for a person whose deletion is being carried out, and for nothing else.
    """
    user = lock_row(User, user_id)
    AuditLog.objects.filter(object_type="accounts.user", object_id=str(user_id)).update(
        old=None, new=None, address=None
    )
    AuditLog.objects.filter(actor=user_id, address__isnull=False).update(address=None)
    for model in (Mail, MailStop):
        model.objects.filter(address=user.email).delete()
    for model, key in OWN:
        model.objects.filter(**{key: user_id}).delete()
    name = f"{GONE}{user_id.hex[-12:]}"
    blank = {"country": "", "timezone": "UTC", "age_confirmed_at": None, "terms_version": "", "terms_accepted_at": None}
    for field, value in (blank | {"username": name, "email": f"{name}@gone.invalid", "is_active": False}).items():
        setattr(user, field, value)
    user.set_unusable_password()
    user.save()
