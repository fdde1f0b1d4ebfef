"""What a completed contest adds to the leaderboards: docs/rules/economy.md#leaderboards."""

from typing import Any

import pytest
from django.utils import timezone

from competitions.events import CompetitionCompleted
from competitions.models import Competition, Entry
from competitions.services import tallies
from competitions.tests.factories import make_competition, make_entry, make_user
from tokens.rules.economy import Period
from tokens.selectors.boards import board_page
from tradingarena.core import events

pytestmark = pytest.mark.django_db


def contest(ranks: dict[str, int | None], **fields: Any) -> Competition:
    made = make_competition(status="completed", completed_at=timezone.now(), **fields)
    for name, rank in ranks.items():
        make_entry(made, make_user(name), rank=rank, fills_count=int(rank is not None))
    return made


def lines(board: str = "traders") -> list[tuple[Any, ...]]:
    found = board_page(board, Period.DAY).lines
    return [(line["username"], line["place"], line["score"], line["items"], line["wins"]) for line in found]


def test_rivals_below_are_points_and_unranked_ones_are_none() -> None:
    made = contest({"ada": 1, "bea": 2, "cid": 2, "dov": 4, "eve": None})
    assert tallies.contest_count(made.pk)
    assert sorted(lines()) == [("ada", 1, 3, 1, 1), ("bea", 2, 1, 1, 0), ("cid", 2, 1, 1, 0)]
    assert not tallies.contest_count(made.pk)
    assert sorted(lines())[0] == ("ada", 1, 3, 1, 1)


def test_the_event_adds_a_contest_and_the_sweep_finds_what_it_missed(django_capture_on_commit_callbacks: Any) -> None:
    told, missed = contest({"ada": 1, "bea": 2}), contest({"cid": 1, "dov": 2})
    with django_capture_on_commit_callbacks(execute=True):
        events.publish(CompetitionCompleted(told.pk, told.completed_at))
    assert [line[0] for line in lines()] == ["ada"]
    assert tallies.sweep() == 1
    assert tallies.sweep() == 0
    assert {line[0] for line in lines()} == {"ada", "cid"}
    assert missed.pk


def test_contests_for_bots_alone_have_a_board_of_their_own() -> None:
    made = contest({"ada": 1, "bea": 2}, bots_only=True)
    assert tallies.contest_count(made.pk)
    assert (lines(), lines("bots")) == ([], [("ada", 1, 1, 1, 1)])


@pytest.mark.parametrize("fields", [{"kind": "private"}, {"kind": "pvp"}, {"status": "settling", "completed_at": None}])
def test_contests_whose_rivals_can_be_chosen_or_that_are_not_over_count_for_nothing(fields: dict[str, Any]) -> None:
    made = contest({"ada": 1, "bea": 2})
    Competition.objects.filter(pk=made.pk).update(**fields)
    assert not tallies.contest_count(made.pk)
    assert lines() == []
    assert Entry.objects.filter(competition=made).count() == 2
