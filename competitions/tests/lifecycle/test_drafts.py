"""Drawing up a contest and changing it: what holds, what is refused, and when rules freeze."""

from datetime import timedelta

import pytest

from accounts.models import AuditLog
from competitions.models import Competition
from competitions.services.drafts import competition_copy, competition_create, competition_update
from competitions.services.entries import entry_join
from competitions.services.steps import OperatorsOnly, RulesFrozen
from competitions.services.terms import BOUNDS, TermsRefused
from competitions.tests.lifecycle.world import contest, operator, person, terms
from tradingarena.core.clock import database_now

pytestmark = pytest.mark.django_db


def test_an_operator_makes_a_draft_and_the_audit_log_tells_of_it():
    made = contest(open_now=False)
    assert (made.status, made.slug, made.planned_ends_at) == ("draft", "spring-sprint", made.ends_at)
    row = AuditLog.objects.get(action="competition.created", object_id=str(made.pk))
    assert row.actor.username == "oscar"
    assert row.new["pairs"] == ["EUR/USD"]


def test_two_contests_of_one_title_have_two_slugs():
    assert [contest().slug for _ in range(3)] == ["spring-sprint", "spring-sprint-2", "spring-sprint-3"]


def test_the_slug_of_a_private_contest_cannot_be_guessed():
    made = contest(kind="private", invite_code="open-sesame")
    assert made.slug == f"spring-sprint-{made.pk.hex[-12:]}"


def test_a_contest_of_ten_seconds_can_be_made():
    start = database_now() + timedelta(seconds=5)
    made = contest(starts_at=start, ends_at=start + timedelta(seconds=10))
    assert made.ends_at - made.starts_at == timedelta(seconds=10)


def test_only_operators_make_contests():
    with pytest.raises(OperatorsOnly):
        competition_create(person("alice"), **terms())
    with pytest.raises(OperatorsOnly):
        competition_create(person("mona", role="moderator"), **terms())


def _hour(**parts):
    return timedelta(**parts)


REFUSED = [
    ({"title": ""}, "title", "length"),
    ({"title": "x" * 121}, "title", "length"),
    ({"title": "two\nlines"}, "title", "length"),
    ({"description": "d" * 4001}, "description", "length"),
    ({"description": "bell \x07"}, "description", "characters"),
    ({"kind": "secret"}, "kind", "unknown"),
    ({"starts_in": -1}, "starts_at", "in_the_past"),
    ({"length_s": 9}, "ends_at", "duration"),
    ({"length_s": -60}, "ends_at", "duration"),
    ({"length_s": 93 * 86_400}, "ends_at", "duration"),
    ({"starts_at": None}, "starts_at", "required"),
    ({"close_only_s": 3600}, "close_only_s", "out_of_range"),
    ({"pairs": []}, "pairs", "required"),
    ({"pairs": ["EUR/USD", "EUR/USD"]}, "pairs", "repeated"),
    ({"pairs": ["EUR/XXX"]}, "pairs", "unknown"),
    ({"pairs": ["USD/EUR"]}, "pairs", "unknown"),
    ({"drawdown_rule": "weekly", "drawdown_limit_bps": 10}, "drawdown_rule", "unknown"),
    ({"drawdown_rule": "peak"}, "drawdown_limit_bps", "with_rule"),
    ({"drawdown_limit_bps": 500}, "drawdown_limit_bps", "with_rule"),
    ({"max_units": 500}, "max_units", "out_of_range"),
    ({"min_units": 1500}, "min_units", "off_step"),
    ({"margin_call_level_bps": 4_999}, "margin_call_level_bps", "out_of_range"),
    ({"max_entries": 1}, "max_entries", "out_of_range"),
    ({"kind": "private"}, "invite_code", "required"),
    ({"invite_code": "a b c d"}, "invite_code", "characters"),
    ({"blocked_countries": ["ZZ"]}, "blocked_countries", "unknown"),
    ({"buy_in_cents": 500, "entry_tokens": 5, "prize_split_bps": [10_000]}, "entry_tokens", "with_buy_in"),
    ({"rake_bps": 100}, "rake_bps", "free_contest"),
    ({"buy_in_cents": 500}, "prize_split_bps", "not_a_split"),
    ({"prize_split_bps": [6_000, 3_000]}, "prize_split_bps", "not_a_split"),
    ({"prize_split_bps": [4_000, 6_000]}, "prize_split_bps", "not_a_split"),
    ({"reward_tokens": [1_000_001]}, "reward_tokens", "out_of_range"),
    ({"bots_only": True, "bots_allowed": False}, "bots_only", "bots_not_allowed"),
    ({"status": "running"}, "status", "unknown_field"),
    ({"slug": "mine"}, "slug", "unknown_field"),
    *(({field: high + 1}, field, "out_of_range") for field, (_, high) in BOUNDS.items()),
    *(({field: True}, field, "out_of_range") for field in ("leverage", "max_entries", "buy_in_cents")),
    ({"leverage": "30"}, "leverage", "out_of_range"),
    ({"leverage": None}, "leverage", "out_of_range"),
]


