"""How pools stood over time, from the bets themselves: what was on each side after each bet, thinned to what a screen shows.

Rules: docs/rules/bet-behind.md#odds.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import TypedDict
from uuid import UUID

from django.db import connection

from tradingarena.core.clock import to_ms

MOST_POINTS = 120  # of one line


class LineHistory(TypedDict):
    """One line's pools after its bets, oldest first: Unix milliseconds, tokens above, tokens below."""

    market_id: str
    line_id: str
    threshold_bps: int
    points: list[tuple[int, int, int]]


def histories(market_ids: Collection[UUID]) -> list[LineHistory]:
    """Tell how the pools of markets grew, with one statement.

    Shapes: lines without a bet are absent; at most 120 points a line, evenly over its bets, its last always among them.
    """
    points: dict[tuple[UUID, UUID, int], list[tuple[int, int, int]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT market_id, line_id, threshold_bps, placed_at, above, below FROM (
                SELECT bet.market_id, bet.line_id, line.threshold_bps, bet.placed_at,
                    coalesce(sum(bet.stake_tokens) FILTER (WHERE bet.side = 'above') OVER so_far, 0)::bigint AS above,
                    coalesce(sum(bet.stake_tokens) FILTER (WHERE bet.side = 'below') OVER so_far, 0)::bigint AS below,
                    row_number() OVER so_far AS number, count(*) OVER (PARTITION BY bet.line_id) AS bets
                FROM betting_bet AS bet JOIN betting_line AS line ON line.id = bet.line_id
                WHERE bet.market_id = ANY(%s)
                WINDOW so_far AS (PARTITION BY bet.line_id ORDER BY bet.placed_at, bet.id)
            ) AS seen
            WHERE number = bets OR bets <= %s OR number %% (bets / %s + 1) = 0
            ORDER BY market_id, threshold_bps, placed_at
            """,
            [list(market_ids), MOST_POINTS, MOST_POINTS],
        )
        for market_id, line_id, threshold_bps, placed_at, above, below in cursor.fetchall():
            points[market_id, line_id, threshold_bps].append((to_ms(placed_at), above, below))
    return [
        {"market_id": str(market_id), "line_id": str(line_id), "threshold_bps": threshold_bps, "points": found}
        for (market_id, line_id, threshold_bps), found in points.items()
    ]
