"""Row locks, in one order: docs/locking.md. Every lock in the program is taken here."""

from collections.abc import Iterable
from typing import TypeVar

from django.db import connection, models

from tradingarena.core.errors import NotFound

Row = TypeVar("Row", bound=models.Model)


def require_transaction() -> None:
    """Refuse to go on outside a transaction: a lock there would be gone before it is of use.

    Raises: RuntimeError: no transaction is open.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("this tool works inside a transaction that its caller has opened")


def lock_rows(model: type[Row], ids: Iterable[object]) -> dict[object, Row]:
    """Lock several rows in primary-key order and read them as they are now.

    Shapes: ids -> row; ids that do not exist are absent.
    Locks / Effects: FOR NO KEY UPDATE on each row until the transaction ends.
    Raises: RuntimeError: no transaction is open.
    """
    require_transaction()
    rows = model._default_manager.filter(pk__in=list(ids)).order_by("pk").select_for_update(no_key=True, of=("self",))
    return {row.pk: row for row in rows}


def lock_row(model: type[Row], pk: object) -> Row:
    """Lock one row and read it as it is now.

    Locks / Effects: FOR NO KEY UPDATE until the transaction ends.
    Raises: NotFound: there is no such row. RuntimeError: no transaction is open.
    """
    row = lock_rows(model, [pk]).get(pk)
    if row is None:
        raise NotFound
    return row


def share_row(model: type[Row], pk: object) -> Row:
    """Read one row and keep it from changing, together with everybody else who does the same.

    Locks / Effects: FOR SHARE until the transaction ends.
    Raises: NotFound: there is no such row. RuntimeError: no transaction is open.
    """
    require_transaction()
    # Django has no FOR SHARE
    quoted = connection.ops.quote_name
    table, key = quoted(model._meta.db_table), quoted(str(model._meta.pk.column))
    statement = f"SELECT * FROM {table} WHERE {key} = %s FOR SHARE"  # noqa: S608  names from the model
    for row in model._default_manager.raw(statement, [str(pk)]):
        return row
    raise NotFound


def queue_for(purpose: str, key: object) -> None:
    """Wait for the turn of whoever else does the same thing for the same key, without touching a row.

    Locks / Effects: a transaction-level advisory lock; collisions of its 64-bit hash only make strangers wait.
    Raises: RuntimeError: no transaction is open.
    """
    require_transaction()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{purpose}:{key}"])


def take_turn(purpose: str, key: object) -> bool:
    """Take the turn that `queue_for` waits for if it is free; say whether it was.

    Locks / Effects: as `queue_for`, and never waits.
    Raises: RuntimeError: no transaction is open.
    """
    require_transaction()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"{purpose}:{key}"])
        row = cursor.fetchone()
    return bool(row and row[0])
