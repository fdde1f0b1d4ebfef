"""Contests and trading in the admin site: contests are made and changed by the doors, everything else is read-only.

Rules: docs/rules/competitions.md, docs/operations.md#contests.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, Model, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.rules import roles
from competitions.engine.instruments import INSTRUMENTS
from competitions.models import (
    Amendment,
    BuyIn,
    Competition,
    Deal,
    Entry,
    Fill,
    Order,
    Payout,
    Position,
    Schedule,
    ScheduledContest,
    Trade,
)
from competitions.services import drafts, lifecycle, prizes, schedules, steps, terms
from tradingarena.core.admin_pages import ReadOnlyAdmin, ReasonActionForm
from tradingarena.core.clock import database_now

roles.grant_moderators("competitions.view_competition", "competitions.view_entry")

PLAIN_FIELDS = ("title", "description", "kind", "starts_at", "ends_at", "pairs")
ENTRY_FIELDS = (
    "min_entries",
    "max_entries",
    "late_join_bps",
    "invite_code",
    "min_account_age_h",
    "max_linked_entries",
    "blocked_countries",
    "bots_allowed",
    "bots_only",
)
MONEY_FIELDS = ("buy_in_cents", "entry_tokens", "rake_bps", "prize_split_bps", "reward_tokens", "objection_s")
EDITABLE = (Competition.Status.DRAFT, Competition.Status.OPEN)


class CompetitionForm(forms.ModelForm):
    """A contest's terms. What must hold is judged by `services/terms.py`, as over REST."""

    pairs = forms.MultipleChoiceField(
        choices=[(pair, pair) for pair in INSTRUMENTS], initial=["EUR/USD"], widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Competition
        fields = sorted(terms.FIELDS)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if self.errors:
            return values
        adding = self.instance._state.adding
        if not adding and set(self.changed_data) - terms.WORDS and self.instance.entries.exists():
            raise ValidationError(steps.RulesFrozen.message, code=steps.RulesFrozen.code)
        candidate = Competition(**{name: values[name] for name in terms.FIELDS})
        for problem in terms.problems(candidate, fed=steps.fed_pairs(), now=database_now()):
            if adding or problem.field in self.changed_data:
                self.add_error(problem.field, ValidationError(problem.detail, code=problem.code))
        return values


@admin.register(Competition)
class CompetitionAdmin(ReadOnlyAdmin):
    """Contests: made and changed while nobody has joined, opened and cancelled by action, with a reason."""

    form = CompetitionForm
    action_form = ReasonActionForm
    actions: ClassVar[Sequence[str]] = ["open_for_entries", "copy", "close_early", "cancel"]
    list_display = ("title", "status", "kind", "starts_at", "ends_at", "entrants", "cost", "host")
    list_filter = ("status", "kind", "drawdown_rule", "starts_at")
    list_select_related = ("host",)
    search_fields = ("title", "slug", "id", "host__username")
    date_hierarchy = "starts_at"
    fieldsets = (
        (None, {"fields": PLAIN_FIELDS}),
        (_("Entry"), {"fields": ENTRY_FIELDS}),
        (_("Money"), {"fields": MONEY_FIELDS}),
        (_("Trading"), {"fields": sorted(terms.FIELDS - {*PLAIN_FIELDS, *ENTRY_FIELDS, *MONEY_FIELDS})}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Competition]:
        on_board = ~Q(entries__status=Entry.Status.WITHDRAWN)
        return super().get_queryset(request).annotate(entrants_found=Count("entries", filter=on_board))

    @admin.display(description=_("entrants"), ordering="entrants_found")
    def entrants(self, contest: Any) -> str:
        return (
            f"{contest.entrants_found} / {contest.max_entries}" if contest.max_entries else str(contest.entrants_found)
        )

    @admin.display(description=_("entry"))
    def cost(self, contest: Competition) -> str:
        if contest.buy_in_cents:
            return f"${contest.buy_in_cents / 100:,.2f}"
        return f"{contest.entry_tokens} tokens" if contest.entry_tokens else str(_("free"))

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        editable = obj is None or (isinstance(obj, Competition) and obj.status in EDITABLE)
        return bool(request.user.is_superuser) and editable

    def save_model(self, request: HttpRequest, obj: Competition, form: Any, change: bool) -> None:
        """Store through the doors, so that freezing, slug and audit log are the same as everywhere."""
        values = {name: form.cleaned_data[name] for name in terms.FIELDS}
        if change:
            drafts.competition_update(request.user, obj.pk, **values)
        else:
            stored = drafts.competition_create(request.user, **values)
            obj.pk, obj.slug = stored.pk, stored.slug

    @admin.action(description=_("Open for entries"))
    def open_for_entries(self, request: HttpRequest, queryset: QuerySet[Competition]) -> None:
        self.do_each(request, queryset, lambda row, why: _step(request, row, "open", why))

    @admin.action(description=_("Copy as a draft of next week"))
    def copy(self, request: HttpRequest, queryset: QuerySet[Competition]) -> None:
        self.do_each(request, queryset, lambda row, why: drafts.competition_copy(request.user, row.pk))

    @admin.action(description=_("Close early, with the reason: it ends in ten seconds and is settled"))
    def close_early(self, request: HttpRequest, queryset: QuerySet[Competition]) -> None:
        self.do_each(request, queryset, lambda row, why: lifecycle.close_early(request.user, row.pk, why))

    @admin.action(description=_("Cancel, with the reason; what was paid goes back"))
    def cancel(self, request: HttpRequest, queryset: QuerySet[Competition]) -> None:
        self.do_each(request, queryset, lambda row, why: _step(request, row, "cancelled", why))


def _step(request: HttpRequest, contest: Competition, to: str, why: str) -> None:
    lifecycle.competition_transition(request.user, contest.pk, to, why)


class ScheduleForm(forms.ModelForm):
    """When contests come again."""

    weekdays = forms.TypedMultipleChoiceField(
        choices=Schedule.Weekday.choices, coerce=int, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Schedule
        fields = schedules.FIELDS


class ScheduledContestInline(admin.TabularInline):  # type: ignore[type-arg]  # generic for the stubs alone
    """What a schedule has made."""

    model = ScheduledContest
    fields = readonly_fields = ("starts_at", "competition", "made_at")
    extra, max_num, can_delete = 0, 0, False
    show_change_link = False


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    """Contests that come again: which contest is the model, on which days, when; what was made, and what went wrong."""

    form = ScheduleForm
    inlines: ClassVar[Sequence[type]] = [ScheduledContestInline]
    list_display = ("title", "model", "days", "starts_at", "next_start", "enabled", "last_trouble")
    list_filter = ("enabled",)
    list_select_related = ("model",)
    search_fields = ("title", "model__title", "model__slug")
    autocomplete_fields = ("model",)

    @admin.display(description=_("days"))
    def days(self, row: Schedule) -> str:
        return ", ".join(str(Schedule.Weekday(day).label)[:3] for day in sorted(row.weekdays))

    @admin.display(description=_("next one (UTC)"))
    def next_start(self, row: Schedule) -> str:
        return f"{schedules.next_start(row):%a %d %b, %H:%M}" if row.enabled else ""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def save_model(self, request: HttpRequest, obj: Schedule, form: Any, change: bool) -> None:
        """Store through the door, so that it is audited and refused as everywhere."""
        schedules.schedule_save(request.user, obj)


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    """Who is in which contest, and how it stands or ended."""

    action_form = ReasonActionForm
    actions: ClassVar[Sequence[str]] = ["disqualify"]
    list_display = (
        "user",
        "competition",
        "number",
        "status",
        "rank",
        "cash_cents",
        "final_equity_cents",
        "fills_count",
        "joined_at",
    )
    list_filter = ("status", "competition__status", "joined_at")
    list_select_related = ("user", "competition")
    search_fields = ("user__username", "competition__title", "competition__slug", "id", "dq_reason")

    @admin.action(description=_("Disqualify, with the reason"))
    def disqualify(self, request: HttpRequest, queryset: QuerySet[Entry]) -> None:
        self.do_each(request, queryset, lambda entry, why: prizes.disqualify(request.user, entry.pk, why))


class TradingAdmin(ReadOnlyAdmin):
    """Rows of somebody's trading, found by the trader, the contest or an id."""

    search_fields = ("entry__user__username", "entry__competition__slug", "id")
    list_select_related = ("entry__user", "entry__competition")

    @admin.display(description=_("trader"), ordering="entry__user__username")
    def trader(self, row: Any) -> str:
        return str(row.entry.user)

    @admin.display(description=_("contest"))
    def contest(self, row: Any) -> str:
        return str(row.entry.competition)


@admin.register(Order)
class OrderAdmin(TradingAdmin):
    """Why was this order not filled? Its status, its reason, and when it was decided."""

    list_display = (
        "accepted_at",
        "trader",
        "contest",
        "side",
        "units",
        "pair",
        "type",
        "price",
        "status",
        "reason",
        "decided_at",
    )
    list_filter = ("status", "type", "reason", "pair", "accepted_at")


@admin.register(Amendment)
class AmendmentAdmin(TradingAdmin):
    """What traders and operators asked to change."""

    list_display = ("accepted_at", "trader", "contest", "kind", "status", "reason", "decided_at")
    list_filter = ("kind", "status", "accepted_at")


@admin.register(Fill)
class FillAdmin(TradingAdmin):
    """At which quote, by which rule, under which epoch of the engine?"""

    list_display = (
        "filled_at",
        "trader",
        "contest",
        "side",
        "units",
        "pair",
        "price",
        "rule",
        "quote",
        "quote_age_ms",
        "source",
    )
    list_filter = ("rule", "pair", "source", "filled_at")
    search_fields = (*TradingAdmin.search_fields, "order__id", "quote_id")

    @admin.display(description=_("bid / ask"))
    def quote(self, fill: Fill) -> str:
        return format_html("{} / {}", fill.bid, fill.ask)


@admin.register(Deal)
class DealAdmin(TradingAdmin):
    """What each deal did to the cash, and at which conversion rate."""

    list_display = (
        "at",
        "trader",
        "contest",
        "direction",
        "side",
        "units",
        "pair",
        "price",
        "pnl_cents",
        "cash_after_cents",
        "conversion_rate",
    )
    list_filter = ("direction", "pair", "at")
    search_fields = (*TradingAdmin.search_fields, "fill__id", "trade__id")


@admin.register(Trade)
class TradeAdmin(TradingAdmin):
    """Positions from flat to flat."""

    list_display = (
        "opened_at",
        "closed_at",
        "trader",
        "contest",
        "side",
        "pair",
        "opened_units",
        "pnl_cents",
        "close_reason",
    )
    list_filter = ("pair", "close_reason", "opened_at")


@admin.register(Position)
class PositionAdmin(TradingAdmin):
    """What everybody holds now."""

    list_display = ("trader", "contest", "pair", "units", "stop_loss", "take_profit", "opened_at")
    list_filter = ("pair",)


@admin.register(BuyIn)
class BuyInAdmin(ReadOnlyAdmin):
    """What was paid to enter, and what became of it."""

    list_display = ("created_at", "user", "competition", "price", "status", "disputed", "reason", "payment_link")
    list_filter = ("status", "disputed", "created_at")
    list_select_related = ("user", "competition")
    search_fields = (
        "id",
        "user__username",
        "user__email",
        "competition__slug",
        "competition__title",
        "payment__id",
        "payment__session_id",
    )

    @admin.display(description=_("price"))
    def price(self, row: BuyIn) -> str:
        return f"${row.amount_cents / 100:,.2f}" if row.amount_cents else f"{row.amount_tokens:,} tokens"

    @admin.display(description=_("payment"))
    def payment_link(self, row: BuyIn) -> str:
        if row.payment_id is None:
            return ""
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:tokens_payment_change", args=[row.payment_id]), row.payment_id
        )


@admin.register(Payout)
class PayoutAdmin(ReadOnlyAdmin):
    """Prizes: money is approved here after the objection window, paid by hand, and noted as paid; tokens were credited already."""

    action_form = ReasonActionForm
    actions: ClassVar[Sequence[str]] = ["approve", "mark_paid", "mark_failed"]
    list_display = ("competition", "place", "user", "money", "tokens", "status", "disputed", "note", "created_at")
    list_filter = ("status", "competition__status", "created_at")
    list_select_related = ("competition", "user", "entry")
    search_fields = ("user__username", "user__email", "competition__title", "competition__slug", "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payout]:
        disputed = BuyIn.objects.filter(entry=OuterRef("entry"), disputed=True)
        return super().get_queryset(request).annotate(buy_in_disputed=Exists(disputed))

    @admin.display(description=_("money"), ordering="amount_cents")
    def money(self, row: Payout) -> str:
        return f"${row.amount_cents / 100:,.2f}" if row.amount_cents else ""

    @admin.display(description=_("tokens"))
    def tokens(self, row: Payout) -> str:
        return f"{row.amount_tokens + row.reward_tokens:,}" if row.amount_tokens or row.reward_tokens else ""

    @admin.display(description=_("disputed"), boolean=True)
    def disputed(self, row: Any) -> bool:
        return bool(row.buy_in_disputed)

    @admin.action(description=_("Approve"))
    def approve(self, request: HttpRequest, queryset: QuerySet[Payout]) -> None:
        self._move(request, queryset, "approved")

    @admin.action(description=_("Note as paid"))
    def mark_paid(self, request: HttpRequest, queryset: QuerySet[Payout]) -> None:
        self._move(request, queryset, "paid")

    @admin.action(description=_("Note as failed, with the reason"))
    def mark_failed(self, request: HttpRequest, queryset: QuerySet[Payout]) -> None:
        self._move(request, queryset, "failed")

    def _move(self, request: HttpRequest, queryset: QuerySet[Payout], to: str) -> None:
        self.do_each(request, queryset, lambda payout, why: prizes.payout_move(request.user, payout.pk, to, why))
