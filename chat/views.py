"""The chat's pages: everybody's channel and one's own, the panel that other pages show, and what was decided about oneself.

Moderators' pages are in `desk.py`.
"""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from accounts.selectors import user_by_name
from chat.models import Channel
from chat.selectors import channels as listed
from chat.selectors import panel as shown
from chat.selectors import sanctions
from chat.selectors.access import channel_for
from chat.services import channels, queue
from competitions.models import Competition
from tradingarena.core.errors import DomainError, NotFound


@require_safe
@never_cache
@ensure_csrf_cookie
def page(request: HttpRequest) -> HttpResponse:
    """Show one's channels, and one of them."""
    channel = _chosen(request)
    titles = listed.titles_for(request.user, [channel])
    context = {
        "channels": listed.channels_of(request.user),
        "channel": channel,
        "panel": shown.panel(request.user, channel, titles[channel.pk]),
    }
    return render(request, "chat/page.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def talk(request: HttpRequest, username: str) -> HttpResponse:
    """Ask whether to talk to somebody, then open the channel of the two."""
    other = user_by_name(username).user
    if request.method == "POST":
        channel = channels.direct_channel(request.user, other)
        return redirect(f"{reverse('chat:page')}?channel={channel.pk}")
    return render(request, "chat/with.html", {"other": other})


@require_GET
@never_cache
@ensure_csrf_cookie
def panel(request: HttpRequest, competition_id: UUID) -> HttpResponse:
    """Give the panel of a contest's channel, for the slots of other pages."""
    return _panel(request, _of_competition(request, competition_id))


@require_GET
@never_cache
@ensure_csrf_cookie
def challenge_panel(request: HttpRequest, challenge_id: UUID) -> HttpResponse:
    """Give the panel of a challenge's channel, for its page."""
    return _panel(request, channel_for(request.user, listed.of_challenge(challenge_id)))


@require_GET
def replay(request: HttpRequest, competition_id: UUID) -> HttpResponse:
    """Give what was said in a contest, for its replay: each line appears at its moment."""
    channel = _of_competition(request, competition_id)
    return render(request, "chat/_replay.html", {"channel": channel, "lines": shown.film(channel)})


@login_required
@require_safe
@never_cache
def standing(request: HttpRequest) -> HttpResponse:
    """Show what was decided about oneself: by whom, why, until when, and the one appeal."""
    return render(request, "chat/standing.html", {"decisions": sanctions.standing_of(request.user)})


@login_required
@require_POST
def appeal(request: HttpRequest, sanction_id: UUID) -> HttpResponse:
    """Take an appeal."""
    words = request.POST.get("text", "").replace("\0", "").strip()[:1_000]
    try:
        if not words:
            raise NotFound(_("Say why the decision is wrong."))
        queue.appeal(request.user, sanction_id, words)
        messages.success(request, _("Your appeal is with the moderators. The answer will be shown here."))
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return redirect("chat:standing")


def _chosen(request: HttpRequest) -> Channel:
    asked = request.GET.get("channel", "")
    try:
        key = UUID(asked) if asked else channels.global_channel().pk
    except ValueError:
        raise NotFound(_("There is no such channel.")) from None
    return channel_for(request.user, key)


def _of_competition(request: HttpRequest, competition_id: UUID) -> Channel:
    """Find a contest's channel, opened when no event has."""
    if not Channel.objects.filter(competition=competition_id).exists():
        competition = Competition.objects.filter(pk=competition_id).exclude(status=Competition.Status.DRAFT).first()
        if competition is None:
            raise NotFound
        channels.competition_channel(competition)
    return channel_for(request.user, listed.of_competition(competition_id))


def _panel(request: HttpRequest, channel: Channel) -> HttpResponse:
    context = {
        "panel": shown.panel(request.user, channel, channel.title),
    }
    return render(request, "chat/_slot.html", context)
