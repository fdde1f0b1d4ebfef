"""The door of the admin site: people sign in on the same page as everywhere, and staff bring a second factor.

What is inside belongs to each app's `admin.py`. Rules: docs/rules/accounts.md#staff.
"""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from accounts import selectors

# Kept out: their forms would show secrets, or change people past the services and the audit log. There are no groups.
HIDDEN_APPS = {"account", "mfa", "usersessions", "auth"}


class ArenaAdminSite(AdminSite):
    """Django's admin site behind allauth's sign-in."""

    site_header = _("Trading Arena operations")
    site_title = _("Trading Arena")
    index_title = _("Operations")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Take a model in, unless its app is kept out."""
        models = [model_or_iterable] if isinstance(model_or_iterable, type) else model_or_iterable
        shown = [model for model in models if model._meta.app_label not in HIDDEN_APPS]
        super().register(shown, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Let staff in, with their second factor where it is required."""
        return selectors.acts_as_staff(request.user)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send strangers to the sign-in page, and staff without a second factor to where they set one up."""
        user = request.user
        if user.is_authenticated and user.is_staff and not selectors.acts_as_staff(user):
            messages.warning(request, _("Staff need a second factor. Set one up here, then come back."))
            return redirect("mfa_index")
        return secure_admin_login(super().login)(request, extra_context)
