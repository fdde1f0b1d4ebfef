"""People, API tokens and the audit log in the admin site: everything is read-only, and every action is a service.

Rules: docs/rules/accounts.md#staff.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.admin_desk import HaltAdmin, IntegrityCaseAdmin
from accounts.models import (
    ApiToken,
    AuditLog,
    DataExport,
    Deletion,
    Mail,
    MailTemplate,
    User,
    UsernameHistory,
)
from accounts.rules import roles
from accounts.rules.notices import KINDS, variables
from accounts.services import mail, people, tokens, wording
from tradingarena.core.admin_pages import ReadOnlyAdmin, ReasonActionForm
from tradingarena.core.errors import DomainError

__all__ = ["HaltAdmin", "IntegrityCaseAdmin"]  # registered where they are defined


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """People. What is private shows only to admins."""

    action_form = ReasonActionForm
    actions: ClassVar[Sequence[str]] = [
        "disable", "enable", "bar_prizes", "allow_prizes", "make_user", "make_moderator", "make_admin",
    ]  # fmt: skip
    list_display = ("username", "role", "country", "is_bot", "is_active", "banned_until", "date_joined")
    list_filter = ("role", "is_active", "is_bot", "date_joined")
    search_fields = ("username", "id")
    private = ("email", "last_login", "age_confirmed_at", "terms_version", "terms_accepted_at", "timezone")
    public = (
        "id",
        "username",
        "role",
        "country",
        "is_bot",
        "is_active",
        "banned_until",
        "prizes_barred_at",
        "date_joined",
        "username_changed_at",
    )

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [*self.public, *(self.private if request.user.is_superuser else ())]

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return (*self.search_fields, "email") if request.user.is_superuser else self.search_fields

    @admin.action(description=_("Disable, with the reason"))
    def disable(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self.do_each(request, queryset, lambda user, why: people.person_disable(request.user, user.pk, reason=why))

    @admin.action(description=_("Enable, with the reason"))
    def enable(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self.do_each(request, queryset, lambda user, why: people.person_enable(request.user, user.pk, reason=why))

    @admin.action(description=_("Let play without prizes, with the reason"))
    def bar_prizes(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self.do_each(request, queryset, lambda user, why: people.person_bar_prizes(request.user, user.pk, reason=why))

    @admin.action(description=_("Let win prizes again, with the reason"))
    def allow_prizes(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self.do_each(request, queryset, lambda user, why: people.person_allow_prizes(request.user, user.pk, reason=why))

    @admin.action(description=_("Make an ordinary user, with the reason"))
    def make_user(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._set_role(request, queryset, roles.USER)

    @admin.action(description=_("Make a moderator, with the reason"))
    def make_moderator(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._set_role(request, queryset, roles.MODERATOR)

    @admin.action(description=_("Make an admin, with the reason"))
    def make_admin(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._set_role(request, queryset, roles.ADMIN)

    def _set_role(self, request: HttpRequest, queryset: QuerySet[User], role: str) -> None:
        self.do_each(
            request, queryset, lambda user, why: people.person_set_role(request.user, user.pk, role=role, reason=why)
        )


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """API tokens, without what would make one."""

    actions: ClassVar[Sequence[str]] = ["revoke"]
    list_display = ("__str__", "user", "name", "scopes", "created_at", "last_used_at", "revoked_at")
    list_filter = ("revoked_at", "created_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "name", "prefix", "last_four")
    fields = ("id", "user", "name", "prefix", "last_four", "scopes", "created_at", "last_used_at", "revoked_at")

    @admin.action(description=_("Revoke"))
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        for token in queryset:
            tokens.token_revoke(token.user_id, token.pk, actor=request.user)
        self.message_user(request, _("Revoked."), messages.SUCCESS)


@admin.register(UsernameHistory)
class UsernameHistoryAdmin(ReadOnlyAdmin):
    """Names that people have given up."""

    list_display = ("username", "user", "changed_at", "reserved_until")
    list_select_related = ("user",)
    search_fields = ("username", "user__username")


@admin.register(AuditLog)
class AuditLogAdmin(ReadOnlyAdmin):
    """What was done, by whom, and why. The database keeps every row as it was written."""

    list_display = ("at", "actor", "action", "object_type", "object_id", "reason")
    list_filter = ("action", "object_type", "at")
    list_select_related = ("actor",)
    search_fields = ("object_id", "actor__username", "reason", "request_id")


class MailTemplateForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the stubs alone
    """A mail's words: judged before they are stored."""

    class Meta:
        model = MailTemplate
        fields = ["subject", "body", "enabled"]
        widgets = {
            "body": forms.Textarea(attrs={"rows": 14, "cols": 90}),
            "subject": forms.TextInput(attrs={"size": 90}),
        }

    actor: ClassVar[User | None] = None

    def clean(self) -> dict[str, Any]:
        """Refuse words that do not hold."""
        data: dict[str, Any] = super().clean() or {}
        if self.actor is not None and "body" in data and "subject" in data:
            try:
                wording.require_words(self.actor, self.instance.kind, data["subject"], data["body"])
            except DomainError as refusal:
                raise forms.ValidationError(refusal.message) from None
        return data


