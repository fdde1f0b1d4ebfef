"""What the admin pages of every app share: rows that nobody edits by hand, and actions that put rows through a door.

Which rows and doors there are is in each app's `admin.py`. Rules: docs/operations.md.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tradingarena.core.errors import DomainError


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the stubs alone
    """Rows are seen here; nobody adds, changes or deletes them by hand."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def do_each(self, request: HttpRequest, rows: QuerySet[Any], door: Callable[[Any, str], Any]) -> None:
        """Put every chosen row through a door with the reason that was given; tell what was done and what was refused."""
        reason = request.POST.get("reason", "").strip()
        done = 0
        for row in rows:
            try:
                door(row, reason)
            except DomainError as refusal:
                self.message_user(request, f"{row}: {refusal.message}", messages.ERROR)
            else:
                done += 1
        if done:
            self.message_user(request, _("Done for %(count)d.") % {"count": done}, messages.SUCCESS)


class ReasonActionForm(ActionForm):
    """Asks staff why, beside the choice of the action."""

    reason = forms.CharField(max_length=500, required=False, label=gettext_lazy("Reason"))
