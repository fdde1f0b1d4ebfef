"""Joining and withdrawing: every condition says why, and the deadline is the database's."""

from datetime import timedelta

import pytest

from accounts import policy
from accounts.models import AuditLog, Sighting, User
from competitions.events import EntryJoined, EntryWithdrawn
from competitions.models import Competition, Entry
from competitions.services.entries import (
    EntryClosed,
    EntryRefused,
    entry_join,
    entry_reasons,
    entry_withdraw,
    join_ends_at,
)
from competitions.tests.lifecycle.world import contest, make_due, person
from tradingarena.core import events
from tradingarena.core.clock import database_now
from tradingarena.core.errors import CountryRefused, DomainError, NotFound
from tradingarena.core.ids import new_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return person("alice")


def _codes(user, competition, **where):
    return [reason.code for reason in entry_reasons(user, competition, **where)]


def test_an_entry_begins_with_the_starting_balance_and_the_next_number(alice):
    made = contest(starting_balance_cents=5_000_000)
    entries = [entry_join(user, made.pk) for user in (alice, person("bob"))]
    assert [entry.number for entry in entries] == [1, 2]
    figures = ("cash_cents", "max_equity_cents", "day_start_equity_cents", "last_equity_cents")
    assert {getattr(entries[0], figure) for figure in figures} == {5_000_000}
    assert AuditLog.objects.filter(action="entry.joined", object_id=str(entries[0].pk)).exists()


def test_it_publishes_who_joined_and_who_withdrew(alice, monkeypatch):
    heard = []
    monkeypatch.setattr(events, "publish", heard.append)
    made = contest()
    entry = entry_join(alice, made.pk)
    entry_withdraw(alice, made.pk)
    assert heard[-2:] == [EntryJoined(made.pk, entry.pk, alice.pk), EntryWithdrawn(made.pk, entry.pk, alice.pk)]


def test_nobody_joins_twice(alice):
    made = contest()
    entry_join(alice, made.pk)
    assert _codes(alice, made) == ["already_joined"]
    with pytest.raises(EntryClosed) as refused:
        entry_join(alice, made.pk)
    assert (refused.value.code, refused.value.status) == ("already_joined", 409)


def test_who_withdrew_may_come_back_with_the_same_number(alice):
    made = contest()
    first = entry_join(alice, made.pk)
    entry_join(person("bob"), made.pk)
    for _ in range(2):
        assert entry_withdraw(alice, made.pk).status == "withdrawn"
    again = entry_join(alice, made.pk)
    assert (again.pk, again.number, again.status) == (first.pk, 1, "active")


def test_who_withdrew_does_not_come_back_once_the_contest_runs(alice):
    made = contest(late_join_bps=10_000)
    entry_join(alice, made.pk)
    entry_withdraw(alice, made.pk)
    Competition.objects.filter(pk=make_due(made).pk).update(status="running")
    made.refresh_from_db()
    assert _codes(alice, made) == ["entry_not_active"]


def test_the_cap_counts_who_is_still_in(alice):
    made = contest(max_entries=2)
    bob, carol = person("bob"), person("carol")
    for user in (alice, bob):
        entry_join(user, made.pk)
    assert _codes(carol, made) == ["competition_full"]
    entry_withdraw(alice, made.pk)
    assert entry_join(carol, made.pk).number == 3
    assert _codes(alice, made) == ["competition_full"]


def test_a_started_contest_takes_nobody_unless_it_says_so(alice):
    made = make_due(contest())
    assert _codes(alice, made) == ["entry_too_late"]
    Competition.objects.filter(pk=made.pk).update(status="running")
    made.refresh_from_db()
    assert _codes(alice, made) == ["entry_too_late"]


