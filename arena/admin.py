"""Listings in the admin site: changed by the doors, with an audit row each. Rules: docs/rules/arena.md#listings."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.rules import roles
from arena.models import Admission, Listing
from arena.services import listings
from competitions.admin import ReadOnlyAdmin
from competitions.models import Competition
from tradingarena.core.errors import DomainError

roles.grant_moderators("arena.view_listing", "arena.view_admission")


class ListingForm(forms.ModelForm):
    """A listing's settings; what must hold between them is judged by the model, as everywhere."""

    class Meta:
        model = Listing
        fields = ("competition", *sorted(listings.SETTINGS))

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        gated, cost = values.get("mode") == Listing.Mode.TOKEN_GATED, values.get("spectator_token_cost", 0)
        if gated and not cost:
            self.add_error("spectator_token_cost", ValidationError(_("Say what a pass costs."), code="cost_missing"))
        elif not gated:
            values["spectator_token_cost"] = 0
        return values


@admin.register(Listing)
class ListingAdmin(ReadOnlyAdmin):
    """How contests are shown: mode, delay, betting limits, and what is featured."""

    form = ListingForm
    actions: ClassVar[Sequence[str]] = ["feature", "feature_no_more", "close"]
    list_display = ("competition", "status", "mode", "spectator_token_cost", "delay_s", "featured", "viewers", "watch")
    list_filter = ("mode", "featured", "bets_allowed", "competition__status")
    list_select_related = ("competition",)
    search_fields = ("competition__title", "competition__slug", "id")
    readonly_fields = ("invitation",)
    fieldsets = (
        (None, {"fields": ("competition", "mode", "spectator_token_cost", "delay_s", "featured", "invitation")}),
        (
            _("Bet-behind"),
            {
                "fields": (
                    "bets_allowed",
                    ("min_stake_tokens", "max_stake_tokens"),
                    "bet_lock_bps",
                    "bet_thresholds_bps",
                    "bet_rake_bps",
                )
            },
        ),
    )

    @admin.display(description=_("contest is"))
    def status(self, listing: Listing) -> str:
        return str(listing.competition.get_status_display())

    @admin.display(description=_("page"))
    def watch(self, listing: Listing) -> str:
        return format_html('<a href="{}">{}</a>', reverse("arena:session", args=[listing.competition.slug]), _("watch"))

    @admin.display(description=_("invitation"))
    def invitation(self, listing: Listing) -> str:
        if listing._state.adding:
            return "-"
        return f"{reverse('arena:session', args=[listing.competition.slug])}?invite={listing.invite_code}"

    def get_readonly_fields(self, request: HttpRequest, obj: Listing | None = None) -> Sequence[str]:
        return self.readonly_fields if obj is None else ("competition", *self.readonly_fields)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest | None, **kwargs: Any) -> Any:
        if db_field.name == "competition":
            kwargs["queryset"] = Competition.objects.exclude(pk__in=Listing.objects.values("competition_id"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def save_model(self, request: HttpRequest, obj: Listing, form: Any, change: bool) -> None:
        """Store through the doors, so that audit log and open sockets are seen to as everywhere."""
        settings = {name: form.cleaned_data[name] for name in listings.SETTINGS}
        if change:
            listings.listing_change(request.user, obj.pk, **settings)
        else:
            stored = listings.listing_make(request.user, obj.competition_id, **settings)
            obj.pk = stored.pk

    @admin.action(description=_("Feature"))
    def feature(self, request: HttpRequest, queryset: QuerySet[Listing]) -> None:
        self._each(request, queryset, featured=True)

    @admin.action(description=_("Feature no more"))
    def feature_no_more(self, request: HttpRequest, queryset: QuerySet[Listing]) -> None:
        self._each(request, queryset, featured=False)

    @admin.action(description=_("Close to spectators, at once"))
    def close(self, request: HttpRequest, queryset: QuerySet[Listing]) -> None:
        self._each(request, queryset, mode=Listing.Mode.CLOSED)

    def _each(self, request: HttpRequest, queryset: QuerySet[Listing], **settings: Any) -> None:
        for listing in queryset:
            try:
                listings.listing_change(request.user, listing.pk, **settings)
            except DomainError as refusal:
                self.message_user(request, f"{listing}: {refusal.message}", messages.ERROR)


@admin.register(Admission)
class AdmissionAdmin(ReadOnlyAdmin):
    """Who was let in to watch what, and what they paid."""

    list_display = ("listing", "user", "kind", "paid_tokens", "admitted_at")
    list_filter = ("kind", "admitted_at")
    list_select_related = ("listing__competition", "user")
    search_fields = ("user__username", "listing__competition__title", "listing__competition__slug", "id")
