"""What a completed contest adds to the leaderboards of traders, once. The boards themselves are tokens'.

Rules: docs/rules/economy.md#leaderboards.
"""

from datetime import timedelta
from uuid import UUID

from competitions.models import Competition, Entry
from tokens.services import boards
from tokens.services.boards import Gain
from tradingarena.core.clock import database_now

LOOK_BACK = timedelta(days=30)


def contest_count(competition_id: UUID) -> bool:
    """Add a completed contest to its leaderboard; False when it was added before, or is on none.

    Formula: a ranked entrant gains a point for every ranked entrant below, a contest, and a win on first place.
        Source: docs/rules/economy.md#leaderboards.
    Locks / Effects: as `boards.gains_add`.
    """
    contest = Competition.objects.filter(pk=competition_id, status=Competition.Status.COMPLETED).first()
    if contest is None or contest.completed_at is None or contest.kind != Competition.Kind.PUBLIC:
        return False
    ranked = Entry.objects.filter(competition=contest, rank__isnull=False).order_by("rank")
    ranks = list(ranked.values_list("user", "rank"))
    below = points([rank for _, rank in ranks])
    gains = [Gain(user, score, 1, int(rank == 1)) for (user, rank), score in zip(ranks, below, strict=True)]
    board = "bots" if contest.bots_only else "traders"
    return boards.gains_add(board, contest.pk, contest.completed_at.date(), gains)


def points(ranks: list[int]) -> list[int]:
    """Count for each rank how many stand below it.

    Shapes: ranks in rising order, shared by ties; as many points in the same order.
    Example:
        >>> points([1, 2, 2, 4])
        [3, 1, 1, 0]
    """
    return [sum(other > rank for other in ranks) for rank in ranks]


def sweep() -> int:
    """Add what no event has told of; give the number of contests."""
    ended = Competition.objects.filter(
        status=Competition.Status.COMPLETED,
        kind=Competition.Kind.PUBLIC,
        completed_at__gte=database_now() - LOOK_BACK,
    )
    return sum(
        contest_count(pk) for pk in boards.uncounted(ended.order_by("completed_at").values_list("pk", flat=True))
    )
