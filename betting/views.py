"""The pages of bet-behind. Each parses, calls one selector, and renders; bets are placed over REST."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from accounts.countries import country_of
from accounts.selectors import user_by_name
from betting.models import Bet
from betting.selectors import bets, history, markets, pools, receipts, records, shown
from competitions.models import Competition

PER_PAGE = 50
RECORDS_SHOWN = 50
STAKES_SHOWN = 200
EMBED_SHOWN = 5


@require_safe
@login_required
@never_cache
def bet_list(request: HttpRequest) -> HttpResponse:
    """Show one's own bets: those that wait, those that are over, and how well one has done."""
    user_id: UUID = request.user.pk
    waiting = list(bets.own(user_id, settled=False))
    page = Paginator(bets.own(user_id, settled=True), PER_PAGE).get_page(request.GET.get("page"))
    summed = pools.of_lines({bet.line_id for bet in waiting})
    context = {
        "waiting": [shown.own_bet(bet, summed[bet.line_id]) for bet in waiting],
        "over": [shown.own_bet(bet) for bet in page.object_list],
        "page": page,
        "record": records.bettor_record(user_id),
    }
    return render(request, "betting/list.html", context)


@require_safe
@never_cache
@ensure_csrf_cookie
def market(request: HttpRequest, market_id: UUID) -> HttpResponse:
    """Show a market: its lines, pools and prices, how these have moved, and one's own bets in it."""
    found = markets.market_of(request.user, market_id)
    (one,) = markets.shown(request.user, [found])
    context = {
        "market": found,
        "competition": found.competition,
        "lines": shown.lines(one, history.histories([found.pk])),
        "own": [shown.own_bet(bet, one.pools_of(bet.line_id)) for bet in one.own_with_lines()],
        "closed": found.status in receipts.CLOSED,
        "watchable": found.competition.status in (Competition.Status.OPEN, Competition.Status.RUNNING),
    }
    return render(request, "betting/market.html", context)


@require_safe
@never_cache
def receipt(request: HttpRequest, market_id: UUID) -> HttpResponse:
    """Show the receipt of a market, to be computed again in the browser; one that is not settled yet leads to its market."""
    found = markets.market_of(request.user, market_id)
    if found.status not in receipts.CLOSED:
        return redirect("betting:market", market_id)
    told = receipts.receipt(request.user, found)
    for line in told["lines"]:
        line["more"] = max(0, len(line["bets"]) - STAKES_SHOWN)
        line["bets"] = line["bets"][:STAKES_SHOWN]
    return render(request, "betting/receipt.html", {"market": found, "receipt": told})


@require_safe
def trader(request: HttpRequest, username: str) -> HttpResponse:
    """Show how a trader has done against the lines that were bet on."""
    named = user_by_name(username)
    if named.moved:
        return redirect("betting:trader", username=named.user.username, permanent=True)
    context = {
        "trader": named.user,
        "record": records.trader_record(named.user.pk),
        "results": [shown.market_result(one) for one in records.markets_on(named.user.pk)[:RECORDS_SHOWN]],
    }
    return render(request, "betting/trader.html", context)


# -- parts of other pages ------------------------------------------------------------------------------------------------


@require_safe
@never_cache
@ensure_csrf_cookie
def panel(request: HttpRequest, competition_id: UUID) -> HttpResponse:
    """Give the bet panel of a session page; nothing where no bets are taken and none were."""
    competition = markets.contest_of(request.user, competition_id)
    if not markets.of_contest(request.user, competition):
        reasons = markets.reasons(request.user, competition, country_of(request.META))
        if any(reason.code == "bets_not_allowed" for reason in reasons):
            return HttpResponse(status=204)
    return render(request, "betting/_panel.html", {"competition": competition})


@require_safe
def replay(request: HttpRequest, competition_id: UUID) -> HttpResponse:
    """Give the odds of a replay, which follow the film's moment; nothing where nobody has bet."""
    competition = markets.contest_of(request.user, competition_id)
    if not Bet.objects.filter(market__competition=competition).exists():
        return HttpResponse(status=204)
    found = markets.of_contest(request.user, competition)
    return render(request, "betting/_replay.html", {"competition": competition, "markets": found})


@require_safe
@xframe_options_exempt
def embed(request: HttpRequest, competition_id: UUID) -> HttpResponse:
    """Give the odds for a stream's overlay, as a stranger sees them; nothing where there are none."""
    competition = markets.contest_of(AnonymousUser(), competition_id)
    rows = shown.most_staked(markets.of_contest(AnonymousUser(), competition))[:EMBED_SHOWN]
    if not rows:
        return HttpResponse(status=204)
    return render(request, "betting/_embed.html", {"competition": competition, "rows": rows})
