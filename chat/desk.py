"""The moderators' pages: one queue, all live rooms, and what is known of a person. The doors judge who may decide what."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.selectors import user_by_name
from accounts.services import integrity
from chat.rules import authority
from chat.selectors import channels as listed
from chat.selectors import desk
from chat.selectors import panel as shown
from chat.selectors.access import moderates
from chat.services import cases, sanctions
from tradingarena.core.errors import DomainError, NotFound


@login_required
@require_safe
@never_cache
def queue_page(request: HttpRequest) -> HttpResponse:
    """Show what waits, the oldest first, each with the conversation around it."""
    moderator = _moderator(request)
    waiting, unfair = desk.open_cases(moderator), desk.integrity_cases(moderator)
    context = {
        "count": waiting.count() + len(unfair),
        "unfair": unfair,
        "rows": [desk.case_row(case) for case in waiting[: desk.PAGE]],
        "closed": desk.closed_lately(moderator),
        "presets": list(authority.PRESETS),
        "everywhere": moderates(moderator, None),
        "section": "queue",
    }
    return render(request, "chat/queue.html", context)


@login_required
@require_POST
def decide(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Decide one case."""
    moderator = _moderator(request)
    try:
        case = cases.case_decide(
            moderator,
            case_id,
            _field(request, "decision", 20),
            reason=_field(request, "reason", 200),
            preset=_preset(request),
            everywhere=request.POST.get("everywhere") == "1",
        )
        said = {"outcome": case.get_outcome_display(), "name": case.user.username}
        messages.success(request, _("Decided: %(outcome)s (%(name)s).") % said)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return redirect("chat:queue")


@login_required
@require_POST
def decide_integrity(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Decide one case of what looks unfair."""
    try:
        status = _field(request, "decision", 9)
        if status not in {"confirmed", "dismissed"}:
            raise NotFound(_("Choose what to do."))
        integrity.case_decide(_moderator(request), case_id, status, _field(request, "note", 500))
        messages.success(request, _("Decided."))
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return redirect("chat:queue")


@login_required
@require_safe
@never_cache
@ensure_csrf_cookie
def rooms(request: HttpRequest) -> HttpResponse:
    """Show all live rooms side by side."""
    moderator = _moderator(request)
    found = desk.live_rooms(moderator)
    titles = listed.titles_for(moderator, found)
    panels = [shown.panel(moderator, channel, titles[channel.pk]) for channel in found]
    return render(request, "chat/rooms.html", {"panels": panels, "section": "rooms", "count": None})


@login_required
@require_safe
@never_cache
def person(request: HttpRequest, username: str) -> HttpResponse:
    """Show what is known of somebody."""
    moderator = _moderator(request)
    sanctions.require_moderator(moderator)
    found = user_by_name(username)
    if found.moved:
        return redirect("chat:person", found.user.username)
    context = {"subject": found.user, **desk.record(found.user), "section": "people"}
    return render(request, "chat/person.html", context)


@login_required
@require_POST
def sanction(request: HttpRequest, username: str) -> HttpResponse:
    """Warn, mute, ban somebody everywhere, or lift it, from their record."""
    target = user_by_name(username).user
    try:
        action = _field(request, "action", 10)
        if action not in {"warn", "mute", "ban", "unmute", "unban"}:
            raise NotFound(_("Choose what to do."))
        reason = _field(request, "reason", 200)
        sanctions.sanction_impose(
            _moderator(request), target.pk, action, channel_id=None, reason=reason, preset=_preset(request)
        )
        messages.success(request, _("Done. %(name)s has been told.") % {"name": target.username})
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return redirect("chat:person", target.username)


@login_required
@require_POST
def note(request: HttpRequest, username: str) -> HttpResponse:
    """Leave a note for the other moderators."""
    target = user_by_name(username).user
    try:
        sanctions.note_add(_moderator(request), target.pk, _field(request, "text", 500))
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return redirect("chat:person", target.username)


def _moderator(request: HttpRequest) -> User:
    """Let those pass who moderate something; for others there is nothing here."""
    user = request.user
    assert isinstance(user, User)
    if not moderates(user, None) and not desk.hosts_something(user):
        raise NotFound
    return user


def _field(request: HttpRequest, name: str, longest: int) -> str:
    return request.POST.get(name, "").replace("\0", "").strip()[:longest]


def _preset(request: HttpRequest) -> str:
    asked = request.POST.get("preset", "")
    return asked if asked in authority.PRESETS else ""
