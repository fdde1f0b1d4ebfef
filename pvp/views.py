"""The pages of challenges: the list, daring somebody, the negotiation, the stakes, the result. Each parses, calls one door, and renders."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.countries import country_of
from chat.services import channels
from competitions.services.steps import Status as Contest
from pvp.forms import DEFAULTS, ChallengeForm, TermsForm, initial_of
from pvp.models import Challenge
from pvp.rules import stakes as shares
from pvp.rules import states
from pvp.selectors import challenges, records
from pvp.selectors.challenges import CHALLENGER, Sight
from pvp.services import funding, life, offers
from tokens.payments.stripe_gateway import is_on
from tokens.selectors.wallet import balance_of
from tradingarena.core.errors import DomainError, Malformed

PER_PAGE = 20
KEY_LENGTH = 100
LABELS = {
    "stake_cents": "stake",
    "stake_tokens": "stake",
    "starting_balance_cents": "balance",
    "duration_s": "duration",
    "starts_at": "start",
    "rake_bps": "rake",
    "drawdown_rule": "drawdown",
    "drawdown_limit_bps": "drawdown",
    "pairs": "pairs",
}
TIDY = {"stake_cents": "stake", "stake_tokens": "stake", "starting_balance_cents": "balance", "rake_bps": "rake"} | {
    "drawdown_limit_bps": "drawdown_limit"
}


@require_GET
@login_required
@never_cache
def challenge_list(request: HttpRequest) -> HttpResponse:
    """Show one's own challenges: what waits for one first."""
    box = request.GET.get("box", "")
    box = box if box in challenges.BOXES else ""
    page = Paginator(challenges.of_person(request.user, box), PER_PAGE).get_page(request.GET.get("page"))
    sights = challenges.sights(request.user, list(page.object_list))
    context = {
        "sights": sorted(sights, key=lambda one: not one.your_turn),
        "page": page,
        "box": box,
        "record": records.record_of(request.user.pk),
        "rivals": records.rivals_of(request.user.pk),
    }
    return render(request, "pvp/list.html", context)


@require_http_methods(["GET", "POST"])
@login_required
@never_cache
def challenge_new(request: HttpRequest) -> HttpResponse:
    """Take a new challenge."""
    if request.method == "GET":
        to = request.GET.get("to", "").replace("\0", "")[:254]
        return _form_page(request, "pvp/new.html", ChallengeForm(initial=DEFAULTS | {"invitee": to}))
    form = ChallengeForm(request.POST)
    if form.is_valid():
        try:
            made = offers.challenge_create(
                request.user, to=form.cleaned_data["invitee"], wanted=form.wanted(), country=country_of(request.META)
            )
        except DomainError as refusal:
            _add_refusal(form, refusal)
        else:
            messages.success(request, _("The challenge is on its way. You will hear of the answer."))
            return redirect("pvp:detail", made.pk)
    return _form_page(request, "pvp/new.html", form)


@require_http_methods(["GET", "POST"])
@login_required
@never_cache
def change(request: HttpRequest, challenge_id: UUID) -> HttpResponse:
    """Take other terms: a counter-offer, or a correction of one's own."""
    found = challenges.find(request.user, challenge_id)
    sight = challenges.sight(request.user, found)
    if found.status not in states.OFFERED:
        return redirect("pvp:detail", challenge_id)
    more = {"sight": sight, "challenge": found}
    if request.method == "GET":
        form = TermsForm(initial=initial_of(sight.terms.wanted))
        return _form_page(request, "pvp/change.html", form, **more, version=found.version)
    form = TermsForm(request.POST, initial={"duration_s": sight.terms.duration_s})
    version = _number(request.POST.get("version", ""))
    if form.is_valid():
        try:
            offers.challenge_change(
                request.user, challenge_id, version=version, wanted=form.wanted(), country=country_of(request.META)
            )
        except DomainError as refusal:
            _add_refusal(form, refusal)
        else:
            messages.success(request, _("Your terms are on the table."))
            return redirect("pvp:detail", challenge_id)
    return _form_page(request, "pvp/change.html", form, **more, version=version)


@require_GET
@login_required
@never_cache
def challenge(request: HttpRequest, challenge_id: UUID) -> HttpResponse:
    """Show a challenge: the terms with what has changed, whose turn it is, the stakes, the contest, the result."""
    if life.is_late(challenges.find(request.user, challenge_id)):
        life.challenge_look(challenge_id)
    context = _context(request, challenge_id)
    return render(request, "pvp/detail.html", context | {"chat_url": _talk(context["challenge"])})


@require_GET
@login_required
@never_cache
def challenge_state(request: HttpRequest, challenge_id: UUID) -> HttpResponse:
    """Give the part of the page that changes, for a page that is open when something happens."""
    return render(request, "pvp/_state.html", _context(request, challenge_id))


@require_POST
@login_required
def answer(request: HttpRequest, challenge_id: UUID) -> HttpResponse:
    """Take an acceptance or a refusal."""
    accept = request.POST.get("accept") == "1"

    def door() -> Any:
        return offers.challenge_answer(
            request.user,
            challenge_id,
            accept=accept,
            version=_number(request.POST.get("version", "")),
            reason=" ".join(request.POST.get("reason", "").replace("\0", "").split())[:200],
            country=country_of(request.META),
        )

    return _do(
        request, challenge_id, door, _("Accepted. Both stakes are to be paid now.") if accept else _("Declined.")
    )


