"""What operators and moderators decide in the admin site: cases of what looks unfair, and what is switched off.

Rules: docs/rules/accounts.md#integrity, docs/rules/accounts.md#switches.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.models import Halt, IntegrityCase
from accounts.rules import roles
from accounts.rules.switches import Part
from accounts.services import integrity, switches
from tradingarena.core.admin_pages import ReadOnlyAdmin, ReasonActionForm
from tradingarena.core.errors import DomainError

roles.grant_moderators("accounts.view_integritycase")


@admin.register(IntegrityCase)
class IntegrityCaseAdmin(ReadOnlyAdmin):
    """What looks unfair, with its evidence; moderators close a case with a note."""

    action_form = ReasonActionForm
    actions: ClassVar[Sequence[str]] = ["confirm", "dismiss"]
    list_display = ("opened_at", "kind", "summary", "status", "decided_by", "note", "look")
    list_filter = ("status", "kind")
    list_select_related = ("decided_by",)
    search_fields = ("id", "summary", "cause", "people")

    @admin.display(description=_("page"))
    def look(self, case: IntegrityCase) -> str:
        return format_html('<a href="{}">{}</a>', case.url, _("open")) if case.url else "-"

    @admin.action(description=_("Confirm, with the reason as its note"))
    def confirm(self, request: HttpRequest, cases: QuerySet[IntegrityCase]) -> None:
        """Note that there was something in the chosen cases."""
        self._decide(request, cases, IntegrityCase.Status.CONFIRMED)

    @admin.action(description=_("Dismiss, with the reason as its note"))
    def dismiss(self, request: HttpRequest, cases: QuerySet[IntegrityCase]) -> None:
        """Note that there was nothing in the chosen cases."""
        self._decide(request, cases, IntegrityCase.Status.DISMISSED)

    def _decide(self, request: HttpRequest, cases: QuerySet[IntegrityCase], status: str) -> None:
        self.do_each(request, cases, lambda case, note: integrity.case_decide(request.user, case.pk, status, note))  # type: ignore[arg-type]  # signed in


class HaltForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the stubs alone
    """What is to be switched off, and why."""

    class Meta:
        model = Halt
        fields = ["part", "reason"]


@admin.register(Halt)
class HaltAdmin(ReadOnlyAdmin):
    """Parts of the site that are or were switched off; adding one switches off, the action switches on again."""

    form = HaltForm
    action_form = ReasonActionForm
    actions: ClassVar[Sequence[str]] = ["switch_on"]
    list_display = ("began_at", "part", "reason", "began_by", "ended_at", "ended_by")
    list_filter = ("part",)
    list_select_related = ("began_by", "ended_by")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def save_model(self, request: HttpRequest, obj: Halt, form: Any, change: bool) -> None:
        """Switch off through the door."""
        chosen = form.cleaned_data
        try:
            obj.pk = switches.switch_off(request.user, Part(chosen["part"]), chosen["reason"]).pk  # type: ignore[arg-type]  # signed in
        except DomainError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """The audit log has it."""

    @admin.action(description=_("Switch on again, with the reason"))
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Halt]) -> None:
        self.do_each(request, queryset, lambda halt, why: switches.switch_on(request.user, Part(halt.part), why))  # type: ignore[arg-type]  # signed in
