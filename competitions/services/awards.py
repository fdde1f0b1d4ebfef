"""Giving badges when a contest is final. What earns one is in `engine/badges.py`. Rules: docs/rules/badges.md."""

from collections import defaultdict
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from accounts.services import notices
from competitions.engine.badges import BADGES, Facts, Played, earned
from competitions.models import Award, Competition, Entry

WEEK = timedelta(days=7)


def award(competition_id: UUID) -> int:
    """Give the badges that a completed contest has earned; say how many are new.

    Guarantees: each person has each badge once, with the first contest that earned it, however often and in however many places this
        is called.
    Locks / Effects: awards; tells whoever earned one.
    """
    contest = Competition.objects.get(pk=competition_id)
    if contest.status != Competition.Status.COMPLETED:
        return 0
    facts = _facts(contest)
    due = [(user_id, badge) for user_id, known in facts.items() for badge in earned(known)]
    with transaction.atomic():
        held = set(Award.objects.filter(user__in=facts).values_list("user_id", "badge"))
        rows = [
            Award(user_id=user_id, badge=badge, competition=contest)
            for user_id, badge in due
            if (user_id, badge) not in held
        ]
        Award.objects.bulk_create(rows, ignore_conflicts=True)
        new = list(Award.objects.filter(pk__in=[row.pk for row in rows]))
        for row in new:
            values = {"badge": BADGES[row.badge].title, "title": contest.title}
            notices.tell("badge", [row.user_id], cause=row.pk, url=f"/competitions/{contest.slug}", values=values)
    return len(new)


def _facts(contest: Competition) -> dict[UUID, Facts]:
    """Gather what is known of everybody who was ranked, with two queries."""
    here = {entry.user_id: entry for entry in contest.entries.exclude(rank=None)}
    counts: dict[UUID, int] = defaultdict(int)
    history: dict[UUID, list[tuple[object, Played]]] = defaultdict(list)
    played = Entry.objects.filter(
        user__in=here,
        competition__status=Competition.Status.COMPLETED,
        rank__isnull=False,
        competition__completed_at__lte=contest.completed_at,
    ).select_related("competition")
    rows = list(played.order_by("competition__completed_at", "competition_id"))
    contests = {row.competition_id for row in rows}
    for competition_id in Entry.objects.filter(competition__in=contests, rank__isnull=False).values_list(
        "competition_id", flat=True
    ):
        counts[competition_id] += 1
    for row in rows:
        gain = (row.final_equity_cents or 0) - row.competition.starting_balance_cents
        history[row.user_id].append(
            (row.competition.completed_at, Played(row.rank or 0, counts[row.competition_id], gain))
        )
    wins_before = {
        user_id: sum(one.rank == 1 and one.ranked > 1 for _, one in told[:-1]) for user_id, told in history.items()
    }
    return {
        user_id: Facts(
            history=[one for _, one in told],
            week=[one for at, one in told if at is not None and at > contest.completed_at - WEEK],  # type: ignore[operator]
            max_drawdown_bps=here[user_id].max_drawdown_bps,
            rival_wins=_rival_wins(here, wins_before, user_id),
        )
        for user_id, told in history.items()
    }


def _rival_wins(here: dict[UUID, Entry], wins_before: dict[UUID, int], user_id: UUID) -> int | None:
    own = here[user_id]
    if own.rank != 1:
        return None  # only who won is asked about
    below = [wins_before.get(other, 0) for other, entry in here.items() if (entry.rank or 0) > own.rank]
    return max(below, default=None)
