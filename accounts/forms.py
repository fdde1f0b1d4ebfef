"""The forms of the account pages. They check shapes; the doors in `services` decide."""

from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import lazy
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from accounts.models import User
from accounts.rules import countries, limits, names, roles
from accounts.services.tokens import NAME_LENGTH

COUNTRY_CHOICES = [("", "Not told"), *countries.NAMES.items()]
SCOPE_CHOICES = [
    (roles.READ, "Read: your account, contests, standings, market data"),
    (roles.TRADE, "Trade: enter contests, place and change orders"),
    (roles.BET, "Bet: bet on traders with tokens"),
    (roles.CHAT, "Chat: write messages"),
]


def _accept_terms() -> SafeString:
    return format_html('I accept the <a href="{}">terms and the privacy notice</a>', reverse("terms"))


_terms_label = lazy(_accept_terms, SafeString)  # the paths are not known yet when forms are defined


class LongSelect(forms.Select):
    """A select of hundreds of choices, written in one go: Django's own renders a template for each."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        tag = flatatt(self.build_attrs(self.attrs, {**(attrs or {}), "name": name}))
        chosen = str(value or "")
        rows = ((key, mark_safe(" selected") if key == chosen else "", label) for key, label in self.choices)
        return format_html("<select{}>{}</select>", tag, format_html_join("", '<option value="{}"{}>{}</option>', rows))


class SignupExtras(forms.Form):
    """What sign-up asks beyond address, name and password. The adapter stores it together with the new person."""

    country = forms.ChoiceField(
        choices=COUNTRY_CHOICES,
        widget=LongSelect,
        required=False,
        label="Country (optional)",
        help_text="Shown beside your name.",
    )
    of_age = forms.BooleanField(
        label="I am 18 years old or older", error_messages={"required": "You must be 18 or older."}
    )
    terms = forms.BooleanField(label=_terms_label(), error_messages={"required": "Accept the terms to take part."})
    field_order = ["email", "username", "password1", "password2", "country", "of_age", "terms"]

    def signup(self, request: HttpRequest, user: User) -> None:
        """Do nothing more: what was asked is already stored (adapters.AccountAdapter.save_user)."""


class ProfileForm(forms.Form):
    """Country and time zone."""

    country = forms.ChoiceField(
        choices=COUNTRY_CHOICES, widget=LongSelect, required=False, help_text="Shown beside your name."
    )
    timezone = forms.ChoiceField(
        choices=[(name, name.replace("_", " ")) for name in sorted(countries.TIMEZONES)],
        widget=LongSelect,
        label="Time zone",
        help_text="For times that are written to you.",
    )


class UsernameForm(forms.Form):
    """Another name."""

    username = forms.CharField(
        min_length=names.MIN_LENGTH,
        max_length=names.MAX_LENGTH,
        help_text="Letters A to Z, digits, “_” and “-”. It can be changed every 30 days; the old name leads to you for 180 days.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class TermsForm(forms.Form):
    """The terms of today, and the age."""

    of_age = forms.BooleanField(label="I am 18 years old or older")
    terms = forms.BooleanField(label=_terms_label())


class CapForm(forms.Form):
    """A daily cap."""

    daily_cap_tokens = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=limits.LARGEST_CAP,
        label="Tokens a day",
        help_text="What you may spend between midnight and midnight UTC. Empty: no cap. Lowering holds at once, raising after 24 hours.",
    )


class PauseForm(forms.Form):
    """A pause that nobody ends early."""

    cool_off = forms.ChoiceField(
        choices=[("24h", "24 hours"), ("7d", "7 days"), ("30d", "30 days")],
        label="Pause for",
        widget=forms.RadioSelect,
    )
    sure = forms.BooleanField(label="I know that this cannot be ended early")


class ExclusionForm(forms.Form):
    """An exclusion that nobody ends early."""

    self_exclusion = forms.ChoiceField(
        choices=[("6m", "6 months"), ("1y", "1 year"), ("5y", "5 years")],
        label="Exclude me for",
        widget=forms.RadioSelect,
    )
    sure = forms.BooleanField(label="I know that this cannot be ended early, by nobody")


class DeletionForm(forms.Form):
    """One's own name, typed, so that nobody deletes an account by a slip."""

    username = forms.CharField(
        max_length=names.MAX_LENGTH,
        label="Type your username",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_username(self) -> str:
        if self.cleaned_data["username"] != self.user.username:
            raise forms.ValidationError(f"This is not your name: it is {self.user.username}.")
        return self.user.username


class ApiTokenForm(forms.Form):
    """A new key for a program."""

    name = forms.CharField(max_length=NAME_LENGTH, label="Name", help_text="What it is for, so that you recognise it.")
    scopes = forms.MultipleChoiceField(choices=SCOPE_CHOICES, widget=forms.CheckboxSelectMultiple, initial=[roles.READ])


class ReasonForm(forms.Form):
    """Why staff do what they do."""

    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = "Kept in the audit log."


class RoleForm(ReasonForm):
    """Another role, and why."""

    role = forms.ChoiceField(choices=roles.ROLES)
