"""The entry cap is exact under races, numbers have no gaps, one person has one entry. A control shows the race."""

from collections import Counter
from datetime import timedelta
from functools import partial
from unittest.mock import patch

import pytest
from django.db import connection

from accounts.models import User
from competitions.models import Competition, Entry
from competitions.services import entries
from competitions.services.entries import EntryClosed, entry_join
from competitions.tests.lifecycle.world import contest, person
from tradingarena.core.clock import database_now
from tradingarena.tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)
RACERS, CAP, ROUNDS = 50, 20, 20


def _crowd(size: int) -> list[User]:
    return [person(f"racer{number}") for number in range(size)]


def _round(users: list[User], number: int) -> tuple[Counter[str], list[int]]:
    competition = contest(title=f"Round {number}", max_entries=CAP)
    results = race([partial(entry_join, user, competition.pk) for user in users], lanes=RACERS)
    outcomes = Counter(
        "joined" if isinstance(found, Entry) else found.code if isinstance(found, EntryClosed) else repr(found)
        for found in results
    )
    return outcomes, list(competition.entries.order_by("number").values_list("number", flat=True))


EXACT = (Counter({"joined": CAP, "competition_full": RACERS - CAP}), list(range(1, CAP + 1)))


def test_without_the_lock_the_cap_does_not_hold_or_racers_collide():
    users = _crowd(RACERS)
    with patch.object(entries, "lock_row", lambda model, pk: model.objects.get(pk=pk)):
        assert any(_round(users, number) != EXACT for number in range(3))


def test_the_cap_is_exact_and_numbers_have_no_gaps():
    users = _crowd(RACERS)
    for number in range(ROUNDS):
        assert _round(users, number) == EXACT


def test_one_person_at_twenty_doors_has_one_entry():
    user = person("alice")
    competition = contest()
    results = race([partial(entry_join, user, competition.pk)] * 20)
    assert sum(isinstance(found, Entry) for found in results) == 1
    assert {found.code for found in results if not isinstance(found, Entry)} == {"already_joined"}


def test_who_waited_for_the_lock_across_the_start_is_too_late():
    users = _crowd(5)
    competition = contest()
    from threading import Event, Thread

    from django.db import transaction

    held, results = Event(), []

    def join(user: User) -> None:
        try:
            results.append(entry_join(user, competition.pk))
        except EntryClosed as refused:
            results.append(refused)
        finally:
            connection.close()

    with transaction.atomic():
        Competition.objects.select_for_update().get(pk=competition.pk)
        threads = [Thread(target=join, args=[user]) for user in users]
        for thread in threads:
            thread.start()
        while _waiting() < len(users):
            held.wait(0.01)
        Competition.objects.filter(pk=competition.pk).update(starts_at=database_now() - timedelta(milliseconds=1))
    for thread in threads:
        thread.join(timeout=60)
    assert [found.code for found in results] == ["entry_too_late"] * len(users)


def _waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        row = cursor.fetchone()
    return int(row[0])
