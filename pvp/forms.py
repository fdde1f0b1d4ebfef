"""The forms of challenges, in the units that people speak: dollars, per cent, hours. The doors in `services` decide."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from competitions.engine.instruments import INSTRUMENTS
from pvp.rules.terms import DAY, MINUTE, Wanted

HOUR = 60 * MINUTE
DURATIONS = [
    (5 * MINUTE, _("5 minutes")),
    (15 * MINUTE, _("15 minutes")),
    (30 * MINUTE, _("30 minutes")),
    (HOUR, _("1 hour")),
    (4 * HOUR, _("4 hours")),
    (DAY, _("1 day")),
    (7 * DAY, _("1 week")),
    (30 * DAY, _("30 days")),
]
DRAWDOWN = [
    ("none", _("No limit")),
    ("start", _("From the starting balance")),
    ("peak", _("From the highest equity")),
    ("daily", _("Within a UTC day")),
]
DEFAULTS = {
    "stake_in": "tokens",
    "stake": 100,
    "duration_s": 30 * MINUTE,
    "balance": 100_000,
    "pairs": ["EUR/USD", "GBP/USD", "USD/JPY"],
    "rake": 5,
    "drawdown_rule": "none",
    "drawdown_limit": 0,
}
WHOLE = Decimal(100)


class TermsForm(forms.Form):
    """What two people play for, and by which rules."""

    stake_in = forms.ChoiceField(
        choices=[("tokens", _("Tokens")), ("cents", _("US dollars, by card"))],
        widget=forms.RadioSelect,
        label=_("Stake in"),
    )
    stake = forms.DecimalField(
        min_value=0,
        max_value=1_000_000,
        decimal_places=2,
        label=_("Stake of each side"),
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "any", "class": "input"}),
    )
    duration_s = forms.TypedChoiceField(choices=DURATIONS, coerce=int, label=_("Duration"))
    starts_at = forms.DateTimeField(
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "class": "input"}, format="%Y-%m-%dT%H:%M"),
        label=_("Start (UTC)"),
        help_text=_("Leave it empty to start as soon as both have paid."),
    )
    balance = forms.IntegerField(
        min_value=1_000, max_value=1_000_000_000, label=_("Starting balance in US dollars"),
        widget=forms.NumberInput(attrs={"class": "input"}), help_text=_("Virtual: what each side trades with."),
    )  # fmt: skip
    pairs = forms.MultipleChoiceField(
        choices=[(pair, pair) for pair in INSTRUMENTS], widget=forms.CheckboxSelectMultiple, label=_("Pairs")
    )
    rake = forms.DecimalField(
        min_value=0, max_value=20, decimal_places=2, label=_("Rake in per cent"),
        widget=forms.NumberInput(attrs={"step": "any", "class": "input"}),
        help_text=_("The house's share of both stakes; nothing in a tie."),
    )  # fmt: skip
    drawdown_rule = forms.ChoiceField(choices=DRAWDOWN, label=_("Drawdown limit"))
    drawdown_limit = forms.DecimalField(
        min_value=0, max_value=100, decimal_places=2, required=False, label=_("Limit in per cent"),
        widget=forms.NumberInput(attrs={"step": "any", "class": "input"}), help_text=_("Who falls this far is out."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        span = self.initial.get("duration_s")
        if span and span not in dict(DURATIONS):  # terms that came over REST may have any length
            self.fields["duration_s"].choices = [*DURATIONS, (span, _("%(n)d minutes") % {"n": span // MINUTE})]

    def wanted(self) -> Wanted:
        """Give the terms as the rules know them."""
        data = self.cleaned_data
        by_card = data["stake_in"] == "cents"
        limit = data["drawdown_limit"] or Decimal(0)
        return Wanted(
            stake_cents=int(data["stake"] * WHOLE) if by_card else 0,
            stake_tokens=0 if by_card else int(data["stake"]),
            starting_balance_cents=data["balance"] * 100,
            pairs=tuple(data["pairs"]),
            duration_s=data["duration_s"],
            starts_at=_in_utc(data["starts_at"]),
            rake_bps=int(data["rake"] * WHOLE),
            drawdown_rule=data["drawdown_rule"],
            drawdown_limit_bps=0 if data["drawdown_rule"] == "none" else int(limit * WHOLE),
        )

    def clean(self) -> dict[str, Any]:
        """Refuse half a token."""
        data: dict[str, Any] = super().clean() or {}
        stake = data.get("stake")
        if stake is not None and data.get("stake_in") == "tokens" and stake != int(stake):
            self.add_error("stake", _("Tokens are whole."))
        return data


class ChallengeForm(TermsForm):
    """A new challenge: whom, and the first terms."""

    invitee = forms.CharField(
        max_length=254,
        label=_("Whom"),
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off", "autocapitalize": "none"}),
        help_text=_("A username, or an e-mail address: whoever has it gets an invitation, with or without an account."),
    )
    field_order = ["invitee"]


def initial_of(wanted: Wanted) -> dict[str, Any]:
    """Fill the form with terms that are there."""
    by_card = bool(wanted.stake_cents)
    return {
        "stake_in": "cents" if by_card else "tokens",
        "stake": (Decimal(wanted.stake_cents) / WHOLE).normalize() if by_card else wanted.stake_tokens,
        "duration_s": wanted.duration_s,
        "starts_at": wanted.starts_at,
        "balance": wanted.starting_balance_cents // 100,
        "pairs": list(wanted.pairs),
        "rake": Decimal(wanted.rake_bps).scaleb(-2).normalize(),
        "drawdown_rule": wanted.drawdown_rule,
        "drawdown_limit": Decimal(wanted.drawdown_limit_bps).scaleb(-2).normalize(),
    }


def _in_utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
