"""The pages of tokens: wallet, statement, buying, and what has become of a payment. Each parses, calls one door, and renders."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.countries import country_of
from accounts.selectors import self_limits
from tokens.models import Payment
from tokens.rules.economy import Period
from tokens.selectors import boards, bonus, referrals, wallet
from tokens.services import checkout, payments
from tokens.services.bonus import bonus_claim
from tokens.services.referrals import REFERRED_BY, code_owner, referral_code
from tradingarena.core.clock import database_now
from tradingarena.core.errors import DomainError, Malformed
from tradingarena.core.ids import new_token
from tradingarena.core.spreadsheets import write_rows

log = logging.getLogger(__name__)

PER_PAGE = 50
PAYMENTS_SHOWN = 10
WAITING = frozenset({Payment.Status.CREATED, Payment.Status.OPEN})
LOOK_AGAIN = timedelta(seconds=4)  # how often a waiting page lets us ask the provider
KEY_LENGTH = 100
PERIOD_NAMES = (
    (Period.DAY, _l("Today")),
    (Period.WEEK, _l("This week")),
    (Period.MONTH, _l("This month")),
    (Period.ALL, _l("All time")),
)


@require_GET
@login_required
@never_cache
def wallet_page(request: HttpRequest) -> HttpResponse:
    """Show the balance and the statement that matches the filters of the address."""
    filters = _filters(request)
    which, problem = _which(filters)
    page = Paginator(wallet.statement(request.user.pk, which), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "wallet": wallet.wallet_of(request.user.pk),
        "cap_tokens": self_limits(request.user).daily_cap_tokens,  # type: ignore[arg-type]  # signed in
        "rows": wallet.statement_rows(page.object_list),
        "page": page,
        "kinds": wallet.KINDS,
        "filters": filters,
        "problem": problem,
        "query": urlencode({name: value for name, value in filters.items() if value}),
        "payments": wallet.payments_of(request.user.pk)[:PAYMENTS_SHOWN],
        "bonus": bonus.bonus_of(request.user.pk),
    }
    return render(request, "tokens/wallet.html", context, status=400 if problem else 200)


@require_POST
@login_required
def bonus_take(request: HttpRequest) -> HttpResponse:
    """Claim today's bonus."""
    try:
        given = bonus_claim(request.user)  # type: ignore[arg-type]  # signed in
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        told = {"tokens": given.tokens, "balance": f"{wallet.balance_of(request.user.pk):,}"}
        messages.success(request, _("%(tokens)d tokens for you. Your balance is %(balance)s.") % told)
    return redirect("tokens:wallet")


@require_GET
def invited(request: HttpRequest, code: str) -> HttpResponse:
    """Receive who follows somebody's link: remember it until they have signed up."""
    if request.user.is_authenticated:
        messages.info(request, _("You have an account already: links of friends are for new people."))
        return redirect("tokens:referrals")
    if code_owner(code) is None:
        messages.info(request, _("This link is nobody's any more. You can join all the same."))
    else:
        request.session[REFERRED_BY] = code
    return redirect("account_signup")


@require_GET
@login_required
@never_cache
def referrals_page(request: HttpRequest) -> HttpResponse:
    """Show one's own link, whom it has brought, and what became of each."""
    page = Paginator(referrals.referrals_of(request.user.pk), PER_PAGE).get_page(request.GET.get("page"))
    code = referral_code(request.user)  # type: ignore[arg-type]  # signed in
    left = referrals.bets_left([row.referee_id for row in page.object_list])
    context = {
        "url": request.build_absolute_uri(reverse("tokens:invited", args=[code])),
        "totals": referrals.totals_of(request.user.pk),
        "page": page,
        "rows": [(row, left.get(row.referee_id, settings.REFERRAL_BETS)) for row in page.object_list],
        "reward_tokens": settings.REFERRAL_TOKENS,
        "bets_needed": settings.REFERRAL_BETS,
    }
    return render(request, "tokens/referrals.html", context)


@require_GET
def leaderboards_page(request: HttpRequest) -> HttpResponse:
    """Show one of the leaderboards for a day, a week, a month or all time."""
    name, period = request.GET.get("board", ""), request.GET.get("period", "")
    view = boards.board_page(
        name if name in boards.BOARDS else "earned",
        Period(period) if period in set(Period) else Period.ALL,
        viewer_id=request.user.pk if request.user.is_authenticated else None,
    )
    on_page = view.own is None or any(line["user_id"] == view.own["user_id"] for line in view.lines)
    context = {"view": view, "boards": boards.BOARDS.values(), "periods": PERIOD_NAMES, "own_on_page": on_page}
    return render(request, "tokens/leaderboards.html", context)


