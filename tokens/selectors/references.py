"""What a statement's row leads to. Each app that causes transfers says how its references are named and where their page is.

The ledger stores (type, id) and knows nothing more. Rules: docs/rules/tokens.md#statement.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple


class Link(NamedTuple):
    """Where a reference leads: words and a path of this site."""

    title: str
    url: str


Resolve = Callable[[Collection[str]], Mapping[str, Link]]
_resolvers: dict[str, Resolve] = {}


def register(reference_type: str, resolve: Resolve) -> None:
    """Say how references of a type are named: ids in, id -> link out, with one query for all. Apps do so in ready()."""
    _resolvers[reference_type] = resolve


def links(references: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Link]:
    """Find where references lead; those of an unknown type, or to what is gone, are absent."""
    by_type: dict[str, set[str]] = {}
    for kind, pk in references:
        by_type.setdefault(kind, set()).add(pk)
    found: dict[tuple[str, str], Link] = {}
    for kind, pks in by_type.items():
        if kind in _resolvers:
            found |= {(kind, pk): link for pk, link in _resolvers[kind](pks).items()}
    return found
