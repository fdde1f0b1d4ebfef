"""The buttons of a trader's page: follow, block, and back. Each calls one door and returns to the page."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts import selectors
from accounts.models import User
from accounts.services import social
from tradingarena.core.errors import DomainError


@require_POST
@login_required
def follow(request: HttpRequest, username: str) -> HttpResponse:
    """Follow a trader, or follow them no more."""
    return _do(request, username, social.follow if request.POST.get("on") == "1" else social.unfollow)


@require_POST
@login_required
def block(request: HttpRequest, username: str) -> HttpResponse:
    """Block a trader, or let them be heard again."""
    return _do(request, username, social.block if request.POST.get("on") == "1" else social.unblock)


def _do(request: HttpRequest, username: str, door: Callable[[User, User], object]) -> HttpResponse:
    other = selectors.user_by_name(username).user
    try:
        door(request.user, other)  # type: ignore[arg-type]  # signed in
    except DomainError as refusal:
        messages.error(request, refusal.message)
    return redirect("accounts:trader", username=other.username)
