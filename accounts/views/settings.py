"""The account pages: settings, API tokens, a trader's public page. Each parses, calls one door, and renders."""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import selectors
from accounts.forms import (
    ApiTokenForm,
    CapForm,
    ExclusionForm,
    PauseForm,
    ProfileForm,
    TermsForm,
    UsernameForm,
)
from accounts.rules.countries import NAMES
from accounts.selectors import profiles, social
from accounts.services import bots, limits, people, tokens, usernames
from tradingarena.core.errors import DomainError

LIMIT_FORMS: dict[str, type[forms.Form]] = {"cap": CapForm, "pause": PauseForm, "exclusion": ExclusionForm}


@require_GET
@login_required
@never_cache
def settings_page(request: HttpRequest) -> HttpResponse:
    """Show everything a person can set about the account."""
    return _settings(request)


@require_POST
@login_required
def profile_save(request: HttpRequest) -> HttpResponse:
    """Take country and time zone."""
    form = ProfileForm(request.POST)
    if not form.is_valid():
        return _settings(request, profile_form=form)
    people.profile_update(request.user.pk, people.Profile(**form.cleaned_data))
    messages.success(request, _("Saved."))
    return redirect("accounts:settings")


@require_POST
@login_required
def username_save(request: HttpRequest) -> HttpResponse:
    """Take another name."""
    form = UsernameForm(request.POST)
    if form.is_valid():
        try:
            user = usernames.username_change(request.user.pk, form.cleaned_data["username"])
        except DomainError as refusal:
            form.add_error("username", refusal.message)
        else:
            messages.success(request, _("You go by %(name)s now.") % {"name": user.username})
            return redirect("accounts:settings")
    return _settings(request, username_form=form)


@require_POST
@login_required
def terms_save(request: HttpRequest) -> HttpResponse:
    """Take the acceptance of the current terms."""
    form = TermsForm(request.POST)
    if not form.is_valid():
        return _settings(request, terms_form=form)
    people.terms_accept(request.user.pk, of_age=True)
    messages.success(request, _("Thank you. The current terms are accepted."))
    return redirect("accounts:settings")


@require_http_methods(["GET", "POST"])
@login_required
@never_cache
def limits_page(request: HttpRequest) -> HttpResponse:
    """Show what a person has forbidden themselves, and take one more limit."""
    bound: dict[str, forms.Form] = {}
    if request.method == "POST":
        name = request.POST.get("limit", "")
        shape = LIMIT_FORMS.get(name)
        if shape is not None:
            form = shape(request.POST)
            if form.is_valid():
                limits.limits_set(
                    request.user.pk, {key: value for key, value in form.cleaned_data.items() if key != "sure"}
                )
                messages.success(request, _("Your limit is set."))
                return redirect("accounts:limits")
            bound[f"{name}_form"] = form
    current = selectors.self_limits(request.user)
    context = {
        "limits": current,
        "cap_form": CapForm(initial={"daily_cap_tokens": current.daily_cap_tokens}),
        "pause_form": PauseForm(),
        "exclusion_form": ExclusionForm(),
    } | bound
    return render(request, "accounts/limits.html", context, status=422 if bound else 200)


@require_http_methods(["GET", "POST"])
@login_required
@never_cache
def api_tokens_page(request: HttpRequest) -> HttpResponse:
    """List the API tokens; make one, and show its secret this once."""
    form = ApiTokenForm(request.POST if request.method == "POST" else None)
    made: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        try:
            token, secret = tokens.token_create(request.user.pk, **form.cleaned_data)
        except DomainError as refusal:
            form.add_error(None, refusal.message)
        else:
            made, form = {"token": token, "secret": secret}, ApiTokenForm()
    context = {"form": form, "tokens": selectors.api_tokens(request.user), "made": made}
    return render(request, "accounts/api_tokens.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def bot_mark(request: HttpRequest) -> HttpResponse:
    """Mark the account as run by a program."""
    if request.POST.get("sure") == "on":
        bots.bot_declare(request.user.pk)
        messages.success(request, _("This account is marked as a bot."))
    return redirect("accounts:api-tokens")


@require_POST
@login_required
def api_token_revoke(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """Revoke one API token."""
    tokens.token_revoke(request.user.pk, token_id)
    messages.success(request, _("The token is revoked. Whatever used it is signed out."))
    return redirect("accounts:api-tokens")


@require_GET
def trader_page(request: HttpRequest, username: str) -> HttpResponse:
    """Show a person's public side; a former name leads to today's."""
    named = selectors.user_by_name(username)
    if named.moved:
        return redirect("accounts:trader", username=named.user.username, permanent=True)
    trader, viewer = named.user, request.user
    other = viewer.is_authenticated and viewer.pk != trader.pk
    context = {
        "trader": trader,
        "country_name": NAMES.get(trader.country, ""),
        "other": other,
        "following": other and social.follows(viewer, trader),
        "blocked": other and bool(social.blocked_by(viewer.pk, [trader.pk])),
        "followers": social.followers_count(trader),
        "sections": profiles.sections(viewer, trader),
    }
    return render(request, "accounts/trader.html", context)


def _settings(request: HttpRequest, **bound: forms.Form) -> HttpResponse:
    user = request.user
    context = {
        "profile_form": ProfileForm(initial={"country": user.country, "timezone": user.timezone}),
        "username_form": UsernameForm(initial={"username": user.username}),
        "terms_form": TermsForm(),
        "username_from": usernames.next_change_at(user),
        "terms_current": user.terms_version == settings.TERMS_VERSION and user.age_confirmed_at is not None,
        "second_factor": selectors.has_second_factor(user),
        "token_count": selectors.api_tokens(user).count(),
    } | bound
    return render(request, "accounts/settings.html", context, status=422 if bound else 200)
