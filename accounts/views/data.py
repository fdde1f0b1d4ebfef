"""The pages of one's own data: copies of it, and the end of the account. Each parses, calls one door, and renders."""

from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.forms import DeletionForm
from accounts.services import deletion, exports
from tradingarena.core.errors import DomainError

EXPORTS_SHOWN = 5


@require_GET
@login_required
@never_cache
def data_page(request: HttpRequest) -> HttpResponse:
    """Show the copies of one's data, and whether the account is to be deleted or what stands in the way."""
    pending = deletion.pending_deletion(request.user.pk)
    context = {
        "exports": request.user.data_exports.defer("content")[:EXPORTS_SHOWN],
        "deletion": pending,
        "blocked_by": [] if pending else deletion.blocked_by(request.user),
    }
    return render(request, "accounts/data.html", context)


@require_POST
@login_required
def export_ask(request: HttpRequest) -> HttpResponse:
    """Ask for a copy of one's data."""
    try:
        exports.export_request(request.user)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Your copy is being made. We write to you when it is there."))
    return redirect("accounts:data")


@require_GET
@login_required
@never_cache
def export_download(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """Give a copy of one's data."""
    content = exports.export_content(request.user.pk, export_id)
    headers = {"Content-Disposition": 'attachment; filename="trading-arena-data.zip"'}
    return HttpResponse(content, content_type="application/zip", headers=headers)


@require_http_methods(["GET", "POST"])
@login_required
@reauthentication_required
@never_cache
def deletion_page(request: HttpRequest) -> HttpResponse:
    """Ask whether one is sure, and take the wish to be forgotten."""
    form = DeletionForm(request.user, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            asked = deletion.deletion_request(request.user)
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.warning(
                request, _("Your account will be deleted on %(day)s.") % {"day": f"{asked.due_at:%d %B %Y}"}
            )
        return redirect("accounts:data")
    return render(request, "accounts/deletion.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@login_required
def deletion_back(request: HttpRequest) -> HttpResponse:
    """Take the wish back."""
    try:
        deletion.deletion_withdraw(request.user)
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Your account stays."))
    return redirect("accounts:data")
