"""Challenges in the admin site: everything is read-only, and every action is a service. Rules: docs/rules/pvp.md."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from pvp.models import Challenge, Settlement, Stake, Terms, Winnings
from pvp.services import operators, settlement
from tradingarena.core.admin_pages import ReadOnlyAdmin, ReasonActionForm


class Shown(admin.TabularInline):  # type: ignore[type-arg]  # generic for the stubs alone
    """Rows of a challenge, for reading."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TermsInline(Shown):
    model = Terms
    exclude = ("digest",)


class StakeInline(Shown):
    model = Stake
    exclude = ("reason",)


class SettlementInline(Shown):
    model = Settlement


@admin.register(Challenge)
class ChallengeAdmin(ReadOnlyAdmin):
    """Challenges with their terms, stakes and settlement; an operator may call one off."""

    action_form = ReasonActionForm
    actions: ClassVar[Sequence[str]] = ["call_off"]
    list_display = ("__str__", "status", "version", "outcome", "winner", "competition", "created_at", "closed_at")
    list_filter = ("status", "outcome", "created_at")
    list_select_related = ("challenger", "invitee", "winner", "competition")
    search_fields = ("id", "challenger__username", "invitee__username", "competition__slug")
    exclude = ("invite_code", "invitee_email")
    inlines = (TermsInline, StakeInline, SettlementInline)

    @admin.action(description=_("Call off and give the stakes back, with the reason"))
    def call_off(self, request: HttpRequest, queryset: QuerySet[Challenge]) -> None:
        self.do_each(request, queryset, lambda row, why: operators.challenge_call_off(request.user, row.pk, why))


@admin.register(Winnings)
class WinningsAdmin(ReadOnlyAdmin):
    """Money won in challenges: approved, then paid by hand."""

    action_form = ReasonActionForm
    actions: ClassVar[Sequence[str]] = ["approve", "note_paid", "note_failed"]
    list_display = ("challenge", "user", "amount_cents", "status", "note", "created_at")
    list_filter = ("status", "created_at")
    list_select_related = ("challenge__challenger", "challenge__invitee", "user")
    search_fields = ("user__username", "challenge__id")

    @admin.action(description=_("Approve"))
    def approve(self, request: HttpRequest, queryset: QuerySet[Winnings]) -> None:
        self._move(request, queryset, "approved")

    @admin.action(description=_("Note as paid, with how"))
    def note_paid(self, request: HttpRequest, queryset: QuerySet[Winnings]) -> None:
        self._move(request, queryset, "paid")

    @admin.action(description=_("Note as failed, with why"))
    def note_failed(self, request: HttpRequest, queryset: QuerySet[Winnings]) -> None:
        self._move(request, queryset, "failed")

    def _move(self, request: HttpRequest, queryset: QuerySet[Winnings], to: str) -> None:
        self.do_each(request, queryset, lambda row, why: settlement.winnings_move(request.user, row.pk, to, why))
