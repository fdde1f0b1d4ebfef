"""The pages of notices: what one was told, by which channels, and the way out of a mail. Each parses, calls one door, and renders."""

from uuid import UUID

from anymail.webhooks.resend import ResendTrackingWebhookView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.rules.notices import KINDS, SWITCHABLE
from accounts.selectors import notices as reading
from accounts.services import mail, notices

PER_PAGE = 30


@require_GET
@login_required
@never_cache
def notifications_page(request: HttpRequest) -> HttpResponse:
    """Show what one was told, the newest first."""
    unread = request.GET.get("unread") == "1"
    page = Paginator(reading.notifications(request.user, unread=unread), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": page.object_list,
        "unread": unread,
        "unread_count": reading.unread_count(request.user.pk),
    }
    return render(request, "accounts/notifications.html", context)


@require_POST
@login_required
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark everything as read."""
    notices.mark_read(request.user)
    return redirect("accounts:notifications")


@require_GET
@login_required
@never_cache
def follow(request: HttpRequest, notification_id: UUID) -> HttpResponse:
    """Go where a notification leads; it is read then."""
    row = get_object_or_404(reading.notifications(request.user), pk=notification_id)
    notices.mark_read(request.user, [row.pk])
    return redirect(row.url or "accounts:notifications")


@require_http_methods(["GET", "POST"])
@login_required
@never_cache
def choices_page(request: HttpRequest) -> HttpResponse:
    """Show by which channels one hears of what, and take other choices."""
    if request.method == "POST":
        chosen = {
            kind.name: {"site": f"{kind.name}.site" in request.POST, "email": f"{kind.name}.email" in request.POST}
            for kind in SWITCHABLE
        }
        notices.choose(request.user, chosen)
        messages.success(request, _("Saved."))
        return redirect("accounts:notice-choices")
    channels = reading.choices_of(request.user)
    context = {"rows": [(kind, channels[kind.name]) for kind in SWITCHABLE]}
    return render(request, "accounts/notice_choices.html", context)


@csrf_exempt  # mail programs post here by themselves (RFC 8058); the signed token is the proof
@require_http_methods(["GET", "POST"])
@never_cache
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Stop mails of one kind, or all, to an address: by its link, without signing in."""
    address, kind = mail.read_stop_token(token)
    done = False
    if request.method == "POST":
        mail.stop(token, everything=request.POST.get("all") == "1")
        done = True
    context = {"address": address, "kind": KINDS[kind].label if kind in KINDS else kind, "done": done}
    return render(request, "accounts/unsubscribe.html", context)


@csrf_exempt
@require_POST
def resend_news(request: HttpRequest) -> HttpResponseBase:
    """Take what the mail provider tells of a mail, if it is signed; without a secret there is nothing here."""
    if not settings.RESEND_SIGNING_SECRET:
        raise Http404
    return ResendTrackingWebhookView.as_view()(request)
