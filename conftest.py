"""What every test of the repository needs: a flush that gets past the append-only tables, and only there."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql.operations import DatabaseOperations

# A transactional test ends with an emptied database. TRUNCATE makes new files for each of a hundred tables, which costs
# more than most tests do, and append-only tables refuse it. So what has rows is deleted from, with every trigger of a
# table suspended: inside the flush's own transaction, in the tests' own database, and nowhere in the program. The lock
# waits for writers that have not ended, as TRUNCATE's does. What migrations derive from the models stays as it is.
_DERIVED = {"auth_permission", "django_content_type"}
_EMPTY = """
DO $$ DECLARE one text; filled boolean; BEGIN
    SET LOCAL session_replication_role = replica;
    LOCK TABLE %(tables)s IN SHARE ROW EXCLUSIVE MODE;
    FOREACH one IN ARRAY ARRAY[%(names)s] LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %%I)', one) INTO filled;
        IF filled THEN EXECUTE format('DELETE FROM %%I', one); END IF;
    END LOOP;
END $$
"""


def _sql_flush(self: DatabaseOperations, style: Any, tables: Sequence[str], **options: Any) -> list[str]:
    tables = [table for table in tables if table not in _DERIVED]
    if not tables:
        return []
    quoted = ", ".join(self.quote_name(table) for table in tables)
    return [_EMPTY % {"tables": quoted, "names": ", ".join(f"'{table}'" for table in tables)}]


DatabaseOperations.sql_flush = _sql_flush  # type: ignore[method-assign]  # the one place where tests differ
