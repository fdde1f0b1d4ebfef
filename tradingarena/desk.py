"""The operators' desk: how the arena does, the switches, and the cases of what looks unfair. Staff only; each view calls one door.

Rules: docs/operations.md#the-operations-page.
"""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import IntegrityCase, User
from accounts.rules.switches import CONSEQUENCES, LABELS, Part
from accounts.selectors import acts_as_operator, acts_as_staff
from accounts.services.integrity import ModeratorsOnly, case_decide
from accounts.services.switches import switch_off, switch_on
from tradingarena import evidence
from tradingarena.core.errors import DomainError, NotFound
from tradingarena.gauges import RowsCollector
from tradingarena.health import health
from tradingarena.operations import readiness

__all__ = ["RowsCollector"]  # its figures are registered with the desk
PER_PAGE = 50


@require_safe
@login_required
@never_cache
def operations(request: HttpRequest) -> HttpResponse:
    """Show everything an operator asks first, on one page."""
    _require_staff(request)
    seen = health()
    switches = [(part, LABELS[part], CONSEQUENCES[part], seen.halts.get(part)) for part in Part]
    context = {
        "seen": seen,
        "checks": readiness(),
        "switches": switches,
        "may_switch": acts_as_operator(request.user),  # type: ignore[arg-type]  # signed in
        "sockets": sum(process.sockets for process in seen.sockets or ()),
    }
    return render(request, "operator/operations.html", context)


@require_POST
@login_required
def switch(request: HttpRequest, part: str) -> HttpResponse:
    """Switch a part off, or on again."""
    _require_staff(request)
    if part not in set(Part):
        raise NotFound
    door = switch_on if request.POST.get("to") == "on" else switch_off
    try:
        door(request.user, Part(part), request.POST.get("reason", ""))  # type: ignore[arg-type]  # signed in
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Done. Every process knows within seconds."))
    return redirect("operations")


@require_safe
@login_required
@never_cache
def cases(request: HttpRequest) -> HttpResponse:
    """List the cases: those that wait, or those that were decided."""
    _require_staff(request)
    decided = request.GET.get("decided") == "1"
    found = IntegrityCase.objects.select_related("decided_by")
    chosen = (
        found.exclude(status=IntegrityCase.Status.OPEN) if decided else found.filter(status=IntegrityCase.Status.OPEN)
    )
    return render(request, "operator/cases.html", {"cases": chosen[:PER_PAGE], "decided": decided})


@require_safe
@login_required
@never_cache
def case_page(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Show a case with everything it is judged by."""
    _require_staff(request)
    case = IntegrityCase.objects.select_related("decided_by").filter(pk=case_id).first()
    if case is None:
        raise NotFound("There is no such case.")
    return render(request, "operator/case.html", {"case": case, "evidence": evidence.of(case)})


@require_POST
@login_required
def decide(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Confirm or dismiss a case, with a note."""
    _require_staff(request)
    status = (
        IntegrityCase.Status.CONFIRMED if request.POST.get("decision") == "confirm" else IntegrityCase.Status.DISMISSED
    )
    try:
        case_decide(request.user, case_id, status, request.POST.get("note", ""))  # type: ignore[arg-type]  # signed in
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Decided."))
    return redirect("case", case_id)


def _require_staff(request: HttpRequest) -> None:
    user = request.user
    if not isinstance(user, User) or not acts_as_staff(user):
        raise ModeratorsOnly
