"""Contests that come again: one for each start, with the model's terms, whoever looks, and trouble that is shown."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import AuditLog
from competitions.models import Competition, Schedule
from competitions.services import schedules
from competitions.services.drafts import competition_update
from competitions.services.schedules import ScheduleRefused, make_what_is_due, next_start, schedule_save, starts_between
from competitions.services.steps import OperatorsOnly
from competitions.tests.lifecycle.world import contest, operator, person
from tradingarena.core.clock import database_now
from tradingarena.tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)


def daily(*, in_h: float = 3, **changes: object) -> Schedule:
    """A schedule of every day, whose next start comes in some hours."""
    start = (database_now() + timedelta(hours=in_h)).time().replace(second=0, microsecond=0)
    values = {"title": "Daily of {date}", "weekdays": [*range(1, 8)], "starts_at": start, "ahead_h": 24} | changes
    model = values.pop("model", None) or contest(open_now=False, leverage=77, title="Template")
    return schedule_save(operator(), Schedule(model=model, **values))


def made() -> list[Competition]:
    return list(Competition.objects.exclude(scheduled=None).order_by("starts_at"))


def test_the_contest_of_the_next_start_is_made_and_open_with_the_models_terms() -> None:
    schedule = daily()
    assert make_what_is_due() == {"made": 1, "failed": 0}
    (contest_made,) = made()
    start = contest_made.starts_at
    assert (contest_made.status, contest_made.leverage) == ("open", 77)
    assert contest_made.title == f"Daily of {start.day} {start:%b}"
    assert start.time() == schedule.starts_at
    assert contest_made.ends_at - start == schedule.model.ends_at - schedule.model.starts_at
    assert make_what_is_due() == {"made": 0, "failed": 0}
    assert next_start(schedule) == start + timedelta(days=1)


def test_what_is_changed_in_the_model_holds_from_then_on() -> None:
    schedule = daily(ahead_h=48)
    make_what_is_due()
    competition_update(operator(), schedule.model_id, leverage=50)
    schedule.ahead_h = 72
    schedule_save(operator(), schedule)
    make_what_is_due()
    assert [one.leverage for one in made()] == [77, 77, 50]


def test_ten_at_once_make_one_contest_a_start() -> None:
    daily(ahead_h=72)
    found = race([make_what_is_due] * 10)
    assert sum(one["made"] for one in found) == 3
    assert len({one.starts_at for one in made()}) == len(made()) == 3


def test_a_schedule_that_rests_makes_nothing() -> None:
    daily(enabled=False)
    assert make_what_is_due() == {"made": 0, "failed": 0}


def test_trouble_is_shown_logged_once_holds_up_no_other_and_is_forgotten_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad, good = daily(title="Bad"), daily(title="Good", model=contest(open_now=False))
    Competition.objects.filter(pk=bad.model_id).update(pairs=["EUR/XXX"])
    for _ in range(2):
        assert make_what_is_due()["failed"] == 1
    bad.refresh_from_db()
    assert "EUR/XXX" in bad.last_trouble
    assert [one.title for one in made()] == [good.title]
    assert sum(record.message == "schedule_failed" for record in caplog.records) == 1
    Competition.objects.filter(pk=bad.model_id).update(pairs=["EUR/USD"])
    make_what_is_due()
    bad.refresh_from_db()
    assert (bad.last_trouble, len(made())) == ("", 2)


def test_only_operators_keep_schedules_and_what_makes_nothing_is_refused() -> None:
    model = contest(open_now=False)
    plain = {"model": model, "title": "Daily", "starts_at": time(12)}
    with pytest.raises(OperatorsOnly):
        schedule_save(person("alice"), Schedule(weekdays=[1], **plain))
    for days in ([], [0], [8]):
        with pytest.raises(ScheduleRefused):
            schedule_save(operator(), Schedule(weekdays=days, **plain))
    Competition.objects.filter(pk=model.pk).update(kind="pvp")
    model.refresh_from_db()
    with pytest.raises(ScheduleRefused):
        schedule_save(operator(), Schedule(weekdays=[1], **plain))
    assert not Schedule.objects.exists()


moments = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


@given(moments, st.sets(st.integers(1, 7), min_size=1), st.times(), st.integers(0, 400))
def test_starts_are_all_on_their_days_at_their_time_within_the_span(
    after: datetime, days: set[int], at: time, span_h: int
) -> None:
    until = after + timedelta(hours=span_h)
    found = list(starts_between(Schedule(weekdays=sorted(days), starts_at=at), after, until))
    every_day = [datetime.combine(after.date() + timedelta(days=n), at, UTC) for n in range(span_h // 24 + 2)]
    assert found == [one for one in every_day if after < one <= until and one.isoweekday() in days]


def test_an_operator_makes_one_in_the_admin_site_and_sees_what_it_made(settings: object) -> None:
    settings.STAFF_MFA_REQUIRED = False  # type: ignore[attr-defined]
    desk = Client()
    desk.force_login(operator())
    model = contest(open_now=False)
    form = {"model": model.pk, "title": "Lunch", "weekdays": [1, 2, 3, 4, 5, 6, 7], "starts_at": "12:00", "ahead_h": 30}
    inline = {f"made-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")}
    answer = desk.post(reverse("admin:competitions_schedule_add"), form | inline | {"enabled": "on"})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    schedule = Schedule.objects.get()
    assert AuditLog.objects.filter(action="schedule.created", object_id=str(schedule.pk), actor=operator()).exists()
    assert schedules.make_what_is_due()["made"] >= 1
    page = desk.get(reverse("admin:competitions_schedule_change", args=[schedule.pk]))
    assert "Lunch" in page.content.decode()
    listed = desk.get(reverse("admin:competitions_schedule_changelist")).content.decode()
    assert "Mon, Tue, Wed" in listed
