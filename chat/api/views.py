"""REST: channels, history, saying something, deleting, reporting, moderating, tipping. Each view parses, calls one door, renders."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.countries import country_of
from accounts.permissions import CHAT, READ, Public, SignedInWithScope
from accounts.selectors import user_by_name
from chat import messages
from chat.api import inputs, outputs
from chat.models import Message
from chat.selectors import channels as listed
from chat.selectors import history, sanctions
from chat.selectors.access import channel_for
from chat.services import channels, posting, queue, tips
from chat.services import sanctions as moderation
from tradingarena.core.api import ArenaView, ListView
from tradingarena.core.serializers import StrictSerializer

TAG = ["chat"]
READING = frozenset({"GET", "HEAD"})


def _read(kind: type[StrictSerializer], request: Request) -> dict[str, Any]:
    body = kind(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def row(line: Message) -> dict[str, Any]:
    """Show a line with what it answers, as that is now."""
    return {**messages.message(line), "reply_to": messages.reply_preview(line.reply_to)}


class ChannelsView(ArenaView):
    permission_classes = [Public]

    @extend_schema(operation_id="chat_channels", tags=TAG, responses=outputs.ChatChannelsOut)
    def get(self, request: Request) -> Response:
        """List your channels with what is new in each; a stranger has the global one."""
        return Response({"results": listed.channels_of(request.user)})


class DirectView(ArenaView):
    scope = CHAT

    @extend_schema(operation_id="chat_direct", tags=TAG, request=inputs.DirectBody, responses=outputs.ChatChannelOut)
    def post(self, request: Request) -> Response:
        """Open your channel with somebody, or give the one there is."""
        other = user_by_name(_read(inputs.DirectBody, request)["username"]).user
        channel = channels.direct_channel(request.user, other)
        return Response(messages.channel(channel, title=other.username, unread=0, read_number=0))


class MessagesView(ListView):
    scope = {"GET": READ, "POST": CHAT}
    page_key = "-seq"
    more_problems = ("403",)  # a contest that one may not watch

    def get_permissions(self) -> list[Any]:
        return [Public() if self.request.method in READING else SignedInWithScope()]

    def rows(self) -> Any:
        return history.lines(channel_for(self.request.user, self.kwargs["channel_id"]))

    def show(self, line: Message) -> dict[str, Any]:
        return row(line)

    @extend_schema(operation_id="chat_messages", tags=TAG, responses=outputs.ChatMessageOut(many=True))
    def get(self, request: Request, channel_id: UUID) -> Response:
        """Read a channel's history, the newest first, whole: tombstones stand where messages were deleted."""
        return super().get(request, channel_id)

    @extend_schema(
        operation_id="chat_say", tags=TAG, request=inputs.MessageBody, responses={201: outputs.ChatPostedOut}
    )
    def post(self, request: Request, channel_id: UUID) -> Response:
        """Say something. A refusal names its rule in `code` and, where there is one, the wait. `state: held` waits for a moderator."""
        body = _read(inputs.MessageBody, request)
        draft = posting.Draft(body["text"], body["client_id"], body["reply_to_id"])
        posted = posting.message_post(request.user, channel_id, draft, country=country_of(request.META))
        return Response(messages.posted(posted.message), status=201)


class MessageView(ArenaView):
    scope = {"GET": READ, "DELETE": CHAT}
    more_problems = ("403",)

    def get_permissions(self) -> list[Any]:
        return [Public() if self.request.method in READING else SignedInWithScope()]

    @extend_schema(operation_id="chat_message", tags=TAG, responses=outputs.ChatMessageOut)
    def get(self, request: Request, channel_id: UUID, message_id: UUID) -> Response:
        """Read one message, such as the one that another answers."""
        return Response(row(history.line(channel_for(request.user, channel_id), message_id)))

    @extend_schema(operation_id="chat_delete", tags=TAG, responses={200: outputs.ChatMessageOut})
    def delete(self, request: Request, channel_id: UUID, message_id: UUID) -> Response:
        """Delete your own message, or as a moderator another's: a tombstone stays. Doing it again changes nothing."""
        channel = channel_for(request.user, channel_id)
        moderation.message_delete(request.user, channel.pk, message_id)
        return Response(row(history.line(channel, message_id)))


class ReportView(ArenaView):
    scope = CHAT

    @extend_schema(
        operation_id="chat_report", tags=TAG, request=inputs.ReportBody, responses={201: outputs.ChatReportOut}
    )
    def post(self, request: Request, channel_id: UUID, message_id: UUID) -> Response:
        """Put a message before the moderators. Reporting it again gives the same report."""
        body = _read(inputs.ReportBody, request)
        report = queue.message_report(request.user, channel_id, message_id, reason=body["reason"], note=body["note"])
        told = {"report_id": str(report.pk), "message_id": str(message_id), "reason": report.reason}
        return Response(told, status=201)


class ModerateView(ArenaView):
    scope = CHAT

    @extend_schema(
        operation_id="chat_moderate", tags=TAG, request=inputs.ModerateBody, responses={201: outputs.ChatSanctionOut}
    )
    def post(self, request: Request, channel_id: UUID) -> Response:
        """Warn, mute or ban somebody, or lift it: hosts in their own arena, moderators anywhere, nobody an equal."""
        body = _read(inputs.ModerateBody, request)
        channel = channel_for(request.user, channel_id)
        about = history.line(channel, body["message_id"]) if body["message_id"] else None
        done = moderation.sanction_impose(
            request.user,
            body["user_id"],
            body["action"],
            channel_id=channel.pk if body["scope"] == "channel" else None,
            reason=body["reason"],
            preset=body.get("preset", ""),
            message=about,
        )
        return Response(messages.sanction(done), status=201)


class TipsView(ArenaView):
    scope = CHAT

    @extend_schema(operation_id="chat_tip", tags=TAG, request=inputs.TipBody, responses={201: outputs.ChatMessageOut})
    def post(self, request: Request, channel_id: UUID) -> Response:
        """Give somebody tokens, seen by the channel. The client_id is the key: sent again, nothing moves."""
        body = _read(inputs.TipBody, request)
        given = tips.tip(request.user, channel_id, country=country_of(request.META), **body)
        return Response(row(given.message), status=201)


class ReadView(ArenaView):
    scope = CHAT

    @extend_schema(operation_id="chat_read", tags=TAG, request=inputs.ReadBody, responses=outputs.ChatReadOut)
    def put(self, request: Request, channel_id: UUID) -> Response:
        """Note how far you have read; it never goes back."""
        number = _read(inputs.ReadBody, request)["number"]
        return Response({"read_number": channels.read_up_to(request.user, channel_id, number)})


class StandingView(ArenaView):
    @extend_schema(operation_id="chat_standing", tags=TAG, responses=outputs.ChatStandingOut)
    def get(self, request: Request) -> Response:
        """Read what was decided about you in the chat: by whom, why, until when, and what became of your appeal."""
        return Response({"results": sanctions.standing_of(request.user)})


class AppealView(ArenaView):
    scope = CHAT

    @extend_schema(
        operation_id="chat_appeal", tags=TAG, request=inputs.AppealBody, responses={201: outputs.ChatAppealOut}
    )
    def post(self, request: Request, sanction_id: UUID) -> Response:
        """Say once why a decision about you is wrong; a moderator answers."""
        made = queue.appeal(request.user, sanction_id, _read(inputs.AppealBody, request)["text"])
        return Response({"sanction_id": str(sanction_id), "at": messages.when(made.at)}, status=201)
