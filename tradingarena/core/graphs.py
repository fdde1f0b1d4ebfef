"""Groups of what hangs together. Nothing about people or money lives here."""

from collections.abc import Hashable, Iterable
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def groups(edges: Iterable[tuple[Node, Node]]) -> list[set[Node]]:
    """Gather what is joined by edges, directly or through others.

    Shapes: one set for each group, the largest first; who has no edge is in none.
    Example:
        >>> [sorted(one) for one in groups([(1, 2), (4, 5), (2, 3)])]
        [[1, 2, 3], [4, 5]]
    """
    of: dict[Node, set[Node]] = {}
    for one, other in edges:
        small, large = sorted((of.get(one, {one}), of.get(other, {other})), key=len)
        if small is not large:
            large |= small
        for node in {*small, one, other}:
            of[node] = large
    return sorted({id(group): group for group in of.values()}.values(), key=len, reverse=True)
