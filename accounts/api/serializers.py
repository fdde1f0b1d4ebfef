"""What REST reads and writes about people. Every field is named here; nothing else can be set or seen."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts import selectors
from accounts.models import ApiToken, DataExport, User
from accounts.rules import names, roles
from accounts.rules.limits import COOL_OFFS, EXCLUSIONS, LARGEST_CAP
from accounts.services import usernames
from accounts.services.tokens import NAME_LENGTH
from tradingarena.core.serializers import (
    StrictBoolean,
    StrictChoice,
    StrictInteger,
    StrictList,
    StrictSerializer,
    StrictText,
)


class PublicProfile(serializers.ModelSerializer):
    """What everybody may know of a person."""

    joined_at = serializers.DateTimeField(source="date_joined", help_text="when the person signed up")

    class Meta:
        model = User
        fields = ["id", "username", "role", "country", "is_bot", "joined_at"]
        read_only_fields = fields


class OwnProfile(PublicProfile):
    """What a person sees of themselves."""

    email_confirmed = serializers.SerializerMethodField(help_text="whether the address is confirmed")
    age_confirmed = serializers.SerializerMethodField(help_text="whether the person declared to be 18 or older")
    username_change_from = serializers.SerializerMethodField(help_text="when the name can be changed next; null: now")

    class Meta(PublicProfile.Meta):
        fields = [
            *PublicProfile.Meta.fields,
            "email",
            "email_confirmed",
            "timezone",
            "age_confirmed",
            "terms_version",
            "terms_accepted_at",
            "username_change_from",
        ]
        read_only_fields = fields

    def get_email_confirmed(self, user: User) -> bool:
        return selectors.email_confirmed(user)

    def get_age_confirmed(self, user: User) -> bool:
        return user.age_confirmed_at is not None

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_username_change_from(self, user: User) -> str | None:
        moment = usernames.next_change_at(user)
        return serializers.DateTimeField().to_representation(moment) if moment else None


class ProfileChange(StrictSerializer):
    """What a person may change of themselves; a field left out stays as it is."""

    country = StrictText(max_length=2, required=False, allow_blank=True, help_text="ISO 3166 alpha-2; empty: not told")
    timezone = StrictText(max_length=64, required=False, help_text="an IANA name, such as Europe/Paris")
    accept_terms = StrictBoolean(
        required=False, help_text="true: accept the current terms and declare to be 18 or older"
    )


class UsernameChange(StrictSerializer):
    """Another name."""

    username = StrictText(
        max_length=100,
        trim_whitespace=False,
        help_text=f"{names.MIN_LENGTH} to {names.MAX_LENGTH} letters A to Z, digits, _ and -",
    )


class ApiTokenOut(serializers.ModelSerializer):
    """A token without its secret."""

    scopes = serializers.ListField(child=serializers.ChoiceField(choices=roles.SCOPES))

    class Meta:
        model = ApiToken
        fields = ["id", "name", "prefix", "last_four", "scopes", "created_at", "last_used_at"]
        read_only_fields = fields


class ApiTokenMade(ApiTokenOut):
    """A new token with its secret, which is shown this once."""

    secret = serializers.CharField(help_text="shown this once; send it as `Authorization: Bearer <secret>`")

    class Meta(ApiTokenOut.Meta):
        fields = [*ApiTokenOut.Meta.fields, "secret"]
        read_only_fields = fields


class ApiTokenIn(StrictSerializer):
    """A token to make."""

    name = StrictText(max_length=NAME_LENGTH, help_text="what it is for")
    scopes = StrictList(child=StrictChoice(choices=roles.SCOPES), min_length=1, max_length=len(roles.SCOPES))


class LimitsOut(serializers.Serializer[Any]):
    """What a person has forbidden themselves."""

    daily_cap_tokens = serializers.IntegerField(
        allow_null=True, help_text="tokens that may be spent in a UTC day; null: no cap"
    )
    next_daily_cap_tokens = serializers.IntegerField(allow_null=True, help_text="the cap from `next_cap_from` on")
    next_cap_from = serializers.DateTimeField(allow_null=True, help_text="null: no change waits")
    cool_off_until = serializers.DateTimeField(allow_null=True, help_text="null: no pause")
    excluded_until = serializers.DateTimeField(allow_null=True, help_text="null: not excluded")


class LimitsIn(StrictSerializer):
    """What to forbid oneself; a field left out stays as it is. A pause cannot be ended early."""

    daily_cap_tokens = StrictInteger(
        min_value=0, max_value=LARGEST_CAP, required=False, allow_null=True,
        help_text="lowering holds at once, raising or removing (null) after 24 hours",
    )  # fmt: skip
    cool_off = StrictChoice(choices=list(COOL_OFFS), required=False, help_text="begin a pause")
    self_exclusion = StrictChoice(choices=list(EXCLUSIONS), required=False, help_text="exclude oneself")


class Moved(serializers.Serializer[Any]):
    """Where a person is found who goes by another name now."""

    username = serializers.CharField()
    url = serializers.CharField(help_text="where the profile is")


class SocketTicket(serializers.Serializer[Any]):
    """A ticket for one socket."""

    ticket = serializers.CharField(help_text="send it as the first frame")
    expires_in_s = serializers.IntegerField(help_text="seconds until it is worthless")


class ExportOut(serializers.ModelSerializer):
    """A copy of one's data; it is downloaded on the settings page."""

    export_id = serializers.UUIDField(source="id")
    status = serializers.CharField(help_text="waiting, ready or expired")

    class Meta:
        model = DataExport
        fields = ["export_id", "status", "requested_at", "ready_at", "expires_at", "size_bytes"]
        read_only_fields = fields
