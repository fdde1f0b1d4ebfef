"""Who asks: a program by its API token, or a page by its session. What they may do is in `permissions`.

Rules: docs/rules/accounts.md#api-tokens.
"""

from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.request import Request

from accounts.models import ApiToken, User
from accounts.services import tokens

KEYWORD = "Bearer"


class BearerTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <personal token>`."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Recognise the token; a request without one is left to the session.

        Raises: AuthenticationFailed: it is not a valid token, or its owner may not sign in.
        """
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != KEYWORD.lower().encode():
            return None
        token = tokens.token_recognise(words[1].decode("latin-1")) if len(words) == 2 else None
        if token is None:
            raise exceptions.AuthenticationFailed("This API token is not valid.", code="token_invalid")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Tell the client how to sign in: this also makes a refusal a 401."""
        return KEYWORD


class PageSessionAuthentication(SessionAuthentication):
    """The session of a page, with its CSRF token checked on everything that writes."""
