"""The pages of contests: finding one, joining it, trading in it, and how it ended. Selectors in, template out; joining goes through
`services.entries`. The public live page is the arena's.
"""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Case, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.countries import country_of
from competitions.messages import trade as trade_message
from competitions.models import Competition, Entry
from competitions.selectors import competitions as find
from competitions.selectors import journal, pages, standings, trading, visibility
from competitions.selectors import results as ended
from competitions.services import entries, seats
from tradingarena.core.errors import CountryRefused, DomainError, Malformed
from tradingarena.core.ids import new_token
from tradingarena.core.money import BPS

PER_PAGE = 24
FILLS_PER_PAGE = 100
Status = Competition.Status
LIVE_FIRST = Case(When(status=Status.RUNNING, then=0), When(status=Status.OPEN, then=1), default=2)
STATUS_FILTERS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "": (gettext_lazy("All"), ()),
    "live": (gettext_lazy("Live"), (Status.RUNNING,)),
    "upcoming": (gettext_lazy("Open"), (Status.OPEN,)),
    "finished": (gettext_lazy("Finished"), (Status.SETTLING, Status.COMPLETED, Status.CANCELLED)),
}


@require_safe
def contest_list(request: HttpRequest) -> HttpResponse:
    """Show the contests that match the filters of the address."""
    filters = _filters(request)
    found = find.listing(
        request.user, q=filters["q"], free=True if filters["free"] else None, mine=bool(filters["mine"])
    )
    statuses = STATUS_FILTERS[filters["status"]][1]
    if statuses:
        found = found.filter(status__in=statuses)
    if filters["status"] == "upcoming":
        found = found.order_by("starts_at", "id")
    elif not filters["status"]:
        found = found.order_by(LIVE_FIRST, "-starts_at", "id")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    choices = [
        ({"query": _query(filters | {"status": value}), "current": value == filters["status"]}, name)
        for value, (name, _statuses) in STATUS_FILTERS.items()
    ]
    context = {
        "cards": pages.cards(request.user, page.object_list, top=1),
        "page": page,
        "total": page.paginator.count,
        "filters": filters,
        "status_choices": choices,
    }
    return render(request, "competitions/list.html", context)


def _filters(request: HttpRequest) -> dict[str, str]:
    status = request.GET.get("status", "")
    return {
        "status": status if status in STATUS_FILTERS else "",
        "q": request.GET.get("q", "").replace("\0", "").strip()[:80],
        "free": "1" if request.GET.get("free") == "1" else "",
        "mine": "1" if request.GET.get("mine") == "1" and request.user.is_authenticated else "",
    }


def _query(filters: dict[str, str]) -> str:
    return urlencode({name: value for name, value in filters.items() if value})


