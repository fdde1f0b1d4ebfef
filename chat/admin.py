"""The chat in the admin site: everything is read there; deletions, sanctions and cases go through the doors. Rules: docs/rules/chat.md."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.rules import roles
from chat.models import Appeal, Case, Channel, Message, Note, Refusal, Report, Sanction
from chat.services import cases, channels, sanctions
from tradingarena.core.admin_pages import ReadOnlyAdmin, ReasonActionForm

roles.grant_moderators(
    "chat.view_channel", "chat.view_message", "chat.view_sanction", "chat.view_case", "chat.view_report", "chat.view_appeal",
    "chat.view_note", "chat.view_refusal",
)  # fmt: skip


@admin.register(Channel)
class ChannelAdmin(ReadOnlyAdmin):
    """Where people talk. What two people say to each other is not listed among messages."""

    list_display = ("title", "kind", "last_seq", "created_at", "archived_at", "read")
    list_filter = ("kind", ("archived_at", admin.EmptyFieldListFilter))
    search_fields = ("title", "id")
    actions: ClassVar[Sequence[str]] = ["archive"]
    action_form = ReasonActionForm

    @admin.display(description=_("page"))
    def read(self, channel: Channel) -> str:
        return format_html('<a href="{}?channel={}">{}</a>', reverse("chat:page"), channel.pk, _("read"))

    @admin.action(description=_("Archive: nothing more is said there"))
    def archive(self, request: HttpRequest, queryset: QuerySet[Channel]) -> None:
        self.do_each(request, queryset, lambda channel, _reason: channels.archive(channel.pk))


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """Lines of the channels that a moderator may read."""

    list_display = ("created_at", "channel", "author", "kind", "state", "text", "deleted_at")
    list_filter = ("kind", "state", "channel__kind", ("deleted_at", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("channel", "author")
    search_fields = ("author__username", "channel__title", "id")
    actions: ClassVar[Sequence[str]] = ["bury"]
    action_form = ReasonActionForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).exclude(channel__kind=Channel.Kind.DIRECT)

    @admin.action(description=_("Delete: a tombstone stays"))
    def bury(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        def door(message: Message, reason: str) -> Any:
            return sanctions.message_delete(request.user, message.channel_id, message.pk, reason=reason)

        self.do_each(request, queryset, door)


@admin.register(Sanction)
class SanctionAdmin(ReadOnlyAdmin):
    """Every warning, mute, ban and lifting, as it was decided."""

    list_display = ("at", "user", "action", "channel", "until", "reason", "actor")
    list_filter = ("action", "at")
    list_select_related = ("user", "channel", "actor")
    search_fields = ("user__username", "actor__username", "reason", "id")
    actions: ClassVar[Sequence[str]] = ["lift"]
    action_form = ReasonActionForm

    @admin.action(description=_("Lift: another row says so"))
    def lift(self, request: HttpRequest, queryset: QuerySet[Sanction]) -> None:
        def door(row: Sanction, reason: str) -> Any:
            return sanctions.sanction_impose(
                request.user, row.user_id, f"un{row.action}", channel_id=row.channel_id, reason=reason
            )

        self.do_each(request, queryset.filter(action__in=["mute", "ban"]), door)


@admin.register(Case)
class CaseAdmin(ReadOnlyAdmin):
    """What waits for moderators, and how it ended; /moderation shows each with its conversation."""

    list_display = ("opened_at", "kind", "user", "channel", "summary", "outcome", "closed_by", "closed_at")
    list_filter = ("kind", "outcome", ("closed_at", admin.EmptyFieldListFilter))
    list_select_related = ("user", "channel", "closed_by")
    search_fields = ("user__username", "key", "id")
    actions: ClassVar[Sequence[str]] = ["dismiss"]
    action_form = ReasonActionForm

    @admin.action(description=_("Dismiss: nothing wrong"))
    def dismiss(self, request: HttpRequest, queryset: QuerySet[Case]) -> None:
        def door(case: Case, reason: str) -> Any:
            return cases.case_decide(request.user, case.pk, "dismiss", reason=reason)

        self.do_each(request, queryset, door)


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    """Complaints about messages."""

    list_display = ("at", "reason", "reporter", "message", "note")
    list_filter = ("reason", "at")
    list_select_related = ("reporter", "message")
    search_fields = ("reporter__username", "id")


@admin.register(Appeal)
class AppealAdmin(ReadOnlyAdmin):
    """What sanctioned people have said against it."""

    list_display = ("at", "sanction", "text", "case")
    list_select_related = ("sanction__user", "case__user")
    search_fields = ("sanction__user__username", "id")


@admin.register(Note)
class NoteAdmin(ReadOnlyAdmin):
    """What moderators want one another to know of somebody."""

    list_display = ("at", "user", "author", "text")
    list_select_related = ("user", "author")
    search_fields = ("user__username", "author__username")


@admin.register(Refusal)
class RefusalAdmin(ReadOnlyAdmin):
    """Messages that a rule refused; their texts are not kept."""

    list_display = ("at", "user", "channel", "rule")
    list_filter = ("rule", "at")
    list_select_related = ("user", "channel")
    search_fields = ("user__username",)
