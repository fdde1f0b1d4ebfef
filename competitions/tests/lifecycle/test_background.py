"""What beat starts, and the same by hand: names, repetition, supervision."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from competitions.services.entries import entry_join
from competitions.services.steps import lease_name
from competitions.services.supervision import supervise
from competitions.tests.lifecycle.world import contest, make_due, person
from tradingarena.celery import app
from tradingarena.core import leases
from tradingarena.core.clock import database_now
from tradingarena.core.models import IdempotentAnswer, Lease

pytestmark = pytest.mark.django_db


@pytest.fixture
def due():
    made = contest()
    for name in ("alice", "bob"):
        entry_join(person(name), made.pk)
    return make_due(made)


def test_the_task_advances_and_does_nothing_a_second_time(due):
    app.loader.import_default_modules()
    task = app.tasks["competitions.advance"]
    assert task()["running"] == 1
    assert sum(task().values()) == 0


def test_what_becomes_due_before_beat_looks_again_gets_a_look_of_its_own(monkeypatch, settings):
    from competitions import tasks

    looks = []
    monkeypatch.setattr(tasks, "look_at", looks.append)
    soon, later = contest(title="Soon"), contest(title="Later")
    make_due(soon, started_s=-3)
    tasks.advance()
    assert looks == [soon.starts_at]
    tasks.advance(hinted=True)
    assert len(looks) == 1
    assert later.status == "open"


def test_a_contest_that_starts_at_once_is_looked_at_when_it_starts(monkeypatch, django_capture_on_commit_callbacks):
    from competitions import receivers

    looks = []
    monkeypatch.setattr(receivers, "look_at", looks.append)
    start = database_now() + timedelta(seconds=3)
    with django_capture_on_commit_callbacks(execute=True):
        near = contest(starts_at=start, ends_at=start + timedelta(seconds=10))
        contest(title="Far")
    assert looks == [near.starts_at]


def test_a_hint_that_redis_does_not_take_is_only_logged(monkeypatch, caplog):
    from kombu.exceptions import OperationalError

    from competitions import tasks

    def down(**_):
        raise OperationalError("no Redis")

    monkeypatch.setitem(app.conf, "task_always_eager", False)
    monkeypatch.setattr(tasks.advance, "apply_async", down)
    tasks.look_at(database_now())
    assert "hint_lost" in caplog.text


def test_the_command_advances_once(due):
    said = StringIO()
    call_command("advance_competitions", "--once", stdout=said)
    assert json.loads(said.getvalue())["running"] == 1


def test_the_command_says_what_it_needs():
    with pytest.raises(CommandError, match="--once"):
        call_command("advance_competitions")


def test_the_command_fails_when_a_contest_is_overdue_without_an_engine(due):
    call_command("advance_competitions", "--once", stdout=StringIO())
    make_due(due, started_s=200, length_s=100)
    with pytest.raises(CommandError) as failed:
        call_command("advance_competitions", "--once", stdout=StringIO())
    assert failed.value.returncode == 1


def test_supervision_tells_each_trouble_once_and_when_it_is_over(due, caplog):
    call_command("advance_competitions", "--once", stdout=StringIO())
    assert supervise() == ["no feed leads", "spring-sprint has no engine"]
    assert supervise() == ["no feed leads", "spring-sprint has no engine"]
    assert caplog.text.count("supervision_trouble") == 2
    leases.claim("feed", "feed-process", lease_ms=60_000)
    leases.claim(lease_name(due.pk), "engine-process", lease_ms=60_000)
    assert supervise() == []
    assert caplog.text.count("supervision_trouble_over") == 2


def test_supervision_is_the_heartbeat_of_beat_and_worker():
    supervise()
    first = Lease.objects.get(name="beat")
    supervise()
    second = Lease.objects.get(name="beat")
    assert second.expires_at > first.expires_at
    assert second.epoch == first.epoch


def test_old_answers_are_forgotten():
    from datetime import timedelta

    from django.utils import timezone

    from tradingarena.core.tasks import sweep_idempotency

    for key in ("old", "new"):
        IdempotentAnswer.objects.create(user_id=person(f"p{key}x").pk, endpoint="e", key=key, body_sha256="0" * 64)
    IdempotentAnswer.objects.filter(key="old").update(created_at=timezone.now() - timedelta(days=2))
    assert sweep_idempotency() == 1
    assert IdempotentAnswer.objects.get().key == "new"
