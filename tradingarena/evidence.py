"""What a case is judged by, gathered from every app: the people, what links them, what they gave each other, their orders together.

It names accounts and counts what they have in common; no address, device or card is shown. Rules: docs/rules/fair-play.md.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.models import IntegrityCase, User
from competitions.models import Competition
from competitions.selectors import mirrors
from tokens.selectors.evidence import given_among, links_among
from tradingarena.timeline import Drawing, draw

MOST_PEOPLE = 60


@dataclass(frozen=True)
class Evidence:
    """What the page of a case shows beside the case."""

    people: list[User]
    links: list[tuple[str, str, list[str]]]
    given: list[tuple[str, str, int, int]]
    other_cases: list[IntegrityCase]
    facts: list[tuple[str, str]]
    contest: Competition | None
    drawing: Drawing | None


def of(case: IntegrityCase) -> Evidence:
    """Gather it; a fixed number of queries."""
    ids = case.people[:MOST_PEOPLE]
    found = User.objects.in_bulk(ids)
    people = [found[pk] for pk in ids if pk in found]
    names = {user.pk: user.username for user in people}
    contest = Competition.objects.filter(pk=case.evidence.get("competition_id")).first()
    return Evidence(
        people=people,
        links=[(names[one], names[other], sorted(kinds)) for (one, other), kinds in links_among(list(names)).items()],
        given=[(names[row.giver_id], names[row.taker_id], row.times, row.tokens) for row in given_among(list(names))],
        other_cases=list(IntegrityCase.objects.filter(people__overlap=list(names)).exclude(pk=case.pk)[:20]),
        facts=[(key.replace("_", " "), _words(value)) for key, value in case.evidence.items() if not _is_id(key)],
        contest=contest,
        drawing=_drawing(contest, ids),
    )


def _drawing(contest: Competition | None, people: list[UUID]) -> Drawing | None:
    if contest is None or len(people) != 2:
        return None
    return draw(mirrors.orders_of(contest.pk, people), people[0], people[1])


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _is_id(key: str) -> bool:
    return key.endswith("_id") or key == "challenges"
