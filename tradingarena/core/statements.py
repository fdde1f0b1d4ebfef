"""Single statements that count: their values sent apart from them, and prepared once for each connection.

Everything else goes through the ORM. Used where a statement is on the path of every bet or transfer.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection

from tradingarena.core.locks import require_transaction
from tradingarena.core.patience import PatientConnection


def fetch(statement: str, values: Sequence[Any]) -> list[Any]:
    """Run a statement and give its rows.

    Guarantees: errors are Django's, as from the ORM; within the transaction that is open.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(statement, values, prepare=True).fetchall()


def give_time(milliseconds: int) -> None:
    """Let statements take longer than the settings allow, until the transaction that is open ends. 0: as long as they take.

    Raises: RuntimeError: no transaction.
    """
    require_transaction()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)])
    given = connection.connection
    if isinstance(given, PatientConnection):
        given.give_time(milliseconds / 1000 if milliseconds else None)
