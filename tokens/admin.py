"""Value in the admin site: everything can be read, history cannot be touched, and what operators do goes through doors.

Rules: docs/operations.md#money.
"""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.models import User
from tokens import admin_economy
from tokens.models import (
    Account,
    Adjustment,
    Dispute,
    Fulfilment,
    Leg,
    Payment,
    Refund,
    StripeEvent,
    TokenPackage,
    Transfer,
)
from tokens.services import desk, payments, refunds, stripe_events
from tradingarena.core.admin_pages import ReadOnlyAdmin, ReasonActionForm

__all__ = ["admin_economy"]  # registers its own pages


def dollars(cents: int) -> str:
    """Write cents as dollars."""
    return f"${cents / 100:,.2f}"


class PersonFilter(admin.SimpleListFilter):
    """Narrows accounts to those of people, or of the house."""

    title, parameter_name = _("state"), "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("frozen", _("frozen")), ("owing", _("owing")), ("nonzero", _("not empty"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Account]) -> QuerySet[Account]:
        which = {
            "frozen": Q(frozen_at__isnull=False),
            "owing": Q(debt_tokens__gt=0),
            "nonzero": ~Q(balance_tokens=0),
        }.get(self.value() or "")
        return queryset.filter(which) if which is not None else queryset


def people_matching(term: str) -> list[UUID]:
    """Find people by name or address, as the search boxes of this page take them."""
    found = User.objects.filter(Q(username__icontains=term) | Q(email__icontains=term.lower()))
    return list(found.values_list("pk", flat=True)[:200])


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """Who has how many tokens; wallets are frozen and thawed here, with a reason."""

    action_form = ReasonActionForm
    actions: ClassVar[Sequence[str]] = ["freeze", "thaw"]
    list_display = (
        "holder",
        "kind",
        "balance",
        "debt_tokens",
        "lifetime_earned_tokens",
        "lifetime_spent_tokens",
        "frozen_at",
    )
    list_filter = ("kind", PersonFilter)
    search_fields = ("id", "owner_id", "name")
    ordering = ("kind", "-balance_tokens")
    readonly_fields = ("holder", "balance", "legs")
    exclude = ("chain",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        held = Leg.objects.filter(account=OuterRef("pk")).order_by().values("account").annotate(n=Sum("amount_tokens"))
        return super().get_queryset(request).annotate(held=held.values("n"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Account], search_term: str
    ) -> tuple[QuerySet[Account], bool]:
        found, repeats = super().get_search_results(request, queryset, search_term)
        if search_term.strip():
            found |= queryset.filter(owner_id__in=people_matching(search_term.strip()))
        return found, repeats

    @admin.display(description=_("holder"), ordering="owner_id")
    def holder(self, account: Account) -> str:
        if account.kind in {Account.Kind.WALLET, Account.Kind.DEBT}:
            person = User.objects.filter(pk=account.owner_id).first()
            if person is not None:
                return format_html(
                    '<a href="{}">{}</a>', reverse("admin:accounts_user_change", args=[person.pk]), person
                )
        return f"{account.name} {account.owner_id or ''}"

    @admin.display(description=_("balance"), ordering="balance_tokens")
    def balance(self, account: Any) -> str:
        return f"{account.held or 0:,}"

    @admin.display(description=_("last legs"))
    def legs(self, account: Account) -> str:
        last = account.legs.select_related("transfer").order_by("-id")[:50]
        rows = (
            (leg.transfer.created_at.strftime("%Y-%m-%d %H:%M:%S"), leg.transfer.kind, f"{leg.amount_tokens:+,}",
             "" if leg.balance_after_tokens is None else f"{leg.balance_after_tokens:,}",
             reverse("admin:tokens_transfer_change", args=[leg.transfer_id]), leg.transfer.reason)
            for leg in last
        )  # fmt: skip
        body = format_html_join(
            "", '<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td><a href="{}">{}</a></td></tr>', rows
        )
        return format_html("<table>{}</table>", body)

    @admin.action(description=_("Freeze spending, with the reason"))
    def freeze(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        self.do_each(
            request, self._wallets(queryset), lambda row, why: desk.wallet_freeze(request.user, row.owner_id, why)
        )

    @admin.action(description=_("Let spend again, with the reason"))
    def thaw(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        self.do_each(
            request, self._wallets(queryset), lambda row, why: desk.wallet_thaw(request.user, row.owner_id, why)
        )

    def _wallets(self, queryset: QuerySet[Account]) -> QuerySet[Account]:
        return queryset.filter(kind=Account.Kind.WALLET)


class LegInline(admin.TabularInline):
    """The legs of a transfer."""

    model = Leg
    extra = 0
    can_delete = False
    fields = ("account", "amount_tokens", "number", "balance_after_tokens")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    """What moved, why, and what caused it."""

    list_display = ("created_at", "kind", "amount", "reason", "reference_type", "reference_id", "actor")
    list_filter = ("kind", "reference_type", "created_at")
    list_select_related = ("actor",)
    search_fields = ("id", "reference_id", "reason")
    inlines = (LegInline,)
    exclude = ("digest",)
    ordering = ("-created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transfer]:
        return (
            super()
            .get_queryset(request)
            .annotate(amount_moved=Sum("legs__amount_tokens", filter=Q(legs__amount_tokens__gt=0)))
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Transfer], search_term: str
    ) -> tuple[QuerySet[Transfer], bool]:
        found, repeats = super().get_search_results(request, queryset, search_term)
        if "@" in search_term:
            theirs = Leg.objects.filter(
                transfer=OuterRef("pk"), account__owner_id__in=people_matching(search_term.strip())
            )
            found |= queryset.filter(Exists(theirs))
        return found, repeats

    @admin.display(description=_("tokens"))
    def amount(self, row: Any) -> str:
        return f"{row.amount_moved or 0:,}"


class RowInline(admin.TabularInline):
    """Rows of a payment, to be read."""

    extra = 0
    can_delete = False
    show_change_link = True

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence[str]:
        return tuple(self.fields or ())  # a moment that the database sets is no field of a form

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class RefundInline(RowInline):
    model = Refund
    fields = ("created_at", "amount_cents", "status", "cause", "reason", "provider_ref")


class DisputeInline(RowInline):
    model = Dispute
    fields = ("opened_at", "amount_cents", "status", "provider_status", "reason")


class FulfilmentInline(RowInline):
    model = Fulfilment
    fields = ("at", "session_id", "transfer_id")
    show_change_link = False


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    """Card payments: found by address, session, payment or id; looked at anew and refunded here."""

    action_form = ReasonActionForm
    actions: ClassVar[Sequence[str]] = ["look_again", "refund"]
    list_display = ("created_at", "user", "description", "price", "status", "refunded", "purpose", "note")
    list_filter = ("status", "purpose", "created_at", "disputes__status")
    list_select_related = ("user",)
    search_fields = (
        "id",
        "session_id",
        "payment_intent",
        "user__email",
        "user__username",
        "reference_id",
        "refunds__provider_ref",
        "disputes__id",
    )
    inlines = (FulfilmentInline, RefundInline, DisputeInline)
    readonly_fields = ("events",)

    @admin.display(description=_("price"), ordering="amount_cents")
    def price(self, row: Payment) -> str:
        return dollars(row.amount_cents)

    @admin.display(description=_("refunded"), ordering="refunded_cents")
    def refunded(self, row: Payment) -> str:
        return dollars(row.refunded_cents) if row.refunded_cents else ""

    @admin.display(description=_("what the provider told"))
    def events(self, row: Payment) -> str:
        told = StripeEvent.objects.filter(payment_id=row.pk).order_by("created_at")
        rows = (
            (
                f"{one.created_at:%Y-%m-%d %H:%M:%S}",
                reverse("admin:tokens_stripeevent_change", args=[one.pk]),
                one.type,
                one.effect,
            )
            for one in told
        )
        line = '<tr><td>{}</td><td><a href="{}">{}</a></td><td>{}</td></tr>'
        return format_html("<table>{}</table>", format_html_join("", line, rows))

    @admin.action(description=_("Ask the provider how it stands"))
    def look_again(self, request: HttpRequest, queryset: QuerySet[Payment]) -> None:
        self.do_each(request, queryset, lambda row, why: payments.payment_settle(row.pk, deep=True))

    @admin.action(description=_("Refund what is left, with the reason"))
    def refund(self, request: HttpRequest, queryset: QuerySet[Payment]) -> None:
        self.do_each(request, queryset, lambda row, why: refunds.payment_refund(request.user, row.pk, why))


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    """Money on its way back."""

    list_display = ("created_at", "payment", "amount", "status", "cause", "reason", "attempts", "next_try_at")
    list_filter = ("status", "created_at")
    list_select_related = ("payment__user",)
    search_fields = ("id", "provider_ref", "payment__id", "payment__user__email", "payment__user__username")

    @admin.display(description=_("amount"), ordering="amount_cents")
    def amount(self, row: Refund) -> str:
        return dollars(row.amount_cents)


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    """Objections of cardholders."""

    list_display = ("opened_at", "payment", "amount_cents", "status", "reason", "closed_at")
    list_filter = ("status", "opened_at")
    list_select_related = ("payment__user",)
    search_fields = ("id", "payment__id", "payment__user__email", "payment__user__username")


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnlyAdmin):
    """What the payment provider told us, and what it changed."""

    actions: ClassVar[Sequence[str]] = ["work_again"]
    list_display = ("received_at", "type", "object_id", "status", "effect", "source", "attempts")
    list_filter = ("status", "type", "source", "received_at")
    search_fields = ("id", "object_id", "session_id", "payment_id")

    @admin.action(description=_("Work on it again"))
    def work_again(self, request: HttpRequest, queryset: QuerySet[StripeEvent]) -> None:
        self.do_each(request, queryset, lambda row, why: stripe_events.event_process(row.pk))


class PackageForm(forms.ModelForm):
    """A package; what exists keeps its slug, so that payments go on to say what was bought."""

    class Meta:
        model = TokenPackage
        fields = ("slug", "tokens", "bonus_tokens", "price_cents", "active", "position")


@admin.register(TokenPackage)
class TokenPackageAdmin(admin.ModelAdmin):
    """What is sold. Payments that exist keep what was agreed."""

    form = PackageForm
    list_display = ("slug", "tokens", "bonus_tokens", "price", "active", "position")

    @admin.display(description=_("price"), ordering="price_cents")
    def price(self, row: TokenPackage) -> str:
        return dollars(row.price_cents)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("slug",) if obj else ()

    def save_model(self, request: HttpRequest, obj: TokenPackage, form: Any, change: bool) -> None:
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            new = {name: form.cleaned_data[name] for name in form.changed_data if name in form.cleaned_data}
            audit.record(request.user, "package.changed" if change else "package.added", obj, new=new)


class AdjustmentForm(forms.ModelForm):
    """An adjustment to be asked for: whose wallet, how many tokens, why."""

    person = forms.CharField(max_length=254, help_text=_("username or e-mail address"))

    class Meta:
        model = Adjustment
        fields = ("person", "amount_tokens", "reason")

    def clean_amount_tokens(self) -> int:
        amount: int = self.cleaned_data["amount_tokens"]
        if not amount or abs(amount) > desk.LARGEST_ADJUSTMENT:
            raise ValidationError(_("An adjustment moves 1 to 10,000,000 tokens; a minus sign takes them."))
        return amount

    def clean_person(self) -> User:
        term = self.cleaned_data["person"].strip()
        found = User.objects.filter(Q(username__iexact=term) | Q(email=term.lower())).first()
        if found is None:
            raise ValidationError(_("There is no such person."))
        return found


@admin.register(Adjustment)
class AdjustmentAdmin(ReadOnlyAdmin):
    """Tokens given or taken by hand: asked for by one operator, decided by another."""

    form = AdjustmentForm
    action_form = ReasonActionForm
    actions: ClassVar[Sequence[str]] = ["approve", "reject"]
    list_display = (
        "created_at",
        "user",
        "amount_tokens",
        "reason",
        "status",
        "requested_by",
        "decided_by",
        "decided_at",
    )
    list_filter = ("status", "created_at")
    list_select_related = ("user", "requested_by", "decided_by")
    search_fields = ("id", "user__username", "user__email", "reason")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def save_model(self, request: HttpRequest, obj: Adjustment, form: Any, change: bool) -> None:
        """Ask through the door, so that reason and audit row are the same as everywhere."""
        wanted = form.cleaned_data
        asked = desk.adjustment_request(request.user, wanted["person"].pk, wanted["amount_tokens"], wanted["reason"])
        obj.__dict__.update(asked.__dict__)

    @admin.action(description=_("Approve: the tokens move"))
    def approve(self, request: HttpRequest, queryset: QuerySet[Adjustment]) -> None:
        self.do_each(
            request, queryset, lambda row, why: desk.adjustment_decide(request.user, row.pk, approve=True, reason=why)
        )

    @admin.action(description=_("Reject, with the reason"))
    def reject(self, request: HttpRequest, queryset: QuerySet[Adjustment]) -> None:
        self.do_each(
            request, queryset, lambda row, why: desk.adjustment_decide(request.user, row.pk, approve=False, reason=why)
        )