@require_GET
@login_required
@never_cache
def statement_csv(request: HttpRequest) -> HttpResponse:
    """Give the statement that matches the filters as CSV, the oldest line first."""
    which, problem = _which(_filters(request))
    if problem:
        raise Malformed(problem)
    headers = {"Content-Disposition": 'attachment; filename="token-statement.csv"'}
    response = HttpResponse(content_type="text/csv; charset=utf-8", headers=headers)
    write_rows(response, wallet.csv_rows(request.user.pk, which))
    return response


@require_http_methods(["GET", "POST"])
@login_required
@never_cache
def buy(request: HttpRequest) -> HttpResponse:
    """Show what is sold; take a wish and lead to the checkout."""
    if request.method == "POST":
        key = request.POST.get("key", "")
        if not 8 <= len(key) <= KEY_LENGTH or not key.isascii() or not key.isprintable():
            raise Malformed(_("The form is out of date. Reload the page."))
        payment = checkout.checkout_start(
            request.user,  # type: ignore[arg-type]  # signed in
            request.POST.get("package", "")[:40].replace("\0", ""),
            key=key,
            site_url=request.build_absolute_uri("/").rstrip("/"),
            country=country_of(request.META),
        )
        if payment.checkout_url and payment.status in WAITING:
            return redirect(payment.checkout_url)
        return redirect("tokens:payment", payment.pk)
    context = {
        "packages": wallet.packages(),
        "refusal": checkout.purchase_refusal(request.user, country_of(request.META)),  # type: ignore[arg-type]  # signed in
        "key": new_token(12),  # the same page sends the same wish once, however often it is pressed
        "play_money": settings.STRIPE_STAND_IN,
    }
    return render(request, "tokens/buy.html", context)


@require_GET
@login_required
@never_cache
def returned(request: HttpRequest) -> HttpResponse:
    """Receive who comes back from the checkout: look at the payment now, and say what is true."""
    try:
        payment_id = UUID(request.GET.get("payment", ""))
    except ValueError:
        return redirect("tokens:wallet")
    return _payment(request, payment_id, left=request.GET.get("left") == "1")


@require_GET
@login_required
@never_cache
def payment_page(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """Show one payment: its receipt, or how it stands."""
    return _payment(request, payment_id, left=False)


@require_GET
@login_required
@never_cache
def payment_state(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """Give the part of the page that waits for the payment."""
    return render(request, "tokens/_payment_state.html", _state(request, payment_id, left=False))


@require_POST
@login_required
def payment_cancel(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """Give a checkout up."""
    payment = payments.payment_cancel(request.user.pk, payment_id)
    if payment.status == Payment.Status.PAID:
        messages.info(request, _("It had been paid already."))
    return redirect("tokens:payment", payment_id)


def _payment(request: HttpRequest, payment_id: UUID, *, left: bool) -> HttpResponse:
    context = _state(request, payment_id, left=left) | {"play_money": settings.STRIPE_STAND_IN}
    return render(request, "tokens/return.html", context)


def _state(request: HttpRequest, payment_id: UUID, *, left: bool) -> dict[str, Any]:
    payment = wallet.payment_of(request.user.pk, payment_id)
    now = database_now()
    if payment.status in WAITING and (payment.looked_at is None or payment.looked_at < now - LOOK_AGAIN):
        try:
            payments.payment_settle(payment.pk)
        except DomainError as refusal:  # the provider is away: what we know is shown, and looked at again
            log.warning("payment_not_looked_at", extra={"payment": str(payment.pk), "reason": refusal.message})
        payment = wallet.payment_of(request.user.pk, payment_id)
    fresh = payment.expires_at is None or now < payment.expires_at + timedelta(minutes=1)
    return {
        "payment": payment,
        "received": payment.tokens + payment.bonus_tokens,
        "refunds": payment.refunds.order_by("created_at"),
        "left": left,
        "waiting": payment.status in WAITING and fresh and not left,
    }


def _filters(request: HttpRequest) -> dict[str, str]:
    given = {name: request.GET.get(name, "").replace("\0", "")[:20] for name in ("kind", "way", "from", "to")}
    given["kind"] = given["kind"] if given["kind"] in wallet.KINDS else ""
    given["way"] = given["way"] if given["way"] in wallet.WAYS else ""
    return given


def _which(filters: dict[str, str]) -> tuple[wallet.StatementFilter, str]:
    """Read the filters; give a sentence where a date is none. The last day counts whole."""
    kinds = [filters["kind"]] if filters["kind"] else []
    try:
        start, last = (_day(filters[name]) for name in ("from", "to"))
    except ValueError:
        return wallet.StatementFilter(kinds=kinds, way=filters["way"]), _(
            "Write dates as year-month-day, such as 2026-03-31."
        )
    end = last + timedelta(days=1) if last else None
    return wallet.StatementFilter(kinds=kinds, way=filters["way"], start=start, end=end), ""


def _day(text: str) -> datetime | None:
    if not text:
        return None
    found = parse_date(text)
    if found is None or not 2000 <= found.year <= 2200:
        raise ValueError(text)
    return datetime(found.year, found.month, found.day, tzinfo=UTC)
