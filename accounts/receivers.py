"""What accounts does when something has happened: open streams of whoever signed out or lost access are ended."""

from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set, user_signed_up
from allauth.usersessions.models import UserSession
from anymail.signals import tracking
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_delete
from django.http import HttpRequest

from accounts import selectors
from accounts.events import AccessChanged, ExportRequested, MailQueued
from accounts.models import Mail, User
from accounts.services import deletion, erasure, exports, mail, notices, own_data, sightings
from accounts.tasks import look_at_exports, look_at_mail
from tradingarena.core import events, realtime, rooms
from tradingarena.core.clock import database_now

SIGNED_OUT, FORBIDDEN = 4401, 4403
_SHUT_OUT = {"disabled", "banned"}
_NEWS = {
    "sent": Mail.Status.SENT,
    "delivered": Mail.Status.DELIVERED,
    "bounced": Mail.Status.BOUNCED,
    "rejected": Mail.Status.BOUNCED,
    "failed": Mail.Status.BOUNCED,
    "complained": Mail.Status.COMPLAINED,
}


def connect() -> None:
    """Listen: a line for each thing that can happen."""
    events.on(AccessChanged, end_streams)
    events.on(MailQueued, lambda event: look_at_mail())
    tracking.connect(on_mail_news, dispatch_uid="accounts.mail_news")
    events.on(ExportRequested, lambda event: look_at_exports())
    exports.register("account", own_data.account_of)
    exports.register("audit_log", own_data.audit_of)
    exports.register("social", own_data.social_of)
    deletion.add_eraser(erasure.erase)
    user_logged_out.connect(on_logged_out, dispatch_uid="accounts.logged_out")
    user_logged_in.connect(on_seen, dispatch_uid="accounts.logged_in")
    user_signed_up.connect(on_seen, dispatch_uid="accounts.signed_up")
    post_delete.connect(on_session_ended, sender=UserSession, dispatch_uid="accounts.session_ended")
    rooms.add_person_check(selectors.shut_out)
    rooms.add_credential_check("token", selectors.valid_tokens)
    for signal in (password_changed, password_reset, password_set):
        signal.connect(on_password_changed, dispatch_uid="accounts.password_changed")


def end_streams(event: AccessChanged) -> None:
    """End a person's sockets everywhere; who may still be there comes back by itself."""
    realtime.revoke_user(event.user_id, FORBIDDEN if event.reason in _SHUT_OUT else SIGNED_OUT)


def on_logged_out(sender: object, request: HttpRequest, user: User | None, **_: Any) -> None:
    """End the sockets of the session that signs out, and forget its row in the list of sessions."""
    key = request.session.session_key
    if user is not None and key:
        UserSession.objects.filter(session_key=key).delete()


def on_seen(sender: object, request: HttpRequest, user: User, **_: Any) -> None:
    """Note where somebody signs in from."""
    sightings.person_seen(request, user)


def on_session_ended(sender: object, instance: UserSession, **_: Any) -> None:
    """End the sockets of a session that was ended from another one."""
    realtime.revoke_session(instance.session_key)


def on_password_changed(sender: object, user: User, **_: Any) -> None:
    """End all sockets, since every session from before the change is void, and tell the person on the site as well as by mail."""
    events.publish(AccessChanged(user.pk, "password_changed"))
    cause = f"password:{database_now().isoformat()}"
    notices.tell("security", [user.pk], cause=cause, url="/settings", values={"what": "Your password was changed."})


def on_mail_news(sender: object, event: Any, **_: Any) -> None:
    """Note what the provider says became of a mail; what people do with it is none of our business."""
    status = _NEWS.get(event.event_type)
    if status is not None:
        mail_id = str((event.metadata or {}).get("mail_id", ""))
        mail.status_told(event.message_id or "", mail_id, status, event.description or "")
