"""May this person do this from here: the one answer for pages, REST and sockets, asked again at every purchase, entry and bet.

Rules: docs/rules/accounts.md#who-may-do-what.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

from accounts import selectors
from accounts.models import User
from accounts.rules.switches import Part
from accounts.selectors import switches
from tradingarena.core.errors import CountryRefused, Forbidden, NotSignedIn, RuleRefusal


class Action(StrEnum):
    """What the policy knows; each has its line in `NEEDS`."""

    ENTER_FREE = "enter_free"
    ENTER_PAID = "enter_paid"
    PURCHASE = "purchase"
    BET = "bet"
    STAKE = "stake"
    SPEND = "spend"
    CHAT = "chat"


@dataclass(frozen=True)
class Needs:
    """What an action asks of a person. `known_country`: where countries are told at all, an unknown one is refused. `limits`: nobody
    does it who has excluded themselves. `part`: nobody does it while that part of the site is switched off."""

    email: bool = True
    terms: bool = True
    age: bool = False
    known_country: bool = False
    limits: bool = False
    part: Part | None = None


NEEDS = {
    Action.ENTER_FREE: Needs(),
    Action.ENTER_PAID: Needs(age=True, known_country=True, limits=True),
    Action.PURCHASE: Needs(age=True, known_country=True, limits=True, part=Part.PURCHASES),
    Action.BET: Needs(age=True, known_country=True, limits=True, part=Part.BETTING),
    Action.STAKE: Needs(age=True, known_country=True, limits=True),
    Action.SPEND: Needs(limits=True),  # tips, passes: tokens that are given away and never won
    Action.CHAT: Needs(terms=False, part=Part.CHAT),
}


class AccountDisabled(Forbidden):
    """Raised when an operator has shut the account."""

    code, message = "account_disabled", "This account is disabled."


class EmailUnconfirmed(RuleRefusal):
    """Raised when the person's address is not confirmed yet."""

    code, message = "email_unconfirmed", "Confirm your e-mail address first."


class TermsNotAccepted(RuleRefusal):
    """Raised when the person has not accepted the terms as they are today."""

    code, message = "terms_not_accepted", "Accept the current terms first, in your settings."


class AgeNotConfirmed(RuleRefusal):
    """Raised when the person has not declared to be 18 or older."""

    code, message = "age_not_confirmed", "This is only for people of 18 and older. Confirm your age in your settings."


class SelfExcluded(RuleRefusal):
    """Raised when the person has excluded themselves."""

    code, message = "self_excluded", "You have excluded yourself."


class CoolingOff(RuleRefusal):
    """Raised when the person has taken a pause that is not over."""

    code, message = "cooling_off", "You are taking a pause."


def require(user: User, action: Action, country: str) -> selectors.Standing:
    """Refuse what a person may not do from where they are.

    Shapes: country as `countries.country_of` finds it: two letters, or "" for unknown.
    Formula: signed in, enabled, not switched off, then as `NEEDS` says; what a person has forbidden themselves comes before what can be
        mended; a country blocked for the action is refused with its reason; an unknown one is refused for money and bets
        wherever COUNTRY_SOURCE tells countries at all, and allowed where the operator has set it to none.
        Source: docs/rules/accounts.md#who-may-do-what.
    Guarantees: what it has read is returned, so that a spending need not ask for the cap again.
    Raises: NotSignedIn, AccountDisabled, what `switches.require_on` raises, SelfExcluded, CoolingOff, EmailUnconfirmed,
        TermsNotAccepted, AgeNotConfirmed, CountryRefused.
    """
    if not user.is_authenticated:
        raise NotSignedIn
    if not user.may_sign_in():
        raise AccountDisabled
    needs = NEEDS[action]
    if needs.part is not None:
        switches.require_on(needs.part)
    standing = selectors.standing(user)
    if needs.limits:
        _require_limits(standing)
    if needs.email and not standing.email_confirmed:
        raise EmailUnconfirmed
    if needs.terms and user.terms_version != settings.TERMS_VERSION:
        raise TermsNotAccepted
    if needs.age and user.age_confirmed_at is None:
        raise AgeNotConfirmed
    _require_country(needs, action, country)
    return standing


def _require_limits(standing: selectors.Standing) -> None:
    if standing.excluded_until is not None:
        raise SelfExcluded(
            f"You have excluded yourself until {standing.excluded_until:%d %B %Y}. It cannot be ended earlier."
        )
    if standing.cool_off_until is not None:
        raise CoolingOff(
            f"You are taking a pause until {standing.cool_off_until:%d %B %Y, %H:%M} UTC. It cannot be ended earlier."
        )


def _require_country(needs: Needs, action: Action, country: str) -> None:
    blocks: dict[str, str] = settings.COUNTRY_BLOCKS.get(action, {})
    if country in blocks:
        raise CountryRefused(f"This is not offered in your country. {blocks[country]}", country=country)
    if needs.known_country and not country and settings.COUNTRY_SOURCE != "none":
        raise CountryRefused("This is not offered where your country cannot be told.", code="country_unknown")
