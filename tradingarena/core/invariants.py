"""What must hold in the database at any moment, as statements that find where it does not. Each app has its own list.

The lists are gathered and run in `tradingarena/invariants.py`. Rules: docs/operations.md#the-books.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection

EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold.

    Shapes: `sql` selects a row for each place where it does not hold; its columns name the place and the figures.
    """

    name: str
    holds: str
    sql: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: nothing, when `violations` is 0."""

    check: Check
    violations: int
    examples: list[dict[str, Any]]


def run(check: Check) -> Finding:
    """Run one check.

    Guarantees: one statement, so what it sees is one moment of the database, with contests running too.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT *, count(*) OVER () AS violations_found FROM ({check.sql}) AS found LIMIT {EXAMPLES}"  # noqa: S608  written in this program
        )
        names = [column.name for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    found = rows[0]["violations_found"] if rows else 0
    return Finding(check, found, [{name: row[name] for name in names[:-1]} for row in rows])
