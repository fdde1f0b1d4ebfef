"""SQL beside its migration: how a migration runs a file and its reverse, and how it makes a table append-only.

A file `0002_x.sql` has its reverse in `0002_x.reverse.sql`. Rules: docs/locking.md, the database's own guarantees.
"""

import re
from pathlib import Path

from django.db.migrations import RunSQL

_NAME = re.compile(r"[a-z][a-z0-9_]{0,54}")


def run_sql_file(path: str | Path) -> RunSQL:
    """Run a file of SQL forwards, and `<name>.reverse.sql` beside it backwards.

    Raises: FileNotFoundError: one of the two is missing.
    Example:
        run_sql_file(Path(__file__).with_name("0002_guard.sql"))
    """
    forwards = Path(path)
    backwards = forwards.with_suffix(".reverse.sql")
    return RunSQL(forwards.read_text(encoding="utf-8"), backwards.read_text(encoding="utf-8"))


def append_only(table: str) -> RunSQL:
    """Let the database refuse UPDATE, DELETE and TRUNCATE of a table to everybody, the app's own role included.

    Guarantees: only who alters the table itself (its owner, in a migration) can lift the refusal.
    Raises: ValueError: not a plain table name.
    """
    if not _NAME.fullmatch(table):
        raise ValueError(f"not a plain table name: {table!r}")
    return RunSQL(
        f"""
        CREATE TRIGGER {table}_keep BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION arena_refuse_change();
        CREATE TRIGGER {table}_keep_all BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION arena_refuse_change();
        """,
        f"""
        DROP TRIGGER {table}_keep ON {table};
        DROP TRIGGER {table}_keep_all ON {table};
        """,
    )
