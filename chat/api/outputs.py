"""What REST answers about the chat, for the OpenAPI schema. The rows themselves are made in `chat/messages.py`."""

from rest_framework import serializers

from chat.models import Case, Channel, Message, Report, Sanction

Text = serializers.CharField
Whole = serializers.IntegerField
Output = serializers.Serializer


class ChatChannelOut(Output):
    channel_id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Channel.Kind.choices)
    title = Text()
    competition_id = serializers.UUIDField(allow_null=True)
    archived = serializers.BooleanField()
    last_number = Whole(help_text="number of the newest message or deletion")
    read_number = Whole(help_text="how far you have read")
    unread = Whole(help_text="new messages of others, counted up to 99")


class ChatChannelsOut(Output):
    results = ChatChannelOut(many=True)


class ChatReplyOut(Output):
    message_id = serializers.UUIDField()
    username = Text()
    text = Text()
    deleted = serializers.BooleanField()


class ChatMessageOut(Output):
    channel_id = serializers.UUIDField()
    message_id = serializers.UUIDField()
    number = Whole(help_text="its place in the channel, and the `seq` of its frame")
    kind = serializers.ChoiceField(choices=Message.Kind.choices)
    user_id = serializers.UUIDField(allow_null=True)
    username = Text()
    badge = serializers.ChoiceField(choices=["", "host", "moderator", "admin", "bot"])
    text = Text(help_text="empty once deleted")
    masked = serializers.BooleanField(help_text="whether words were starred out")
    reply_to_id = serializers.UUIDField(allow_null=True)
    reply_to = ChatReplyOut(allow_null=True, help_text="as it is now")
    mentions = serializers.ListField(child=serializers.UUIDField())
    data = serializers.DictField(help_text="facts of a tip or of a line of the arena")
    client_id = Text()
    timestamp = serializers.DateTimeField()
    deleted = serializers.BooleanField()


class ChatPostedOut(Output):
    message_id = serializers.UUIDField()
    number = Whole(allow_null=True, help_text="null while it waits for a moderator")
    state = serializers.ChoiceField(choices=Message.State.choices)
    client_id = Text()
    text = Text(help_text="as everybody reads it")
    timestamp = serializers.DateTimeField()


class ChatReportOut(Output):
    report_id = serializers.UUIDField()
    message_id = serializers.UUIDField()
    reason = serializers.ChoiceField(choices=Report.Reason.choices)


class ChatSanctionOut(Output):
    sanction_id = serializers.UUIDField()
    action = serializers.ChoiceField(choices=Sanction.Action.choices)
    channel_id = serializers.UUIDField(allow_null=True, help_text="null: everywhere")
    channel = Text()
    reason = Text()
    until = serializers.DateTimeField(allow_null=True, help_text="null: until it is lifted")
    by = Text()
    at = serializers.DateTimeField()


class ChatDecisionOut(ChatSanctionOut):
    holds = serializers.BooleanField()
    appeal = serializers.ChoiceField(choices=["", "open", *Case.Outcome.values], help_text="empty: not appealed")


class ChatStandingOut(Output):
    results = ChatDecisionOut(many=True)


class ChatReadOut(Output):
    read_number = Whole()


class ChatAppealOut(Output):
    sanction_id = serializers.UUIDField()
    at = serializers.DateTimeField()
