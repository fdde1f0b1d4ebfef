"""What REST takes about the chat: bodies and query strings, each field strict and bounded."""

from chat.models import LONGEST_CLIENT_ID, Report, Sanction
from chat.models.moderation import LONGEST_APPEAL, LONGEST_REASON
from chat.rules.authority import PRESETS
from chat.services.tips import LARGEST_TOKENS
from tradingarena.core.serializers import (
    BIGINT_MAX,
    StrictChoice,
    StrictInteger,
    StrictSerializer,
    StrictText,
    StrictUUID,
)

LONGEST_SENT = 2_000


class MessageBody(StrictSerializer):
    text = StrictText(
        max_length=LONGEST_SENT, allow_blank=True, trim_whitespace=False, help_text="1 to 300 characters once tidied"
    )
    client_id = StrictText(
        max_length=LONGEST_CLIENT_ID, help_text="your own id of it: sent again, it is the same message"
    )
    reply_to_id = StrictUUID(required=False, allow_null=True, default=None)


class ReportBody(StrictSerializer):
    reason = StrictChoice(choices=Report.Reason.choices)
    note = StrictText(max_length=300, required=False, allow_blank=True, default="")


class ModerateBody(StrictSerializer):
    user_id = StrictUUID()
    action = StrictChoice(choices=Sanction.Action.choices)
    preset = StrictChoice(choices=[(name, name) for name in PRESETS], required=False, help_text="of a mute or ban; 1h")
    reason = StrictText(max_length=LONGEST_REASON, help_text="shown to the person")
    scope = StrictChoice(choices=[("channel", "channel"), ("everywhere", "everywhere")], default="channel")
    message_id = StrictUUID(required=False, allow_null=True, default=None, help_text="what it is about")


class TipBody(StrictSerializer):
    to_user_id = StrictUUID()
    amount_tokens = StrictInteger(min_value=1, max_value=LARGEST_TOKENS)
    client_id = StrictText(max_length=LONGEST_CLIENT_ID, help_text="your own id of it: sent again, it moves nothing")


class ReadBody(StrictSerializer):
    number = StrictInteger(min_value=0, max_value=BIGINT_MAX)


class DirectBody(StrictSerializer):
    username = StrictText(max_length=20)


class AppealBody(StrictSerializer):
    text = StrictText(max_length=LONGEST_APPEAL)
