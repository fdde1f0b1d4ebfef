"""What the asker may do. Nothing is open by itself: every view says its scope, or that it is public.

A view says `scope = "read"`, or one for each method: `scope = {"GET": "read", "POST": "trade"}`; a tuple means any of them.
Rules: docs/rules/accounts.md#api-tokens.
"""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import selectors
from accounts.models import ApiToken
from accounts.rules import roles

READ, TRADE, BET, CHAT = roles.SCOPES
# Any token that may write something.
WRITE = (TRADE, BET, CHAT)
# Only a person on a page: what makes or revokes keys is not for keys.
SESSION = "session"


def scopes_of(view: Any, method: str) -> tuple[str, ...]:
    """Read which scopes open a view's method: any of those returned.

    Raises: ImproperlyConfigured: the view does not say, or says something that is no scope.
    """
    scope = getattr(view, "scope", None)
    if isinstance(scope, Mapping):
        scope = scope.get(method) or (READ if method in {"HEAD", "OPTIONS"} else None)
    found = (scope,) if isinstance(scope, str) else tuple(scope or ())
    if not found or set(found) - {*roles.SCOPES, SESSION}:
        raise ImproperlyConfigured(f"{type(view).__name__} names no scope for {method}")
    return found


def is_not_offered(request: Request, view: Any) -> bool:
    """Tell whether a view has no such method: it is answered with 405, which says more than a refusal."""
    return request.method not in view.allowed_methods and request.method != "OPTIONS"


class SignedInWithScope(BasePermission):
    """Signed in, and with a session or a token of the view's scope. The default of every view."""

    message = "Your API token does not have the scope for this."
    code = "scope_missing"

    def has_permission(self, request: Request, view: Any) -> bool:
        if is_not_offered(request, view):
            return True
        scopes = scopes_of(view, request.method or "GET")
        if not request.user or not request.user.is_authenticated:
            return False
        token = request.auth
        if not isinstance(token, ApiToken):
            return True
        if SESSION in scopes and not set(scopes) & set(token.scopes):
            self.message, self.code = "Sign in on the page for this: it is not for API tokens.", "session_required"
        return bool(set(scopes) & set(token.scopes))


class Public(BasePermission):
    """Open to everybody, for reading only, unless the view's own rules say more.

    A token still needs the view's scope: what everybody reads shows its owner more than it shows a stranger.
    """

    public = True  # for the OpenAPI schema
    message, code = SignedInWithScope.message, SignedInWithScope.code

    def has_permission(self, request: Request, view: Any) -> bool:
        token = request.auth
        if not isinstance(token, ApiToken) or is_not_offered(request, view):
            return True
        return bool(set(scopes_of(view, request.method or "GET")) & set(token.scopes))


class IsOperator(SignedInWithScope):
    """An admin. Staff's second factor is asked of sessions; a token was made by somebody who had it."""

    roles = (roles.ADMIN,)  # for the OpenAPI schema

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        self.message, self.code = "Only operators do this.", "operators_only"
        return is_operator(request)


class IsModerator(SignedInWithScope):
    """A moderator or an admin."""

    roles = (roles.MODERATOR, roles.ADMIN)  # for the OpenAPI schema

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        self.message, self.code = "Only moderators do this.", "moderators_only"
        if isinstance(request.auth, ApiToken):
            return bool(request.user.is_staff)
        return selectors.acts_as_staff(request.user)


def is_operator(request: Request) -> bool:
    """Tell whether the asker is an admin with the means of one, for views that show operators more."""
    if isinstance(request.auth, ApiToken):
        return bool(request.user.is_superuser)
    return selectors.acts_as_operator(request.user)
