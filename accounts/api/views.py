"""REST views of accounts: each parses, calls one door, and renders."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions, selectors
from accounts.api import serializers as shapes
from accounts.models import ApiToken, DataExport
from accounts.rules import roles
from accounts.services import bots, exports, limits, people, tokens, usernames
from tradingarena.core import tickets
from tradingarena.core.api import ArenaView, ListView


def _read(shape: Any, request: Request) -> dict[str, Any]:
    reader = shape(data=request.data)
    reader.is_valid(raise_exception=True)
    return dict(reader.validated_data)


class MeView(ArenaView):
    """Oneself."""

    scope = {"GET": permissions.READ, "PATCH": permissions.WRITE}

    @extend_schema(operation_id="me", responses=shapes.OwnProfile)
    def get(self, request: Request) -> Response:
        """Read one's own profile."""
        return Response(shapes.OwnProfile(request.user).data)

    @extend_schema(operation_id="me_change", request=shapes.ProfileChange, responses=shapes.OwnProfile)
    def patch(self, request: Request) -> Response:
        """Change country or time zone, or accept the current terms. Only the fields sent are changed."""
        wanted = _read(shapes.ProfileChange, request)
        accepts = wanted.pop("accept_terms", False)
        user = people.profile_update(request.user.pk, people.Profile(**wanted))
        if accepts:
            user = people.terms_accept(user.pk, of_age=True)
        return Response(shapes.OwnProfile(user).data)


class BotView(ArenaView):
    """Whether one's own account is run by a program."""

    scope = permissions.WRITE

    @extend_schema(operation_id="me_bot", request=None, responses=shapes.OwnProfile)
    def post(self, request: Request) -> Response:
        """Mark one's own account as run by a program, for good. Contests for bots alone then let it in."""
        return Response(shapes.OwnProfile(bots.bot_declare(request.user.pk)).data)


class UsernameView(ArenaView):
    """One's own name."""

    scope = permissions.WRITE

    @extend_schema(operation_id="me_username", request=shapes.UsernameChange, responses=shapes.OwnProfile)
    def post(self, request: Request) -> Response:
        """Take another name: every 30 days, and not while a live contest shows it. The old one leads here for 180 days."""
        user = usernames.username_change(request.user.pk, _read(shapes.UsernameChange, request)["username"])
        return Response(shapes.OwnProfile(user).data)


class ApiTokensView(ListView):
    """One's own API tokens. Making and revoking them is for a person on a page, not for a token."""

    scope = {"GET": permissions.READ, "POST": permissions.SESSION, "DELETE": permissions.SESSION}

    def rows(self) -> QuerySet[ApiToken]:
        return selectors.api_tokens(self.request.user)

    def show(self, row: ApiToken) -> Any:
        return shapes.ApiTokenOut(row).data

    @extend_schema(operation_id="api_tokens", responses=shapes.ApiTokenOut(many=True))
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the valid tokens, the newest first, without their secrets."""
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="api_token_create", request=shapes.ApiTokenIn, responses={201: shapes.ApiTokenMade})
    def post(self, request: Request) -> Response:
        """Make a token. Its secret is in this answer and never shown again."""
        wanted = _read(shapes.ApiTokenIn, request)
        token, secret = tokens.token_create(request.user.pk, name=wanted["name"], scopes=wanted["scopes"])
        body = shapes.ApiTokenOut(token).data | {"secret": secret}
        return Response(body, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})

    @extend_schema(operation_id="api_tokens_revoke", request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Revoke every token at once."""
        tokens.tokens_revoke_all(request.user.pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ApiTokenView(ArenaView):
    """One of one's own API tokens."""

    scope = permissions.SESSION

    @extend_schema(operation_id="api_token_revoke", request=None, responses={204: None})
    def delete(self, request: Request, token_id: UUID) -> Response:
        """Revoke a token. Doing it again changes nothing."""
        tokens.token_revoke(request.user.pk, token_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class LimitsView(ArenaView):
    """What one has forbidden oneself."""

    scope = {"GET": permissions.READ, "PUT": permissions.WRITE}

    @extend_schema(operation_id="limits", responses=shapes.LimitsOut)
    def get(self, request: Request) -> Response:
        """Read one's own limits, as they hold now."""
        return Response(shapes.LimitsOut(selectors.self_limits(request.user)).data)

    @extend_schema(operation_id="limits_change", request=shapes.LimitsIn, responses=shapes.LimitsOut)
    def put(self, request: Request) -> Response:
        """Cap what one spends in a day, begin a pause, exclude oneself. Nobody can shorten a pause."""
        wanted = _read(shapes.LimitsIn, request)
        limits.limits_set(request.user.pk, wanted)
        return Response(shapes.LimitsOut(selectors.self_limits(request.user)).data)


class ExportsView(ListView):
    """Copies of one's data. Downloading them and deleting the account is for a person on a page, not for a program."""

    scope = {"GET": permissions.READ, "POST": permissions.SESSION}

    def rows(self) -> QuerySet[DataExport]:
        return DataExport.objects.filter(user=self.request.user.pk).defer("content")

    def show(self, row: DataExport) -> Any:
        return shapes.ExportOut(row).data

    @extend_schema(operation_id="exports", responses=shapes.ExportOut(many=True))
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the copies of one's data that were asked for, the newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="export_request", request=None, responses={202: shapes.ExportOut})
    def post(self, request: Request) -> Response:
        """Ask for a copy of one's data: one a day. It is made in the background, and a mail says when it is there."""
        return Response(shapes.ExportOut(exports.export_request(request.user)).data, status=status.HTTP_202_ACCEPTED)


class UserView(ArenaView):
    """Somebody's public side."""

    permission_classes = [permissions.Public]

    @extend_schema(
        operation_id="user",
        responses={200: shapes.PublicProfile, 301: OpenApiResponse(shapes.Moved, "Goes by another name now.")},
    )
    def get(self, request: Request, username: str) -> Response:
        """Read a public profile by name. A former name answers 301 to today's for 180 days."""
        named = selectors.user_by_name(username)
        if named.moved:
            url = reverse("api-user", kwargs={"username": named.user.username})
            body = {"username": named.user.username, "url": url}
            return Response(body, status=status.HTTP_301_MOVED_PERMANENTLY, headers={"Location": url})
        return Response(shapes.PublicProfile(named.user).data)


class SocketTicketView(ArenaView):
    """A way into the sockets without a session cookie."""

    scope = permissions.READ

    @extend_schema(operation_id="ws_ticket", request=None, responses={201: shapes.SocketTicket})
    def post(self, request: Request) -> Response:
        """Get a ticket for one socket: good once, for 30 seconds. The socket may do what the token may do."""
        token = request.auth if isinstance(request.auth, ApiToken) else None
        scopes = token.scopes if token else roles.SCOPES
        ticket = tickets.issue(request.user.pk, scopes, credential=f"token:{token.pk}" if token else "")
        body = {"ticket": ticket, "expires_in_s": tickets.LIFE_S}
        return Response(body, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})
