"""What people are given and who leads, in the admin site: to be read. Nothing here is edited by hand.

Rules: docs/rules/economy.md.
"""

from collections.abc import Sequence
from typing import ClassVar

from django.contrib import admin

from tokens.models import BoardRow, DailyBonus, Referral
from tradingarena.core.admin_pages import ReadOnlyAdmin


@admin.register(DailyBonus)
class DailyBonusAdmin(ReadOnlyAdmin):
    """Which bonuses were claimed."""

    list_display = ("user", "day", "streak", "tokens", "claimed_at")
    list_filter = ("day",)
    list_select_related = ("user",)
    search_fields = ("user__username", "user__email")


@admin.register(Referral)
class ReferralAdmin(ReadOnlyAdmin):
    """Who brought whom, and why some were not rewarded."""

    list_display = ("referrer", "referee", "status", "reason", "tokens", "created_at", "decided_at")
    list_filter = ("status", "reason", "created_at")
    list_select_related = ("referrer", "referee")
    search_fields = ("id", "referrer__username", "referee__username")


@admin.register(BoardRow)
class BoardRowAdmin(ReadOnlyAdmin):
    """The lines of the leaderboards."""

    list_display: ClassVar[Sequence[str]] = ("board", "period", "starts_on", "user", "score", "items", "wins")
    list_filter = ("board", "period")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    ordering = ("board", "period", "-starts_on", "-score")