@pytest.mark.parametrize(("changes", "field", "code"), REFUSED, ids=lambda value: str(value)[:40])
def test_terms_that_do_not_hold_are_refused_by_field_and_code(changes, field, code):
    changes = dict(changes)
    start = database_now() + timedelta(hours=changes.pop("starts_in", 1))
    changes = {"starts_at": start, "ends_at": start + timedelta(seconds=changes.pop("length_s", 3600))} | changes
    with pytest.raises(TermsRefused) as refused:
        competition_create(operator(), **terms(**changes))
    assert (f"/{field}", code) in [(error["pointer"], error["code"]) for error in refused.value.data["errors"]]
    assert not Competition.objects.exists()


def test_every_problem_is_told_at_once():
    with pytest.raises(TermsRefused) as refused:
        competition_create(operator(), **terms(title="", pairs=[], leverage=0))
    assert {error["pointer"] for error in refused.value.data["errors"]} == {"/title", "/pairs", "/leverage"}


def test_a_pair_without_a_fed_conversion_is_refused(monkeypatch):
    monkeypatch.setattr("competitions.services.drafts.fed_pairs", lambda: frozenset({"EUR/GBP", "EUR/USD"}))
    with pytest.raises(TermsRefused, match="GBP/USD"):
        competition_create(operator(), **terms(pairs=["EUR/GBP"]))


def test_rules_change_until_the_first_entrant_has_joined_and_words_also_later():
    made = contest()
    competition_update(operator(), made.pk, leverage=100)
    entry_join(person("alice"), made.pk)
    with pytest.raises(RulesFrozen):
        competition_update(operator(), made.pk, leverage=30)
    competition_update(operator(), made.pk, title="Spring Final", description="New words.", leverage=100)
    made.refresh_from_db()
    assert (made.leverage, made.title, made.slug) == (100, "Spring Final", "spring-sprint")
    row = AuditLog.objects.filter(action="competition.changed").order_by("id").first()
    assert (row.old, row.new) == ({"leverage": 30}, {"leverage": 100})


def test_rules_stay_frozen_when_the_entrant_has_withdrawn():
    from competitions.services.entries import entry_withdraw

    made, alice = contest(), person("alice")
    entry_join(alice, made.pk)
    entry_withdraw(alice, made.pk)
    with pytest.raises(RulesFrozen):
        competition_update(operator(), made.pk, leverage=50)


def test_a_change_that_does_not_hold_changes_nothing():
    made = contest()
    with pytest.raises(TermsRefused):
        competition_update(operator(), made.pk, leverage=0)
    made.refresh_from_db()
    assert made.leverage == 30


def test_a_copy_is_a_draft_of_the_same_terms_whole_weeks_later():
    made = contest(leverage=20, reward_tokens=[50, 20], max_linked_entries=1, description="Every Friday")
    entry_join(person("alice"), made.pk)
    copied = competition_copy(operator(), made.pk)
    assert (copied.status, copied.slug, copied.entries.count()) == ("draft", "spring-sprint-2", 0)
    assert (copied.leverage, copied.reward_tokens, copied.max_linked_entries) == (20, [50, 20], 1)
    assert copied.starts_at == made.starts_at + timedelta(weeks=1)
    assert copied.ends_at - copied.starts_at == made.ends_at - made.starts_at
    long_ago = database_now() - timedelta(days=30)
    Competition.objects.filter(pk=made.pk).update(
        starts_at=long_ago, ends_at=long_ago + timedelta(hours=1), planned_ends_at=None
    )
    later = competition_copy(operator(), made.pk).starts_at
    assert timedelta() < later - database_now() <= timedelta(weeks=1)
    assert (later - long_ago) % timedelta(weeks=1) == timedelta()
    with pytest.raises(OperatorsOnly):
        competition_copy(person("bob"), made.pk)
