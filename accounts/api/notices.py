"""REST of what one is told, by which channels, whom one follows and blocks."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions, selectors
from accounts.models import Block, Follow, Notification
from accounts.rules.notices import SWITCHABLE
from accounts.selectors import notices as reading
from accounts.selectors import social as knowing
from accounts.services import notices, social
from tradingarena.core.api import ArenaView, ListView
from tradingarena.core.paging import PageQuery
from tradingarena.core.serializers import (
    QueryBoolean,
    StrictBoolean,
    StrictChoice,
    StrictList,
    StrictSerializer,
    StrictUUID,
)

TAG = ["accounts"]
MOST_IDS = 200
KIND_NAMES = [kind.name for kind in SWITCHABLE]


class NotificationsQuery(PageQuery):
    unread = QueryBoolean(required=False, help_text="true: only what is unread")


class NotificationOut(serializers.ModelSerializer):
    class Meta:
        model = Notification
        fields = ["id", "kind", "text", "url", "created_at", "read_at"]
        read_only_fields = fields


class NotificationsOut(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    unread = serializers.IntegerField(help_text="how many are unread in all")
    results = NotificationOut(many=True)


class ReadIn(StrictSerializer):
    ids = StrictList(
        child=StrictUUID(), max_length=MOST_IDS, required=False, allow_null=True, default=None,
        help_text="which were read; null or left out: all",
    )  # fmt: skip


class UnreadOut(serializers.Serializer[Any]):
    unread = serializers.IntegerField()


class ChoiceIn(StrictSerializer):
    kind = StrictChoice(choices=KIND_NAMES)
    site = StrictBoolean()
    email = StrictBoolean()


class ChoicesIn(StrictSerializer):
    choices = StrictList(child=ChoiceIn(), max_length=len(KIND_NAMES))


class ChoiceOut(serializers.Serializer[Any]):
    kind = serializers.CharField()
    label = serializers.CharField()
    site = serializers.BooleanField()
    email = serializers.BooleanField()
    mailed = serializers.BooleanField(help_text="whether there is a mail of this kind at all")


class ChoicesOut(serializers.Serializer[Any]):
    choices = ChoiceOut(many=True)


class PersonOut(serializers.Serializer[Any]):
    user_id = serializers.UUIDField()
    username = serializers.CharField()
    since = serializers.DateTimeField()


class FollowOut(serializers.Serializer[Any]):
    username = serializers.CharField()
    following = serializers.BooleanField()
    followers = serializers.IntegerField()


class BlockOut(serializers.Serializer[Any]):
    username = serializers.CharField()
    blocked = serializers.BooleanField()


def _read(shape: type[StrictSerializer], request: Request) -> dict[str, Any]:
    reader = shape(data=request.data)
    reader.is_valid(raise_exception=True)
    return dict(reader.validated_data)


class NotificationsView(ListView):
    """What one was told."""

    scope = permissions.READ
    query_serializer = NotificationsQuery

    def rows(self) -> QuerySet[Notification]:
        return reading.notifications(self.request.user, unread=self.params.get("unread", False))

    def show(self, row: Notification) -> Any:
        return NotificationOut(row).data

    @extend_schema(operation_id="notifications", tags=TAG, responses=NotificationsOut)
    def get(self, request: Request) -> Response:
        """List what one was told, the newest first, and how much of it is unread."""
        response = super().get(request)
        response.data["unread"] = reading.unread_count(request.user.pk)
        return response


class NotificationsReadView(ArenaView):
    scope = permissions.WRITE

    @extend_schema(operation_id="notifications_read", tags=TAG, request=ReadIn, responses=UnreadOut)
    def post(self, request: Request) -> Response:
        """Mark some notifications as read, or all of them. Doing it again changes nothing."""
        return Response({"unread": notices.mark_read(request.user, _read(ReadIn, request)["ids"])})


class NoticeChoicesView(ArenaView):
    scope = {"GET": permissions.READ, "PUT": permissions.WRITE}

    def _shown(self, request: Request) -> Response:
        chosen = reading.choices_of(request.user)
        rows = [
            {"kind": one.name, "label": one.label, "mailed": one.mailed, **chosen[one.name]._asdict()}
            for one in SWITCHABLE
        ]
        return Response({"choices": rows})

    @extend_schema(operation_id="notice_choices", tags=TAG, responses=ChoicesOut)
    def get(self, request: Request) -> Response:
        """Read by which channels one hears of what."""
        return self._shown(request)

    @extend_schema(operation_id="notice_choices_change", tags=TAG, request=ChoicesIn, responses=ChoicesOut)
    def put(self, request: Request) -> Response:
        """Choose the channels of some kinds; those left out stay as they are. Safety and sanctions cannot be switched off."""
        chosen = {
            one["kind"]: {"site": one["site"], "email": one["email"]} for one in _read(ChoicesIn, request)["choices"]
        }
        notices.choose(request.user, chosen)
        return self._shown(request)


class FollowView(ArenaView):
    scope = {"PUT": permissions.WRITE, "DELETE": permissions.WRITE}

    @extend_schema(operation_id="follow", tags=TAG, request=None, responses=FollowOut)
    def put(self, request: Request, username: str) -> Response:
        """Follow somebody: one hears when they join, lead and finish. At most 400. Doing it again changes nothing."""
        other = selectors.user_by_name(username).user
        social.follow(request.user, other)
        return Response(_follow(other, following=True))

    @extend_schema(operation_id="unfollow", tags=TAG, request=None, responses={200: FollowOut})
    def delete(self, request: Request, username: str) -> Response:
        """Follow somebody no more. Doing it again changes nothing."""
        other = selectors.user_by_name(username).user
        social.unfollow(request.user, other)
        return Response(_follow(other, following=False))


def _follow(other: Any, *, following: bool) -> dict[str, Any]:
    return {"username": other.username, "following": following, "followers": knowing.followers_count(other)}


class BlockView(ArenaView):
    scope = {"PUT": permissions.WRITE, "DELETE": permissions.WRITE}

    @extend_schema(operation_id="block", tags=TAG, request=None, responses=BlockOut)
    def put(self, request: Request, username: str) -> Response:
        """Hear nothing of somebody: no challenges, no mentions, no messages. They are not told. Doing it again changes nothing."""
        other = selectors.user_by_name(username).user
        social.block(request.user, other)
        return Response({"username": other.username, "blocked": True})

    @extend_schema(operation_id="unblock", tags=TAG, request=None, responses={200: BlockOut})
    def delete(self, request: Request, username: str) -> Response:
        """Let somebody be heard again. Doing it again changes nothing."""
        other = selectors.user_by_name(username).user
        social.unblock(request.user, other)
        return Response({"username": other.username, "blocked": False})


class FollowsView(ListView):
    """Whom one follows."""

    scope = permissions.READ

    def rows(self) -> QuerySet[Follow]:
        return knowing.follows_of(self.request.user)

    def show(self, row: Follow) -> Any:
        return PersonOut({"user_id": row.followed_id, "username": row.followed.username, "since": row.created_at}).data

    @extend_schema(operation_id="follows", tags=TAG, responses=PersonOut(many=True))
    def get(self, request: Request) -> Response:
        """List whom one follows, the latest first."""
        return super().get(request)


class BlocksView(ListView):
    """Whom one blocks."""

    scope = permissions.READ

    def rows(self) -> QuerySet[Block]:
        return knowing.blocks_of(self.request.user)

    def show(self, row: Block) -> Any:
        return PersonOut({"user_id": row.blocked_id, "username": row.blocked.username, "since": row.created_at}).data

    @extend_schema(operation_id="blocks", tags=TAG, responses=PersonOut(many=True))
    def get(self, request: Request) -> Response:
        """List whom one has blocked, the latest first."""
        return super().get(request)