@require_POST
@login_required
def pay(request: HttpRequest, challenge_id: UUID) -> HttpResponse:
    """Pay one's own stake: with tokens at once, by card on the provider's page."""
    key = request.POST.get("key", "")
    if not 8 <= len(key) <= KEY_LENGTH or not key.isascii() or not key.isprintable():
        raise Malformed(_("The form is out of date. Reload the page."))
    try:
        stake = funding.stake_pay(
            request.user,
            challenge_id,
            key=key,
            site_url=request.build_absolute_uri("/").rstrip("/"),
            country=country_of(request.META),
        )
    except challenges.NoSuchChallenge:
        raise
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect("pvp:detail", challenge_id)
    url = challenges.sight(request.user, challenges.find(request.user, challenge_id)).checkout_url
    if stake.status == "held" and url:
        return redirect(url)
    messages.success(request, _("Your stake is in."))
    return redirect("pvp:detail", challenge_id)


@require_POST
@login_required
def cancel(request: HttpRequest, challenge_id: UUID) -> HttpResponse:
    """Call a challenge off."""
    return _do(
        request, challenge_id, lambda: offers.challenge_cancel(request.user, challenge_id), _("The challenge is off.")
    )


@require_POST
@login_required
def rematch(request: HttpRequest, challenge_id: UUID) -> HttpResponse:
    """Dare the same person again."""
    try:
        again = offers.challenge_rematch(request.user, challenge_id, country=country_of(request.META))
    except challenges.NoSuchChallenge:
        raise
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect("pvp:detail", challenge_id)
    messages.success(request, _("The rematch is on the table."))
    return redirect("pvp:detail", again.pk)


@require_http_methods(["GET", "POST"])
@never_cache
def invitation(request: HttpRequest, code: str) -> HttpResponse:
    """Show a challenge to whoever follows its invitation, and let them take it up; without an account, the way to one."""
    code = code[:40].replace("\0", "")
    if request.method == "POST" and request.user.is_authenticated:
        taken = offers.invitation_take(request.user, code)
        return redirect("pvp:detail", taken.pk)
    if request.user.is_authenticated:
        mine = Challenge.objects.filter(invite_code=code, invitee=request.user.pk).first()
        if mine is not None:
            return redirect("pvp:detail", mine.pk)
    found = challenges.invitation(code)
    own = request.user.is_authenticated and found.challenger_id == request.user.pk
    context = {
        "challenge": found,
        "terms": challenges.terms_of(found),
        "own": own,
        "play_money": settings.STRIPE_STAND_IN,
    }
    return render(request, "pvp/invitation.html", context)


def _context(request: HttpRequest, challenge_id: UUID) -> dict[str, Any]:
    found = challenges.find(request.user, challenge_id)
    sight = challenges.sight(request.user, found)
    other = found.invitee if sight.side == CHALLENGER else found.challenger
    contest = found.competition
    terms = sight.terms
    stake = terms.stake_tokens or terms.stake_cents
    balance = balance_of(request.user.pk) if terms.stake_tokens else 0
    return {
        "sight": sight,
        "challenge": found,
        "terms": terms,
        "before": sight.before,
        "changed": set() if found.agreed_digest else {LABELS[name] for name in sight.changed},
        "other": other,
        "record": records.head_to_head(request.user.pk, other.pk) if other else None,
        "rematch": found.rematches.filter(status__in=states.OPEN | {states.ACTIVE}).first(),
        "contest": contest,
        "contest_runs": bool(contest and contest.status == Contest.RUNNING),
        "to_win": shares.share(stake, terms.rake_bps, (1, 2)).paid,
        "balance_tokens": balance,
        "balance_after": balance - terms.stake_tokens,
        # the same attempt in however many tabs, however often its button is pressed; a checkout that ended has the next
        "key": f"attempt-{found.stakes.filter(user=request.user.pk).count()}",
        "can_cancel": _can_cancel(sight),
        "history": list(found.terms.select_related("proposed_by").order_by("-version")),
        "own_stake": sight.stakes.get(request.user.pk),
        "sides": [(found.challenger, sight.stakes.get(found.challenger_id))]
        + ([(found.invitee, sight.stakes.get(found.invitee_id))] if found.invitee_id else []),
        "play_money": settings.STRIPE_STAND_IN and bool(terms.stake_cents),
    }


def _can_cancel(sight: Sight) -> bool:
    status = sight.challenge.status
    return status in states.PAYABLE or (status in states.OFFERED and sight.side == CHALLENGER)


def _do(request: HttpRequest, challenge_id: UUID, door: Callable[[], Any], done: str) -> HttpResponse:
    try:
        door()
    except challenges.NoSuchChallenge:
        raise
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, done)
    return redirect("pvp:detail", challenge_id)


def _form_page(request: HttpRequest, template: str, form: TermsForm, **more: Any) -> HttpResponse:
    context = {"form": form, "card_on": is_on(), "balance_tokens": balance_of(request.user.pk), **more}
    return render(request, template, context, status=422 if form.errors else 200)


def _add_refusal(form: TermsForm, refusal: DomainError) -> None:
    """Put a refusal beside the fields that it is about, or above them all."""
    placed = False
    for error in refusal.data.get("errors", ()):
        name = error["pointer"].rsplit("/", 1)[-1]
        field = TIDY.get(name, name)
        if field in form.fields:
            form.add_error(field, error["detail"])
            placed = True
    if not placed:
        form.add_error(
            "invitee" if refusal.code in {"not_found", "self_challenge"} and "invitee" in form.fields else None,
            refusal.message,
        )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def _talk(challenge: Challenge) -> str:
    """Open the chat of the two, once both are known, and give the address of its panel."""
    if challenge.invitee is None:
        return ""
    title = f"{challenge.challenger.username} against {challenge.invitee.username}"
    channels.pvp_channel(challenge.pk, [challenge.challenger_id, challenge.invitee_id], title)
    return reverse("chat:challenge-panel", args=[challenge.pk])