@admin.register(MailTemplate)
class MailTemplateAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the stubs alone
    """How mails are worded: text with variables, a preview, and a test to oneself."""

    form = MailTemplateForm
    actions: ClassVar[Sequence[str]] = ["test_send"]
    list_display = ("kind", "told_when", "subject", "enabled", "updated_at")
    list_filter = ("enabled",)
    readonly_fields = ("kind", "told_when", "may_use", "preview_link")
    fields = ("kind", "told_when", "may_use", "subject", "body", "enabled", "preview_link")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type("MailTemplateFormOf", (form,), {"actor": request.user})

    def save_model(self, request: HttpRequest, obj: MailTemplate, form: Any, change: bool) -> None:
        """Store through the door, which keeps the audit row."""
        wording.template_save(request.user, obj.kind, subject=obj.subject, body=obj.body, enabled=obj.enabled)

    def get_urls(self) -> list[Any]:
        own = path(
            "<path:kind>/preview/", self.admin_site.admin_view(self.preview), name="accounts_mailtemplate_preview"
        )
        return [own, *super().get_urls()]

    def preview(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Show the mail as it would arrive, with sample values."""
        template = mail.template_of(kind) if kind in KINDS else None
        letter = wording.preview(
            request.user, kind, template.subject if template else "", template.body if template else ""
        )
        context = {
            **self.admin_site.each_context(request),
            "title": _("Preview: %s") % kind,
            "kind": kind,
            "letter": letter,
        }
        return TemplateResponse(request, "admin/mail_preview.html", context)

    @admin.display(description=_("when"))
    def told_when(self, row: MailTemplate) -> str:
        return KINDS[row.kind].label if row.kind in KINDS else ""

    @admin.display(description=_("variables"))
    def may_use(self, row: MailTemplate) -> str:
        return (
            ", ".join(f"{{{{ {name} }}}}" for name in sorted(variables(KINDS[row.kind]))) if row.kind in KINDS else ""
        )

    @admin.display(description=_("preview"))
    def preview_link(self, row: MailTemplate) -> str:
        url = reverse("admin:accounts_mailtemplate_preview", args=[row.kind])
        return format_html('<a href="{}">{}</a>', url, _("With sample values, as it is stored"))

    @admin.action(description=_("Send me a test of these, with sample values"))
    def test_send(self, request: HttpRequest, queryset: QuerySet[MailTemplate]) -> None:
        for row in queryset:
            wording.test_send(request.user, row.kind)
        self.message_user(request, _("On their way to %s.") % request.user.email, messages.SUCCESS)


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    """Every mail that was sent or is to be, with what the provider says of it."""

    actions: ClassVar[Sequence[str]] = ["try_again"]
    list_display = ("created_at", "kind", "address", "subject", "status", "attempts", "sent_at", "message_id")
    list_filter = ("status", "kind", "created_at")
    search_fields = ("address", "message_id", "cause", "user__username")
    fields = (
        "id", "kind", "cause", "user", "address", "subject", "text", "status", "note", "attempts", "next_try_at", "created_at",
        "sent_at", "status_at", "message_id",
    )  # fmt: skip

    @admin.action(description=_("Try again what failed"))
    def try_again(self, request: HttpRequest, queryset: QuerySet[Mail]) -> None:
        self.do_each(request, queryset, lambda row, why: wording.resend(request.user, row.pk))


@admin.register(DataExport)
class DataExportAdmin(ReadOnlyAdmin):
    """Who asked for a copy of their data; what is in it is theirs alone."""

    list_display = ("user", "status", "requested_at", "ready_at", "expires_at", "size_bytes")
    list_filter = ("status", "requested_at")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    exclude = ("content",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DataExport]:
        return super().get_queryset(request).defer("content")


@admin.register(Deletion)
class DeletionAdmin(ReadOnlyAdmin):
    """Who is to be forgotten, when, and what stands in the way."""

    list_display = ("user", "status", "requested_at", "due_at", "closed_at", "blocked_by")
    list_filter = ("status", "requested_at")
    list_select_related = ("user",)
    search_fields = ("user__username",)