@pytest.mark.parametrize(
    ("share_bps", "started_s", "joins"), [(1000, 359, True), (1000, 361, False), (1, 1, False), (10_000, 3590, True)]
)
def test_late_entry_ends_with_its_share_of_the_duration(alice, share_bps, started_s, joins):
    made = make_due(contest(late_join_bps=share_bps), started_s=started_s)
    Competition.objects.filter(pk=made.pk).update(status="running")
    made.refresh_from_db()
    assert (_codes(alice, made) == []) is joins
    assert join_ends_at(made) == made.starts_at + timedelta(seconds=3600 * share_bps // 10_000)


@pytest.mark.parametrize("status", ["settling", "completed", "cancelled"])
def test_a_contest_that_is_over_takes_nobody(alice, status):
    made = contest()
    Competition.objects.filter(pk=made.pk).update(status=status)
    made.refresh_from_db()
    assert _codes(alice, made) == ["competition_not_open"]


def test_a_draft_does_not_exist_for_who_would_join(alice):
    made = contest(open_now=False)
    for unknown in (made.pk, new_id()):
        with pytest.raises(NotFound):
            entry_join(alice, unknown)


def test_an_invite_code_is_asked_for_and_compared(alice):
    made = contest(kind="private", invite_code="Open-Sesame")
    assert _codes(alice, made) == ["invite_code_needed"]
    for code, refusal in (
        ("", "invite_code_needed"),
        ("open-sesame", "invite_code_wrong"),
        ("ö" * 80, "invite_code_wrong"),
    ):
        with pytest.raises(EntryRefused) as refused:
            entry_join(alice, made.pk, invite_code=code)
        assert refused.value.code == refusal
    assert entry_join(alice, made.pk, invite_code="Open-Sesame").number == 1


def test_a_young_account_is_told_when_it_is_old_enough(alice):
    made = contest(min_account_age_h=48)
    assert _codes(alice, made) == ["account_too_new"]
    User.objects.filter(pk=alice.pk).update(date_joined=database_now() - timedelta(hours=49))
    alice.refresh_from_db()
    assert _codes(alice, made) == []


def test_bots_stay_out_where_they_are_not_allowed():
    robot = person("robot", is_bot=True)
    assert _codes(robot, contest(bots_allowed=False)) == ["bots_not_allowed"]
    assert _codes(robot, contest(title="Machines welcome")) == []


def test_a_blocked_country_is_refused_by_where_one_is_or_else_by_where_one_says_one_lives(alice):
    made = contest(blocked_countries=["FR"])
    assert _codes(alice, made, country="FR") == ["country_refused"]
    assert _codes(alice, made, country="DE") == []
    alice.country = "FR"
    assert _codes(alice, made) == ["country_refused"]
    with pytest.raises(CountryRefused):
        entry_join(alice, made.pk)


def test_the_policy_of_the_site_holds_here_too():
    newcomer = person("newcomer", confirmed=False)
    made = contest()
    with pytest.raises(policy.EmailUnconfirmed) as refused:
        entry_join(newcomer, made.pk)
    assert refused.value.data["reasons"][0]["code"] == "email_unconfirmed"


def test_an_entry_that_costs_says_what_it_needs(alice, settings):
    settings.STRIPE_SECRET_KEY = ""
    card = contest(buy_in_cents=1000, prize_split_bps=[10_000])
    tokens = contest(entry_tokens=10, prize_split_bps=[10_000])
    assert _codes(alice, card) == ["payments_off"]
    assert _codes(alice, tokens) == ["insufficient_tokens"]
    with pytest.raises(EntryRefused) as refused:
        entry_join(alice, card.pk)
    assert refused.value.code == "buy_in_by_card"
    assert not Entry.objects.exists()


def test_every_reason_is_told_and_the_door_names_the_first(alice):
    made = contest(min_account_age_h=48, blocked_countries=["FR"], invite_code="abcd")
    assert _codes(alice, made, country="FR") == ["account_too_new", "country_refused", "invite_code_needed"]
    with pytest.raises(DomainError) as refused:
        entry_join(alice, made.pk, country="FR")
    assert refused.value.code == "account_too_new"
    assert [reason["code"] for reason in refused.value.data["reasons"]] == _codes(alice, made, country="FR")


def test_a_disqualified_entrant_stays_out(alice):
    made = contest()
    entry = entry_join(alice, made.pk)
    Entry.objects.filter(pk=entry.pk).update(status="disqualified", dq_reason="Linked accounts.", dq_at=database_now())
    assert _codes(alice, made) == ["entry_not_active"]
    with pytest.raises(EntryClosed, match="no longer"):
        entry_withdraw(alice, made.pk)


def test_nobody_withdraws_after_the_start_even_before_the_status_says_so(alice):
    made = contest()
    entry_join(alice, made.pk)
    make_due(made, started_s=0.001)
    with pytest.raises(EntryClosed) as refused:
        entry_withdraw(alice, made.pk)
    assert refused.value.code == "already_started"


def test_who_never_joined_cannot_withdraw(alice):
    with pytest.raises(NotFound):
        entry_withdraw(alice, contest().pk)


def test_a_name_stays_while_its_contest_runs(alice):
    from accounts.services.usernames import NotNow, username_change

    made = contest()
    entry_join(alice, made.pk)
    Competition.objects.filter(pk=made.pk).update(status="running")
    with pytest.raises(NotNow, match="running"):
        username_change(alice.pk, "alicia")
    Competition.objects.filter(pk=made.pk).update(status="settling")
    assert username_change(alice.pk, "alicia").username == "alicia"


def test_where_one_account_of_a_device_or_card_may_enter_the_second_is_refused(alice):
    made = contest(max_linked_entries=1)
    bob, cleo = person("bob"), person("cleo")
    now = database_now()
    Sighting.objects.bulk_create(
        Sighting(user=user, kind=kind, digest=digest * 64, last_at=now)
        for user, kind, digest in (
            (alice, "device", "d"),
            (bob, "device", "d"),
            (alice, "address", "a"),
            (cleo, "address", "a"),
        )
    )
    entry_join(alice, made.pk)
    assert _codes(bob, made) == ["linked_accounts_full"]
    with pytest.raises(EntryRefused):
        entry_join(bob, made.pk)
    assert _codes(cleo, made) == []  # one home
    assert _codes(bob, contest(title="Anybody")) == []
