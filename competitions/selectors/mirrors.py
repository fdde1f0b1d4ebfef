"""Orders of two people that come together: counted over a contest, and listed for two. Nothing here writes.

Rules: docs/rules/fair-play.md#mirrored-orders.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from competitions.engine.mirrors import FEWEST_MIRRORED, MIRRORED_S, OPPOSITE_S

# What opens or adds to a position, by people: bots with the same strategy act alike, and say that they are bots. Each order stands in its
# own bucket of time, and is looked for in the buckets beside it: an equality that a hash join can use.
_PLACED = """
    WITH placed AS (
        SELECT entry.user_id, orders.id, orders.pair, orders.side, orders.accepted_at,
            floor(extract(epoch FROM orders.accepted_at) / %(within)s)::bigint AS bucket
        FROM competitions_order AS orders JOIN competitions_entry AS entry ON entry.id = orders.entry_id
        JOIN accounts_user AS person ON person.id = entry.user_id
        WHERE orders.competition_id = %(contest)s AND orders.closes_position IS NULL AND orders.status <> 'rejected'
            AND NOT person.is_bot {people}),
    counted AS (SELECT user_id, count(*) AS orders FROM placed GROUP BY user_id HAVING count(*) >= %(fewest)s)
"""
_THESE = "AND entry.user_id = ANY(%(people)s)"
_TOGETHER = """
    {placed}
    SELECT one.user_id, other.user_id, one.side = other.side, count(DISTINCT one.id), count(DISTINCT other.id),
        least(min(first.orders), min(second.orders))
    FROM placed AS one JOIN counted AS first ON first.user_id = one.user_id
    CROSS JOIN (VALUES (-1), (0), (1)) AS beside (step)
    JOIN placed AS other ON other.pair = one.pair AND other.bucket = one.bucket + beside.step AND other.user_id > one.user_id
    JOIN counted AS second ON second.user_id = other.user_id
    WHERE abs(extract(epoch FROM other.accepted_at - one.accepted_at)) <= %(within)s
    GROUP BY one.user_id, other.user_id, one.side = other.side
    HAVING least(count(DISTINCT one.id), count(DISTINCT other.id)) >= %(fewest)s
"""
_OF_TWO = """
    {placed}
    SELECT user_id, pair, side, accepted_at FROM placed ORDER BY accepted_at, id LIMIT %(limit)s
"""


class Together(NamedTuple):
    """How many orders of two people, the smaller id first, come together, of the orders of whichever has fewer."""

    one_id: UUID
    other_id: UUID
    same_side: bool
    orders: int
    fewer_orders: int


class Placed(NamedTuple):
    """An order as the picture of two people's orders needs it."""

    user_id: UUID
    pair: str
    side: str
    at: datetime


def mirrored(competition_id: UUID) -> list[Together]:
    """Count the orders of any two people of a contest that came within a second of each other."""
    return _together(competition_id, MIRRORED_S, FEWEST_MIRRORED)


def opposite(competition_id: UUID, people: Collection[UUID]) -> list[Together]:
    """Count the orders of any two of these people that came within a minute of each other."""
    return _together(competition_id, OPPOSITE_S, 1, people) if people else []


def orders_of(competition_id: UUID, people: Collection[UUID], *, limit: int = 400) -> list[Placed]:
    """List the orders of some people in a contest, the oldest first."""
    with connection.cursor() as cursor:
        values = {"contest": competition_id, "within": 1, "fewest": 1, "people": list(people), "limit": limit}
        cursor.execute(_OF_TWO.format(placed=_PLACED.format(people=_THESE)), values)
        return [Placed(*row) for row in cursor.fetchall()]


def _together(competition_id: UUID, within_s: int, fewest: int, people: Collection[UUID] = ()) -> list[Together]:
    statement = _TOGETHER.format(placed=_PLACED.format(people=_THESE if people else ""))
    values = {"contest": competition_id, "within": within_s, "fewest": fewest, "people": list(people)}
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [
            Together(one, other, same, min(ones, others), fewer)
            for one, other, same, ones, others, fewer in cursor.fetchall()
        ]
