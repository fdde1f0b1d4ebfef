"""Bets in the admin site: read-only rows, markets that are voided with a reason, pauses. Rules: docs/rules/bet-behind.md."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.rules import roles
from betting.models import Bet, Market, Pause, Settlement
from betting.services.pauses import pause_begin, pause_end
from betting.services.settlement import market_void
from tradingarena.core.admin_pages import ReadOnlyAdmin, ReasonActionForm
from tradingarena.core.errors import DomainError

roles.grant_moderators("betting.view_market", "betting.view_bet", "betting.view_settlement", "betting.view_pause")


@admin.register(Market)
class MarketAdmin(ReadOnlyAdmin):
    """Markets on traders; an operator may void one, which gives every bet back."""

    action_form = ReasonActionForm
    actions: ClassVar[Sequence[str]] = ["void"]
    list_display = ("trader", "competition", "status", "void_reason", "locks_at", "closed_at", "page")
    list_filter = ("status", "void_reason")
    list_select_related = ("trader", "competition")
    search_fields = ("id", "trader__username", "competition__title", "competition__slug")

    @admin.display(description=_("page"))
    def page(self, market: Market) -> str:
        return format_html('<a href="{}">{}</a>', reverse("betting:receipt", args=[market.pk]), _("open"))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found: dict[str, Any] = super().get_actions(request)
        if not request.user.is_superuser:
            found.pop("void", None)
        return found

    @admin.action(description=_("Void, with the reason: give every bet back"))
    def void(self, request: HttpRequest, markets: QuerySet[Market]) -> None:
        """Give back every bet on the chosen traders."""
        self.do_each(request, markets, lambda market, reason: market_void(request.user, market.pk, reason))  # type: ignore[arg-type]  # signed in


@admin.register(Bet)
class BetAdmin(ReadOnlyAdmin):
    """Every bet and what it received."""

    list_display = ("placed_at", "user", "market", "line", "side", "stake_tokens", "weight_bps", "received")
    list_filter = ("side",)
    list_select_related = ("user", "market", "line", "result")
    search_fields = ("id", "user__username", "market__id", "market__trader__username")
    ordering = ("-placed_at",)

    @admin.display(description=_("received"))
    def received(self, bet: Bet) -> str:
        result = getattr(bet, "result", None)
        return "-" if result is None else f"{result.pay_tokens:,}"


@admin.register(Settlement)
class SettlementAdmin(ReadOnlyAdmin):
    """What became of each line, and what decided it."""

    list_display = ("settled_at", "market", "line", "right_side", "reason", "bets", "total_tokens", "rake_tokens")
    list_filter = ("right_side", "reason")
    list_select_related = ("market", "line")
    search_fields = ("id", "market__id", "market__trader__username")
    ordering = ("-settled_at",)


class PauseForm(forms.ModelForm):
    """Where betting stops, and why."""

    class Meta:
        model = Pause
        fields = ("competition", "reason")


@admin.register(Pause)
class PauseAdmin(ReadOnlyAdmin):
    """Stopping bets on one contest, or everywhere; a pause is ended, never deleted."""

    form = PauseForm
    actions: ClassVar[Sequence[str]] = ["end"]
    list_display = ("began_at", "competition", "reason", "began_by", "ended_at", "ended_by")
    list_select_related = ("competition", "began_by", "ended_by")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found: dict[str, Any] = super().get_actions(request)
        if not request.user.is_superuser:
            found.pop("end", None)
        return found

    def save_model(self, request: HttpRequest, obj: Pause, form: Any, change: bool) -> None:
        """Begin the pause through its door."""
        where = form.cleaned_data["competition"]
        try:
            begun = pause_begin(request.user, where.pk if where else None, form.cleaned_data["reason"])  # type: ignore[arg-type]  # signed in
        except DomainError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
        else:
            obj.pk = begun.pk

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """The audit log has it."""

    @admin.action(description=_("Let bets be taken again"))
    def end(self, request: HttpRequest, pauses: QuerySet[Pause]) -> None:
        """End the chosen pauses."""
        self.do_each(request, pauses, lambda pause, _reason: pause_end(request.user, pause.pk))  # type: ignore[arg-type]  # signed in
