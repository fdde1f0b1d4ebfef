"""What tells that accounts may be one person's: the devices and addresses they were seen on in common.

Rules: docs/rules/fair-play.md#linked-accounts.
"""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from django.db import connection

from accounts.rules.links import A_CROWD

Pair = tuple[UUID, UUID]

_LINKED = """
    WITH seen AS (SELECT user_id, kind, digest FROM accounts_sighting WHERE user_id = ANY(%s)),
    private AS (
        SELECT kind, digest FROM accounts_sighting WHERE (kind, digest) IN (SELECT kind, digest FROM seen)
        GROUP BY kind, digest HAVING count(*) BETWEEN 2 AND %s)
    SELECT DISTINCT one.user_id, other.user_id, one.kind
    FROM private JOIN seen AS one USING (kind, digest) JOIN seen AS other USING (kind, digest)
    WHERE one.user_id < other.user_id
"""


def pair(one: UUID, other: UUID) -> Pair:
    """Name two people in the order in which pairs are kept."""
    return (one, other) if one < other else (other, one)


def linked_among(user_ids: Collection[UUID]) -> dict[Pair, set[str]]:
    """Tell which of these people were seen on something in common, and on what: "device", "address".

    Guarantees: one query; what more than 10 accounts were seen on links nobody.
    """
    found: dict[Pair, set[str]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(_LINKED, [list(user_ids), A_CROWD])
        for one, other, kind in cursor.fetchall():
            found[one, other].add(kind)
    return dict(found)
