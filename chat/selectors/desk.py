"""What moderators look at: the queue with the conversation around each case, live rooms, and somebody's record.

What they may decide is judged by the doors (`services/cases.py`, `services/sanctions.py`). Rules: docs/rules/chat.md#the-queue.
"""

from typing import Any

from django.db.models import QuerySet

from accounts.models import IntegrityCase, User
from chat.models import Case, Channel, Note
from chat.rules import authority
from chat.rules.decisions import DECISIONS
from chat.selectors import history, sanctions
from chat.selectors.access import moderates
from competitions.models import Competition

PAGE = 20
MOST_ROOMS = 12


def open_cases(moderator: User) -> QuerySet[Case]:
    """Select what waits: everything for moderators of the site, one's own arenas' for hosts; the oldest first."""
    rows = Case.objects.filter(closed_at=None).select_related(
        "user", "channel__competition", "message__author", "sanction__actor", "sanction__channel", "appeal"
    )
    if not moderates(moderator, None):
        rows = rows.filter(channel__competition__host=moderator)
    return rows.exclude(user=moderator).order_by("opened_at")


def case_row(case: Case) -> dict[str, Any]:
    """Show a case with its conversation, its reports, and what is known of the person."""
    return {
        "case": case,
        "lines": history.around(case.message) if case.message else [],
        "reports": list(case.reports.select_related("reporter").order_by("at")),
        "appeal": getattr(case, "appeal", None),
        "decisions": DECISIONS[case.kind],
        "preset_id": f"preset-{case.pk}",
        "advice": sanctions.advice(case.user),
    }


def integrity_cases(moderator: User) -> list[dict[str, Any]]:
    """Show what looks unfair and waits, the oldest first, with those whom it concerns; for moderators of the site."""
    if not moderates(moderator, None):
        return []
    rows = list(IntegrityCase.objects.filter(status=IntegrityCase.Status.OPEN).order_by("opened_at")[:PAGE])
    people = User.objects.in_bulk({user_id for case in rows for user_id in case.people})
    return [
        {
            "case": case,
            "people": [people[user_id] for user_id in case.people if user_id in people],
            "evidence": {name.replace("_", " "): _in_words(value) for name, value in case.evidence.items()},
        }
        for case in rows
    ]


def _in_words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_in_words, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_in_words(one)}" for name, one in value.items())
    return str(value)


def closed_lately(moderator: User) -> QuerySet[Case]:
    """Select what was decided last, by whom."""
    rows = Case.objects.exclude(closed_at=None).select_related("user", "closed_by", "channel")
    if not moderates(moderator, None):
        rows = rows.filter(channel__competition__host=moderator)
    return rows.order_by("-closed_at")[:PAGE]


def hosts_something(user: User) -> bool:
    """Tell whether somebody has an arena of their own to moderate."""
    return Competition.objects.filter(host=user).exists()


def live_rooms(moderator: User) -> list[Channel]:
    """List the channels in which something goes on, those with most said first; a host's are their own."""
    rows = Channel.objects.filter(archived_at=None).exclude(kind=Channel.Kind.DIRECT).select_related("competition")
    if not moderates(moderator, None):
        rows = rows.filter(competition__host=moderator)
    return list(rows.order_by("-last_seq", "-created_at")[:MOST_ROOMS])


def record(user: User) -> dict[str, Any]:
    """Show everything moderators know of somebody: decisions, notes, cases, what holds and what is suggested."""
    return {
        "decisions": sanctions.record_of(user)[:100],
        "notes": Note.objects.filter(user=user).select_related("author").order_by("-at")[:50],
        "cases": Case.objects.filter(user=user).select_related("closed_by").order_by("-opened_at")[:50],
        "advice": sanctions.advice(user),
        "presets": list(authority.PRESETS),
    }
