"""Single statements that count: their values sent apart from them, and prepared once for each connection.

Everything else goes through the ORM. Used where a statement is on the path of every bet or transfer.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection


def fetch(statement: str, values: Sequence[Any]) -> list[Any]:
    """Run a statement and give its rows.

    Guarantees: errors are Django's, as from the ORM; within the transaction that is open.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(statement, values, prepare=True).fetchall()
