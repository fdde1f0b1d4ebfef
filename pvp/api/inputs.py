"""What REST takes about challenges: bodies and query strings, each field strict and bounded."""

from typing import Any

from competitions.engine.instruments import INSTRUMENTS
from pvp.rules import terms
from pvp.rules.terms import Wanted
from pvp.selectors.challenges import BOXES
from tradingarena.core.paging import PageQuery
from tradingarena.core.serializers import (
    StrictBoolean,
    StrictChoice,
    StrictInteger,
    StrictList,
    StrictSerializer,
    StrictText,
    StrictTime,
)

DEFAULT_BALANCE_CENTS, DEFAULT_RAKE_BPS = 100_000_00, 500
PAIRS = [(pair, pair) for pair in INSTRUMENTS]


class ChallengesQuery(PageQuery):
    box = StrictChoice(
        choices=BOXES, required=False, help_text="open: to be answered or paid; active: being played; over"
    )


class TermsIn(StrictSerializer):
    stake_cents = StrictInteger(
        min_value=0, max_value=terms.STAKE_CENTS[1], default=0, help_text="each side's, by card; or tokens"
    )
    stake_tokens = StrictInteger(
        min_value=0, max_value=terms.STAKE_TOKENS[1], default=0, help_text="each side's; or cents"
    )
    starting_balance_cents = StrictInteger(
        min_value=terms.BALANCE_CENTS[0], max_value=terms.BALANCE_CENTS[1], default=DEFAULT_BALANCE_CENTS
    )
    pairs = StrictList(child=StrictChoice(choices=PAIRS), min_length=1, max_length=len(PAIRS))
    duration_s = StrictInteger(min_value=terms.SHORTEST_S, max_value=terms.LONGEST_S, help_text="5 minutes to 30 days")
    starts_at = StrictTime(required=False, allow_null=True, default=None, help_text="null: as soon as both have paid")
    rake_bps = StrictInteger(
        min_value=0, max_value=terms.MOST_RAKE_BPS, default=DEFAULT_RAKE_BPS, help_text="of both stakes"
    )
    drawdown_rule = StrictChoice(choices=terms.DRAWDOWN_RULES, default="none")
    drawdown_limit_bps = StrictInteger(min_value=0, max_value=10_000, default=0, help_text="0 without a rule")


class ChallengeIn(StrictSerializer):
    invitee = StrictText(
        max_length=254, help_text="a username, or an e-mail address: whoever has it gets an invitation"
    )
    terms = TermsIn()


class TermsChange(StrictSerializer):
    version = StrictInteger(min_value=1, max_value=1_000_000, help_text="the version that was seen")
    terms = TermsIn()


class AnswerIn(StrictSerializer):
    accept = StrictBoolean(help_text="true: accept the version named; false: decline")
    version = StrictInteger(min_value=1, max_value=1_000_000, help_text="the version that was seen")
    reason = StrictText(max_length=200, required=False, default="", allow_blank=True, help_text="why it is declined")


class NoWords(StrictSerializer):
    """Nothing is to be said."""


def wanted_of(given: dict[str, Any]) -> Wanted:
    """Turn the body's terms into those of the rules."""
    return Wanted(**(given | {"pairs": tuple(given["pairs"])}))
