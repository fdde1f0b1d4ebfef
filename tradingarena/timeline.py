"""Two people's orders in a contest as a drawing: a line of marks for each, joined where they came together. SVG, made on the server.

What counts as together is in `competitions/engine/mirrors.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from competitions.engine.mirrors import MIRRORED_S
from competitions.selectors.mirrors import Placed

WIDTH, EDGE = 720, 12
ROWS = (34, 106)


@dataclass(frozen=True, slots=True)
class Mark:
    """One order. Units: the drawing's. `up`: it buys."""

    x: float
    y: int
    up: bool
    title: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the template draws: marks, and lines between orders that came together."""

    marks: list[Mark]
    joins: list[tuple[float, float, bool]]  # x above, x below, whether both were on the same side
    together: int


def draw(orders: Sequence[Placed], above: UUID, below: UUID) -> Drawing | None:
    """Lay two people's orders along time; None when there are none.

    Shapes: orders by time; each joins at most one of the other person, the nearest within a second in the same pair.
    """
    if not orders:
        return None
    begin, end = orders[0].at, orders[-1].at
    length_s = max((end - begin).total_seconds(), 1.0)

    def x(one: Placed) -> float:
        return round(EDGE + (one.at - begin).total_seconds() / length_s * (WIDTH - 2 * EDGE), 1)

    marks = [
        Mark(x(one), ROWS[one.user_id == below], one.side == "buy", f"{one.side} {one.pair} {one.at:%H:%M:%S.%f}"[:-3])
        for one in orders
    ]
    free = [one for one in orders if one.user_id == below]
    joins = []
    for one in (order for order in orders if order.user_id == above):
        near = [
            other for other in free if other.pair == one.pair and abs((other.at - one.at).total_seconds()) <= MIRRORED_S
        ]
        if near:
            other = min(near, key=lambda order: abs(order.at - one.at))
            free.remove(other)
            joins.append((x(one), x(other), one.side == other.side))
    return Drawing(marks, joins, len(joins))
