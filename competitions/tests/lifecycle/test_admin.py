"""The admin site of contests: made and changed by the doors, read-only where the engine writes."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditLog
from competitions.admin import CompetitionForm
from competitions.models import Amendment, Competition, Deal, Entry, Fill, Order, Payout, Position, Trade
from competitions.services.entries import entry_join
from competitions.services.terms import FIELDS
from competitions.tests.lifecycle.world import contest, operator, person
from tradingarena.core.clock import database_now

pytestmark = pytest.mark.django_db
MODELS = [Competition, Entry, Order, Amendment, Fill, Deal, Trade, Position, Payout]


@pytest.fixture
def desk(settings):
    """An operator at the admin site."""
    settings.STAFF_MFA_REQUIRED = False
    client = Client()
    client.force_login(operator())
    return client


def _url(model, page="changelist", *args):
    return reverse(f"admin:competitions_{model._meta.model_name}_{page}", args=args)


def _form(**changes):
    start = database_now() + timedelta(hours=2)
    form = CompetitionForm()
    values = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    values |= {"title": "Night Run", "pairs": ["EUR/USD", "USD/JPY"]} | changes
    times = {"starts_at": start, "ends_at": start + timedelta(hours=1)}
    for name, moment in times.items():
        values[f"{name}_0"], values[f"{name}_1"] = f"{moment:%Y-%m-%d}", f"{moment:%H:%M:%S}"
    flat = {
        name: ",".join(map(str, value)) if isinstance(value, list) and name != "pairs" else value
        for name, value in values.items()
    }
    return {name: value for name, value in flat.items() if value is not None and value is not False}


@pytest.mark.parametrize("model", MODELS)
def test_every_list_opens_and_can_be_searched(desk, model):
    entry_join(person("alice"), contest().pk)
    assert desk.get(_url(model), {"q": "alice"}).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_nobody_deletes_anything_and_only_contests_are_added(desk, model):
    expected = 200 if model is Competition else 403
    assert desk.get(_url(model, "add")).status_code == expected
    rows = {Competition: contest}
    if model in rows:
        assert desk.post(_url(model, "delete", rows[model]().pk)).status_code == 403


def test_a_contest_is_made_by_the_door(desk):
    answer = desk.post(_url(Competition, "add"), _form())
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    made = Competition.objects.get()
    assert (made.slug, made.status, made.pairs) == ("night-run", "draft", ["EUR/USD", "USD/JPY"])
    assert AuditLog.objects.filter(action="competition.created", actor=operator()).exists()
    assert desk.get(_url(Competition, "change", made.pk)).status_code == 200


def test_terms_that_do_not_hold_are_shown_at_their_field(desk):
    answer = desk.post(_url(Competition, "add"), _form(leverage=0))
    assert set(answer.context["adminform"].form.errors) == {"leverage"}
    answer = desk.post(_url(Competition, "add"), _form(prize_split_bps=[6000, 3000], rake_bps=5))
    assert set(answer.context["adminform"].form.errors) == {"prize_split_bps", "rake_bps"}
    assert not Competition.objects.exists()


def test_the_form_offers_exactly_the_terms():
    assert set(CompetitionForm().fields) == FIELDS


def test_a_contest_that_runs_is_read_only(desk):
    made = contest()
    Competition.objects.filter(pk=made.pk).update(status="running")
    assert desk.post(_url(Competition, "change", made.pk), _form()).status_code == 403


def test_rules_frozen_by_an_entrant_stay_and_the_operator_is_told(desk):
    made = contest()
    entry_join(person("alice"), made.pk)
    answer = desk.post(_url(Competition, "change", made.pk), _form(leverage=99))
    made.refresh_from_db()
    assert made.leverage == 30
    assert "do not change any more" in answer.content.decode()
    assert "was changed" not in answer.content.decode()


def test_actions_open_cancel_and_disqualify_with_a_reason(desk):
    made = contest(open_now=False)
    ask = {"_selected_action": [str(made.pk)]}
    desk.post(_url(Competition), {"action": "open_for_entries", **ask})
    entry = entry_join(person("alice"), made.pk)
    chosen = {"action": "disqualify", "_selected_action": [str(entry.pk)]}
    assert "Say why" in desk.post(_url(Entry), chosen, follow=True).content.decode()
    desk.post(_url(Entry), {**chosen, "reason": "Two accounts."})
    assert "Say why" in desk.post(_url(Competition), {"action": "cancel", **ask}, follow=True).content.decode()
    desk.post(_url(Competition), {"action": "cancel", "reason": "Nobody came.", **ask})
    entry.refresh_from_db()
    made.refresh_from_db()
    assert (made.status, made.cancel_reason) == ("cancelled", "Nobody came.")
    assert (entry.status, entry.dq_reason) == ("disqualified", "Two accounts.")


def test_a_moderator_looks_and_changes_nothing(settings):
    settings.STAFF_MFA_REQUIRED = False
    client = Client()
    client.force_login(person("mona", role="moderator"))
    made = contest()
    assert client.get(_url(Competition)).status_code == 200
    assert client.get(_url(Order)).status_code == 403
    assert client.get(_url(Competition, "add")).status_code == 403
    client.post(_url(Competition), {"action": "cancel", "reason": "I want to.", "_selected_action": [str(made.pk)]})
    made.refresh_from_db()
    assert made.status == "open"