@require_safe
@never_cache
@ensure_csrf_cookie
def contest(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a contest: its rules, prizes, entrants, and where one stands in it."""
    invite = _invite(request.GET)
    competition = find.find(request.user, slug)
    own = find.entry_of(request.user, competition)
    reasons = [] if own else entries.entry_reasons(request.user, competition, country=country_of(request.META))
    context = {
        "competition": competition,
        "duration_s": int((competition.ends_at - competition.starts_at).total_seconds()),
        "own": own,
        "reasons": [reason for reason in reasons if reason.code != "invite_code_needed"],
        "invite_needed": bool(competition.invite_code),
        "invite": invite,
        "join_ends_at": entries.join_ends_at(competition),
        "prizes": find.prize_table(competition),
        "prize_pool_cents": find.prize_pool_cents(competition),
        "prize_pool_tokens": find.prize_pool_tokens(competition),
        "seat": seats.seat_of(request.user, competition) if competition.buy_in_cents and not own else None,
        "key": new_token(12),  # the same page holds the same seat, however often its button is pressed
        "play_money": settings.STRIPE_STAND_IN and bool(competition.buy_in_cents),
        "entrants": list(find.entrants(competition)[:200]),
        "can_withdraw": bool(own and own.status == Entry.Status.ACTIVE and competition.status == Status.OPEN),
        "has_results": competition.status in {Status.SETTLING, Status.COMPLETED},
    }
    if competition.status == Status.RUNNING and visibility.watching_refusal(request.user, competition) is None:
        context["board"] = standings.live_board(competition)
    return render(request, "competitions/detail.html", context)


@require_POST
@login_required
def join(request: HttpRequest, slug: str) -> HttpResponse:
    """Enter a contest, then show it; one with a buy-in leads to its checkout first. A refusal is said on its page, that of a country
    on one of its own, with 451."""
    invite = _invite(request.POST)
    competition = find.find(request.user, slug)
    try:
        if competition.buy_in_cents:
            return _to_checkout(request, competition, invite)
        entries.entry_join(request.user, competition.pk, invite_code=invite, country=country_of(request.META))  # type: ignore[arg-type]
    except CountryRefused:
        raise
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect(_address("competitions:detail", slug, invite))
    messages.success(request, _("Joined. Good luck."))
    return redirect("competitions:trade" if competition.status == Status.RUNNING else "competitions:detail", slug)


def _to_checkout(request: HttpRequest, competition: Competition, invite: str) -> HttpResponse:
    key = request.POST.get("key", "")
    if not 8 <= len(key) <= 100 or not key.isascii() or not key.isprintable():
        raise Malformed(_("The form is out of date. Reload the page."))
    seat = seats.seat_take(
        request.user,  # type: ignore[arg-type]  # signed in
        competition.pk,
        key=key,
        site_url=request.build_absolute_uri("/").rstrip("/"),
        invite_code=invite,
        country=country_of(request.META),
    )
    if seat.payment.can_be_paid and seat.payment.checkout_url:
        return redirect(seat.payment.checkout_url)
    return redirect("tokens:payment", seat.payment.payment_id)


@require_POST
@login_required
def leave_seat(request: HttpRequest, slug: str) -> HttpResponse:
    """Give a held seat up."""
    competition = find.find(request.user, slug)
    try:
        seats.seat_leave(request.user, competition.pk)  # type: ignore[arg-type]  # signed in
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("The seat is free again. Nothing was charged."))
    return redirect("competitions:detail", slug)


@require_POST
@login_required
def withdraw(request: HttpRequest, slug: str) -> HttpResponse:
    """Leave a contest before it starts."""
    competition = find.find(request.user, slug)
    try:
        entries.entry_withdraw(request.user, competition.pk)  # type: ignore[arg-type]
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        back = _("What you paid is on its way back.") if competition.buy_in_cents or competition.entry_tokens else ""
        messages.success(request, f"{_('You have withdrawn. You can join again until the start.')} {back}".strip())
    return redirect("competitions:detail", slug)


@require_GET
@login_required
@never_cache
@ensure_csrf_cookie
def trade(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the trade terminal to an entrant; everybody else is led to the contest's page."""
    competition = find.find(request.user, slug)
    if find.entry_of(request.user, competition) is None:
        messages.info(request, _("Join this contest to trade in it. You can watch it without joining."))
        return redirect("competitions:detail", slug)
    if competition.status in {Status.COMPLETED, Status.SETTLING}:
        return redirect("competitions:results", slug)
    snapshot = pages.room_data(request.user, competition)
    context = {
        "competition": competition,
        "room": snapshot,
        "instruments": pages.instruments_for(competition.pairs),
        "chat_url": reverse("chat:panel", args=[competition.pk]),
    }
    return render(request, "competitions/trade.html", context)


@require_safe
def results(request: HttpRequest, slug: str) -> HttpResponse:
    """Show how a contest ended."""
    competition = find.find(request.user, slug)
    if competition.status not in {Status.SETTLING, Status.COMPLETED}:
        return redirect("competitions:detail", slug)
    drawn = ended.equity_curves(competition, top=5)
    start = competition.starting_balance_cents
    series = [
        {"name": one["username"], "values": [value or start for value in one["equity_cents"]]}
        for one in drawn["curves"]
    ]
    context = {
        "competition": competition,
        "results": ended.results(competition),
        "series": series if len(drawn["moments"]) > 1 else [],
        "from_at": drawn["moments"][0] if drawn["moments"] else None,
        "to_at": drawn["moments"][-1] if drawn["moments"] else None,
        "own": find.entry_of(request.user, competition),
    }
    return render(request, "competitions/results.html", context)


@require_safe
def fills(request: HttpRequest, slug: str, username: str) -> HttpResponse:
    """Show the fills of one trader that may be seen."""
    competition = find.find(request.user, slug)
    entry, seen = pages.entry_of(request.user, competition, username)
    context = {
        "competition": competition,
        "entry": entry,
        "restricted": not seen.open_trades,
        "page": Paginator(trading.fills(entry, seen).order_by("number"), FILLS_PER_PAGE).get_page(
            request.GET.get("page")
        ),
    }
    return render(request, "competitions/fills.html", context)


@require_safe
def trader(request: HttpRequest, slug: str, username: str) -> HttpResponse:
    """Show somebody's record in one contest: how they stand or ended, their equity, and their trades as far as they may be seen."""
    competition = find.find(request.user, slug)
    entry, seen = pages.entry_of(request.user, competition, username)
    equity, rank = standings.standing_of(competition, entry)
    curve = [cents for _at, cents in trading.equity_curve(entry, points=300)]
    context = {
        "competition": competition,
        "entry": entry,
        "rank": rank,
        "equity_cents": equity,
        "return_bps": (equity - competition.starting_balance_cents) * BPS // competition.starting_balance_cents,
        "series": [{"name": entry.user.username, "values": curve}] if len(curve) > 1 else [],
        "statistics": journal.summary(entry, seen),
        "restricted": not seen.open_trades,
        "page": Paginator(journal.closed_trades(entry, seen)[::-1], FILLS_PER_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "competitions/trader.html", context)


@require_safe
def trade_page(request: HttpRequest, slug: str, trade_id: UUID) -> HttpResponse:
    """Show one trade, from flat to flat, with the receipts of its deals."""
    competition = find.find(request.user, slug)
    found = pages.trade(request.user, competition, trade_id)
    context = {
        "competition": competition,
        "trade": found,
        "shown": trade_message(found),
        "net_cents": found.pnl_cents - found.fee_cents,
        "deals": pages.deals_of(request.user, competition, found),
    }
    return render(request, "competitions/trade_page.html", context)


@require_safe
def fill(request: HttpRequest, slug: str, fill_id: UUID) -> HttpResponse:
    """Show the receipt of a fill."""
    competition = find.find(request.user, slug)
    found, deals = pages.receipt(request.user, competition, fill_id)
    return render(request, "competitions/fill.html", {"competition": competition, "fill": found, "deals": deals})


def _invite(fields: Any) -> str:
    return str(fields.get("invite", "")).replace("\0", "").strip()[:64]


def _address(name: str, slug: str, invite: str) -> str:
    return reverse(name, args=[slug]) + (f"?{urlencode({'invite': invite})}" if invite else "")
