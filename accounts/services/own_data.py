"""What accounts itself holds of somebody, for their copy of it (`exports`). Secrets and digests are left out.

Rules: docs/privacy.md#a-copy-of-your-data.
"""

from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.db.models import F, Q

from accounts.models import (
    ApiToken,
    AuditLog,
    Block,
    Follow,
    Mail,
    NoticeChoice,
    Notification,
    SelfLimits,
    Sighting,
    User,
    UsernameHistory,
)

PROFILE = (
    "id", "email", "username", "username_changed_at", "role", "country", "timezone", "age_confirmed_at", "terms_version",
    "terms_accepted_at", "is_bot", "banned_until", "prizes_barred_at", "date_joined", "last_login",
)  # fmt: skip
LIMITS = ("daily_cap_tokens", "next_daily_cap_tokens", "next_cap_from", "cool_off_until", "excluded_until")


def account_of(user_id: UUID) -> dict[str, Any]:
    """Give everything about an account itself."""
    mine = {"user": user_id}
    return {
        "profile": User.objects.filter(pk=user_id).values(*PROFILE).first(),
        "addresses": list(EmailAddress.objects.filter(**mine).values("email", "verified", "primary")),
        "former_names": list(UsernameHistory.objects.filter(**mine).values("username", "changed_at", "reserved_until")),
        "limits": SelfLimits.objects.filter(**mine).values(*LIMITS).first(),
        "api_tokens": list(
            ApiToken.objects.filter(**mine).values(
                "name", "prefix", "scopes", "created_at", "last_used_at", "revoked_at"
            )
        ),
        "sessions": list(UserSession.objects.filter(**mine).values("ip", "user_agent", "created_at", "last_seen_at")),
        "sightings": list(Sighting.objects.filter(**mine).values("kind", "first_at", "last_at")),
    }


def audit_of(user_id: UUID) -> Any:
    """Give what the audit log says of and by somebody, the oldest first."""
    rows = AuditLog.objects.filter(Q(actor=user_id) | Q(object_type="accounts.user", object_id=str(user_id)))
    return (
        rows.order_by("id")
        .values("at", "action", "object_type", "object_id", "old", "new", "reason", "address")
        .iterator()
    )


def social_of(user_id: UUID) -> dict[str, Any]:
    """Give whom somebody follows and blocks, what they were told, and by which channels they want to be."""
    return {
        "follows": list(Follow.objects.filter(follower=user_id).values("created_at", trader=F("followed__username"))),
        "blocks": list(Block.objects.filter(blocker=user_id).values("created_at", person=F("blocked__username"))),
        "choices": list(NoticeChoice.objects.filter(user=user_id).values("kind", "site", "email")),
        "notifications": list(
            Notification.objects.filter(user=user_id)
            .order_by("id")
            .values("kind", "text", "url", "created_at", "read_at")
        ),
        "mails": list(
            Mail.objects.filter(user=user_id)
            .order_by("id")
            .values("kind", "address", "subject", "status", "created_at", "sent_at")
        ),
    }
