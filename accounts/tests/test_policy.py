"""Who may do what from where: docs/rules/accounts.md#who-may-do-what."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import AnonymousUser
from django.utils.timezone import now

from accounts import countries, policy
from accounts.models import User
from accounts.policy import Action
from tradingarena.core.errors import CountryRefused, DomainError, NotSignedIn

MONEY = [Action.ENTER_PAID, Action.PURCHASE, Action.BET, Action.STAKE]


@pytest.mark.parametrize("action", list(Action))
def test_a_confirmed_adult_who_accepted_the_terms_may_do_everything(alice: User, action: Action) -> None:
    policy.require(alice, action, "")


@pytest.mark.parametrize("action", list(Action))
def test_a_stranger_may_do_nothing(action: Action) -> None:
    with pytest.raises(NotSignedIn):
        policy.require(AnonymousUser(), action, "FR")  # type: ignore[arg-type]  pages pass what they have


@pytest.mark.parametrize("action", list(Action))
def test_a_disabled_or_banned_person_may_do_nothing(alice: User, bob: User, action: Action) -> None:
    alice.is_active = False
    bob.banned_until = now() + timedelta(hours=1)
    for person in (alice, bob):
        with pytest.raises(policy.AccountDisabled):
            policy.require(person, action, "")


def test_a_ban_ends_by_itself(alice: User) -> None:
    alice.banned_until = now() - timedelta(seconds=1)
    policy.require(alice, Action.BET, "")


@pytest.mark.parametrize("action", list(Action))
def test_it_needs_a_confirmed_address(alice: User, action: Action) -> None:
    EmailAddress.objects.filter(user=alice).update(verified=False)
    with pytest.raises(policy.EmailUnconfirmed):
        policy.require(alice, action, "")


@pytest.mark.parametrize("action", [action for action in Action if action is not Action.CHAT])
def test_it_needs_the_current_terms(alice: User, action: Action, settings: Any) -> None:
    settings.TERMS_VERSION = "2030-01"
    with pytest.raises(policy.TermsNotAccepted):
        policy.require(alice, action, "")


def test_chatting_does_not_wait_for_new_terms(alice: User, settings: Any) -> None:
    settings.TERMS_VERSION = "2030-01"
    policy.require(alice, Action.CHAT, "")


@pytest.mark.parametrize("action", MONEY)
def test_money_and_bets_need_an_adult(alice: User, action: Action) -> None:
    alice.age_confirmed_at = None
    with pytest.raises(policy.AgeNotConfirmed):
        policy.require(alice, action, "")


@pytest.mark.parametrize("action", MONEY)
def test_an_unknown_country_is_refused_for_money_where_countries_are_told(
    alice: User, action: Action, settings: Any
) -> None:
    settings.COUNTRY_SOURCE = "header:CF-IPCountry"
    with pytest.raises(CountryRefused) as refusal:
        policy.require(alice, action, "")
    assert (refusal.value.status, refusal.value.code) == (451, "country_unknown")
    policy.require(alice, action, "DE")


def test_an_unknown_country_may_enter_free_contests(alice: User, settings: Any) -> None:
    settings.COUNTRY_SOURCE = "header:CF-IPCountry"
    policy.require(alice, Action.ENTER_FREE, "")


def test_a_blocked_country_is_refused_with_its_reason_and_only_for_its_action(alice: User, settings: Any) -> None:
    settings.COUNTRY_BLOCKS = {"bet": {"FR": "Bets need a licence there."}}
    with pytest.raises(CountryRefused, match="Bets need a licence there"):
        policy.require(alice, Action.BET, "FR")
    policy.require(alice, Action.BET, "DE")
    policy.require(alice, Action.ENTER_FREE, "FR")


def test_every_action_has_its_needs() -> None:
    assert set(policy.NEEDS) == set(Action)
    assert tuple(countries.ACTIONS) == tuple(Action)


def test_every_refusal_has_a_code_of_its_own() -> None:
    refusals: list[type[DomainError]] = [
        policy.AccountDisabled,
        policy.EmailUnconfirmed,
        policy.TermsNotAccepted,
        policy.AgeNotConfirmed,
        CountryRefused,
    ]
    assert len({refusal.code for refusal in refusals}) == len(refusals)


HEADER = {"HTTP_CF_IPCOUNTRY": "FR"}


def test_a_country_comes_from_the_header_of_a_trusted_proxy(settings: Any) -> None:
    settings.COUNTRY_SOURCE, settings.TRUSTED_PROXIES = "header:CF-IPCountry", 1
    assert countries.country_of(HEADER) == "FR"
    assert countries.country_of({"HTTP_CF_IPCOUNTRY": " fr "}) == "FR"
    assert countries.country_of_scope({"headers": [(b"cf-ipcountry", b"FR")]}) == "FR"


@pytest.mark.parametrize("value", ["", "XX", "T1", "FRA", "é", "F", "<FR>"])
def test_what_is_no_country_is_unknown(settings: Any, value: str) -> None:
    settings.COUNTRY_SOURCE, settings.TRUSTED_PROXIES = "header:CF-IPCountry", 1
    assert countries.country_of({"HTTP_CF_IPCOUNTRY": value}) == ""


@pytest.mark.parametrize(("source", "proxies"), [("none", 1), ("header:CF-IPCountry", 0), ("header:X-Other", 1)])
def test_a_client_cannot_choose_its_country(settings: Any, source: str, proxies: int) -> None:
    settings.COUNTRY_SOURCE, settings.TRUSTED_PROXIES = source, proxies
    assert countries.country_of(HEADER) == ""


@pytest.mark.parametrize(
    ("source", "proxies", "blocks", "found"),
    [
        ("none", 0, {}, []),
        ("header:CF-IPCountry", 1, {"bet": {"FR": "x"}}, []),
        ("mmdb:/var/lib/geo.mmdb", 1, {}, ["accounts.E001"]),
        ("header:", 1, {}, ["accounts.E001"]),
        ("", 0, {}, ["accounts.E001"]),
        ("header:CF-IPCountry", 0, {}, ["accounts.E002"]),
        ("none", 0, {"bet": {"France": "x"}}, ["accounts.E003"]),
        ("none", 0, {"bets": {"FR": "x"}}, ["accounts.E004"]),
    ],
)
def test_a_source_that_cannot_work_is_a_system_check(
    settings: Any, source: str, proxies: int, blocks: dict[str, dict[str, str]], found: list[str]
) -> None:
    settings.COUNTRY_SOURCE, settings.TRUSTED_PROXIES, settings.COUNTRY_BLOCKS = source, proxies, blocks
    problems = countries.check_country_source()
    assert [problem.id for problem in problems] == found
    assert all(problem.hint for problem in problems)
